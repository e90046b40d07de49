//! From an answer that holds to a diagnosis: the model's choice and words, the reasoner's numbers, the code's actions.

use operator_protocols::FaultClass;
use operator_reasoner::{
    Alternative, Confidence, Diagnosis, EvidenceRef, Hypothesis, RecommendedAction, Verdict, bounded,
};

use crate::bounds::SENTENCE;
use crate::case::{Case, WAIT, bare};
use crate::grounding::Grounded;
use crate::submission::Cited;

/// What a model's word weighs against the evidence, in odds: an answer displaces the reasoner's only if the evidence makes it
/// at least a third as probable. So against a reasoner that is more than three parts in four sure a model may dissent and
/// changes nothing. No model has been measured here that deserves more.
const WORD: f64 = 3.0;

/// Below this probability a cause is none that the evidence leaves open: where the reasoner abstains, a model may choose
/// among what it leaves open, and not beyond. A small model names some cause always, also where nothing is wrong.
const LEAST: f64 = 0.25;

/// What is concluded, and where the model saw it otherwise.
#[derive(Debug)]
pub(crate) struct Conclusion {
    pub diagnosis: Diagnosis,
    pub verdicts: Vec<Verdict>,
    pub dissent: Option<String>,
}

/// Puts an answer that holds into the place of the reasoner's, as far as it may be.
pub(crate) fn conclude(case: &Case<'_>, answer: &Grounded, diagnoser: &str, version: &str) -> Conclusion {
    let reasoned = case.reasoned;
    let first = &reasoned.primary;
    let same = first.class == answer.class && first.locus == answer.locus;
    let mut diagnosis = reasoned.clone();
    diagnoser.clone_into(&mut diagnosis.diagnoser);
    version.clone_into(&mut diagnosis.diagnoser_version);
    let verdicts = verdicts(answer);
    let chosen = hypothesis(case, answer);
    if !same && let Some(against) = outweighed(case, &chosen) {
        comment(&mut diagnosis.alternatives, case, answer);
        let dissent = format!(
            "{} ({} on {}), {against}",
            answer.submission.statement,
            answer.class,
            bounded(&answer.locus.to_string(), 120)
        );
        return Conclusion { diagnosis, verdicts, dissent: Some(bounded(&dissent, SENTENCE + 200)) };
    }
    diagnosis.primary = chosen;
    diagnosis.confidence = confidence(reasoned, &diagnosis.primary);
    if !same {
        diagnosis.recommended_actions = diagnosis.primary.remedies(case.pack, case.actions);
        diagnosis.risks = risks(case, &diagnosis.primary, &diagnosis.recommended_actions);
    }
    diagnosis.recommended_action = in_words(case, answer, &diagnosis.recommended_actions);
    diagnosis.alternatives = alternatives(case, answer);
    // What the reasoner misses comes first; the model's wishes after it.
    diagnosis.missing.extend(answer.submission.missing.iter().filter(|one| !one.is_empty()).cloned());
    Conclusion { diagnosis, verdicts, dissent: None }
}

/// Why another cause than the reasoner's changes nothing, if that is so.
fn outweighed(case: &Case<'_>, chosen: &Hypothesis) -> Option<&'static str> {
    let first = case.ranked.iter().map(|one| one.probability).reduce(f64::max)?; // Else nobody has weighed anything.
    if case.reasoned.abstained() {
        return (chosen.probability < LEAST).then_some("which the evidence does not leave open");
    }
    let weight = if chosen.class == FaultClass::Unknown { 1.0 - first } else { chosen.probability };
    (weight * WORD < first).then_some("which the evidence speaks against more than a model's word for it")
}

/// The model's cause with the reasoner's numbers: what it does not consider has the probability 0.
fn hypothesis(case: &Case<'_>, answer: &Grounded) -> Hypothesis {
    let reasoned = &case.reasoned.primary;
    let undecided = reasoned.class == answer.class && reasoned.locus == answer.locus;
    let known = case.considered(answer.class, &answer.locus).or(undecided.then_some(reasoned));
    let refs = |cited: &[Cited], ledger: &[EvidenceRef], other: &str| -> Vec<EvidenceRef> {
        cited
            .iter()
            .map(|one| {
                let noted = ledger.iter().find(|noted| noted.id == one.id);
                let because = if one.why.is_empty() { noted.map_or(other, |noted| &noted.because) } else { &one.why };
                EvidenceRef {
                    id: one.id.clone(),
                    because: because.to_owned(),
                    weight: noted.map_or(0.0, |noted| noted.weight),
                }
            })
            .collect()
    };
    let ledger = |of: fn(&Hypothesis) -> &Vec<EvidenceRef>| known.map(of).map(Vec::as_slice).unwrap_or_default();
    let submission = &answer.submission;
    Hypothesis {
        statement: submission.statement.clone(),
        probability: known.map_or(0.0, |known| known.probability),
        score: known.map_or(0.0, |known| known.score),
        supporting: refs(&submission.supporting, ledger(|one| &one.supporting), "it speaks for it"),
        contradicting: refs(&submission.contradicting, ledger(|one| &one.contradicting), "it speaks against it"),
        ..bare(answer.class, &answer.locus)
    }
}

/// By the reasoner's probability alone: a model's word for how sure it is decides nothing.
fn confidence(reasoned: &Diagnosis, primary: &Hypothesis) -> Confidence {
    if primary.class == FaultClass::Unknown {
        let probability = if reasoned.abstained() { reasoned.confidence.probability } else { 0.0 };
        return Confidence { word: "low".to_owned(), probability };
    }
    let word = match primary.probability {
        p if reasoned.abstained() || p < 0.5 => "low",
        p if p < 0.8 => "medium",
        _ => "high",
    };
    Confidence { word: word.to_owned(), probability: primary.probability }
}

fn in_words(case: &Case<'_>, answer: &Grounded, recommended: &[RecommendedAction]) -> String {
    let advised = &answer.submission.action;
    let same = case.reasoned.primary.class == answer.class && case.reasoned.primary.locus == answer.locus;
    match recommended.first() {
        _ if same && advised != WAIT => case.reasoned.recommended_action.clone(),
        None => "Wait and observe: no known action is good against this.".to_owned(),
        Some(first) if advised == WAIT => format!(
            "Wait and observe, says the model; {} on {} is good against this.",
            bounded(&first.action, 60),
            bounded(&first.target.to_string(), 120)
        ),
        Some(_) => {
            let chosen = recommended.iter().find(|one| one.action == *advised).or(recommended.first());
            let what = chosen.and_then(|one| case.actions.iter().find(|action| action.name == one.action));
            format!(
                "{} on {}: {}.",
                bounded(chosen.map_or("", |one| &one.action), 60),
                bounded(&chosen.map_or_else(String::new, |one| one.target.to_string()), 120),
                bounded(what.map_or("", |action| &action.description), 200).trim_end_matches('.')
            )
        }
    }
}

/// What may go wrong by what is recommended against another cause than the reasoner's.
fn risks(case: &Case<'_>, primary: &Hypothesis, recommended: &[RecommendedAction]) -> Vec<String> {
    let mut risks: Vec<String> = recommended
        .iter()
        .take(3)
        .map(|one| {
            let back = case.actions.iter().find(|action| action.name == one.action);
            let back = match back.and_then(|action| action.reversible_by.as_deref()) {
                Some(back) => format!("can be taken back by {}", bounded(back, 60)),
                None => "cannot be taken back".to_owned(),
            };
            format!(
                "{} on {}: risk {}; {back}",
                bounded(&one.action, 60),
                bounded(&one.target.to_string(), 120),
                one.risk
            )
        })
        .collect();
    if primary.class != FaultClass::Unknown && !case.reasoned.abstained() {
        risks.push("the reasoner thinks another cause more probable".to_owned());
    }
    risks
}

/// The reasoner's other explanations, in its order, with what the model made of them.
fn alternatives(case: &Case<'_>, answer: &Grounded) -> Vec<Alternative> {
    let mut others: Vec<Alternative> = Vec::new();
    for hypothesis in &case.ranked {
        if hypothesis.class == answer.class && hypothesis.locus == answer.locus {
            continue;
        }
        let known = case.reasoned.alternatives.iter().find(|one| one.hypothesis == **hypothesis);
        let conclusion = known.map_or("the reasoner's first; the model chose another", |one| &one.conclusion);
        others.push(Alternative { hypothesis: (*hypothesis).clone(), conclusion: conclusion.to_owned() });
    }
    comment(&mut others, case, answer);
    others
}

/// Adds the model's verdicts to the conclusions.
fn comment(alternatives: &mut [Alternative], case: &Case<'_>, answer: &Grounded) {
    for one in &answer.submission.assessment {
        let about = usize::try_from(one.rank).ok().and_then(|rank| case.ranked.get(rank.checked_sub(1)?));
        let alternative = alternatives.iter_mut().find(|other| about.is_some_and(|about| other.hypothesis == **about));
        let Some(alternative) = alternative else { continue };
        let verdict = if one.keeps { "keeps it possible" } else { "rejects it" };
        let ids: Vec<&str> = one.evidence.iter().map(|id| id.0.as_str()).collect();
        let on = if ids.is_empty() { String::new() } else { format!(" ({})", ids.join(", ")) };
        let why = if one.why.is_empty() { String::new() } else { format!(": {}", one.why) };
        alternative.conclusion = format!("{}; the model {verdict}{why}{on}", alternative.conclusion);
    }
}

fn verdicts(answer: &Grounded) -> Vec<Verdict> {
    answer
        .submission
        .assessment
        .iter()
        .map(|one| Verdict {
            rank: one.rank,
            keeps: one.keeps,
            evidence: one.evidence.clone(),
            because: one.why.clone(),
        })
        .collect()
}
