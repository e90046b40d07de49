//! What probes owe: a definition, an answer that can be kept, a refusal of what does not fit.

use super::caller::Caller;
use super::evaluations::snake_case;
use super::hostile::hostile_params;
use super::observations::{MAX_DETAILS_BYTES, MAX_DETAILS_DEPTH, size, sound};
use super::parameters;
use super::report::Check;
use super::session::Session;
use crate::{Locus, ProbeRequest};

pub(super) async fn checks(caller: &mut Caller, session: &Session) -> Vec<Check> {
    let (mut defined, mut answers, mut refuses) = (Vec::new(), Vec::new(), Vec::new());
    let component = session.last().and_then(|last| last.now.components.first());
    let target = component.map_or(Locus::Nothing, |component| Locus::Component(component.id.clone()));
    for (index, probe) in session.probes.iter().enumerate() {
        let name = &probe.name;
        if !snake_case(name) || probe.description.trim().is_empty() {
            defined.push(format!("{name:?} has no name in snake_case or no description"));
        }
        if session.probes[..index].iter().any(|other| other.name == *name) {
            defined.push(format!("{name} is offered twice"));
        }
        defined.extend(parameters::faults(&probe.params).into_iter().map(|message| format!("{name}: {message}")));
        let params = parameters::fitting(&probe.params, &target, "compliance");
        let request = ProbeRequest { probe: name.clone(), target: target.clone(), params };
        answers.extend(unkept(caller, session, &request).await);
        for (what, params) in hostile_params(&probe.params, &request.params) {
            let request = ProbeRequest { params, ..request.clone() };
            refuses.extend(answered(caller, session, &request, &format!("{name} with {what}")).await);
        }
    }
    let stranger =
        ProbeRequest { probe: "no_such_probe".to_owned(), target, params: std::collections::BTreeMap::new() };
    refuses.extend(answered(caller, session, &stranger, "no_such_probe").await);
    let nothing = session.probes.is_empty();
    vec![
        Check::new(
            "probes.defined",
            "a probe has a name of its own, a description, and well-defined parameters",
            defined,
        )
        .unless(nothing, "no probe is offered"),
        Check::new("probes.answer", "a probe answers, dated and bounded", answers)
            .unless(nothing, "no probe is offered"),
        Check::new("probes.refuse", "an unknown probe and parameters that do not fit are refused", refuses),
    ]
}

async fn unkept(caller: &mut Caller, session: &Session, request: &ProbeRequest) -> Option<String> {
    let at = caller.now();
    let name = &request.probe;
    match caller.call(&format!("probe {name}"), || session.subject.probe(request, at)).await {
        Err(fault) => Some(fault),
        Ok(answer) if answer.as_of > caller.latest() => Some(format!("probe {name} is dated in the future")),
        Ok(answer) => match answer.answer {
            Ok(value) if !sound(&value, MAX_DETAILS_DEPTH) || size(&value, MAX_DETAILS_DEPTH) > MAX_DETAILS_BYTES => {
                Some(format!("probe {name} answers more than can be kept, or what is no JSON"))
            }
            _ => None,
        },
    }
}

async fn answered(caller: &mut Caller, session: &Session, request: &ProbeRequest, what: &str) -> Option<String> {
    let at = caller.now();
    match caller.call(&format!("probe {what}"), || session.subject.probe(request, at)).await {
        Err(fault) => Some(fault),
        Ok(answer) => answer.answer.is_ok().then(|| format!("probe {what} is answered")),
    }
}
