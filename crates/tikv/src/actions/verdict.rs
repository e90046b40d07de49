//! How a plan is put: what would be sent and what it relies on, or why it may not be.

use std::collections::BTreeMap;

use operator_protocols::{Guard, Holds, Timestamp, Unavailable, Value};

use super::write::Write;

/// Why something may not be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A rule forbids it.
    No(String),
    /// What a rule needs to know is not known, which forbids it as well.
    Unknown(Unavailable),
}

impl Refusal {
    pub(crate) fn no(why: impl Into<String>) -> Self {
        Self::No(why.into())
    }

    pub(crate) fn unknown(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Unknown(Unavailable::new(what, why))
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::No(why) => f.write_str(why),
            Self::Unknown(why) => write!(f, "not known: {why}"),
        }
    }
}

/// What a rule says.
pub(crate) type Verdict<T = ()> = Result<T, Refusal>;

/// What was read of a part, or why it could not be.
pub(crate) type Read<T> = Result<T, Unavailable>;

/// A part that a rule cannot do without.
pub(crate) fn known<T>(read: &Read<T>) -> Verdict<&T> {
    read.as_ref().map_err(|why| Refusal::Unknown(why.clone()))
}

/// Facts, by name.
pub(super) type Facts = BTreeMap<String, Value>;

pub(super) fn facts<const N: usize>(facts: [(&str, Value); N]) -> Facts {
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// An action that every rule allows: what would be sent, and the facts that must not change until then.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planned {
    pub(super) write: Write,
    pub(super) incarnation: Option<String>,
    pub(super) facts: Facts,
}

impl Planned {
    pub(super) fn new(write: Write, facts: Facts) -> Self {
        Self { write, incarnation: None, facts }
    }

    pub(super) fn of_start(self, incarnation: Option<String>) -> Self {
        Self { incarnation, ..self }
    }
}

/// A plan as a guard. The call itself is among the facts: what is approved is what is sent.
pub(super) fn guard(plan: &Verdict<Planned>, at: Timestamp) -> Guard {
    match plan {
        Ok(planned) => {
            let mut facts = planned.facts.clone();
            facts.insert("call".to_owned(), planned.write.to_string().into());
            Guard { holds: Holds::Yes, incarnation: planned.incarnation.clone(), facts, as_of: at }
        }
        Err(refusal) => refused(refusal, at),
    }
}

pub(super) fn refused(refusal: &Refusal, at: Timestamp) -> Guard {
    let holds = match refusal {
        Refusal::No(why) => Holds::No(why.clone()),
        Refusal::Unknown(why) => Holds::Unknown(why.clone()),
    };
    Guard { holds, incarnation: None, facts: Facts::new(), as_of: at }
}
