//! Holds stored answers against the evidence of their cases, after the fact. It shares no code with the checks that a
//! diagnoser does itself, and reads the answer as a person would: what is cited must be there, what is quoted must be in
//! what is cited, what is named must exist.

mod names;
mod numbers;

use std::collections::BTreeSet;

use operator_protocols::{FaultClass, Locus};
use operator_reasoner::{Answer, EvidenceId, EvidenceRef, Hypothesis};
use serde::Serialize;
use serde_json::Value as Json;

use self::names::Names;
use self::numbers::Numbers;
use super::RecordedCase;

/// What can be recommended of any subject.
const GENERAL_ACTIONS: [&str; 5] = ["wait", "log_message", "notify", "restart_component", "start_component"];

/// Something in an answer that the evidence does not bear out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "objection", rename_all = "snake_case")]
pub enum Objection {
    /// A cause without anything that speaks for it.
    WithoutEvidence {
        /// Where in the answer.
        at: String,
    },
    /// An id that no item has.
    NoSuchItem {
        /// Where in the answer.
        at: String,
        /// The id.
        id: String,
    },
    /// A number that is in nothing that is cited for it.
    NoSuchNumber {
        /// Where in the answer.
        at: String,
        /// As it was written.
        number: String,
    },
    /// A name that nothing in the case has.
    NoSuchName {
        /// Where in the answer.
        at: String,
        /// As it was written.
        name: String,
    },
    /// A place that nothing in the case is about.
    NoSuchPlace {
        /// Where in the answer.
        at: String,
        /// The place.
        place: String,
    },
    /// An action that nobody offers.
    NoSuchAction {
        /// As it was written.
        action: String,
    },
}

/// What came of checking one answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Checked {
    /// How many statements were checked.
    pub claims: u32,
    /// What is wrong, each once.
    pub objections: BTreeSet<Objection>,
}

/// Checks an answer to a case.
pub fn check(case: &RecordedCase, answer: &Answer) -> Checked {
    let mut check = Check { case, names: Names::of(case), whole: Numbers::of_case(case), checked: Checked::default() };
    check.answer(answer);
    check.checked
}

struct Check<'a> {
    case: &'a RecordedCase,
    names: Names,
    /// The numbers of the whole case: for sentences that cite nothing by themselves.
    whole: Numbers,
    checked: Checked,
}

impl Check<'_> {
    fn answer(&mut self, answer: &Answer) {
        let diagnosis = &answer.diagnosis;
        self.hypothesis("primary", &diagnosis.primary, true);
        for (index, alternative) in diagnosis.alternatives.iter().enumerate() {
            let at = format!("alternatives[{index}]");
            self.hypothesis(&at, &alternative.hypothesis, false);
            self.sentence(&format!("{at}.conclusion"), &alternative.conclusion, None);
        }
        for (index, entry) in diagnosis.timeline.iter().enumerate() {
            self.sentence(&format!("timeline[{index}]"), &entry.text, Some(std::slice::from_ref(&entry.evidence)));
        }
        for (index, reading) in diagnosis.readings.iter().enumerate() {
            let at = format!("readings[{index}]");
            self.place(&at, &reading.on);
            self.item(&at, &reading.evidence);
            let numbers = self.numbers_of(std::slice::from_ref(&reading.evidence));
            for value in [reading.value, reading.reference] {
                if !numbers.have_value(value) {
                    self.object(Objection::NoSuchNumber { at: at.clone(), number: value.to_string() });
                }
            }
        }
        diagnosis.affected.iter().for_each(|locus| self.place("affected", locus));
        for (index, action) in diagnosis.recommended_actions.iter().enumerate() {
            let at = format!("recommended_actions[{index}]");
            let offered = self.case.actions.iter().any(|one| one.name == action.action);
            if !offered && !GENERAL_ACTIONS.contains(&action.action.as_str()) {
                self.object(Objection::NoSuchAction { action: action.action.clone() });
            }
            self.place(&at, &action.target);
            action.because.iter().for_each(|one| self.citation(&at, one));
        }
        for (field, texts) in [
            ("recommended_action", std::slice::from_ref(&diagnosis.recommended_action)),
            ("risks", &diagnosis.risks),
            ("missing", &diagnosis.missing),
        ] {
            texts.iter().for_each(|text| self.names(field, text));
        }
        let Some(deliberation) = &answer.deliberation else { return };
        for verdict in &deliberation.verdicts {
            let at = format!("verdict on rank {}", verdict.rank);
            let cited = (!verdict.evidence.is_empty()).then_some(verdict.evidence.as_slice());
            self.sentence(&at, &verdict.because, cited);
        }
        if let Some(dissent) = &deliberation.dissent {
            self.names("dissent", dissent);
        }
    }

    fn hypothesis(&mut self, at: &str, hypothesis: &Hypothesis, is_claimed: bool) {
        let decides = !matches!(hypothesis.class, FaultClass::Unknown | FaultClass::NoFault);
        if is_claimed && decides && hypothesis.supporting.is_empty() {
            self.object(Objection::WithoutEvidence { at: at.to_owned() });
        }
        self.place(at, &hypothesis.locus);
        let cited: Vec<EvidenceId> =
            hypothesis.supporting.iter().chain(&hypothesis.contradicting).map(|one| one.id.clone()).collect();
        // Who does not decide sums the case up.
        let cited = decides.then_some(cited.as_slice());
        self.sentence(&format!("{at}.statement"), &hypothesis.statement, cited);
        for one in hypothesis.supporting.iter().chain(&hypothesis.contradicting) {
            self.citation(at, one);
        }
    }

    fn citation(&mut self, at: &str, citation: &EvidenceRef) {
        let at = format!("{at}, on {}", citation.id);
        self.sentence(&at, &citation.because, Some(std::slice::from_ref(&citation.id)));
    }

    /// A sentence that rests on what it cites; on the whole case, if it cites nothing by its form.
    fn sentence(&mut self, at: &str, text: &str, cited: Option<&[EvidenceId]>) {
        self.checked.claims += 1;
        cited.unwrap_or_default().iter().for_each(|id| self.item(at, id));
        // An id in the words is a citation as well.
        let mut rests_on = cited.unwrap_or_default().to_vec();
        for id in names::ids_in(text) {
            self.item(at, &id);
            rests_on.push(id);
        }
        let numbers = match cited {
            Some(_) => self.numbers_of(&rests_on),
            None => self.whole.clone(),
        };
        for number in numbers::quoted(&self.names.taken_out(text)) {
            if !numbers.have(&number) {
                self.object(Objection::NoSuchNumber { at: at.to_owned(), number: number.text });
            }
        }
        self.names(at, text);
    }

    fn names(&mut self, at: &str, text: &str) {
        for name in self.names.unknown(text) {
            self.object(Objection::NoSuchName { at: at.to_owned(), name });
        }
    }

    fn item(&mut self, at: &str, id: &EvidenceId) {
        if self.case.pack.item(id).is_none() {
            self.object(Objection::NoSuchItem { at: at.to_owned(), id: id.0.clone() });
        }
    }

    fn place(&mut self, at: &str, locus: &Locus) {
        let pack = &self.case.pack;
        let component = |id: &operator_protocols::Id| pack.components.iter().any(|component| component.id == *id);
        let known = match locus {
            Locus::Nothing => true,
            Locus::Component(id) => component(id) || self.is_spoken_of(locus),
            Locus::Edge(from, to) => (component(from) && component(to)) || self.is_spoken_of(locus),
            Locus::Group(_) | Locus::Entity(_) | Locus::Change(_) => self.is_spoken_of(locus),
        };
        if !known {
            self.object(Objection::NoSuchPlace { at: at.to_owned(), place: locus.to_text() });
        }
    }

    /// Whether the locus stands anywhere in the evidence, in its wire form.
    fn is_spoken_of(&self, locus: &Locus) -> bool {
        let (Ok(wanted), Ok(pack)) = (serde_json::to_value(locus), serde_json::to_value(&self.case.pack)) else {
            return false;
        };
        if let Locus::Change(id) = locus {
            return holds(&pack, &|value| value.as_str() == Some(&id.local));
        }
        holds(&pack, &|value| *value == wanted)
    }

    fn numbers_of(&self, ids: &[EvidenceId]) -> Numbers {
        let items: Vec<_> = ids.iter().filter_map(|id| self.case.pack.item(id)).collect();
        Numbers::of_items(&self.case.pack, &items)
    }

    fn object(&mut self, objection: Objection) {
        self.checked.objections.insert(objection);
    }
}

/// Whether any value within `json` is as asked.
fn holds(json: &Json, is: &dyn Fn(&Json) -> bool) -> bool {
    is(json)
        || match json {
            Json::Array(list) => list.iter().any(|one| holds(one, is)),
            Json::Object(map) => map.values().any(|one| holds(one, is)),
            _ => false,
        }
}

#[cfg(test)]
mod tests;
