//! How a command ends: the exit code that scripts rely on, and an error that says what to do next.

use std::fmt;

use operator_core::control::ClientError;
use operator_core::store::StoreError;

use crate::config::ConfigError;

/// How a command that worked ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nothing to report: 0.
    Clean,
    /// It worked and found something, open tickets or a failed scenario: 3.
    Found,
}

impl Exit {
    /// The process's exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Found => 3,
        }
    }
}

/// Why a command did not work.
#[derive(Debug)]
pub struct Failure {
    /// 1: the tool failed; 2: it was used or configured wrongly.
    code: u8,
    /// What was tried, on what: it completes "cannot …".
    tried: Option<String>,
    /// What came back.
    came_back: String,
    /// What to do next.
    next: Option<String>,
}

impl Failure {
    /// `tried` (it completes "cannot …") failed, and `came_back` is why.
    pub fn failed(tried: impl Into<String>, came_back: impl fmt::Display) -> Self {
        Self { code: 1, tried: Some(tried.into()), came_back: came_back.to_string(), next: None }
    }

    /// The command was used wrongly.
    pub fn usage(what: impl Into<String>) -> Self {
        Self { code: 2, tried: None, came_back: what.into(), next: None }
    }

    /// With what to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// The process's exit code.
    pub const fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tried) = &self.tried {
            write!(f, "cannot {tried}: ")?;
        }
        f.write_str(&self.came_back)?;
        if let Some(next) = &self.next {
            write!(f, "\n  next: {next}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// An error with everything that caused it, in one line.
pub fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some errors quote their cause themselves.
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self { code: 2, tried: None, came_back: with_causes(&error), next: None }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self { code: 1, tried: None, came_back: with_causes(&error), next: None }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self { code: 1, tried: None, came_back: with_causes(&error), next: None }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { code: 1, tried: None, came_back: format!("{error:#}"), next: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_was_tried_what_came_back_and_what_next() {
        let failure = Failure::failed("read the store in /x", "no such file").next("start one with `operator run`");
        assert_eq!(
            failure.to_string(),
            "cannot read the store in /x: no such file\n  next: start one with `operator run`"
        );
        assert_eq!((failure.code(), Failure::usage("x").code(), Exit::Found.code()), (1, 2, 3));
    }

    #[test]
    fn a_cause_that_is_quoted_already_is_not_said_twice() {
        let error = ConfigError::Unreadable { path: "/x".into(), source: std::io::Error::other("boom") };
        assert_eq!(with_causes(&error), "cannot read the configuration /x: boom");
    }
}
