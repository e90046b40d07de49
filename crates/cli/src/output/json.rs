//! Times in JSON for programs: RFC 3339 with a zone, where the store keeps milliseconds.

use jiff::tz::TimeZone;
use operator_protocols::Timestamp;
use serde_json::Value;

use crate::screen::ages::rfc3339;

/// The fields that hold a time, in all that is printed.
const TIMES: [&str; 26] = [
    "acted_at",
    "as_of",
    "at",
    "began_at",
    "built_at",
    "closed_at",
    "created_at",
    "deadline",
    "done_at",
    "ended_at",
    "expires_at",
    "first_seen",
    "from",
    "last_seen",
    "made_at",
    "observed_at",
    "ok_since",
    "onset",
    "opened_at",
    "registered_at",
    "resolved_at",
    "send_by",
    "since",
    "started_at",
    "updated_at",
    "until",
];
/// The fields whose members are named by a subject or a person: a member called `at` there is theirs.
const OPEN: [&str; 8] = ["body", "details", "facts", "labels", "params", "settings", "value", "answer"];
/// No time of this system is earlier (2001): a smaller number is a count or a duration.
const EARLIEST: i64 = 1_000_000_000_000;

/// Replaces every time by its RFC 3339 form in `zone`.
pub fn with_times_in(value: &mut Value, zone: &TimeZone) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|item| with_times_in(item, zone)),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                if let Some(millis) = value.as_i64().filter(|millis| *millis >= EARLIEST)
                    && TIMES.contains(&key.as_str())
                {
                    *value = Value::String(rfc3339(Timestamp::from_millis(millis), zone));
                } else if !OPEN.contains(&key.as_str()) {
                    with_times_in(value, zone);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_get_a_zone_and_what_only_looks_like_one_stays() {
        let mut value = json!({
            "opened_at": 1_700_000_000_123_i64, "count": 1_700_000_000_000_i64, "at": 5,
            "params": {"at": 1_700_000_000_000_i64}, "list": [{"at": 1_700_000_000_000_i64}], "closed_at": null,
        });
        with_times_in(&mut value, &TimeZone::UTC);
        assert_eq!(
            value,
            json!({
                "opened_at": "2023-11-14T22:13:20.123+00:00", "count": 1_700_000_000_000_i64, "at": 5,
                "params": {"at": 1_700_000_000_000_i64}, "list": [{"at": "2023-11-14T22:13:20.000+00:00"}],
                "closed_at": null,
            })
        );
    }
}
