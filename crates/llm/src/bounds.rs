//! What is too much of anything that a model says.

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
