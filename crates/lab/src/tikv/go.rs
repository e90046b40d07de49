//! How Go writes and reads sizes, durations and times, which is how PD does.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A size as PD writes it: binary units, four significant digits.
pub(crate) fn size(bytes: f64) -> String {
    let mut value = bytes.max(0.0);
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{}{unit}", significant(value))
}

/// Four significant digits, without zeros at the end.
fn significant(value: f64) -> String {
    let before = if value >= 1.0 { value.log10().floor() as usize + 1 } else { 1 };
    let text = format!("{value:.*}", 4_usize.saturating_sub(before));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A duration as Go writes it: `30m0s`, `10ms`, `1h0m0.5s`.
pub(crate) fn duration(milliseconds: i64) -> String {
    let total = milliseconds.max(0);
    if total == 0 {
        return "0s".to_owned();
    }
    if total < 1_000 {
        return format!("{total}ms");
    }
    let (hours, minutes) = (total / 3_600_000, total / 60_000 % 60);
    let thousandths = total % 60_000;
    let mut seconds = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
    seconds = seconds.trim_end_matches('0').trim_end_matches('.').to_owned();
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// Milliseconds of a duration as Go writes it.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest.get(..end)?.parse().ok()?;
        rest = rest.get(end..)?;
        let unit_end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let factor = match rest.get(..unit_end)? {
            "h" => 3_600_000.0,
            "m" => 60_000.0,
            "s" => 1_000.0,
            "ms" => 1.0,
            "us" | "µs" => 0.001,
            _ => return None,
        };
        total += number * factor;
        rest = rest.get(unit_end..)?;
    }
    (!text.is_empty() && total < 1e15).then_some(total as i64)
}

/// An instant as JSON has it: `2026-11-23T20:57:10.069Z`.
pub(crate) fn rfc3339(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default().to_string()
}

/// An instant as Go prints it, with the time since `began` by a clock that cannot jump.
pub(crate) fn printed(milliseconds: i64, began: i64) -> String {
    let at = Timestamp::from_millisecond(milliseconds).unwrap_or_default().to_zoned(TimeZone::UTC);
    let since = milliseconds - began;
    format!(
        "{} +0000 UTC m=+{}.{:03}000000",
        at.strftime("%Y-%m-%d %H:%M:%S.%3f"),
        since / 1_000,
        since.rem_euclid(1_000)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_as_a_real_pd_wrote_them() {
        let gib = 1024.0 * 1024.0 * 1024.0;
        for (bytes, text) in [
            (1024.0 * gib, "1TiB"),
            (1007.0 * gib, "1007GiB"),
            (16.875 * gib, "16.88GiB"),
            (21.0 * gib, "21GiB"),
            (0.0, "0B"),
            (98.4 * gib, "98.4GiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn durations_are_written_and_read() {
        for (milliseconds, text) in
            [(1_800_000, "30m0s"), (60_000, "1m0s"), (10, "10ms"), (5_000, "5s"), (3_600_500, "1h0m0.5s"), (0, "0s")]
        {
            assert_eq!(duration(milliseconds), text);
            assert_eq!(parse_duration(text), Some(milliseconds));
        }
        assert_eq!(parse_duration("1h"), Some(3_600_000));
        for wrong in ["", "h", "5", "5x", "-1s"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }
}
