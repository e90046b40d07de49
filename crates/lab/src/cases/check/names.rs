//! Names as they are written in sentences, and as the case has them.

use std::collections::BTreeSet;

use operator_reasoner::EvidenceId;

use super::{GENERAL_ACTIONS, RecordedCase};

/// Everything that the case calls by a name, in lower case.
#[derive(Debug)]
pub(super) struct Names {
    /// Names that are more than letters: they may have numbers in them that are none.
    composed: Vec<String>,
    /// Every word of the case's texts.
    words: BTreeSet<String>,
}

impl Names {
    /// The names of a case.
    pub fn of(case: &RecordedCase) -> Self {
        let mut texts = Vec::new();
        let whole = serde_json::to_value((&case.pack, &case.actions, &case.looks)).unwrap_or_default();
        collect(&whole, &mut texts);
        texts.extend(GENERAL_ACTIONS.map(str::to_owned));
        texts.extend(operator_protocols::FaultClass::ALL.iter().map(|class| class.name().to_owned()));
        let words: BTreeSet<String> = texts.iter().flat_map(|text| words(text)).collect();
        let has_digit = |word: &&String| word.chars().any(|letter| letter.is_ascii_digit());
        let is_name = |word: &&String| has_digit(word) && word.chars().any(char::is_alphabetic);
        let mut composed: Vec<String> = words.iter().filter(is_name).cloned().collect();
        // The longest first, so that none is taken for a part of it.
        composed.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Self { composed, words }
    }

    /// The text without the names in it, whose numbers are none.
    pub fn taken_out(&self, text: &str) -> String {
        let mut text = text.to_lowercase();
        for name in &self.composed {
            if text.contains(name.as_str()) {
                text = text.replace(name.as_str(), " ");
            }
        }
        text
    }

    /// What looks like a name in the text and is none of the case's: words with a digit or `_` within, and whatever is
    /// in backquotes.
    pub fn unknown(&self, text: &str) -> Vec<String> {
        let mut found: Vec<String> = words(text)
            .into_iter()
            .filter(|word| {
                let first_is_letter = word.chars().next().is_some_and(char::is_alphabetic);
                first_is_letter && word.chars().any(|letter| letter.is_ascii_digit() || letter == '_')
            })
            .collect();
        found.extend(text.split('`').skip(1).step_by(2).flat_map(words));
        found.retain(|word| !self.is_known(word));
        found
    }

    fn is_known(&self, word: &str) -> bool {
        let is_id = word.strip_prefix('e').is_some_and(|rest| rest.parse::<u32>().is_ok());
        // Ids are looked up by themselves.
        is_id || self.words.contains(word) || split(word).all(|part| self.words.contains(part) || is_number(part))
    }
}

fn is_number(part: &str) -> bool {
    part.starts_with(|letter: char| letter.is_ascii_digit())
}

/// The evidence ids in a text: an `E` and a number.
pub(super) fn ids_in(text: &str) -> Vec<EvidenceId> {
    let of_word = |word: &str| {
        let number = word.strip_prefix('E')?;
        (!number.is_empty() && number.chars().all(|letter| letter.is_ascii_digit()))
            .then(|| EvidenceId(word.to_owned()))
    };
    text.split(|letter: char| !letter.is_alphanumeric()).filter_map(of_word).collect()
}

fn collect(json: &serde_json::Value, texts: &mut Vec<String>) {
    match json {
        serde_json::Value::String(text) => texts.push(text.clone()),
        serde_json::Value::Array(list) => list.iter().for_each(|one| collect(one, texts)),
        serde_json::Value::Object(map) => map.iter().for_each(|(key, value)| {
            texts.push(key.clone());
            collect(value, texts);
        }),
        _ => {}
    }
}

/// The words of a text in lower case; whatever joins the parts of a name is part of the word, and each part is a word as
/// well.
fn words(text: &str) -> Vec<String> {
    let is_part = |letter: char| letter.is_alphanumeric() || "_-.:/".contains(letter);
    let lower = text.to_lowercase();
    let whole = lower.split(|letter| !is_part(letter)).map(|word| word.trim_matches(|c: char| "-.:/".contains(c)));
    let mut found: Vec<String> = Vec::new();
    for word in whole.filter(|word| !word.is_empty()) {
        found.push(word.to_owned());
    }
    found
}

fn split(word: &str) -> impl Iterator<Item = &str> {
    word.split(['.', ':', '/', '-']).filter(|part| !part.is_empty())
}
