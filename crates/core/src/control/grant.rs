//! What somebody whose identity is established may do, and to which subjects.

use std::collections::BTreeSet;

use crate::Principal;

/// Somebody, and the subjects they may do it to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who.
    pub principal: Principal,
    /// To which subjects their role applies. To others they may do nothing, not even look.
    pub subjects: SubjectScope,
}

/// Which subjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectScope {
    /// Every one, those included that come later.
    All,
    /// These.
    Only(BTreeSet<String>),
}

impl SubjectScope {
    /// Whether `subject` is one of them.
    pub fn covers(&self, subject: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(subject),
        }
    }

    /// Those of `subjects` that are.
    pub fn among(&self, subjects: &[String]) -> Vec<String> {
        subjects.iter().filter(|name| self.covers(name)).cloned().collect()
    }
}
