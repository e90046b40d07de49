//! An answer against the reasoner's ledger: what it wrote down of every explanation, for and against.

use std::collections::BTreeSet;

use operator_protocols::{FaultClass, Locus};
use operator_reasoner::{EvidenceId, EvidenceRef};

use super::Fault;
use crate::case::Case;
use crate::submission::Submission;

/// How many ids a fault names as what would do.
const NAMED: usize = 4;

/// Whether what is cited goes together with the cause, and whether the reasoner's first is rejected on evidence.
pub(crate) fn check(case: &Case<'_>, answer: &Submission, class: FaultClass, locus: &Locus, faults: &mut Vec<Fault>) {
    verdicts(case, answer, class, locus, faults);
    for one in answer.supporting.iter().filter(|one| answer.contradicting.iter().any(|other| other.id == one.id)) {
        faults.push(Fault::BothWays(one.id.0.clone()));
    }
    if answer.supporting.is_empty() && class != FaultClass::Unknown {
        faults.push(Fault::NothingCited);
    } else {
        support(case, answer, class, locus, faults);
    }
    rejection(case, answer, class, locus, faults);
}

fn verdicts(case: &Case<'_>, answer: &Submission, class: FaultClass, locus: &Locus, faults: &mut Vec<Fault>) {
    for one in &answer.assessment {
        let about = usize::try_from(one.rank).ok().and_then(|rank| case.ranked.get(rank.checked_sub(1)?));
        match about {
            None => faults.push(Fault::NoSuchRank(one.rank)),
            Some(about) if !one.keeps && about.class == class && about.locus == *locus => {
                faults.push(Fault::RejectsItsOwn(one.rank));
            }
            Some(_) => {}
        }
    }
}

/// Something that is cited for the cause must speak for it: by the ledger, or because it is about that place.
fn support(case: &Case<'_>, answer: &Submission, class: FaultClass, locus: &Locus, faults: &mut Vec<Fault>) {
    if matches!(class, FaultClass::Unknown) {
        return;
    }
    let considered = case.considered(class, locus);
    let speaks_for = considered.map(|one| ids(&one.supporting)).unwrap_or_default();
    let against = considered.map(|one| ids(&one.contradicting)).unwrap_or_default();
    for one in &answer.supporting {
        if against.contains(&one.id) && !speaks_for.contains(&one.id) {
            faults.push(Fault::SpeaksAgainst(one.id.0.clone()));
        }
    }
    let fits = |id: &EvidenceId| {
        speaks_for.contains(id) || (!against.contains(id) && case.pack.item(id).is_some_and(|item| item.on == *locus))
    };
    if !answer.supporting.iter().any(|one| fits(&one.id)) {
        faults.push(Fault::CitesNothingForIt(named(&speaks_for)));
    }
}

/// Another cause than the one the reasoner decided on needs an item that speaks against that, or for this.
fn rejection(case: &Case<'_>, answer: &Submission, class: FaultClass, locus: &Locus, faults: &mut Vec<Fault>) {
    if case.reasoned.abstained() {
        return;
    }
    let first = &case.reasoned.primary;
    if first.class == class && first.locus == *locus {
        return;
    }
    let mut speaks = ids(&first.contradicting);
    speaks.extend(case.considered(class, locus).map(|one| ids(&one.supporting)).unwrap_or_default());
    let cited: BTreeSet<&EvidenceId> = answer.cited().collect();
    if !speaks.iter().any(|id| cited.contains(id)) {
        faults.push(Fault::RejectsWithoutEvidence(named(&speaks)));
    }
}

fn ids(refs: &[EvidenceRef]) -> BTreeSet<EvidenceId> {
    refs.iter().map(|one| one.id.clone()).collect()
}

fn named(ids: &BTreeSet<EvidenceId>) -> Vec<String> {
    ids.iter().take(NAMED).map(|id| id.0.clone()).collect()
}
