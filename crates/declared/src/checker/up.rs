//! `up`: every component answers. One missed answer may be a lost packet, so it is `Unknown`; two running are down.

use operator_protocols::{ComponentState, Evaluation, Finding, History, Id, Locus, Observation, Unavailable, Verdict};

use super::UP;
use crate::file::SystemFile;

pub(super) fn judge(subject: &str, file: &SystemFile, past: &History, now: &Observation) -> Vec<Evaluation> {
    let judged = file.components.iter().map(|component| {
        let id = Id::new(subject, &component.name);
        let verdict = verdict(&id, past, now);
        Evaluation::new(UP, Locus::Component(id), verdict)
    });
    judged.collect()
}

fn verdict(id: &Id, past: &History, now: &Observation) -> Verdict {
    let unknown = |why: String| Verdict::Unknown(Unavailable::new(id.to_string(), why));
    let Some(component) = now.component(id) else { return unknown("it is not in this observation".to_owned()) };
    let why = if component.raw_state.is_empty() { "it could not be told" } else { component.raw_state.as_str() };
    match component.state {
        ComponentState::Up | ComponentState::Degraded => Verdict::Ok,
        ComponentState::Unknown => unknown(why.to_owned()),
        ComponentState::Down => {
            let down = |seen: &Observation| seen.component(id).is_some_and(|one| one.state == ComponentState::Down);
            match past.iter().rev().take_while(|seen| down(seen)).last() {
                None => unknown(format!("missed once: {why}")),
                Some(first) => {
                    let silent = now.at.since(first.at).as_secs_f64();
                    let message = format!("{id} has not answered for {silent:.0} s: {why}");
                    Verdict::Violated(Finding::new(message, silent, 0.0))
                }
            }
        }
    }
}
