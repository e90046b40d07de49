//! The gate: what a model answers is held against the evidence, in code. Only what passes is used.

mod fault;
mod ledger;
mod names;
mod numbers;
mod plausible;
mod words;

use std::collections::BTreeSet;

use operator_protocols::{FaultClass, Locus};
use operator_reasoner::{EvidenceId, bounded};
use serde_json::Value as Json;

pub(crate) use self::fault::Fault;
use self::names::Vocabulary;
use self::numbers::{Pool, quoted};
use self::words::words;
use crate::case::{Case, WAIT};
use crate::submission::Submission;

/// The greatest whole number that passes as a count of what is there, whatever the evidence says.
const COUNTED: usize = 10;

/// What an answer may rest on: the evidence of the case, and what the looks beyond it have shown.
#[derive(Debug)]
pub(crate) struct Ground<'a> {
    case: &'a Case<'a>,
    vocabulary: Vocabulary,
    /// The numbers of everything.
    all: Pool,
    /// The numbers that belong to no item: of looks and of the ranking.
    free: Pool,
}

/// An answer that holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grounded {
    pub submission: Submission,
    pub class: FaultClass,
    pub locus: Locus,
}

impl<'a> Ground<'a> {
    /// The evidence of a case.
    pub fn of(case: &'a Case<'a>) -> Self {
        let mut ground = Self { case, vocabulary: Vocabulary::default(), all: Pool::default(), free: Pool::default() };
        ground.vocabulary.add(&case.text);
        ground.vocabulary.add(&case.actions.iter().map(|action| action.name.as_str()).collect::<Vec<_>>().join(" "));
        for name in case.places.names() {
            ground.vocabulary.add(name);
        }
        for component in &case.pack.components {
            ground.vocabulary.add(&bounded(&component.id.local, 200));
            ground.vocabulary.add(&bounded(&component.kind, 80));
        }
        for item in &case.pack.items {
            ground.vocabulary.add(&item.statement);
            ground.all.add_item(item);
            ground.free.add(crate::prompt::pack::seconds(case.pack, item.at), "s");
        }
        for one in &case.ranked {
            ground.free.add(one.probability, "");
        }
        ground.free.add(crate::prompt::pack::seconds(case.pack, case.pack.built_at), "s");
        ground
    }

    /// Adds what a look has shown.
    pub fn add_look(&mut self, shown: &Json) {
        self.vocabulary.add(&shown.to_string());
        self.free.add_json(shown);
    }

    /// Holds an answer against the evidence.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(&self, mut submission: Submission) -> Result<Grounded, Vec<Fault>> {
        let mut faults = Vec::new();
        // A wish that names what nobody has seen is no fault, and is not told.
        submission.missing.retain(|wish| {
            let mut faults = Vec::new();
            self.sentence("missing", wish, &[&self.free, &self.all], &mut faults);
            faults.is_empty()
        });
        let class = FaultClass::from_name(&submission.class);
        if class.is_none() {
            faults.push(Fault::NoSuchClass(submission.class.clone()));
        }
        // Neither has a place.
        let nowhere = matches!(class, Some(FaultClass::Unknown | FaultClass::NoFault));
        let locus = if nowhere { Some(&Locus::Nothing) } else { self.case.places.locus(&submission.locus) };
        if locus.is_none() {
            faults.push(Fault::NoSuchPlace(submission.locus.clone()));
        }
        let known = self.unknown_evidence(&submission, &mut faults);
        if let (Some(class), Some(locus)) = (class, locus) {
            if self.case.considered(class, locus).is_none()
                && let Err(expected) = plausible::check(class, locus)
            {
                let (class, locus) = (class.name().to_owned(), submission.locus.clone());
                faults.push(Fault::Implausible { class, locus, expected });
            }
            ledger::check(self.case, &submission, class, locus, &mut faults);
            self.remedy(&submission, class, locus, &mut faults);
        }
        self.sentences(&submission, &known, &mut faults);
        match (class, locus) {
            (Some(class), Some(locus)) if faults.is_empty() => {
                let locus = locus.clone();
                self.drop_borrowed_numbers(&mut submission);
                Ok(Grounded { submission, class, locus })
            }
            _ => Err(faults),
        }
    }

    /// The ids that exist; the others are faults.
    fn unknown_evidence(&self, submission: &Submission, faults: &mut Vec<Fault>) -> BTreeSet<EvidenceId> {
        let cited: BTreeSet<&EvidenceId> = submission.cited().collect();
        let (known, unknown): (Vec<_>, Vec<_>) = cited.into_iter().partition(|id| self.case.pack.item(id).is_some());
        faults.extend(unknown.into_iter().map(|id| Fault::NoSuchEvidence(id.0.clone())));
        known.into_iter().cloned().collect()
    }

    fn remedy(&self, submission: &Submission, class: FaultClass, locus: &Locus, faults: &mut Vec<Fault>) {
        if submission.action == WAIT {
            return;
        }
        let mut expected: Vec<String> =
            self.case.remedies(class, locus).into_iter().map(|remedy| remedy.action).collect();
        if expected.contains(&submission.action) {
            return;
        }
        expected.dedup();
        expected.truncate(4);
        expected.push(WAIT.to_owned());
        faults.push(Fault::NoRemedy { action: submission.action.clone(), expected });
    }

    /// Every sentence of the answer: its ids, names and numbers.
    fn sentences(&self, submission: &Submission, cited: &BTreeSet<EvidenceId>, faults: &mut Vec<Fault>) {
        // A reason may quote what its answer cites, the statement anything of the evidence.
        let mut of_cited = self.free.clone();
        for item in cited.iter().filter_map(|id| self.case.pack.item(id)) {
            of_cited.add_item(item);
        }
        self.sentence("statement", &submission.statement, &[&self.free, &self.all], faults);
        for one in &submission.supporting {
            self.sentence("supporting", &one.why, &[&of_cited], faults);
        }
        for one in &submission.contradicting {
            self.sentence("contradicting", &one.why, &[&of_cited], faults);
        }
        for one in &submission.assessment {
            self.sentence("assessment", &one.why, &[&of_cited], faults);
        }
    }

    /// A reason that tells numbers of other evidence than it cites would stand beside evidence that does not say so: its
    /// words are left out, and what it cites stays.
    fn drop_borrowed_numbers(&self, submission: &mut Submission) {
        for one in submission.supporting.iter_mut().chain(&mut submission.contradicting) {
            if self.borrows(&one.why, std::slice::from_ref(&one.id)) {
                one.why.clear();
            }
        }
        for one in &mut submission.assessment {
            if self.borrows(&one.why, &one.evidence) {
                one.why.clear();
            }
        }
    }

    /// Whether a reason quotes a number that is not of what it cites.
    fn borrows(&self, why: &str, cited: &[EvidenceId]) -> bool {
        let mut own = self.free.clone();
        for item in cited.iter().filter_map(|id| self.case.pack.item(id)) {
            own.add_item(item);
        }
        quoted(&words(why)).iter().any(|one| !one.counts_up_to(COUNTED) && !own.has(one))
    }

    fn sentence(&self, field: &'static str, text: &str, pools: &[&Pool], faults: &mut Vec<Fault>) {
        let words = words(text);
        for word in &words {
            if is_evidence_id(word.text) {
                if self.case.pack.item(&EvidenceId(word.text.to_owned())).is_none() {
                    faults.push(Fault::NoSuchEvidence(bounded(word.text, 40)));
                }
            } else if numbers::number(word.text).is_none() && !self.vocabulary.admits(word) {
                faults.push(Fault::NoSuchName { name: bounded(word.text, 60), field });
            }
        }
        if let Some(name) = self.vocabulary.unknown_quoted(text) {
            let fault = Fault::NoSuchName { name: bounded(name, 60), field };
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
        let parts = self.case.pack.components.len().max(self.case.pack.dependencies.len());
        for one in quoted(&words) {
            let counted = one.counts_up_to(COUNTED.min(parts.max(self.case.ranked.len())));
            if !counted && !pools.iter().any(|pool| pool.has(&one)) {
                faults.push(Fault::NoSuchNumber { number: one.text, field });
            }
        }
    }
}

fn is_evidence_id(word: &str) -> bool {
    word.strip_prefix('E').is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()))
}
