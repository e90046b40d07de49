//! Names carry the subject, can be shown, and read back from their text form.

use super::report::Check;
use super::session::Session;
use crate::{Evaluation, Locus, Observation, Verdict};

/// How long a name may be, in bytes: it is shown in one line, and part of a ticket's identity.
const LONGEST_NAME: usize = 1024;

pub(super) fn checks(session: &Session) -> Vec<Check> {
    let mut loci: Vec<Locus> = Vec::new();
    for round in &session.rounds {
        loci.extend(seen(&round.now));
        loci.extend(round.evaluations.iter().flat_map(judged));
    }
    loci.sort();
    loci.dedup();
    let subject = &*session.descriptor.subject;
    let foreign = loci.iter().filter(|locus| subjects(locus).iter().any(|name| *name != subject));
    let foreign = foreign.map(|locus| format!("{} is not of {subject}", described(locus))).collect();
    let unreadable = loci.iter().filter_map(|locus| unreadable(subject, locus)).collect();
    let nothing = loci.is_empty();
    vec![
        Check::new("names.subject", "every name carries the subject's", foreign).unless(nothing, "nothing was named"),
        Check::new("names.readable", "every name is short, printable, and reads back from its text form", unreadable)
            .unless(nothing, "nothing was named"),
    ]
}

/// Everything an observation names.
fn seen(now: &Observation) -> Vec<Locus> {
    let mut loci: Vec<Locus> = now.components.iter().map(|component| Locus::Component(component.id.clone())).collect();
    loci.extend(now.dependencies.iter().map(|edge| Locus::Edge(edge.from.clone(), edge.to.clone())));
    loci.extend(now.signals.iter().map(|signal| signal.on.clone()));
    loci.extend(now.events.iter().flat_map(|event| [event.on.clone(), Locus::Change(event.id.clone())]));
    loci.extend(now.logs.iter().map(|line| Locus::Component(line.component.clone())));
    loci
}

/// Everything an evaluation names.
fn judged(evaluation: &Evaluation) -> Vec<Locus> {
    let mut loci = vec![evaluation.on.clone()];
    if let Verdict::Violated(finding) = &evaluation.verdict {
        loci.extend(finding.involves.iter().cloned());
        for discrepancy in &finding.discrepancies {
            loci.extend([discrepancy.what.clone(), discrepancy.held_by.clone()]);
            loci.extend(discrepancy.claimed_by.clone());
        }
    }
    loci
}

fn subjects(locus: &Locus) -> Vec<&str> {
    match locus {
        Locus::Component(id) => vec![&id.subject],
        Locus::Edge(from, to) => vec![&from.subject, &to.subject],
        Locus::Group(group) => vec![&group.subject],
        Locus::Entity(entity) => vec![&entity.subject],
        Locus::Change(event) => vec![&event.subject],
        Locus::Nothing => Vec::new(),
    }
}

fn unreadable(subject: &str, locus: &Locus) -> Option<String> {
    let text = locus.to_text();
    if text.len() > LONGEST_NAME || text.chars().any(char::is_control) {
        return Some(format!("{:?} is longer than {LONGEST_NAME} bytes or has control characters", described(locus)));
    }
    let own = subjects(locus).iter().all(|name| *name == subject);
    let back = Locus::parse(subject, &text);
    (own && back.as_ref() != Ok(locus)).then(|| format!("{text:?} does not read back"))
}

fn described(locus: &Locus) -> String {
    let text: String = locus.to_text().chars().take(80).collect();
    format!("{text} (subject {})", subjects(locus).join(", "))
}
