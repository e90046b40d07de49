//! Times as people read them: how long ago, and the time of day where they are.

use std::time::Duration;

use jiff::tz::TimeZone;
use operator_protocols::Timestamp;

/// `7 s`, `3 min`, `2 h`, `4 d`: one number is enough to know how long something has lasted.
pub fn age(of: Duration) -> String {
    let seconds = of.as_secs();
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `14:03:07` in `zone`.
pub fn time_of_day(at: Timestamp, zone: &TimeZone) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(at) => at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string(),
        Err(_) => "--:--:--".to_owned(),
    }
}

/// `2026-11-24 14:03:07` in `zone`.
pub fn date_and_time(at: Timestamp, zone: &TimeZone) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(at) => at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => format!("{} ms since 1970", at.as_millis()),
    }
}

/// `2026-11-24T14:03:07.123+01:00` in `zone`: RFC 3339, for programs.
pub fn rfc3339(at: Timestamp, zone: &TimeZone) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(at) => at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string(),
        Err(_) => format!("{}", at.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_one_number_and_a_unit() {
        let shown: Vec<_> = [0, 119, 120, 7_199, 7_200, 172_800].map(|s| age(Duration::from_secs(s))).into();
        assert_eq!(shown, ["0 s", "119 s", "2 min", "119 min", "2 h", "2 d"]);
    }

    #[test]
    fn a_time_that_no_calendar_has_is_no_panic() {
        let never = Timestamp::from_millis(i64::MAX);
        assert_eq!(time_of_day(never, &TimeZone::UTC), "--:--:--");
        assert_eq!(rfc3339(Timestamp::from_millis(0), &TimeZone::UTC), "1970-01-01T00:00:00.000+00:00");
    }
}
