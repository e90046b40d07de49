//! Numbers as they are quoted, and as the evidence has them.

use operator_reasoner::{EvidenceItem, EvidencePack};
use serde_json::Value as Json;

use super::RecordedCase;

/// What a number may be multiplied by when it is said in another unit: thousands, sixties, hundredths.
const UNITS: [f64; 7] = [1.0, 1e3, 1e-3, 60.0, 1.0 / 60.0, 100.0, 0.01];
/// How far rounding may take a number from what it was.
const LOOSEST: f64 = 0.05;
/// Up to here a whole number may be a count of what is there.
const COUNT: f64 = 10.0;

/// A number in a sentence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quoted {
    /// As it was written.
    pub text: String,
    value: f64,
    /// Half of the last place that was written.
    half: f64,
}

/// The numbers in a sentence: those that stand for themselves, not those within a word.
pub(super) fn quoted(text: &str) -> Vec<Quoted> {
    let letters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut i = 0;
    while i < letters.len() {
        if letters[i].is_alphabetic() || letters[i] == '_' {
            // The rest of a word or of a name, with whatever numbers are in it.
            while letters.get(i).is_some_and(|letter| letter.is_alphanumeric() || "_.".contains(*letter)) {
                i += 1;
            }
            continue;
        }
        if !letters[i].is_ascii_digit() {
            i += 1;
            continue;
        }
        let start = i;
        while letters.get(i).is_some_and(|letter| letter.is_ascii_digit() || ".,".contains(*letter)) {
            i += 1;
        }
        let written: String = letters[start..i].iter().collect();
        let written = written.trim_end_matches(['.', ',']).to_owned();
        i = start + written.len();
        let plain = written.replace(',', "");
        // `1.2.3` is a version or an address.
        let Ok(value) = plain.parse::<f64>() else { continue };
        let decimals = plain.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let half = 0.5 * 10_f64.powi(-i32::try_from(decimals).unwrap_or(0));
        found.push(Quoted { text: written, value, half });
    }
    found
}

/// The numbers of some evidence.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers(Vec<f64>);

impl Numbers {
    /// Those of the whole case.
    pub fn of_case(case: &RecordedCase) -> Self {
        let mut numbers = Self::of_items(&case.pack, &case.pack.items.iter().collect::<Vec<_>>());
        let rest = (&case.pack.invariants, &case.looks, &case.pack.components, case.pack.observations);
        numbers.add(&serde_json::to_value(rest).unwrap_or_default());
        numbers
    }

    /// Those of these items, and when they were so, before the evidence was taken and after the trouble began.
    pub fn of_items(pack: &EvidencePack, items: &[&EvidenceItem]) -> Self {
        let mut numbers = Self::default();
        for item in items {
            numbers.add(&serde_json::to_value(item).unwrap_or_default());
            for other in [pack.built_at, pack.onset, pack.from] {
                let apart = item.at.as_millis().abs_diff(other.as_millis());
                numbers.0.push(apart as f64 / 1e3);
            }
        }
        // How much one is of another, or more than another, is read off the two.
        if let [item] = items
            && let operator_reasoner::EvidenceKind::Deviation { baseline, value, .. } = &item.kind
            && *baseline != 0.0
        {
            numbers.0.extend([value / baseline, value - baseline, (value - baseline) / baseline]);
        }
        numbers
    }

    fn add(&mut self, json: &Json) {
        match json {
            Json::Number(number) => self.0.extend(number.as_f64()),
            Json::String(text) => self.0.extend(quoted(text).into_iter().map(|quoted| quoted.value)),
            Json::Array(list) => list.iter().for_each(|one| self.add(one)),
            Json::Object(map) => map.values().for_each(|one| self.add(one)),
            Json::Null | Json::Bool(_) => {}
        }
    }

    /// Whether one of them could have been written so.
    pub fn have(&self, quoted: &Quoted) -> bool {
        let is_count = quoted.value <= COUNT && quoted.value.fract() == 0.0;
        is_count || UNITS.iter().any(|unit| self.0.iter().any(|number| is_rounded(quoted, number * unit)))
    }

    /// Whether one of them is this, up to what writing it down may change.
    pub fn have_value(&self, value: f64) -> bool {
        self.0.iter().any(|number| (number - value).abs() <= 1e-6 * number.abs().max(1.0))
    }
}

/// Whether a number is what was written, rounded to the places written, or to three digits and better than the loosest.
fn is_rounded(quoted: &Quoted, number: f64) -> bool {
    let apart = (number.abs() - quoted.value).abs();
    let half = if quoted.half < 1.0 { quoted.half } else { 0.5 };
    // The last place may have been cut off as well as rounded.
    apart <= 2.0 * half * (1.0 + 1e-9) && apart <= (LOOSEST * number.abs()).max(quoted.half)
        || apart <= 0.005 * number.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn have(numbers: &[f64], text: &str) -> bool {
        let one = quoted(text);
        assert_eq!(one.len(), 1, "{text}");
        Numbers(numbers.to_vec()).have(&one[0])
    }

    #[test]
    fn numbers_within_words_are_names() {
        let texts = |text| quoted(text).into_iter().map(|one| one.text).collect::<Vec<_>>();
        assert_eq!(texts("p99 of n2 is 1,234.5 ms, 3x; v1.2.3 is 10.0.0.1"), ["1,234.5", "3"]);
        assert_eq!(texts("from 21ms to 655. It rose"), ["21", "655"]);
    }

    #[test]
    fn a_number_may_be_rounded_and_said_in_another_unit() {
        assert!(have(&[655.4], "655"));
        assert!(have(&[655.4], "0.655 s"));
        assert!(have(&[0.954], "95 %"));
        assert!(have(&[655.4], "655.4"));
    }

    #[test]
    fn another_number_is_not_a_rounded_one() {
        assert!(!have(&[655.4], "700"));
        assert!(!have(&[655.4], "645"));
        assert!(!have(&[21.0], "12"));
        assert!(!have(&[], "42"));
        assert!(!have(&[41.2], "39"));
    }
}
