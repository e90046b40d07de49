//! Makes text from outside fit for a terminal: a log line, a message or a name can neither move the cursor, colour the
//! screen, reverse the reading direction nor take more room than it is given.

use unicode_width::UnicodeWidthChar as _;

/// What stands for a character that is not shown.
const REPLACEMENT: char = '\u{fffd}';
/// Marks that may be stacked on one character: more than any living script needs is an attack on the line above.
const MARKS_PER_CHARACTER: usize = 3;

/// Whether `c` changes how other characters are read or shown, without being one itself.
fn is_format_control(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// `text` in one line without anything a terminal would obey. Line breaks and tabs become spaces, everything else that
/// is not a plain character becomes `�`.
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut marks = 0;
    for c in text.chars() {
        if matches!(c, '\n' | '\r' | '\t') {
            out.push(' ');
        } else if c.is_control() || is_format_control(c) {
            out.push(REPLACEMENT);
        } else if c.width().unwrap_or(0) == 0 {
            marks += 1;
            if marks <= MARKS_PER_CHARACTER && !out.is_empty() {
                out.push(c);
            }
            continue;
        } else {
            out.push(c);
        }
        marks = 0;
    }
    out
}

/// The same for a text of several lines: its line breaks stay.
pub fn harmless_lines(text: &str) -> String {
    text.split('\n').map(harmless).collect::<Vec<_>>().join("\n")
}

/// How many columns harmless `text` takes.
pub fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Harmless `text` in at most `width` columns; what is cut off is marked by `…`.
pub fn fit(text: &str, width: usize) -> String {
    let text = harmless(text);
    if columns(&text) <= width {
        return text;
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        out.push(c);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// [`fit`], filled up with spaces to exactly `width` columns.
pub fn fit_exactly(text: &str, width: usize) -> String {
    let mut out = fit(text, width);
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(columns(&out))));
    out
}

/// Harmless `text` in lines of at most `width` columns, broken at spaces where there are any; at most `lines` lines, the
/// last of which ends with `…` if there was more.
pub fn wrap(text: &str, width: usize, lines: usize) -> Vec<String> {
    if width == 0 || lines == 0 {
        return Vec::new();
    }
    let text = harmless(text);
    let mut out: Vec<String> = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if out.len() + 1 == lines {
            out.push(fit(rest, width));
            break;
        }
        let mut used = 0;
        let mut end = 0;
        let mut at_space = None;
        for (i, c) in rest.char_indices() {
            let wide = c.width().unwrap_or(0);
            if used + wide > width {
                break;
            }
            used += wide;
            end = i + c.len_utf8();
            if c == ' ' {
                at_space = Some(i);
            }
        }
        if end == 0 {
            // One character is wider than the whole line.
            out.push(fit(rest, width));
            break;
        }
        let cut = match at_space {
            Some(space) if end < rest.len() && !rest[end..].starts_with(' ') && space > 0 => space,
            _ => end,
        };
        out.push(rest[..cut].trim_end().to_owned());
        rest = rest[cut..].trim_start();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_terminal_obeys_gets_through() {
        let hostile = "a\u{1b}[31mred\u{7}\u{202e}live\u{200b}\u{e0041}\r\nb\u{9b}2J";
        let shown = harmless(hostile);
        assert!(!shown.chars().any(|c| c.is_control() || is_format_control(c)), "{shown:?}");
        assert_eq!(shown, "a�[31mred��live��  b�2J");
    }

    #[test]
    fn stacked_marks_are_cut_and_ordinary_accents_stay() {
        let stacked = format!("x{}y", "\u{301}".repeat(50));
        assert_eq!(harmless(&stacked), "x\u{301}\u{301}\u{301}y");
        assert_eq!(harmless("e\u{301}"), "e\u{301}");
        assert_eq!(harmless("\u{301}e"), "e", "a mark with nothing to stand on would land on the frame");
    }

    #[test]
    fn what_does_not_fit_is_cut_by_columns_and_marked() {
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("日", 1), "…");
        assert_eq!(fit("x", 0), "");
        assert_eq!(fit_exactly("日本語", 4), "日… ");
    }

    #[test]
    fn text_is_wrapped_at_spaces_and_the_last_line_says_that_there_was_more() {
        assert_eq!(wrap("one two three", 7, 3), ["one two", "three"]);
        assert_eq!(wrap("one two three", 7, 1), ["one tw…"]);
        assert_eq!(wrap("abcdefghij", 4, 9), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("日本語", 1, 9), ["…"]);
        assert!(wrap("   ", 4, 9).is_empty());
    }
}
