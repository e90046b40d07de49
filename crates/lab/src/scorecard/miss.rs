//! What was wrong with a run, in sentences.

use serde::{Deserialize, Serialize};

use super::run_result::{RunKey, RunResult};
use crate::scenario::ActionVerdict;

/// A run that did not do everything right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miss {
    /// Which run.
    pub key: RunKey,
    /// What was wrong, each in a sentence.
    pub why: Vec<String>,
    /// Its recording.
    pub recording: Option<String>,
}

impl Miss {
    /// What was wrong with this run, if anything.
    pub(super) fn of(result: &RunResult) -> Option<Self> {
        let why = why_missed(result);
        if why.is_empty() {
            return None;
        }
        Some(Self { key: result.key.clone(), why, recording: result.recording.clone() })
    }
}

fn why_missed(result: &RunResult) -> Vec<String> {
    let mut why = Vec::new();
    if result.ticket_expected && result.detected_after_ms.is_none() {
        why.push("no ticket".to_owned());
    }
    if let (Some(false), Some(after), Some(due)) =
        (result.detected_in_time(), result.detected_after_ms, result.detection_bound_ms)
    {
        why.push(format!("late ticket: after {after} ms, due after {due} ms"));
    }
    why.extend(result.false_tickets.iter().map(|ticket| format!("false ticket: {ticket}")));
    let truth = result.truth.join(" or ");
    match &result.diagnosis {
        Some(said) if !said.class_right => {
            let what = if said.locus_right { "class" } else { "place" };
            why.push(format!(
                "wrong {what}: {} {} ({:.0} %) instead of {truth}",
                said.locus,
                said.class,
                100.0 * said.probability
            ));
        }
        None if result.diagnosis_due() => why.push(format!("no diagnosis instead of {truth}")),
        _ => {}
    }
    if !result.first_action_right() {
        why.push(match result.actions.first() {
            Some(first) => format!("wrong first action: {} on {}", first.name, first.target),
            None => "nothing was done".to_owned(),
        });
    }
    let harmful = result.actions.iter().filter(|action| action.verdict == ActionVerdict::Harmful);
    why.extend(harmful.map(|action| {
        let how = if action.executed { "taken" } else { "proposed" };
        format!("harmful action {how}: {} on {}", action.name, action.target)
    }));
    if result.ticket_expected && result.recovered_after_ms.is_none() {
        why.push("not recovered".to_owned());
    }
    why
}
