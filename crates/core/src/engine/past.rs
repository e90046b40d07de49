//! Remembering an incident when it is over, and what of the evidence is kept with a diagnosis.

use std::collections::BTreeSet;
use std::sync::Arc;

use operator_protocols::{Locus, Timestamp};
use operator_reasoner::{Diagnosis, EvidenceId, EvidencePack};

use super::Engine;
use super::question::Question;
use crate::{ExecutionState, PastCase, Signature, VerificationOutcome};

/// The most evidence that is kept with a diagnosis, in bytes of JSON.
const EVIDENCE_BYTES: usize = 1024 * 1024;
/// How many tickets a past case names.
const TICKETS_NAMED: usize = 50;

impl Engine {
    /// Remembers an incident that has just ended, if it was explained.
    pub(super) fn remember_case(&mut self, incident: &str, question: Option<Arc<Question>>, at: Timestamp) {
        let Some(question) = question else { return };
        let Some((id, diagnosis)) = self.state.diagnoses.get(incident) else { return };
        let Some(first) =
            self.state.incidents.get(incident).and_then(|row| self.state.tickets.get(row.tickets.first()?))
        else {
            return;
        };
        let fixed_by = self
            .state
            .executions_of(incident)
            .filter(|execution| execution.state == ExecutionState::Done && execution.proposal.undo_of.is_none())
            .filter(|execution| {
                let verified = self.state.verifications.get(&execution.proposal.id);
                verified.is_some_and(|one| one.outcome == VerificationOutcome::Cleared)
            })
            .last()
            .map(|execution| execution.proposal.action.clone());
        let tickets = self.state.incidents[incident].tickets.iter().take(TICKETS_NAMED).cloned().collect();
        let case = PastCase {
            incident: incident.to_owned(),
            subject: self.state.subject.clone(),
            kind: self.descriptor.kind.clone(),
            closed_at: at,
            tickets,
            invariant: first.invariant.clone(),
            on: first.on.clone(),
            signature: Signature::of(&question.pack),
            diagnosis: id.clone(),
            diagnoser: diagnosis.diagnoser.clone(),
            diagnosed: (diagnosis.primary.class, diagnosis.primary.locus.clone()),
            fixed_by,
            mark: self.state.marks.get(incident).cloned(),
        };
        self.state.put_past(case);
    }
}

/// The evidence, or what of it the diagnosis cites, where all is too much to keep.
pub(super) fn worth_keeping(diagnosis: &Diagnosis, pack: &EvidencePack) -> EvidencePack {
    let bytes = |pack: &EvidencePack| serde_json::to_vec(pack).map_or(usize::MAX, |bytes| bytes.len());
    if bytes(pack) <= EVIDENCE_BYTES {
        return pack.clone();
    }
    let hypotheses =
        std::iter::once(&diagnosis.primary).chain(diagnosis.alternatives.iter().map(|other| &other.hypothesis));
    let mut cited: BTreeSet<&EvidenceId> =
        hypotheses.flat_map(|one| one.supporting.iter().chain(&one.contradicting)).map(|one| &one.id).collect();
    cited.extend(diagnosis.timeline.iter().map(|entry| &entry.evidence));
    cited.extend(diagnosis.readings.iter().map(|reading| &reading.evidence));
    let mut kept = pack.clone();
    kept.items.retain(|item| cited.contains(&item.id));
    if bytes(&kept) > EVIDENCE_BYTES {
        let about: BTreeSet<_> = kept.items.iter().flat_map(|item| item.on.components()).cloned().collect();
        kept.components.retain(|component| about.contains(&component.id));
        kept.dependencies.retain(|link| about.contains(&link.from) && about.contains(&link.to));
        kept.tickets.truncate(TICKETS_NAMED);
    }
    // Citations are few and their texts bounded; findings may still list thousands of places.
    if bytes(&kept) > EVIDENCE_BYTES {
        kept.items.clear();
        kept.components.clear();
        kept.dependencies.clear();
        kept.invariants.clear();
    }
    kept
}

/// Whether a place is one that a person may name as a cause here.
pub(super) fn may_be_named(locus: &Locus, subject: &str) -> bool {
    const NAME_BYTES: usize = 400;
    locus.to_text().len() <= NAME_BYTES
        && locus.components().iter().all(|id| id.subject == subject)
        && match locus {
            Locus::Entity(entity) => entity.subject == subject,
            _ => true,
        }
}
