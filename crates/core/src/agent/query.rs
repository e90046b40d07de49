//! What an agent asks of a loop to read: it changes nothing and is not recorded.

use operator_protocols::{Event, Locus, LogLine, ProbeAnswer, ProbeRequest, Unavailable};
use operator_reasoner::{LogSearch, Point};
use serde::{Deserialize, Serialize};

use super::{CaseFile, CaseSummary};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "query", rename_all = "snake_case", deny_unknown_fields)]
pub enum Query {
    /// The incidents that wait for an answer.
    Cases {},
    /// One incident as it is put to a diagnoser.
    Case {
        /// Its id, whole or the part after the subject's name.
        incident: String,
    },
    /// The values of a signal.
    Series {
        /// Of what.
        on: Locus,
        /// Its name.
        signal: String,
    },
    /// What happened.
    Events {
        /// At most so many, the newest.
        limit: usize,
    },
    /// Log lines.
    Logs {
        /// Which.
        search: LogSearch,
    },
    /// A question to the subject.
    Probe {
        /// Which.
        request: ProbeRequest,
    },
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum QueryReply {
    /// To [`Query::Cases`].
    Cases {
        /// In the order in which they were opened.
        cases: Vec<CaseSummary>,
    },
    /// To [`Query::Case`].
    Case {
        /// The case.
        file: Box<CaseFile>,
    },
    /// To [`Query::Series`].
    Series {
        /// Oldest first.
        points: Result<Vec<Point>, Unavailable>,
    },
    /// To [`Query::Events`].
    Events {
        /// Oldest first.
        events: Result<Vec<Event>, Unavailable>,
    },
    /// To [`Query::Logs`].
    Logs {
        /// Oldest first.
        lines: Result<Vec<LogLine>, Unavailable>,
    },
    /// To [`Query::Probe`].
    Probe {
        /// What the subject answered.
        answer: ProbeAnswer,
    },
}
