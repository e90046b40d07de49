//! What came of one run of one scenario.

use serde::{Deserialize, Serialize};

use crate::scenario::ActionVerdict;

/// Which run: a campaign has each once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunKey {
    /// The scenario.
    pub scenario: String,
    /// Who diagnosed.
    pub diagnoser: String,
    /// Which choice of the scenario, and which load.
    pub seed: u64,
}

/// What came of one run. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// Which run.
    #[serde(flatten)]
    pub key: RunKey,
    /// When it began, since the Unix epoch.
    pub started_at_ms: i64,
    /// The version of the operator that was judged.
    pub version: String,
    /// How far it came.
    pub outcome: RunOutcome,
    /// Whether the scenario wants a ticket.
    pub ticket_expected: bool,
    /// Tickets that nothing called for: before the fault, or in a scenario that wants none. As a person reads them.
    #[serde(default)]
    pub false_tickets: Vec<String>,
    /// From the fault to its first ticket.
    #[serde(default)]
    pub detected_after_ms: Option<u64>,
    /// The latest at which that ticket was due, by the grace of its invariant; not known for one that never came.
    #[serde(default)]
    pub detection_bound_ms: Option<u64>,
    /// The primary hypothesis that stood when the first action was proposed, or at the end.
    #[serde(default)]
    pub diagnosis: Option<DiagnosisGiven>,
    /// What is true, in the words of the scenario: `edge:node-1>redis LinkSlow`.
    pub truth: Vec<String>,
    /// Every action proposed or taken, in order.
    #[serde(default)]
    pub actions: Vec<ActionTaken>,
    /// Whether something was to be done at all, by the scenario.
    pub action_expected: bool,
    /// From the fault to the moment after which nothing was wrong any more.
    #[serde(default)]
    pub recovered_after_ms: Option<u64>,
    /// What it cost.
    #[serde(default)]
    pub cost: Cost,
    /// Where the recording is, relative to the results.
    #[serde(default)]
    pub recording: Option<String>,
}

/// How far a run came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RunOutcome {
    /// It can be judged.
    Finished,
    /// The lab failed, or left something broken: it says nothing about the operator, and counts as no run.
    Invalid {
        /// Why.
        why: String,
    },
}

/// A hypothesis as it was given, and how it fared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DiagnosisGiven {
    /// Where, in the text form of a locus.
    pub locus: String,
    /// What.
    pub class: String,
    /// How sure it was, 0 to 1.
    pub probability: f64,
    /// The place is right.
    pub locus_right: bool,
    /// The place and the class are right.
    pub class_right: bool,
}

/// An action, and how it fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionTaken {
    /// Its name.
    pub name: String,
    /// What it was aimed at, in the text form of a locus.
    pub target: String,
    /// Whether it was carried out, or only proposed.
    pub executed: bool,
    /// How it fared.
    pub verdict: ActionVerdict,
}

/// What a run cost.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Cost {
    /// Tokens read and written by a model.
    pub tokens: u64,
    /// Money, in US dollars.
    pub usd: f64,
    /// Time spent diagnosing, in milliseconds.
    pub diagnosing_ms: u64,
}

impl RunResult {
    /// Whether the ticket came that was wanted, or none where none was.
    pub fn detection_right(&self) -> bool {
        if self.ticket_expected { self.detected_after_ms.is_some() } else { self.false_tickets.is_empty() }
    }

    /// Whether the ticket came when it was due; not known, where no ticket came or nobody said when it was due.
    pub fn detected_in_time(&self) -> Option<bool> {
        Some(self.detected_after_ms? <= self.detection_bound_ms?)
    }

    /// How many harmful actions were proposed or taken.
    pub fn harmful_actions(&self) -> u32 {
        let harmful = self.actions.iter().filter(|action| action.verdict == ActionVerdict::Harmful).count();
        u32::try_from(harmful).unwrap_or(u32::MAX)
    }

    /// Whether the first action was a right one; or, where nothing was to be done, nothing was.
    pub fn first_action_right(&self) -> bool {
        match self.actions.first() {
            Some(first) => first.verdict == ActionVerdict::Right,
            None => !self.action_expected,
        }
    }

    /// Whether a diagnosis is called for: where no ticket is wanted and none came, nobody asks.
    pub fn diagnosis_due(&self) -> bool {
        self.ticket_expected || self.diagnosis.is_some()
    }
}
