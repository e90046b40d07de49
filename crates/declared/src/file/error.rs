//! What is wrong with a file, by its key, and what would be right.

use operator_protocols::SubjectError;

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if key.is_empty() { String::new() } else { format!("{key}: ") })]
pub struct FileError {
    /// The key, such as `component[2].check[0].http`; empty, if it is the file as a whole.
    pub key: String,
    /// What is wrong with it and what would be right.
    pub message: String,
}

impl FileError {
    pub(crate) fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }

    pub(crate) fn whole(message: impl Into<String>) -> Self {
        Self::new("", message)
    }

    /// A text that is not TOML.
    pub(super) fn syntax(text: &str, error: &toml::de::Error) -> Self {
        let message = format!("it is not TOML: {}", error.message().replace('\n', ", "));
        let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
        Self::new(line.map(|line| format!("line {line}")).unwrap_or_default(), message)
    }

    /// The same as an error of the setting that named the file.
    pub(crate) fn of_setting(&self, file: &str) -> SubjectError {
        if self.key.is_empty() {
            SubjectError::new("file", format!("{file}: {}", self.message))
        } else {
            SubjectError::new(format!("{file}: {}", self.key), self.message.clone())
        }
    }
}

/// The known name that `unknown` was probably meant to be, or all of them.
pub(crate) fn nearest(unknown: &str, known: &[&str]) -> String {
    const SHOWN: usize = 12;
    let likeness = |known: &&str| strsim::normalized_damerau_levenshtein(unknown, known);
    let best = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|known| likeness(known) > 0.5);
    match (best, known) {
        (Some(best), _) => format!("did you mean {best}?"),
        (None, []) => "there is none".to_owned(),
        (None, known) => {
            let more = if known.len() > SHOWN { ", …" } else { "" };
            format!("there are {}{more}", known.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", "))
        }
    }
}
