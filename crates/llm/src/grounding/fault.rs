//! What can be wrong with an answer, in a closed wording: the model is told it, and the audit keeps it.

use std::fmt;

/// One thing wrong with an answer. Texts in it are the model's, bounded and on one line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// A member has the wrong form.
    Form {
        /// Which.
        field: &'static str,
        /// What would be right.
        expected: &'static str,
    },
    /// An id that is not in the evidence.
    NoSuchEvidence(String),
    /// A class that is none.
    NoSuchClass(String),
    /// A place that is not in the evidence.
    NoSuchPlace(String),
    /// No fault of that class can be there.
    Implausible {
        /// The class.
        class: String,
        /// The place.
        locus: String,
        /// Where such a fault can be.
        expected: &'static str,
    },
    /// An explanation that is not in the ranking.
    NoSuchRank(u32),
    /// The verdicts and the cause do not go together.
    RejectsItsOwn(u32),
    /// Nothing is cited for the cause.
    NothingCited,
    /// Nothing that is cited speaks for the cause.
    CitesNothingForIt(Vec<String>),
    /// What is cited for the cause speaks against it.
    SpeaksAgainst(String),
    /// The same item on both sides.
    BothWays(String),
    /// The reasoner's first explanation is rejected without evidence.
    RejectsWithoutEvidence(Vec<String>),
    /// A number that the evidence does not have.
    NoSuchNumber {
        /// As it was written.
        number: String,
        /// Where.
        field: &'static str,
    },
    /// A name that the evidence does not have.
    NoSuchName {
        /// As it was written.
        name: String,
        /// Where.
        field: &'static str,
    },
    /// An action that nobody offers, or that is not good against the cause.
    NoRemedy {
        /// As it was written.
        action: String,
        /// What would be right.
        expected: Vec<String>,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form { field, expected } => write!(f, "{field}: expected {expected}"),
            Self::NoSuchEvidence(id) => write!(f, "{id:?} is no id of the evidence"),
            Self::NoSuchClass(class) => write!(f, "{class:?} is no class of cause"),
            Self::NoSuchPlace(place) => write!(f, "{place:?} is no place in the evidence"),
            Self::Implausible { class, locus, expected } => {
                write!(f, "a cause of class {class} cannot be at {locus:?}: it is at {expected}")
            }
            Self::NoSuchRank(rank) => write!(f, "rank {rank} is not in the ranking"),
            Self::RejectsItsOwn(rank) => write!(f, "the cause is rank {rank}, which the assessment rejects"),
            Self::NothingCited => f.write_str("supporting: nothing is cited for the cause"),
            Self::CitesNothingForIt(ids) => {
                write!(f, "supporting: nothing cited speaks for this cause; {} would", or(ids, "nothing"))
            }
            Self::SpeaksAgainst(id) => write!(f, "supporting: {id} speaks against this cause"),
            Self::BothWays(id) => write!(f, "{id} is cited for and against"),
            Self::RejectsWithoutEvidence(ids) => write!(
                f,
                "rank 1 is rejected without evidence that says so; {} would: cite it, or choose rank 1",
                or(ids, "nothing")
            ),
            Self::NoSuchNumber { number, field } => {
                write!(f, "{field}: the number {number:?} is not in the evidence cited; leave it out")
            }
            Self::NoSuchName { name, field } => {
                write!(f, "{field}: {name:?} is not in the evidence; leave it out")
            }
            Self::NoRemedy { action, expected } => {
                write!(f, "recommended_action: {action:?} is not good against this cause; {} is", or(expected, "wait"))
            }
        }
    }
}

fn or(list: &[String], none: &str) -> String {
    if list.is_empty() { none.to_owned() } else { list.join(" or ") }
}
