//! Text from outside, made harmless where it enters the pack: bounded, on one line, without control characters or
//! characters that reorder what is read.

use std::fmt::Write as _;

use operator_protocols::Timestamp;

use crate::parameters::TEXT_CHARS;

/// RFC 3339 in UTC, to the second; milliseconds since the epoch for what lies beyond the calendar.
pub fn rfc3339(at: Timestamp) -> String {
    let second = at.as_millis().div_euclid(1000);
    jiff::Timestamp::from_second(second).map_or_else(|_| at.to_string(), |time| time.to_string())
}

/// Characters that change the direction or the visibility of text around them.
pub(crate) fn is_deceptive(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{061c}'
            | '\u{feff}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// `text` on one line, at most [`TEXT_CHARS`] characters, with what could deceive replaced by a space.
pub(crate) fn clean(text: &str) -> String {
    bounded(text, TEXT_CHARS)
}

/// Text from outside on one line, at most `most` characters, with what could deceive replaced by a space.
pub fn bounded(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most * 4));
    for (n, c) in text.chars().enumerate() {
        if n == most {
            out.push('…');
            break;
        }
        out.push(if c.is_control() || is_deceptive(c) { ' ' } else { c });
    }
    out
}

/// A number with its unit, to four significant digits: the same text everywhere it is told.
pub(crate) fn quantity(value: f64, unit: &str) -> String {
    let number = number(value);
    match unit {
        "" | "1" => number,
        "%" => format!("{number}%"),
        unit => format!("{number} {}", bounded(unit, 20)),
    }
}

/// A number to four significant digits, without trailing zeros.
pub(crate) fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor();
    if !(-5.0..15.0).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    // Between 0 and 8 digits: the magnitude is within the range checked above.
    let digits = (3.0 - magnitude).clamp(0.0, 8.0) as usize;
    let mut text = String::new();
    let _ = write!(text, "{value:.digits$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_significant_digits() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.15, "0.15"),
            (0.000_123_456, "0.0001235"),
            (12.345_6, "12.35"),
            (123_456.0, "123456"),
            (-2.5, "-2.5"),
            (1e300, "1.000e300"),
            (f64::NAN, "0"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn text_from_outside_is_one_bounded_line_without_tricks() {
        assert_eq!(clean("a\n\u{1b}[31mb\u{202e}c"), "a  [31mb c");
        assert_eq!(clean(&"x".repeat(1000)).chars().count(), TEXT_CHARS + 1);
    }
}
