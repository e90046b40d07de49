//! What a log line is known by: the place in the program that wrote it or its text without the variable parts, and the
//! request it was written for.

use crate::text::bounded;

/// The longest template, in characters.
const TEMPLATE_CHARS: usize = 160;
/// How far into a line a place or a request is looked for, in words.
const WORDS: usize = 24;
/// The shortest name of a request: what is shorter counts something.
const REQUEST_CHARS: usize = 8;

/// A line with its variable parts (what contains a digit, what stands in quotes) replaced by `*`.
pub(crate) fn template(message: &str) -> String {
    let message = bounded(message, TEMPLATE_CHARS);
    let mut out = String::with_capacity(message.len());
    for (n, part) in message.split('"').enumerate() {
        if n % 2 == 1 {
            out.push_str("\"*\"");
            continue;
        }
        for (m, word) in part.split(' ').enumerate() {
            if m > 0 {
                out.push(' ');
            }
            if word.chars().any(|c| c.is_ascii_digit()) && place_of(word).is_none() {
                // `key=value` keeps its key.
                match word.split_once('=') {
                    Some((key, _)) if !key.chars().any(|c| c.is_ascii_digit()) => {
                        out.push_str(key);
                        out.push_str("=*");
                    }
                    _ => out.push('*'),
                }
            } else {
                out.push_str(word);
            }
        }
    }
    out
}

/// The place in the program that a line says it was written at.
pub(crate) fn place(message: &str) -> Option<&str> {
    message.split_ascii_whitespace().take(WORDS).find_map(place_of)
}

/// `a.b.Class#17`, `src/main.rs:17` and `main.go:17:3` are places; `10.0.0.1:80`, `#17` and `host:80` are not.
fn place_of(word: &str) -> Option<&str> {
    let word = word.trim_start_matches(['[', '(']).trim_end_matches([':', ',', ']', ')']);
    let (name, line) = word.rsplit_once('#').or_else(|| word.split_once(':'))?;
    let line = line.split(':').next().unwrap_or_default();
    let is_line = (1..=5).contains(&line.len()) && line.chars().all(|c| c.is_ascii_digit());
    let (_, last) = name.rsplit_once('.')?;
    let letters = |text: &str| text.chars().any(|c| c.is_ascii_alphabetic());
    let is_file = (1..=4).contains(&last.len()) && last.chars().all(|c| c.is_ascii_alphabetic());
    let named = if word.contains('#') { letters(name) } else { is_file };
    (is_line && named).then_some(word)
}

/// The request that a line says it was written for: what follows `trace_id`, `requestId`, `correlation-id` or the like.
pub(crate) fn request(message: &str) -> Option<&str> {
    let mut words = message.split(|c: char| c.is_ascii_whitespace() || c == ',').filter(|word| !word.is_empty());
    for _ in 0..WORDS {
        let word = words.next()?;
        let Some((key, value)) = word.split_once([':', '=']) else { continue };
        let key: String = key.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
        let is_key =
            ["traceid", "requestid", "xrequestid", "correlationid"].iter().any(|known| key.eq_ignore_ascii_case(known));
        if !is_key {
            continue;
        }
        let value = if value.is_empty() { words.next()? } else { value };
        let value = value.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        return (value.len() >= REQUEST_CHARS).then_some(value);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_parts_are_replaced() {
        for (line, expected) in [
            ("took 15ms for 10.0.0.1:80", "took * for *"),
            ("request id=9f3 failed: \"no such thing\"", "request id=* failed: \"*\""),
            ("all is well", "all is well"),
            ("unbalanced \"quote", "unbalanced \"*\""),
            ("a.b.Orders#17 took 15ms", "a.b.Orders#17 took *"),
        ] {
            assert_eq!(template(line), expected);
        }
    }

    #[test]
    fn a_place_in_a_program_is_told_from_an_address_and_a_number() {
        for (line, expected) in [
            ("12:00:01.5 INFO a.b.Orders#17 done", Some("a.b.Orders#17")),
            ("error at src/main.rs:17: no", Some("src/main.rs:17")),
            ("[main.go:17:3] no", Some("main.go:17:3")),
            ("dial 10.0.0.1:80", None),
            ("dial db.example.internal:5432", None),
            ("order #17 and item a#b", None),
            ("at #1.2#3", None),
        ] {
            assert_eq!(place(line), expected, "{line}");
        }
    }

    #[test]
    fn a_request_is_known_by_its_key() {
        for (line, expected) in [
            ("INFO TraceID: ffc8ca7e4c8f06c7 SpanID: 439bc949a9eeb0cc x", Some("ffc8ca7e4c8f06c7")),
            ("level=info trace_id=ffc8ca7e4c8f msg=x", Some("ffc8ca7e4c8f")),
            ("{\"request-id\":\"ab12cd34ef\",\"msg\":\"x\"}", Some("ab12cd34ef")),
            ("retry id=ffc8ca7e4c8f", None),
            ("trace_id=7", None),
            ("trace_id:", None),
        ] {
            assert_eq!(request(line), expected, "{line}");
        }
    }
}
