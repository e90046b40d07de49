//! Where a value of the configuration came from, so that an error can point there.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// `--set`.
    Flag(String),
    /// Nobody said it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Flag(text) => write!(f, "--set {text}"),
            Self::Default => f.write_str("default"),
        }
    }
}
