//! What somebody asks of a running loop. Commands are carried out between two cycles, in the order they came, and are
//! recorded with who asked.

use std::collections::BTreeMap;

use operator_protocols::{FaultClass, Locus, Value};
use operator_reasoner::Answer;
use serde::{Deserialize, Serialize};

use crate::Role;

/// What somebody asks of the loop of one subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Say that somebody knows of the ticket.
    Acknowledge {
        /// Its id.
        ticket: String,
    },
    /// Never resolve the ticket by yourself, or do so again.
    Hold {
        /// Its id.
        ticket: String,
        /// Hold or release.
        hold: bool,
    },
    /// Resolve the ticket.
    Resolve {
        /// Its id.
        ticket: String,
        /// Why.
        reason: String,
    },
    /// Hand a ticket that needed a human back to the operator.
    HandBack {
        /// Its id.
        ticket: String,
        /// What was done.
        reason: String,
    },
    /// Decide on a proposal, as shown with this hash.
    Decide {
        /// The intent.
        intent: String,
        /// The hash of what was shown.
        bind_hash: String,
        /// Approve or reject.
        approve: bool,
        /// Why.
        reason: String,
    },
    /// Call an action off that was not sent yet.
    Cancel {
        /// The intent.
        intent: String,
        /// Why.
        reason: String,
    },
    /// Say what became of an action whose outcome could not be found out.
    Settle {
        /// The intent.
        intent: String,
        /// Whether it happened.
        happened: bool,
        /// How that is known.
        reason: String,
    },
    /// Say what would be done and what every rule says of it, without doing it.
    Plan {
        /// The action.
        action: String,
        /// What to aim it at.
        target: Locus,
        /// Its parameters.
        params: BTreeMap<String, Value>,
    },
    /// Say what would be done about an incident, and what every rule says of it, without doing it.
    PlanIncident {
        /// Its id.
        incident: String,
    },
    /// Ask for an action. It goes through the same policy as the operator's own.
    Request {
        /// The action.
        action: String,
        /// What to aim it at.
        target: Locus,
        /// Its parameters; those from policy and intent are filled in.
        params: BTreeMap<String, Value>,
        /// Why.
        reason: String,
    },
    /// Let the operator do more or less by itself, until it ends or is set again.
    SetMode {
        /// `observe`, `propose`, `approve` or `auto`.
        mode: String,
        /// Why.
        reason: String,
    },
    /// Explain an incident again, now; an agent is asked anew.
    Diagnose {
        /// Its id.
        incident: String,
    },
    /// Take what an agent answers to a question about an incident. Nothing in it is believed that the loop can work out
    /// itself.
    Answer {
        /// The incident, by its whole id.
        incident: String,
        /// The question it answers.
        question: String,
        /// The answer.
        answer: Box<Answer>,
    },
    /// Say that the diagnosis of a ticket's incident was right, or wrong and what it was instead.
    Mark {
        /// The ticket.
        ticket: String,
        /// Whether it was wrong; right otherwise.
        wrong: bool,
        /// What the cause was, where it was wrong and that is known.
        #[serde(default)]
        cause: Option<(FaultClass, Locus)>,
        /// Why, for people.
        note: String,
    },
    /// Take back what was said of a diagnosis.
    Unmark {
        /// The ticket.
        ticket: String,
        /// Why, for people.
        note: String,
    },
    /// What is recorded in place of an answer that was larger than one may be.
    AnswerTooLarge {
        /// The incident it named.
        incident: String,
        /// How large it was.
        bytes: u64,
    },
}

impl Command {
    /// The least role that may ask for this.
    pub fn required_role(&self) -> Role {
        match self {
            Self::Acknowledge { .. }
            | Self::Hold { .. }
            | Self::Resolve { .. }
            | Self::HandBack { .. }
            | Self::Cancel { .. }
            | Self::Request { .. }
            | Self::Diagnose { .. }
            | Self::Answer { .. }
            | Self::Mark { .. }
            | Self::Unmark { .. }
            | Self::AnswerTooLarge { .. } => Role::Operator,
            Self::Plan { .. } | Self::PlanIncident { .. } => Role::Viewer,
            Self::Decide { .. } => Role::Approver,
            Self::Settle { .. } | Self::SetMode { .. } => Role::Admin,
        }
    }
}

impl CommandError {
    /// It does not fit the present state, because of `why`.
    pub fn refused(why: impl Into<String>) -> Self {
        Self::Refused { why: why.into() }
    }

    /// The store failed, as `error` says.
    pub fn store(error: impl std::fmt::Display) -> Self {
        Self::Store { why: error.to_string() }
    }
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum CommandError {
    /// They may not.
    #[error("{who} has the role {has:?}; this needs {needs:?}")]
    Forbidden {
        /// Who asked.
        who: String,
        /// Their role.
        has: Role,
        /// The role it takes.
        needs: Role,
    },
    /// It names something that does not exist.
    #[error("{what}: {why}")]
    NotFound {
        /// What was named.
        what: String,
        /// What exists instead.
        why: String,
    },
    /// It does not fit the present state.
    #[error("{why}")]
    Refused {
        /// Why not.
        why: String,
    },
    /// A field is wrong.
    #[error("{field}: {why}")]
    Invalid {
        /// The field.
        field: String,
        /// What would be right.
        why: String,
    },
    /// The store failed; nothing was changed.
    #[error("the store failed: {why}")]
    Store {
        /// How.
        why: String,
    },
}
