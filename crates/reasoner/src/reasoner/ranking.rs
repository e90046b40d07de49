//! Weighs every cause against the evidence, turns scores into probabilities, and says whether the evidence decides.

use operator_protocols::{ComponentState, FaultClass, Locus};

use super::case::Case;
use super::rules::{RULES, Rule, change_subject, waits};
use super::terms::Terms;
use crate::ViolationFact;
use crate::parameters::{
    CANDIDATES, DECIDES, EXPLAINS_NO_VIOLATION, MARGIN, NOTHING_VIOLATED, SOMETHING_ELSE, TEMPERATURE, UNEXPLAINED,
    WEAK, prior,
};

/// A cause, weighed.
#[derive(Debug, Clone)]
pub(crate) struct Weighed<'p> {
    pub class: FaultClass,
    pub locus: Locus,
    pub score: f64,
    pub probability: f64,
    pub terms: Terms<'p>,
}

/// The causes in the order of their probability, and whether the first is decided upon.
#[derive(Debug)]
pub(crate) struct Ranking<'p> {
    pub causes: Vec<Weighed<'p>>,
    pub decided: bool,
    /// How probable it is that the cause is none of these.
    pub something_else: f64,
    /// How many of the first causes are failures of their own, each seen: they do not exclude each other.
    pub together: usize,
}

/// Weighs everything that is considered.
pub(crate) fn rank<'p>(case: &Case<'p>) -> Ranking<'p> {
    let mut causes: Vec<Weighed<'p>> = Vec::new();
    for rule in RULES {
        let mut loci = rule.loci(case);
        loci.sort_unstable();
        loci.dedup();
        if loci.len() > CANDIDATES {
            let gravity = |locus: &Locus| case.symptoms_at(locus).map(|symptom| symptom.weight).fold(0.0, f64::max);
            loci.sort_by(|a, b| gravity(b).total_cmp(&gravity(a)).then_with(|| a.cmp(b)));
            loci.truncate(CANDIDATES);
        }
        causes.extend(loci.into_iter().map(|locus| weigh(case, *rule, locus)));
    }
    causes.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| (&a.locus, a.class).cmp(&(&b.locus, b.class))));
    let background: f64 = case.symptoms.iter().map(|symptom| -SOMETHING_ELSE * symptom.weight).sum();
    let best = causes.first().map_or(background, |first| first.score.max(background));
    let odds = |score: f64| ((score - best) / TEMPERATURE).exp();
    let total: f64 = odds(background) + causes.iter().map(|cause| odds(cause.score)).sum::<f64>();
    for cause in &mut causes {
        cause.probability = odds(cause.score) / total;
    }
    let together = causes.iter().take_while(|cause| is_seen(case, cause)).count();
    let decided = decided(case, &causes, together);
    Ranking { decided, something_else: odds(background) / total, together, causes }
}

fn weigh<'p>(case: &Case<'p>, rule: &dyn Rule, locus: Locus) -> Weighed<'p> {
    let class = rule.class();
    let mut terms = Terms::default();
    let explains = rule.explains(case, &locus);
    let mut explains_a_violation = case.violations.is_empty();
    for symptom in &case.symptoms {
        let (explained, how) = explains(symptom);
        let explained = explained.clamp(0.0, 1.0);
        explains_a_violation |= symptom.violated && explained >= 0.5;
        let weight = symptom.weight * (explained - (1.0 - explained) * UNEXPLAINED);
        terms.note(symptom.items.first().copied(), weight, how);
    }
    let mut others = Terms::default();
    rule.weigh(case, &locus, &mut others);
    terms.extend(others.scaled(rule.certainty(case, &locus)));
    if !explains_a_violation && class != FaultClass::NoFault {
        let gravest =
            case.violations.iter().find(|(violation, _)| case.pack.is_of_incident(violation)).map(|(_, item)| *item);
        terms.note(gravest, -EXPLAINS_NO_VIOLATION, "it explains nothing of what is violated");
    }
    if case.violations.is_empty() && !matches!(class, FaultClass::NoFault | FaultClass::LoadSurge) {
        terms.note(None, -NOTHING_VIOLATED, "no invariant is violated");
    }
    for (past, item) in &case.similar {
        if past.cause.as_ref().is_some_and(|(was, at)| *was == class && *at == locus) {
            terms.add(item, WEAK, "it was so when it looked alike before");
            break;
        }
    }
    let score = prior(class) + terms.sum();
    Weighed { class, locus, score, probability: 0.0, terms }
}

/// Whether a cause is not inferred but seen: a component that does not answer; or one that says itself that it is
/// degraded and has a violation of its own, while nothing it calls suffers. Several such do not exclude each other.
fn is_seen(case: &Case<'_>, cause: &Weighed<'_>) -> bool {
    let Locus::Component(id) = &cause.locus else { return false };
    match (cause.class, case.state(id)) {
        (FaultClass::ComponentDown, Some(ComponentState::Down)) => true,
        (FaultClass::ComponentSlow, Some(ComponentState::Degraded)) => {
            let violated = |(violation, _): &(&ViolationFact, _)| {
                violation.on == cause.locus && case.pack.is_of_incident(violation)
            };
            case.violations.iter().any(violated) && !waits(case, id)
        }
        _ => false,
    }
}

/// Where somebody would go to look: a change is where it was made.
fn place<'c>(case: &'c Case<'_>, locus: &'c Locus) -> &'c Locus {
    change_subject(case, locus).unwrap_or(locus)
}

/// Two classes at one place are one answer to "where"; causes that are seen are not rivals. Against all else the first
/// must be probable enough, and clearly ahead.
fn decided(case: &Case<'_>, causes: &[Weighed<'_>], together: usize) -> bool {
    let Some(first) = causes.first() else { return false };
    let here = place(case, &first.locus);
    let same = |n: usize, cause: &Weighed<'_>| n < together || place(case, &cause.locus) == here;
    let mass: f64 =
        causes.iter().enumerate().filter(|(n, cause)| same(*n, cause)).map(|(_, cause)| cause.probability).sum();
    let rival = causes.iter().enumerate().find(|(n, cause)| !same(*n, cause)).map(|(_, cause)| cause.score);
    mass >= DECIDES && rival.is_none_or(|rival| (first.score - rival) / TEMPERATURE >= MARGIN)
}
