//! The words of a sentence, as the checks on names and numbers read it.

/// A word and what stands right before and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word<'t> {
    pub text: &'t str,
    /// Whether an arrow joins it to a neighbour: then it is meant as a name.
    pub joined: bool,
}

/// The words of `text`, without the punctuation around them.
pub(crate) fn words(text: &str) -> Vec<Word<'_>> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let at = |n: usize| chars.get(n).map(|(_, c)| *c);
    let mut found = Vec::new();
    let mut start = None;
    let mut after_arrow = false;
    for (n, (offset, c)) in chars.iter().copied().enumerate() {
        let arrow = c == '→' || (c == '-' && at(n + 1) == Some('>'));
        let thousands = c == ','
            && n.checked_sub(1).and_then(at).is_some_and(|c| c.is_ascii_digit())
            && (1..=3).all(|k| at(n + k).is_some_and(|c| c.is_ascii_digit()))
            && !at(n + 4).is_some_and(|c| c.is_ascii_digit());
        if is_part(c) && !arrow || thousands {
            start.get_or_insert(offset);
            continue;
        }
        if let Some(from) = start.take() {
            push(&mut found, text.get(from..offset), arrow || after_arrow);
            after_arrow = false;
        }
        after_arrow |= arrow;
    }
    if let Some(from) = start {
        push(&mut found, text.get(from..), after_arrow);
    }
    found
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | ':' | '%' | '@' | '+' | '#' | '×')
}

fn push<'t>(found: &mut Vec<Word<'t>>, text: Option<&'t str>, joined: bool) {
    let text = text.unwrap_or_default().trim_end_matches(['.', ':', '-', '/', '+']).trim_start_matches(['.', ':', '#']);
    if text.chars().any(char::is_alphanumeric) || matches!(text, "%" | "×") {
        found.push(Word { text, joined });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_falls_into_its_words() {
        for (text, expected) in [
            ("api-1 is slow: 655 ms (was 4.1 ms).", vec!["api-1", "is", "slow", "655", "ms", "was", "4.1", "ms"]),
            ("E2,E3; E4", vec!["E2", "E3", "E4"]),
            ("1,234 requests", vec!["1,234", "requests"]),
            ("api-1→store and a->b", vec!["api-1", "store", "and", "a", "b"]),
            ("store's 97%", vec!["store", "s", "97%"]),
            ("`loop_lag`...", vec!["loop_lag"]),
            ("", vec![]),
        ] {
            assert_eq!(words(text).iter().map(|word| word.text).collect::<Vec<_>>(), expected, "{text}");
        }
        assert!(words("a→b").iter().all(|word| word.joined));
        assert_eq!(words("x a→b y").iter().map(|word| word.joined).collect::<Vec<_>>(), [false, true, true, false]);
    }
}
