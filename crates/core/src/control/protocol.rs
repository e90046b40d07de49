//! What is said over the socket: one JSON object a line, a request and its response.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::agent::{Query, QueryReply};
use crate::control::Token;
use crate::store::{KillAcknowledgement, KillScope, KillState};
use crate::{Command, CommandError, Principal};

/// The version of what is said here.
pub const CONTROL_VERSION: u32 = 1;

/// A request with its frame.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The version: [`CONTROL_VERSION`].
    pub v: u32,
    /// What tells the response from others on the same connection.
    pub id: u64,
    /// Who asks, if not the user at the other end of the socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// Of which subject, for what concerns one. May be left out where the operator watches only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What is asked for.
    pub request: ControlRequest,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ControlRequest {
    /// Something of the loop of one subject.
    Command {
        /// What.
        command: Command,
    },
    /// To read something of the loop of one subject, as an agent does.
    Query {
        /// What.
        query: Query,
    },
    /// To claim no action any more.
    KillEngage {
        /// What to stop.
        scope: KillScope,
        /// Why.
        reason: String,
    },
    /// To claim actions again.
    KillRelease {
        /// What to release.
        scope: KillScope,
        /// Why. Needed.
        reason: String,
    },
    /// Which kill switches are engaged.
    KillStatus {},
    /// Who answers.
    Ping {},
    /// How the loops are.
    Status {},
}

/// A response with its frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// The version: [`CONTROL_VERSION`].
    pub v: u32,
    /// The request's id; none where the request could not be read.
    pub id: Option<u64>,
    /// What came of it: under `ok` or `error`.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Ok(ControlReply),
    /// It was not.
    Error(Fault),
}

/// The answer to a request that was carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ControlReply {
    /// To [`ControlRequest::Command`].
    Done {
        /// What to tell whoever asked.
        message: String,
    },
    /// To [`ControlRequest::Query`].
    Answered {
        /// What was read.
        reply: Box<QueryReply>,
    },
    /// To [`ControlRequest::KillEngage`].
    KillEngaged {
        /// What was engaged, and what is in flight all the same.
        acknowledgement: KillAcknowledgement,
    },
    /// To [`ControlRequest::KillRelease`].
    KillReleased {
        /// What was released.
        scope: KillScope,
    },
    /// To [`ControlRequest::KillStatus`].
    KillStatus {
        /// Every switch that the asker may see.
        states: Vec<KillState>,
    },
    /// To [`ControlRequest::Ping`].
    Pong {
        /// The operator's version.
        version: String,
        /// Its process.
        pid: u32,
        /// The subjects that the asker may see.
        subjects: Vec<String>,
        /// Who the asker is.
        you: Principal,
    },
    /// To [`ControlRequest::Status`].
    Status {
        /// How the loops are, in the operator's own words.
        status: serde_json::Value,
    },
}

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What kind of failure it is, for programs.
    pub code: FaultCode,
    /// What happened and what to do next, for people.
    pub message: String,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultCode {
    /// The request is not one.
    Invalid,
    /// It was not established who asks.
    Unauthenticated,
    /// They may not.
    Forbidden,
    /// What it names does not exist.
    NotFound,
    /// It does not fit the present state.
    Refused,
    /// Too many are asking at once: try again.
    Busy,
    /// No answer came in time: it may be carried out yet.
    TimedOut,
    /// It failed within the operator; nothing was changed.
    Failed,
}

impl Fault {
    /// A failure of this kind.
    pub fn new(code: FaultCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl Response {
    pub(super) fn new(id: Option<u64>, outcome: Result<ControlReply, Fault>) -> Self {
        let outcome = match outcome {
            Ok(reply) => Outcome::Ok(reply),
            Err(fault) => Outcome::Error(fault),
        };
        Self { v: CONTROL_VERSION, id, outcome }
    }
}

impl From<CommandError> for Fault {
    fn from(error: CommandError) -> Self {
        let code = match &error {
            CommandError::Forbidden { .. } => FaultCode::Forbidden,
            CommandError::NotFound { .. } => FaultCode::NotFound,
            CommandError::Refused { .. } => FaultCode::Refused,
            CommandError::Invalid { .. } => FaultCode::Invalid,
            CommandError::Store { .. } => FaultCode::Failed,
        };
        Self::new(code, error.to_string())
    }
}

impl fmt::Display for ControlRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { .. } => f.write_str("command"),
            Self::Query { .. } => f.write_str("query"),
            Self::KillEngage { scope, .. } => write!(f, "engage the kill switch of {scope}"),
            Self::KillRelease { scope, .. } => write!(f, "release the kill switch of {scope}"),
            Self::KillStatus {} => f.write_str("kill switch status"),
            Self::Ping {} => f.write_str("ping"),
            Self::Status {} => f.write_str("status"),
        }
    }
}
