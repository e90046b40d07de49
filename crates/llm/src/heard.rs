//! What is told of an answer while it comes: in whole words, so that no secret slips through in two halves.

use crate::redact::Redactor;

/// A longer word is told in parts all the same: a known secret is shorter.
const LONGEST: usize = 4096;

/// Passes on words.
pub(crate) struct Heard<'a> {
    redactor: &'a Redactor,
    listener: &'a (dyn Fn(&str) + Send + Sync),
    held: String,
}

impl<'a> Heard<'a> {
    pub(crate) fn new(redactor: &'a Redactor, listener: &'a (dyn Fn(&str) + Send + Sync)) -> Self {
        Self { redactor, listener, held: String::new() }
    }

    /// Takes in more words and passes on those that are whole.
    pub(crate) fn more(&mut self, words: &str) {
        self.held.push_str(words);
        let end = match self.held.rfind(char::is_whitespace) {
            Some(at) => at + self.held[at..].chars().next().map_or(0, char::len_utf8),
            None if self.held.len() > LONGEST => self.held.len(),
            None => return,
        };
        let rest = self.held.split_off(end);
        self.pass_on();
        self.held = rest;
    }

    fn pass_on(&mut self) {
        let words = std::mem::take(&mut self.held);
        if !words.is_empty() {
            (self.listener)(&self.redactor.text(&words));
        }
    }
}

impl Drop for Heard<'_> {
    /// The last word has no space after it.
    fn drop(&mut self) {
        self.pass_on();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use secrecy::SecretString;

    use super::*;

    #[test]
    fn words_come_whole_and_without_secrets() {
        let redactor = Redactor::new([SecretString::from("key-0123456789")]).expect("it can be found");
        let told = Mutex::new(Vec::new());
        let listener = |words: &str| told.lock().expect("no panic").push(words.to_owned());
        {
            let mut heard = Heard::new(&redactor, &listener);
            for part in ["the ke", "y-01234", "56789 is ", "C", "3"] {
                heard.more(part);
            }
        }
        assert_eq!(told.into_inner().expect("no panic"), ["the ", "‹redacted› is ", "C3"]);
    }
}
