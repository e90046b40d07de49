//! Whether a quoted number is one of the evidence: equal within the rounding of how it was written, in whatever unit of
//! the same dimension.

use operator_reasoner::{EvidenceItem, EvidenceKind};
use serde_json::Value as Json;

use super::words::{Word, words};

/// The most numbers of one pool.
const POOL: usize = 20_000;

/// What a number measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dimension {
    /// In seconds.
    Time,
    /// In bytes.
    Bytes,
    /// In hundredths.
    Percent,
    /// How many times something is something else.
    Times,
    /// Anything else.
    Plain,
}

/// A number with its dimension, in the base unit.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Measured {
    value: f64,
    dimension: Dimension,
    /// How many of the base unit the unit it was written in is.
    scale: f64,
}

/// A number as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quoted {
    pub text: String,
    value: f64,
    /// Half a unit of its last digit.
    tolerance: f64,
    whole: bool,
    unit: Option<(Dimension, f64)>,
}

/// The numbers that may be quoted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool {
    numbers: Vec<Measured>,
}

impl Pool {
    /// The numbers of an item: as it holds them, as it tells them, and what follows from them (a ratio, a growth).
    pub fn add_item(&mut self, item: &EvidenceItem) {
        match &item.kind {
            EvidenceKind::Deviation { unit, baseline, value, deviation, .. } => {
                self.pair(*value, *baseline, unit);
                self.add(*deviation, "");
            }
            EvidenceKind::Violation(violation) => {
                self.pair(violation.finding.measured, violation.finding.threshold, "");
                self.add(f64::from(violation.finding.count), "");
                if let Some(persists) = violation.finding.persists {
                    self.add(persists.as_secs_f64(), "s");
                }
            }
            EvidenceKind::Saturated { unit, value, full, .. } => self.pair(*value, *full, unit),
            EvidenceKind::Share { unit, value, of, .. } => self.pair(*value, *of, unit),
            EvidenceKind::SelfExcess { unit, total, of_callees, own, .. } => {
                self.pair(*own, *total, unit);
                self.pair(*of_callees, *total, unit);
            }
            EvidenceKind::LogTemplate { before_per_minute, now_per_minute, .. } => {
                self.pair(*now_per_minute, *before_per_minute, "");
            }
            EvidenceKind::Discrepancy { discrepancy, .. } => {
                self.pair(discrepancy.amount, discrepancy.of, "");
                self.add(f64::from(discrepancy.agree), "");
                self.add(f64::from(discrepancy.peers), "");
            }
            EvidenceKind::Peers { deviating, peers, .. } => {
                self.add(f64::from(*deviating), "");
                self.add(f64::from(*peers), "");
            }
            EvidenceKind::Event(event) | EvidenceKind::OwnAction(event) => {
                for value in event.change.iter().flat_map(|change| [&change.before, &change.after]) {
                    self.add_text(&value.to_string());
                }
                self.add_text(&event.message);
            }
            _ => {}
        }
        self.add_text(&item.statement);
    }

    /// A value, what it is held against, and how they stand to each other.
    fn pair(&mut self, value: f64, reference: f64, unit: &str) {
        self.add(value, unit);
        self.add(reference, unit);
        self.add(value - reference, unit);
        if reference != 0.0 {
            let ratio = value / reference;
            self.push(Measured { value: ratio, dimension: Dimension::Times, scale: 1.0 });
            self.push(Measured { value: ratio * 100.0, dimension: Dimension::Percent, scale: 1.0 });
            self.push(Measured { value: (ratio - 1.0) * 100.0, dimension: Dimension::Percent, scale: 1.0 });
        }
    }

    /// A number in a unit.
    pub fn add(&mut self, value: f64, unit: &str) {
        let (dimension, scale) = dimension(unit).unwrap_or((Dimension::Plain, 1.0));
        self.push(Measured { value: value * scale, dimension, scale });
    }

    /// Every number that a text tells.
    pub fn add_text(&mut self, text: &str) {
        for quoted in quoted(&words(text)) {
            let (dimension, scale) = quoted.unit.unwrap_or((Dimension::Plain, 1.0));
            self.push(Measured { value: quoted.value * scale, dimension, scale });
        }
    }

    /// Every number of a JSON value.
    pub fn add_json(&mut self, json: &Json) {
        let mut open = vec![json];
        while let Some(value) = open.pop() {
            match value {
                Json::Number(number) => self.add(number.as_f64().unwrap_or_default(), ""),
                Json::String(text) => self.add_text(text),
                Json::Array(list) => open.extend(list),
                Json::Object(map) => open.extend(map.values()),
                Json::Null | Json::Bool(_) => {}
            }
        }
    }

    fn push(&mut self, number: Measured) {
        if number.value.is_finite() && self.numbers.len() < POOL {
            self.numbers.push(number);
        }
    }

    /// Whether one of the numbers is what was quoted. The sign is not looked at: "5 s before" is -5 s.
    pub fn has(&self, quoted: &Quoted) -> bool {
        self.numbers.iter().any(|number| {
            let near = |value: f64, scale: f64| {
                let wanted = quoted.value.abs() * scale;
                (value.abs() - wanted).abs() <= quoted.tolerance * scale + wanted * 1e-9
            };
            match quoted.unit {
                // Without a unit: as it stands in its own.
                None => near(number.value / number.scale, 1.0),
                Some((Dimension::Plain, scale)) => near(number.value / number.scale, scale),
                Some((Dimension::Percent, _)) => match number.dimension {
                    Dimension::Percent => near(number.value, 1.0),
                    // A part of one, or a number that the evidence tells in percent without saying so.
                    Dimension::Plain => {
                        near(number.value * 100.0, 1.0) || (number.value.abs() > 1.5 && near(number.value, 1.0))
                    }
                    _ => false,
                },
                Some((Dimension::Times, _)) => {
                    matches!(number.dimension, Dimension::Times | Dimension::Plain) && near(number.value, 1.0)
                }
                Some((dimension, scale)) if number.dimension == dimension => near(number.value, scale),
                // The evidence tells it without a unit: a line of a log, say.
                Some(_) => number.dimension == Dimension::Plain && near(number.value, 1.0),
            }
        })
    }
}

impl Quoted {
    /// Whether it is a small whole number without a unit: an ordinal, or a count of what is there.
    pub fn counts_up_to(&self, most: usize) -> bool {
        self.whole && self.unit.is_none() && self.value >= 0.0 && self.value <= most as f64
    }
}

/// The numbers among these words, with their units.
pub(crate) fn quoted(words: &[Word<'_>]) -> Vec<Quoted> {
    let mut found = Vec::new();
    for (n, word) in words.iter().enumerate() {
        let parts: Vec<&str> = if is_numeric_range(word.text) {
            word.text.split(['-', '/', ':']).filter(|part| !part.is_empty()).collect()
        } else {
            vec![word.text]
        };
        for part in parts {
            let Some(mut one) = number(part) else { continue };
            if one.unit.is_none() && one.text.ends_with(|c: char| c.is_ascii_digit()) {
                one.unit = words.get(n + 1).and_then(|next| dimension_in_words(next.text));
            }
            found.push(one);
        }
    }
    found
}

/// Numbers joined by a dash, a slash or a colon: a range, a part, a time of day.
fn is_numeric_range(text: &str) -> bool {
    let inner = text.strip_prefix('-').unwrap_or(text);
    inner.contains(['-', '/', ':']) && inner.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '/' | ':'))
}

/// A number, perhaps with its unit written to it; none if it is another word.
pub(crate) fn number(word: &str) -> Option<Quoted> {
    let text = word.trim_start_matches(['+', '-']);
    let digits: usize = text.chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ',')).count();
    let (mantissa, rest) = text.split_at_checked(digits)?;
    if !mantissa.starts_with(|c: char| c.is_ascii_digit()) || mantissa.matches('.').count() > 1 {
        return None;
    }
    let (exponent, rest) = exponent(rest);
    let unit = match rest {
        "" => None,
        "st" | "nd" | "rd" | "th" => return None,
        // So many a second: the number counts, whatever it is divided by.
        rest if rest.starts_with('/') => None,
        rest => Some(dimension(rest)?),
    };
    let mantissa = mantissa.trim_end_matches('.').replace(',', "");
    let value: f64 = mantissa.parse().ok()?;
    let decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let power = 10_f64.powi(exponent);
    let last = 10_f64.powi(-i32::try_from(decimals).unwrap_or(300)) * power;
    if !(value * power).is_finite() || (exponent != 0 && value == 0.0) {
        return None;
    }
    Some(Quoted {
        text: word.chars().take(40).collect(),
        value: value * power,
        tolerance: last / 2.0,
        whole: decimals == 0 && exponent == 0,
        unit,
    })
}

fn exponent(rest: &str) -> (i32, &str) {
    let Some(after) = rest.strip_prefix(['e', 'E']) else { return (0, rest) };
    let end = after.find(|c: char| !c.is_ascii_digit() && c != '-' && c != '+').unwrap_or(after.len());
    match after.get(..end).and_then(|digits| digits.parse::<i32>().ok()) {
        Some(exponent) if exponent.abs() <= 300 => (exponent, after.get(end..).unwrap_or_default()),
        _ => (0, rest),
    }
}

fn dimension(unit: &str) -> Option<(Dimension, f64)> {
    use Dimension as D;
    Some(match unit {
        "s" | "sec" | "secs" | "seconds" => (D::Time, 1.0),
        "ms" => (D::Time, 1e-3),
        "us" | "µs" | "μs" => (D::Time, 1e-6),
        "ns" => (D::Time, 1e-9),
        "min" | "m" => (D::Time, 60.0),
        "h" => (D::Time, 3_600.0),
        "bytes" | "B" => (D::Bytes, 1.0),
        "kB" | "KB" => (D::Bytes, 1e3),
        "MB" => (D::Bytes, 1e6),
        "GB" => (D::Bytes, 1e9),
        "KiB" => (D::Bytes, 1_024.0),
        "MiB" => (D::Bytes, 1_048_576.0),
        "GiB" => (D::Bytes, 1_073_741_824.0),
        "%" => (D::Percent, 1.0),
        "x" | "×" => (D::Times, 1.0),
        "k" | "K" => (D::Plain, 1e3),
        "M" => (D::Plain, 1e6),
        "G" => (D::Plain, 1e9),
        _ => return None,
    })
}

fn dimension_in_words(word: &str) -> Option<(Dimension, f64)> {
    use Dimension as D;
    Some(match word {
        "second" => (D::Time, 1.0),
        "millisecond" | "milliseconds" => (D::Time, 1e-3),
        "microsecond" | "microseconds" => (D::Time, 1e-6),
        "minute" | "minutes" => (D::Time, 60.0),
        "hour" | "hours" => (D::Time, 3_600.0),
        "percent" => (D::Percent, 1.0),
        "times" | "fold" => (D::Times, 1.0),
        "thousand" => (D::Plain, 1e3),
        "million" => (D::Plain, 1e6),
        // A letter alone may be a word of the sentence.
        "m" | "h" | "B" | "k" | "K" | "M" | "G" => return None,
        unit => return dimension(unit),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Pool {
        let mut pool = Pool::default();
        pool.pair(0.6553, 0.0041, "s");
        pool.add(0.973, "1");
        pool.add(123_456.0, "");
        pool.add(2.0 * 1_048_576.0, "bytes");
        pool.add_text("took 77 of 512 tries, 12.5% lost");
        pool
    }

    #[test]
    fn a_number_of_the_evidence_may_be_written_in_any_unit_and_rounding() {
        for text in [
            "655 ms",
            "655.3ms",
            "0.66 s",
            "0.655 seconds",
            "0.6553",
            "660 ms is wrong but 0.7 s right",
            "4.1 ms",
            "from 4.1-655.3 ms",
            "97%",
            "97.3 %",
            "97 percent",
            "123,456 requests",
            "123k",
            "123.5 thousand",
            "2 MiB",
            "77/512",
            "12.5%",
            "160 times",
            "160x",
            "159.8×",
            "651 ms more",
        ] {
            let all = quoted(&words(text));
            let wrong: Vec<_> = all.iter().filter(|one| !pool().has(one)).map(|one| one.text.as_str()).collect();
            let expected: &[&str] = if text.starts_with("660") { &["660"] } else { &[] };
            assert_eq!(wrong, expected, "{text}");
            assert!(!all.is_empty(), "{text}");
        }
    }

    #[test]
    fn a_number_that_is_not_there_is_found() {
        for text in [
            "656 ms",
            "0.6553 ms",
            "0.67 s",
            "655 s",
            "98%",
            "0.973%",
            "124k",
            "2.0 MB",
            "78",
            "513",
            "161x",
            "41.2 ms",
            "1e9",
        ] {
            let all = quoted(&words(text));
            assert_eq!(all.len(), 1, "{text}");
            assert!(!all.iter().any(|one| pool().has(one)), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for word in ["api-1", "p99", "3rd", "10.0.0.1", "v2", "E7", "5xx", "-", "1e", "..."] {
            assert_eq!(number(word), None, "{word}");
        }
        // What is beyond a number, or nothing at all, written so that its last digit is anything.
        for word in ["999999999999999999999999e300", "0e300"] {
            assert_eq!(number(word), None, "{word}");
        }
    }
}
