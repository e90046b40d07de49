//! A password or token: it comes from a file or the environment, and never shows itself.

use std::fmt;
use std::path::Path;

/// A secret that no log, error or debug output shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// More than any real token: a larger file is the wrong file.
const MAX_BYTES: u64 = 4096;

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one who sends it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Reads it from a file, without the line break at its end.
    pub(crate) fn from_file(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let length = std::fs::metadata(path).map_err(|error| format!("{shown}: {error}"))?.len();
        if length > MAX_BYTES {
            return Err(format!("{shown}: a secret has at most {MAX_BYTES} bytes, this file has {length}"));
        }
        let text = std::fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
        Self::checked(text.trim_end_matches(['\n', '\r']), &format!("{shown}"))
    }

    /// Reads it from an environment variable.
    pub(crate) fn from_env(variable: &str) -> Result<Self, String> {
        match std::env::var(variable) {
            Ok(text) => Self::checked(&text, variable),
            Err(std::env::VarError::NotPresent) => Err(format!("the environment variable {variable} is not set")),
            Err(std::env::VarError::NotUnicode(_)) => Err(format!("the environment variable {variable} is not text")),
        }
    }

    fn checked(text: &str, origin: &str) -> Result<Self, String> {
        if text.is_empty() {
            Err(format!("{origin} is empty"))
        } else if text.chars().any(char::is_control) {
            Err(format!("{origin} has control characters"))
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
