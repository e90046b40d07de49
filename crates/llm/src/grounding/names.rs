//! Whether what looks like a name stands in the evidence. Plain words are free; what has the shape of an identifier is
//! not.

use std::collections::BTreeSet;

use operator_protocols::FaultClass;

use super::words::{Word, words};

/// The most different words that are kept.
const MOST: usize = 50_000;

/// The words of the evidence, in lower case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vocabulary {
    words: BTreeSet<String>,
}

impl Vocabulary {
    /// Adds the words of a text, and their parts.
    pub fn add(&mut self, text: &str) {
        for word in words(text) {
            if self.words.len() >= MOST {
                return;
            }
            self.words.insert(word.text.to_lowercase());
            if word.text.contains(['/', ':']) {
                self.words.extend(word.text.split(['/', ':']).map(str::to_lowercase));
            }
        }
    }

    fn knows(&self, word: &str) -> bool {
        self.words.contains(&word.to_lowercase())
    }

    /// Whether a word may be used: it is known, or it is no name.
    pub fn admits(&self, word: &Word<'_>) -> bool {
        if self.knows(word.text) {
            return true;
        }
        let parts: Vec<&str> = word.text.split(['/', ':']).filter(|part| !part.is_empty()).collect();
        parts.iter().all(|part| self.knows(part) || !(word.joined || is_namelike(part)))
            && !(word.text.contains("//") || word.text.contains('@'))
    }

    /// The first word in backticks that is not known.
    pub fn unknown_quoted<'t>(&self, text: &'t str) -> Option<&'t str> {
        let quoted = text.split('`').skip(1).step_by(2);
        quoted
            .flat_map(words)
            .map(|word| word.text)
            .find(|word| super::numbers::number(word).is_none() && !self.knows(word))
    }
}

/// Whether a word has the shape of an identifier.
fn is_namelike(word: &str) -> bool {
    if FaultClass::from_name(word).is_some() || matches!(word, "e.g" | "i.e" | "vs") {
        return false;
    }
    let letters = word.chars().any(char::is_alphabetic);
    let digits = word.chars().any(|c| c.is_ascii_digit());
    let mut pairs = word.chars().zip(word.chars().skip(1));
    let humped = pairs.any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    letters && (humped || word.contains(['_', '.']) || (digits && !is_common(word)))
        // Too many dots for a number: an address.
        || (!letters && word.matches('.').count() > 1)
}

/// Percentiles and ordinals.
fn is_common(word: &str) -> bool {
    let percentile = word
        .strip_prefix(['p', 'P'])
        .is_some_and(|rest| (2..=4).contains(&rest.len()) && rest.chars().all(|c| c.is_ascii_digit()));
    let ordinal = ["st", "nd", "rd", "th", "-fold", "-second", "-minute"].iter().any(|end| {
        word.strip_suffix(end).is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()))
    });
    percentile || ordinal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(text: &str) -> Vec<&str> {
        let mut vocabulary = Vocabulary::default();
        vocabulary.add("api-1 store loop_lag_seconds 10.0.0.1:80 api-1→store 5xx restart_component");
        words(text).into_iter().filter(|word| !vocabulary.admits(word)).map(|word| word.text).collect()
    }

    #[test]
    fn names_of_the_evidence_and_plain_words_are_free() {
        for text in [
            "api-1 waits for the store, e.g. its p99 and loop_lag_seconds at 10.0.0.1:80.",
            "The 3rd read/write of API-1→store failed with 5xx; restart_component helps. It is ComponentSlow.",
        ] {
            assert!(unknown(text).is_empty(), "{:?}", unknown(text));
        }
    }

    #[test]
    fn a_name_that_is_not_in_the_evidence_is_found() {
        for (text, name) in [
            ("api-9 is down", "api-9"),
            ("it is node7 again", "node7"),
            ("see hop_seconds", "hop_seconds"),
            ("api-1→cache is slow", "cache"),
            ("PostgreSQL is slow", "PostgreSQL"),
            ("look at evil.example", "evil.example"),
            ("go to https://evil", "https://evil"),
            ("ask root@host", "root@host"),
            ("10.0.0.2 does not answer", "10.0.0.2"),
        ] {
            assert_eq!(unknown(text), [name], "{text}");
        }
    }

    #[test]
    fn a_word_in_backticks_is_a_name() {
        let mut vocabulary = Vocabulary::default();
        vocabulary.add("store is slow");
        assert_eq!(vocabulary.unknown_quoted("the `store` waits for `cache`"), Some("cache"));
        assert_eq!(vocabulary.unknown_quoted("the `store` takes `655`"), None);
    }
}
