//! What is said to people: hypotheses as sentences, why an alternative was not chosen, and what would decide.

use operator_protocols::{FaultClass, Locus};

use super::case::Case;
use super::ranking::Weighed;
use super::rules::change_subject;
use crate::text::bounded;

/// The longest name of a locus in a sentence, in characters.
const NAME_CHARS: usize = 120;

fn name(locus: &Locus) -> String {
    bounded(&locus.to_string(), NAME_CHARS)
}

/// A hypothesis as a sentence.
pub(crate) fn statement(case: &Case<'_>, class: FaultClass, locus: &Locus) -> String {
    let at = name(locus);
    match class {
        FaultClass::ComponentDown => format!("{at} does not run, or does not answer"),
        FaultClass::ComponentSlow => format!("{at} answers, but slowly, or fails at what it is asked"),
        FaultClass::LinkDown => format!("the link {at} carries nothing, and neither of its ends is at fault"),
        FaultClass::LinkSlow => format!("the link {at} is slow, and neither of its ends is at fault"),
        FaultClass::StateDivergence => format!("{at} has another idea of the shared state than its peers"),
        FaultClass::ConfigDivergence => format!("{at} runs with other settings than its peers"),
        FaultClass::ExternalMutation => format!("somebody outside the system wrote into {at}"),
        FaultClass::DataLoss => format!("{at} has lost what it held"),
        FaultClass::CapacityExhaustion => format!("{at} is full"),
        FaultClass::LoadSurge if *locus == Locus::Nothing => "more is asked of the system than usual".to_owned(),
        FaultClass::LoadSurge => format!("more is asked of {at} than usual"),
        FaultClass::ClockSkew => format!("the clock of {at} is off"),
        FaultClass::BadChange => match change_subject(case, locus) {
            Some(subject) => format!("the change {at} of {} did it", name(subject)),
            None => format!("the {at} did it"),
        },
        FaultClass::ControlPlaneDown => format!("what steers the system ({at}) does not answer"),
        FaultClass::MonitoringGap if *locus == Locus::Nothing => {
            "the system cannot be seen well enough to say".to_owned()
        }
        FaultClass::MonitoringGap => format!("{at} cannot be seen well enough to say"),
        FaultClass::NoFault => "nothing is wrong".to_owned(),
        FaultClass::Unknown => "the evidence does not decide".to_owned(),
    }
}

/// Why an alternative was not chosen.
pub(crate) fn conclusion(other: &Weighed<'_>, decided: bool) -> String {
    let against = other.terms.worst().map(|term| match term.item {
        Some(item) => format!("{} ({})", term.because, item.id),
        None => term.because.clone(),
    });
    match (decided, against) {
        (true, Some(against)) => format!("less likely: {against}"),
        (true, None) => "less likely: less speaks for it".to_owned(),
        (false, Some(against)) => format!("neither chosen nor ruled out; most against it: {against}"),
        (false, None) => "neither chosen nor ruled out; nothing speaks against it".to_owned(),
    }
}

/// The observation that would separate two explanations.
pub(crate) fn separating(a: &Weighed<'_>, b: &Weighed<'_>) -> String {
    use FaultClass as F;
    let (first, second) = (name(&a.locus), name(&b.locus));
    let is = |one: F, other: F| (a.class, b.class) == (one, other) || (b.class, a.class) == (one, other);
    let link = |class: F| matches!(class, F::LinkDown | F::LinkSlow);
    let edge = if link(a.class) { &a.locus } else { &b.locus };
    let component = if link(a.class) { &b.locus } else { &a.locus };
    if link(a.class) != link(b.class)
        && let (Locus::Edge(from, to), Locus::Component(id)) = (edge, component)
    {
        let (from, to) = (bounded(&from.local, NAME_CHARS), bounded(&to.local, NAME_CHARS));
        return if id.local == to {
            format!("how long {to} takes as it measures it itself, or as a caller other than {from} sees it")
        } else {
            format!("whether {from} is slow in something that does not wait for {to}: its own loop, another callee")
        };
    }
    if link(a.class) && link(b.class) {
        return format!("whether calls on {first} and on {second} return late or not at all, and since when");
    }
    if is(F::ComponentDown, F::ComponentSlow) {
        return format!("whether {first} and {second} answer at all when asked directly, with a longer deadline");
    }
    if is(F::ExternalMutation, F::StateDivergence)
        || is(F::ExternalMutation, F::DataLoss)
        || is(F::StateDivergence, F::DataLoss)
    {
        return format!("what a second claimant says of the same thing, to tell {first} from {second}");
    }
    if is(F::LoadSurge, F::ComponentSlow) {
        return "how many requests enter the system, measured where they enter, against the same hour of other days"
            .to_owned();
    }
    if a.class == F::BadChange || b.class == F::BadChange {
        return format!(
            "whether the trouble ends when the change is taken back, or began before it ({first}; {second})"
        );
    }
    if a.class == F::ComponentSlow && b.class == F::ComponentSlow {
        return format!(
            "the latency and the number of requests of {first} and {second}, and of the links between them"
        );
    }
    format!("a signal of {first} or {second} that only one of the two explanations predicts")
}
