//! What came of the checks, for programs and for people.

use std::fmt;

/// How many reasons of one failed check are printed.
const REASONS_SHOWN: usize = 8;

/// What came of every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The subject, as it calls itself.
    pub subject: String,
    /// The checks, in the order they were made.
    pub checks: Vec<Check>,
}

/// One obligation, and whether it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The check's name, constant over versions.
    pub name: &'static str,
    /// What the protocol asks for.
    pub obligation: &'static str,
    /// Whether it was kept.
    pub outcome: Outcome,
}

/// Whether an obligation was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was.
    Passed,
    /// It was not, and how. Never empty.
    Failed(Vec<String>),
    /// It could not be tried, and why.
    Skipped(String),
}

impl Check {
    /// Kept, if nothing was found.
    pub(super) fn new(name: &'static str, obligation: &'static str, found: Vec<String>) -> Self {
        let outcome = if found.is_empty() { Outcome::Passed } else { Outcome::Failed(found) };
        Self { name, obligation, outcome }
    }

    pub(super) fn skipped(name: &'static str, obligation: &'static str, why: &str) -> Self {
        Self { name, obligation, outcome: Outcome::Skipped(why.to_owned()) }
    }

    /// Makes it skipped where there was `nothing` to look at and nothing was found.
    pub(super) fn unless(self, nothing: bool, why: &str) -> Self {
        match self.outcome {
            Outcome::Passed if nothing => Self::skipped(self.name, self.obligation, why),
            _ => self,
        }
    }
}

impl Report {
    /// Whether no check failed. Skipped ones are not failures: look at [`skipped`](Self::skipped) too.
    pub fn passed(&self) -> bool {
        self.failed().next().is_none()
    }

    /// The checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| matches!(check.outcome, Outcome::Failed(_)))
    }

    /// The checks that could not be made.
    pub fn skipped(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| matches!(check.outcome, Outcome::Skipped(_)))
    }

    /// The check called `name`.
    pub fn check(&self, name: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name)
    }
}

/// One line a check, with the reasons of those that failed under them, and the sum at the end.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "compliance of {}", self.subject)?;
        for check in &self.checks {
            let (mark, reasons): (_, &[String]) = match &check.outcome {
                Outcome::Passed => ("pass", &[]),
                Outcome::Failed(reasons) => ("FAIL", reasons),
                Outcome::Skipped(why) => ("skip", std::slice::from_ref(why)),
            };
            writeln!(f, "  {mark}  {:<26} {}", check.name, check.obligation)?;
            for reason in reasons.iter().take(REASONS_SHOWN) {
                writeln!(f, "          - {reason}")?;
            }
            if reasons.len() > REASONS_SHOWN {
                writeln!(f, "          - and {} more", reasons.len() - REASONS_SHOWN)?;
            }
        }
        let (failed, skipped) = (self.failed().count(), self.skipped().count());
        let passed = self.checks.len() - failed - skipped;
        write!(f, "{} checks: {passed} passed, {failed} failed, {skipped} skipped", self.checks.len())
    }
}
