//! An answer of a model, read: every member checked for its form, nothing yet for its truth.

use operator_reasoner::{EvidenceId, bounded};
use serde_json::{Map, Value as Json};

use crate::bounds::{ASKED_REASON, ASKED_REASON_SMALL, ASKED_STATEMENT, REASON, SENTENCE, is_modest, sentence};
use crate::grounding::Fault;
use crate::schema::{CITED, IDS, MISSING, VERDICTS};

/// What a model submits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Submission {
    pub assessment: Vec<Assessment>,
    pub class: String,
    pub locus: String,
    /// Its own word for how sure it is. Nothing is decided by it.
    pub confidence: String,
    pub supporting: Vec<Cited>,
    pub contradicting: Vec<Cited>,
    pub missing: Vec<String>,
    pub action: String,
    pub statement: String,
}

/// What it makes of one of the reasoner's explanations.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assessment {
    pub rank: u32,
    pub keeps: bool,
    pub evidence: Vec<EvidenceId>,
    pub why: String,
}

/// One citation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cited {
    pub id: EvidenceId,
    pub why: String,
}

impl Submission {
    /// Reads an answer. What may be missing may be missing; what is too long is cut; what has the wrong form is told.
    pub fn read(json: &Json) -> Result<Self, Vec<Fault>> {
        if !is_modest(json) {
            return Err(vec![Fault::Form { field: "answer", expected: "an object of the given form, not so large" }]);
        }
        let Json::Object(members) = json else {
            return Err(vec![Fault::Form { field: "answer", expected: "one JSON object" }]);
        };
        let mut faults = Vec::new();
        let cause = members.get("cause").and_then(Json::as_object);
        if cause.is_none() {
            faults.push(Fault::Form { field: "cause", expected: "an object with class and locus" });
        }
        let of_cause = |name: &str| cause.and_then(|cause| cause.get(name)).and_then(Json::as_str);
        let (class, locus) = (of_cause("class"), of_cause("locus"));
        if cause.is_some() && class.is_none() {
            faults.push(Fault::Form { field: "cause.class", expected: "one of the classes" });
        }
        if cause.is_some() && locus.is_none() {
            faults.push(Fault::Form { field: "cause.locus", expected: "one of the places" });
        }
        let statement =
            members.get("statement").and_then(Json::as_str).map(|text| sentence(text, &[ASKED_STATEMENT], SENTENCE));
        if statement.as_ref().is_none_or(|text| text.trim().is_empty()) {
            faults.push(Fault::Form { field: "statement", expected: "a sentence" });
        }
        let action = members.get("recommended_action").and_then(Json::as_str);
        if action.is_none() {
            faults.push(Fault::Form { field: "recommended_action", expected: "one of the remedies, or wait" });
        }
        let submission = Self {
            assessment: assessments(members, &mut faults),
            class: bounded(class.unwrap_or_default(), 80),
            locus: bounded(locus.unwrap_or_default(), 200),
            confidence: bounded(members.get("confidence").and_then(Json::as_str).unwrap_or_default(), 20),
            supporting: citations(members, "supporting", &mut faults),
            contradicting: citations(members, "contradicting", &mut faults),
            missing: wishes(members.get("missing")),
            action: bounded(action.unwrap_or_default(), 80),
            statement: statement.unwrap_or_default(),
        };
        if faults.is_empty() { Ok(submission) } else { Err(faults) }
    }

    /// Every id that is cited anywhere.
    pub fn cited(&self) -> impl Iterator<Item = &EvidenceId> {
        let ids = self.supporting.iter().chain(&self.contradicting).map(|one| &one.id);
        ids.chain(self.assessment.iter().flat_map(|one| &one.evidence))
    }
}

fn citations(members: &Map<String, Json>, field: &'static str, faults: &mut Vec<Fault>) -> Vec<Cited> {
    let list = match members.get(field) {
        None | Some(Json::Null) => return Vec::new(),
        Some(Json::Array(list)) => list,
        Some(_) => {
            faults.push(Fault::Form { field, expected: "a list of objects with evidence and why" });
            return Vec::new();
        }
    };
    let mut found: Vec<Cited> = Vec::new();
    for one in list.iter().take(CITED) {
        let id = one.get("evidence").or(Some(one)).and_then(Json::as_str);
        let Some(id) = id else {
            faults.push(Fault::Form { field, expected: "a list of objects with evidence and why" });
            continue;
        };
        let id = EvidenceId(bounded(id.trim(), 40));
        if found.iter().all(|other| other.id != id) {
            let why = one.get("why").and_then(Json::as_str).unwrap_or_default();
            found.push(Cited { id, why: reason(why) });
        }
    }
    found
}

fn assessments(members: &Map<String, Json>, faults: &mut Vec<Fault>) -> Vec<Assessment> {
    let field = "assessment";
    let expected = "a list of objects with about, evidence, verdict and why";
    let list = match members.get(field) {
        None | Some(Json::Null) => return Vec::new(),
        Some(Json::Array(list)) => list,
        Some(_) => {
            faults.push(Fault::Form { field, expected });
            return Vec::new();
        }
    };
    let mut found: Vec<Assessment> = Vec::new();
    for one in list.iter().take(VERDICTS) {
        let rank = one.get("about").and_then(Json::as_u64).and_then(|rank| u32::try_from(rank).ok());
        let keeps = match one.get("verdict").and_then(Json::as_str) {
            Some("keep") => Some(true),
            Some("reject") => Some(false),
            _ => None,
        };
        let (Some(rank), Some(keeps)) = (rank, keeps) else {
            faults.push(Fault::Form { field, expected });
            continue;
        };
        if found.iter().any(|other| other.rank == rank) {
            continue;
        }
        let why = one.get("why").and_then(Json::as_str).unwrap_or_default();
        found.push(Assessment {
            rank,
            keeps,
            evidence: strings(one.get("evidence"), IDS, 40).into_iter().map(EvidenceId).collect(),
            why: reason(why),
        });
    }
    found
}

fn reason(text: &str) -> String {
    sentence(text, &[ASKED_REASON, ASKED_REASON_SMALL], REASON)
}

fn wishes(list: Option<&Json>) -> Vec<String> {
    let list = list.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().take(MISSING).filter_map(Json::as_str).map(reason).collect()
}

fn strings(list: Option<&Json>, most: usize, chars: usize) -> Vec<String> {
    let list = list.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().take(most).filter_map(Json::as_str).map(|text| bounded(text.trim(), chars)).collect()
}
