//! One question to a subject: what a replay compares to find out whether the loop does what it did then.

use std::fmt;

use operator_protocols::{ActionRequest, ProbeRequest, Timestamp};
use serde::{Deserialize, Serialize};

/// One question to a subject, with everything that decides the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum Call {
    /// To look at everything.
    Observe {
        /// The present.
        at: Timestamp,
    },
    /// For signals of the past.
    History {
        /// From when.
        from: Timestamp,
        /// Until when.
        to: Timestamp,
    },
    /// For the facts an action relies on.
    Guard {
        /// The present.
        at: Timestamp,
        /// The action.
        request: ActionRequest,
    },
    /// To carry out an action.
    Execute {
        /// The action.
        request: ActionRequest,
        /// Which attempt it is, from 1.
        attempt: u32,
    },
    /// Whether an action's effect is there.
    Effect {
        /// The present.
        at: Timestamp,
        /// The action.
        request: ActionRequest,
    },
    /// To answer a probe.
    Probe {
        /// The present.
        at: Timestamp,
        /// The probe.
        request: ProbeRequest,
    },
}

/// How many parameters a description shows at most: what it describes came from outside.
const SHOWN_PARAMS: usize = 8;

/// For people: short, whatever the parameters are.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Observe { at } => write!(f, "observe at {at}"),
            Self::History { from, to } => write!(f, "history from {from} to {to}"),
            Self::Guard { at, request } => write!(f, "guard at {at} of {}", Shown(request)),
            Self::Execute { request, attempt } => write!(f, "attempt {attempt} of {}", Shown(request)),
            Self::Effect { at, request } => write!(f, "effect at {at} of {}", Shown(request)),
            Self::Probe { at, request } => {
                write!(f, "probe {} at {at} of {}", request.probe, request.target.to_text())?;
                show_params(f, &request.params)
            }
        }
    }
}

struct Shown<'a>(&'a ActionRequest);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} on {}", self.0.intent, self.0.action, self.0.target.to_text())?;
        show_params(f, &self.0.params)?;
        f.write_str(")")
    }
}

fn show_params(
    f: &mut fmt::Formatter<'_>,
    params: &std::collections::BTreeMap<String, operator_protocols::Value>,
) -> fmt::Result {
    for (name, value) in params.iter().take(SHOWN_PARAMS) {
        let text: String = value.to_string().chars().take(80).collect();
        write!(f, " {name}={text}")?;
    }
    if params.len() > SHOWN_PARAMS { write!(f, " and {} more", params.len() - SHOWN_PARAMS) } else { Ok(()) }
}
