//! What is too much of anything that a model says.

use operator_reasoner::bounded;
use serde_json::Value as Json;

/// The most bytes of one text of a model that are read.
pub(crate) const ANSWER_BYTES: usize = 64 * 1024;
/// The most bytes of its own words that a model is shown again.
pub(crate) const ECHO_BYTES: usize = 4 * 1024;
/// The most bytes of arguments of one call.
pub(crate) const ARGUMENTS_BYTES: usize = 32 * 1024;
/// How deep arguments may be nested.
pub(crate) const DEPTH: usize = 12;
/// The most pieces of one reply.
pub(crate) const PIECES: usize = 64;
/// The most tool calls of one reply that are answered with a look.
pub(crate) const CALLS: usize = 4;
/// The most bytes of a tool's answer.
pub(crate) const LOOK_BYTES: usize = 6 * 1024;
/// The most faults that are kept.
pub(crate) const FAULTS: usize = 40;
/// The most bytes of a request that are kept for the audit.
pub(crate) const REQUEST_BYTES: usize = 16 * 1024;
/// The most bytes of a response that are kept for the audit.
pub(crate) const RESPONSE_BYTES: usize = 32 * 1024;
/// The most characters of a sentence of a model.
pub(crate) const SENTENCE: usize = 400;
/// The most characters of a reason of a model.
pub(crate) const REASON: usize = 240;
/// The most characters of a statement that a model is asked for.
pub(crate) const ASKED_STATEMENT: usize = SENTENCE / 2;
/// The most characters of a reason that a model is asked for.
pub(crate) const ASKED_REASON: usize = REASON / 2;
/// The most characters of a reason that a small model is asked for.
pub(crate) const ASKED_REASON_SMALL: usize = 80;

/// A sentence of a model, of at most `most` characters. A server that holds a model to one of the lengths that may be
/// `asked` for stops it in the middle of a word, and half a name is no name: the last word of what is exactly so long, or
/// of what is cut here, is left out, and a number that it may have been the unit of.
pub(crate) fn sentence(text: &str, asked: &[usize], most: usize) -> String {
    let length = text.chars().count();
    let text = bounded(text, most);
    let ends =
        text.trim_end_matches('…').ends_with(|c: char| c.is_whitespace() || matches!(c, '!' | '?')) || is_ended(&text);
    let cut = length > most || (asked.contains(&length) && !ends);
    let mut text = text.trim();
    if !cut {
        return text.to_owned();
    }
    loop {
        let Some(end) = text.rfind(char::is_whitespace) else { return text.to_owned() };
        text = text.get(..end).unwrap_or_default().trim_end();
        let last = text.rsplit(char::is_whitespace).next().unwrap_or_default();
        if !last.ends_with(|c: char| c.is_ascii_digit()) || last.starts_with(char::is_alphabetic) {
            return format!("{text}…");
        }
    }
}

/// Whether it ends with a full stop that is none of an abbreviation, a name or an ellipsis.
fn is_ended(text: &str) -> bool {
    let last = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    last.strip_suffix('.').is_some_and(|word| !word.contains('.'))
}

/// The first `most` bytes of `text`, cut between characters.
pub(crate) fn head(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Whether JSON is small and flat enough to be looked into.
pub(crate) fn is_modest(json: &Json) -> bool {
    let mut open = vec![(json, 0_usize)];
    let mut bytes = 0_usize;
    while let Some((value, depth)) = open.pop() {
        bytes += 8;
        if depth > DEPTH {
            return false;
        }
        match value {
            Json::String(text) => bytes += text.len(),
            Json::Array(list) => open.extend(list.iter().map(|one| (one, depth + 1))),
            Json::Object(map) => {
                bytes += map.keys().map(String::len).sum::<usize>();
                open.extend(map.values().map(|one| (one, depth + 1)));
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
        if bytes > ARGUMENTS_BYTES || open.len() > ARGUMENTS_BYTES {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_between_characters() {
        assert_eq!(head("aé", 2), "a");
        assert_eq!(head("aé", 3), "aé");
    }

    /// A text of 80 characters that ends so.
    fn ending(end: &str) -> String {
        format!("{} {end}", "x".repeat(79 - end.chars().count()))
    }

    #[test]
    fn half_a_word_at_the_end_of_what_was_cut_is_left_out() {
        let read = |end: &str| {
            let text = ending(end);
            assert_eq!(text.chars().count(), 80);
            let read = sentence(&text, &[80, 120], REASON);
            read.trim_start_matches('x').trim_start().to_owned()
        };
        assert_eq!(read("at node-12"), "at…");
        assert_eq!(read("writes o.a.c."), "writes…", "no end of a sentence");
        assert_eq!(read("it rose to 655 m"), "it rose to…", "the unit of a number went: so does the number");
        assert_eq!(read("of api-1 no"), "of api-1…", "a name with a number is no number");
        assert_eq!(read("the store is not."), "the store is not.", "a sentence that happens to be so long");
        assert_eq!(read("node-12 "), "node-12", "it was cut between two words");
        assert_eq!(sentence(" it is node-12 ", &[80], REASON), "it is node-12", "nothing was cut");
        assert_eq!(sentence("it is node-12", &[], 10), "it is…");
        assert_eq!(sentence(&"é".repeat(300), &[], REASON).chars().count(), REASON + 1, "one word is kept");
    }

    #[test]
    fn what_is_deep_or_large_is_not_modest() {
        let mut deep = Json::Null;
        for _ in 0..200 {
            deep = Json::Array(vec![deep]);
        }
        assert!(!is_modest(&deep));
        assert!(!is_modest(&Json::from("x".repeat(1_000_000))));
        assert!(is_modest(&serde_json::json!({"a": [{"b": "c"}]})));
    }
}
