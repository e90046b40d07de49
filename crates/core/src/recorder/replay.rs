//! Runs a loop over a recording: what to tick and command, and when.

use std::sync::Arc;

use operator_protocols::{Observation, Timestamp};

use crate::recorder::tape::SharedTape;
use crate::recorder::{Header, Record, Recording, ReplaySubject};
use crate::store::KillScope;
use crate::{Command, Principal};

/// Everything it takes to run a loop over a recording: start one from the header's snapshot over the subject, take
/// every step of the plan, and ask the subject for divergences.
#[derive(Debug)]
pub struct Replay {
    /// What the recorded loop started from.
    pub header: Header,
    /// What it remembered, oldest first. [`Subject::history`](operator_protocols::Subject::history) answers the same
    /// before the first step, where the recorded loop did not ask itself.
    pub past: Vec<Arc<Observation>>,
    /// Answers as the recorded subject did.
    pub subject: Arc<ReplaySubject>,
    /// The steps.
    pub plan: ReplayPlan,
}

/// The steps of a recorded loop, in order.
#[derive(Debug)]
pub struct ReplayPlan {
    tape: SharedTape,
}

/// One step of a loop.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A cycle.
    Tick {
        /// Its present.
        at: Timestamp,
    },
    /// Somebody's request.
    Command {
        /// When it was carried out.
        at: Timestamp,
        /// Who asked.
        principal: Principal,
        /// For what.
        command: Command,
    },
    /// The kill switch.
    KillSwitch {
        /// When.
        at: Timestamp,
        /// Who did it.
        principal: Principal,
        /// What it stops.
        scope: KillScope,
        /// Engaged or released.
        engaged: bool,
        /// Why.
        reason: String,
    },
}

impl Recording {
    /// Makes of it what a loop can be run over.
    pub fn replay(self) -> Replay {
        let tape = SharedTape::new(self.records, self.past.clone());
        let subject = Arc::new(ReplaySubject::new(&self.header, tape.clone()));
        Replay { header: self.header, past: self.past, subject, plan: ReplayPlan { tape } }
    }
}

/// Asking for the next step ends the one before it.
impl Iterator for ReplayPlan {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        match self.tape.lock().step()? {
            Record::Tick { at } => Some(Step::Tick { at }),
            Record::Command { at, principal, command } => Some(Step::Command { at, principal, command }),
            Record::KillSwitch { at, principal, scope, engaged, reason } => {
                Some(Step::KillSwitch { at, principal, scope, engaged, reason })
            }
            // Nothing else is a step.
            _ => None,
        }
    }
}
