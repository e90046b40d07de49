//! Durations as people write them: `250ms`, `5s`, `2m`, `1h30m`, `1d`.

use std::time::Duration;

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// What a duration must look like, for error messages.
const EXPECTED: &str = "a duration like 250ms, 5s, 2m, 1h30m or 1d";

/// Reads a duration. A number without a unit is refused: five of what?
///
/// # Errors
/// Says what would be right.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("expected {EXPECTED}, found {text:?}");
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let amount: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == &rest[..letters]).ok_or_else(wrong)?;
        rest = &rest[letters..];
        millis = amount.checked_mul(*unit).and_then(|more| millis.checked_add(more)).ok_or_else(wrong)?;
    }
    Ok(Duration::from_millis(millis))
}

/// Writes a duration so that [`parse_duration`] reads it back, to the millisecond.
pub fn show_duration(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    for (name, unit) in UNITS.iter().rev() {
        if millis >= *unit {
            out.push_str(&format!("{}{name}", millis / unit));
            millis %= unit;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_back_as_they_were_written() {
        for (text, millis) in
            [("250ms", 250), ("5s", 5_000), ("2m", 120_000), ("1h30m", 5_400_000), ("1d", 86_400_000), ("0s", 0)]
        {
            let read = parse_duration(text).expect(text);
            assert_eq!(read, Duration::from_millis(millis));
            assert_eq!(show_duration(read), text);
        }
    }

    #[test]
    fn a_number_without_a_unit_is_refused_with_an_example() {
        for text in ["5", "", "s", "5 s", "-5s", "1.5s", "5x", "99999999999999999999d", "5m5"] {
            let error = parse_duration(text).expect_err(text);
            assert!(error.contains("1h30m"), "{error}");
        }
    }
}
