//! Text from outside, made harmless inside Markdown: it may say anything, and it may not be anything but text.

use crate::text::bounded;

/// The longest text in a rendered page, in characters.
const MOST: usize = 500;

/// `text` as inline Markdown that renders as exactly that text: on one line, bounded, without links, markup, mentions
/// or HTML.
pub(crate) fn inline(text: &str) -> String {
    let text = bounded(text, MOST);
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 16);
    for (n, c) in chars.iter().copied().enumerate() {
        let before = n.checked_sub(1).and_then(|n| chars.get(n)).copied();
        let after = chars.get(n + 1).copied();
        let dangerous = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' | '@' | '!' | '$' => true,
            // Within a word it is no markup.
            '_' => !(before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)),
            // `https://` and `www.` become links by themselves.
            '/' => before == Some(':'),
            '.' => before.is_some_and(|c| c.eq_ignore_ascii_case(&'w')),
            _ => false,
        };
        if dangerous {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// `text` as a code span.
pub(crate) fn code(text: &str) -> String {
    let text: String = bounded(text, MOST).chars().map(|c| if c == '`' { '\'' } else { c }).collect();
    if text.trim().is_empty() { "` `".to_owned() } else { format!("`{}`", text.trim()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        for (text, expected) in [
            ("plain api_1 text", "plain api_1 text"),
            ("**bold** _it_", "\\*\\*bold\\*\\* \\_it\\_"),
            ("[click](https://evil.example)", "\\[click\\](https:\\//evil.example)"),
            ("www.evil.example", "www\\.evil.example"),
            ("<img src=x>&lt;", "\\<img src=x\\>\\&lt;"),
            ("# heading\n- item", "\\# heading - item"),
            ("a | b", "a \\| b"),
            ("left\u{202e}right\u{0007}", "left right "),
        ] {
            assert_eq!(inline(text), expected);
        }
        assert_eq!(code("a`b\nc"), "`a'b c`");
        assert!(inline(&"*".repeat(10_000)).chars().count() <= 2 * MOST + 1);
    }
}
