//! The trust boundary of an answer: whoever hands it in, and whatever a model wrote into it, the loop takes only what
//! it can check. It believes no number and no action in it; its words are for people to read.

use std::collections::BTreeSet;
use std::sync::Arc;

use operator_protocols::{ActionDefinition, FaultClass, Locus, Timestamp};
use operator_reasoner::{
    Alternative, Answer, Confidence, Deliberation, Diagnosis, EvidenceId, EvidenceKind, EvidencePack, EvidenceRef,
    Hypothesis, Outcome, RecommendedAction,
};
use serde_json::json;

use super::question::{Question, QuestionStatus, Standing, same_cause};
use super::{Engine, answer_bounds};
use crate::{CommandError, Principal};

/// From here on the reasoner's own explanation stays, whatever is answered.
const FIRM: f64 = 0.9;
/// How many citations go with a recommendation.
const REASONS: usize = 3;

impl Engine {
    pub(super) fn answer_too_large(
        &mut self,
        who: &Principal,
        incident: &str,
        bytes: u64,
        at: Timestamp,
    ) -> CommandError {
        let why = format!("it has {bytes} bytes, which is more than an answer may have");
        self.refuse_answer(who, incident, "", "", why, at)
    }

    fn refuse_answer(
        &mut self,
        who: &Principal,
        incident: &str,
        question: &str,
        diagnoser: &str,
        why: String,
        at: Timestamp,
    ) -> CommandError {
        let body = json!({ "incident": incident, "question": question, "diagnoser": diagnoser, "why": why });
        self.state.audit(Self::by(who, at, "diagnosis.refused", incident, body));
        CommandError::refused(why)
    }

    /// Takes an answer to an open question, as far as it can be checked. `answer` is within its bounds.
    pub(super) fn answer(
        &mut self,
        who: &Principal,
        incident: &str,
        question: &str,
        answer: Answer,
        at: Timestamp,
    ) -> Result<String, CommandError> {
        let asked = self.state.questions.get(incident).cloned();
        let checked = match &asked {
            None => Err(format!("incident {incident}: no such incident is open and asked about")),
            Some(asked) => asked.check(question, &answer),
        };
        let (Some(mut asked), Ok(())) = (asked, &checked) else {
            let why = checked.err().unwrap_or_default();
            return Err(self.refuse_answer(who, incident, question, &answer.diagnosis.diagnoser, why, at));
        };
        let Answer { diagnosis, mut deliberation } = answer;
        let (standing, told) = asked.take(&diagnosis, deliberation.as_mut(), &self.actions);
        let question = Arc::make_mut(&mut asked);
        question.status = QuestionStatus::Answered;
        question.standing = standing;
        let kept = question.standing.as_ref().map(|one| one.now(&question.latest, &question.pack, &self.actions));
        let pack = question.pack.clone();
        self.state.questions.insert(incident.to_owned(), asked);
        if let Some(kept) = kept {
            self.keep(incident, kept, &pack, true, at);
        }
        let id = self.state.diagnoses.get(incident).map(|(id, _)| id.clone()).unwrap_or_default();
        if let Some(deliberation) = deliberation {
            self.state.deliberations.insert(incident.to_owned(), without_bodies(&deliberation));
            let body = json!({ "incident": incident, "told": told, "deliberation": deliberation });
            self.state.audit(Self::by(who, at, "diagnosis.deliberated", &id, body));
            self.state.put_deliberation(&id, at, deliberation);
        } else {
            let body = json!({ "incident": incident, "told": told, "diagnoser": diagnosis.diagnoser });
            self.state.audit(Self::by(who, at, "diagnosis.answered", &id, body));
        }
        Ok(format!("{incident}: {told}"))
    }
}

fn without_bodies(of: &Deliberation) -> Deliberation {
    let mut bare = of.clone();
    for exchange in &mut bare.exchanges {
        exchange.request.clear();
        exchange.response.clear();
    }
    bare
}

impl Question {
    /// Whether an answer can be taken at all; why not, otherwise.
    fn check(&self, question: &str, answer: &Answer) -> Result<(), String> {
        let diagnosis = &answer.diagnosis;
        if question != self.hash {
            return Err(format!(
                "question: expected {}, the evidence has moved since {question:?} was asked",
                self.hash
            ));
        }
        match self.status {
            QuestionStatus::Open | QuestionStatus::GivenUp => {}
            QuestionStatus::Answered => return Err("question: it was answered already".to_owned()),
            QuestionStatus::Closed => return Err("question: the evidence moved too often to ask again".to_owned()),
        }
        if (&diagnosis.subject, &diagnosis.incident) != (&self.pack.subject, &self.incident) {
            return Err("diagnosis: it is about another subject or incident".to_owned());
        }
        let named = &diagnosis.primary;
        if named.class != FaultClass::Unknown && !self.considered(named) && !self.exists(named) {
            let locus: String = named.locus.to_text().chars().take(200).collect();
            return Err(format!("primary.locus: {locus} is not part of the evidence"));
        }
        let known: BTreeSet<&EvidenceId> = self.pack.items.iter().map(|item| &item.id).collect();
        if let Some(id) = citations(answer).find(|id| !known.contains(id)) {
            return Err(format!("evidence: {} is not in the evidence", id.0));
        }
        let agrees = same_cause(named, &self.latest.primary) || self.falls_back(answer);
        if named.class != FaultClass::Unknown && named.supporting.is_empty() && !agrees {
            return Err("primary.supporting: another explanation than the reasoner's must cite evidence".to_owned());
        }
        Ok(())
    }

    fn considered(&self, named: &Hypothesis) -> bool {
        weighed(&self.latest, named).is_some() || weighed(&self.reasoned, named).is_some()
    }

    /// Whether the place that an explanation names is one that the evidence knows.
    fn exists(&self, named: &Hypothesis) -> bool {
        match &named.locus {
            Locus::Nothing => matches!(named.class, FaultClass::NoFault | FaultClass::LoadSurge),
            locus => loci(&self.pack).contains(locus),
        }
    }

    /// Whether the answer is that the reasoner's explanation stands.
    fn falls_back(&self, answer: &Answer) -> bool {
        let gave_up = matches!(&answer.deliberation, Some(one) if matches!(one.outcome, Outcome::FallenBack { .. }));
        gave_up || answer.diagnosis.diagnoser == self.reasoned.diagnoser
    }

    /// What stands from now on, if it is more than the reasoner's explanation, and what to tell of it.
    fn take(
        &self,
        named: &Diagnosis,
        mut deliberation: Option<&mut Deliberation>,
        actions: &[ActionDefinition],
    ) -> (Option<Standing>, String) {
        let gave_up = matches!(&deliberation, Some(one) if matches!(one.outcome, Outcome::FallenBack { .. }));
        if gave_up || named.diagnoser == self.reasoned.diagnoser {
            return (None, "the reasoner's explanation stands".to_owned());
        }
        let ours = &self.latest.primary;
        let mut theirs = named.primary.clone();
        if theirs.class == FaultClass::Unknown {
            theirs.locus = Locus::Nothing;
        }
        let weighed = weighed(&self.latest, &theirs);
        (theirs.probability, theirs.score) = weighed.map_or((0.0, 0.0), |one| (one.probability, one.score));
        // What the reasoner notes of the same evidence weighs what it weighs there.
        let noted = |id: &EvidenceId| {
            let ledger = weighed.iter().flat_map(|one| one.supporting.iter().chain(&one.contradicting));
            ledger.clone().find(|one| one.id == *id).map_or(0.0, |one| one.weight)
        };
        for reference in theirs.supporting.iter_mut().chain(&mut theirs.contradicting) {
            reference.weight = noted(&reference.id);
        }
        let bare = Hypothesis {
            statement: String::new(),
            supporting: weighed.map(|one| one.supporting.clone()).unwrap_or_default(),
            contradicting: Vec::new(),
            ..theirs.clone()
        };
        let cause = format!("{} at {}", theirs.class, theirs.locus);
        let agrees = same_cause(&theirs, ours);
        if !agrees && is_firm(&self.latest) {
            let dissent = format!("{cause}: {}", theirs.statement);
            if let Some(deliberation) = deliberation.as_mut() {
                deliberation.dissent = Some(answer_bounds::text(&dissent));
            }
            let mut kept = self.reasoned.clone();
            let conclusion = format!("{} holds this; the evidence is firm on the explanation above", named.diagnoser);
            kept.alternatives.insert(0, Alternative { hypothesis: theirs, conclusion });
            let weighed = Hypothesis { supporting: self.reasoned.primary.supporting.clone(), ..ours.clone() };
            return (
                Some(Standing { diagnosis: kept, weighed }),
                format!("the reasoner's explanation is firm and stands; kept as dissent: {cause}"),
            );
        }
        let mut kept = self.reasoned.clone();
        kept.diagnoser.clone_from(&named.diagnoser);
        kept.diagnoser_version.clone_from(&named.diagnoser_version);
        kept.alternatives.retain(|other| !same_cause(&other.hypothesis, &theirs));
        if !agrees && !self.reasoned.abstained() {
            let conclusion = format!("the evidence alone points here; {} holds another", named.diagnoser);
            kept.alternatives.insert(0, Alternative { hypothesis: self.reasoned.primary.clone(), conclusion });
        }
        // What is said of an explanation that was considered is for people to read.
        for other in &mut kept.alternatives {
            let said = named.alternatives.iter().find(|one| same_cause(&one.hypothesis, &other.hypothesis));
            if let Some(said) = said.filter(|one| !one.conclusion.is_empty()) {
                other.conclusion.clone_from(&said.conclusion);
            }
        }
        kept.missing.extend(named.missing.iter().filter(|one| !one.is_empty()).cloned());
        kept.primary = theirs;
        if kept.abstained() {
            kept.confidence = confidence(0.0);
            kept.recommended_actions.clear();
            kept.risks.clear();
            kept.recommended_action = "Wait and observe; look at what is missing before acting.".to_owned();
        } else if !agrees {
            kept.recommended_actions = bare.remedies(&self.pack, actions);
            kept.risks.clear();
            kept.recommended_action = match kept.recommended_actions.first() {
                Some(first) => format!("{} on {}, if a person approves.", first.action, first.target),
                None => "Wait and observe: no known action is good against this.".to_owned(),
            };
        }
        let told = match (agrees, kept.abstained()) {
            (true, _) => format!("{cause}, as the reasoner says"),
            (false, true) => "the evidence does not decide".to_owned(),
            (false, false) => format!("{cause}, which the evidence alone does not point to: a person decides"),
        };
        (Some(Standing { diagnosis: kept, weighed: bare }), told)
    }
}

impl Standing {
    /// The explanation with the reasoner's numbers of now, and with the actions that follow from it now.
    pub(super) fn now(&self, latest: &Diagnosis, pack: &EvidencePack, actions: &[ActionDefinition]) -> Diagnosis {
        let mut now = self.diagnosis.clone();
        if now.abstained() {
            return now;
        }
        let weighed = weighed(latest, &now.primary);
        (now.primary.probability, now.primary.score) = weighed.map_or((0.0, 0.0), |one| (one.probability, one.score));
        now.confidence = confidence(now.primary.probability);
        let because: Vec<EvidenceRef> = self.weighed.supporting.iter().take(REASONS).cloned().collect();
        now.recommended_actions = if same_cause(&now.primary, &latest.primary) {
            latest.recommended_actions.clone()
        } else {
            self.weighed.remedies(pack, actions)
        };
        // The evidence is called as it was when it was asked about.
        for RecommendedAction { because: reasons, .. } in &mut now.recommended_actions {
            reasons.clone_from(&because);
        }
        now
    }
}

/// Whether the reasoner is so sure that no answer changes it.
pub(super) fn is_firm(diagnosis: &Diagnosis) -> bool {
    !diagnosis.abstained() && diagnosis.primary.probability >= FIRM
}

/// The same cause among those the reasoner weighed.
fn weighed<'d>(diagnosis: &'d Diagnosis, cause: &Hypothesis) -> Option<&'d Hypothesis> {
    let others = diagnosis.alternatives.iter().map(|other| &other.hypothesis);
    std::iter::once(&diagnosis.primary).chain(others).find(|one| same_cause(one, cause))
}

fn confidence(probability: f64) -> Confidence {
    let word = match probability {
        p if p >= 0.8 => "high",
        p if p >= 0.5 => "medium",
        _ => "low",
    };
    Confidence { word: word.to_owned(), probability }
}

/// Every evidence id that an answer cites.
fn citations(answer: &Answer) -> impl Iterator<Item = &EvidenceId> {
    let hypotheses = std::iter::once(&answer.diagnosis.primary)
        .chain(answer.diagnosis.alternatives.iter().map(|other| &other.hypothesis));
    let cited = hypotheses.flat_map(|one| one.supporting.iter().chain(&one.contradicting)).map(|one| &one.id);
    let verdicts = answer.deliberation.iter().flat_map(|one| &one.verdicts).flat_map(|verdict| &verdict.evidence);
    cited.chain(verdicts)
}

/// Every place that the evidence knows.
fn loci(pack: &EvidencePack) -> BTreeSet<Locus> {
    let mut known: BTreeSet<Locus> =
        pack.components.iter().map(|component| Locus::Component(component.id.clone())).collect();
    known.extend(pack.dependencies.iter().map(|link| Locus::Edge(link.from.clone(), link.to.clone())));
    // What was long ago, or elsewhere, is no place to look at now.
    for item in pack.items.iter().filter(|item| !matches!(item.kind, EvidenceKind::SimilarTicket(_))) {
        known.insert(item.on.clone());
        match &item.kind {
            EvidenceKind::Violation(violation) => known.extend(violation.finding.involves.iter().cloned()),
            EvidenceKind::Discrepancy { discrepancy, .. } => {
                known.extend([discrepancy.what.clone(), discrepancy.held_by.clone()]);
                known.extend(discrepancy.claimed_by.clone());
            }
            EvidenceKind::Event(event) | EvidenceKind::OwnAction(event) => {
                known.extend([Locus::Change(event.id.clone()), event.on.clone()]);
            }
            _ => {}
        }
    }
    known
}
