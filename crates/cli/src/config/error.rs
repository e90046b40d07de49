//! What is wrong with a configuration, where it stands, and what would be right.

use std::path::PathBuf;

use crate::config::Origin;

/// What is wrong with a configuration. Nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was named, or is there, cannot be read.
    #[error("cannot read the configuration {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is larger than any configuration.
    #[error("the configuration {path} is larger than {most} bytes; is it the right file?")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most it may have.
        most: u64,
    },
    /// The file is not TOML.
    #[error("{path} is not TOML: {source}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A key that means nothing.
    #[error("{origin}: unknown key {key}{}", nearest.as_ref().map_or_else(String::new, |near| format!("; did you mean {near}?")))]
    UnknownKey {
        /// Where it stands.
        origin: Origin,
        /// The key, with its section.
        key: String,
        /// The key that looks most like it.
        nearest: Option<String>,
    },
    /// A value that does not fit its key.
    #[error("{origin}: {key}: {why}")]
    Value {
        /// Where it stands.
        origin: Origin,
        /// The key, with its section.
        key: String,
        /// What is wrong and what would be right.
        why: String,
    },
    /// A subject that is not there.
    #[error("there is no subject {asked:?}; {known}")]
    UnknownSubject {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// Nothing to watch.
    #[error("no subject: name one with --subject KIND, or describe some in operator.toml; {known}")]
    NoSubject {
        /// What there is.
        known: String,
    },
}

impl ConfigError {
    pub(super) fn value(origin: &Origin, key: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Value { origin: origin.clone(), key: key.into(), why: why.into() }
    }

    /// `key` is none of `known`: the one that looks most like it is named.
    pub(super) fn unknown<'a>(origin: &Origin, key: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let nearest = nearest(key, known).map(str::to_owned);
        Self::UnknownKey { origin: origin.clone(), key: key.to_owned(), nearest }
    }
}

/// The one of `known` that looks most like `asked`, if any looks like it at all.
pub(crate) fn nearest<'a>(asked: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Below this, two words have little in common.
    const ALIKE: f64 = 0.7;
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(asked, name), name))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
