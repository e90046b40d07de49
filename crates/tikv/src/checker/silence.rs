//! A store that PD does not hear of, told where the fault is: at the store if it is lost, at its link to PD if only that
//! is cut, at PD if it hears of nobody.

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, Step, time, untold};
use super::fold::folded;
use super::pulse::{Pulse, Standing};
use crate::details::{StoreDetail, StoreState};
use crate::names;

/// Judges every store and its link to PD. `broken` gives what to say of a store that PD has not heard of for so many
/// seconds, and the threshold; nothing, if that is not too long.
pub(super) fn judge(
    case: &Case<'_>,
    invariant: &str,
    broken: impl Fn(u64, Pulse, f64) -> Step<Option<(String, f64)>>,
) -> Vec<Evaluation> {
    let at_store = case.each_store(invariant, |id, store| verdict(case, id, store, false, &broken));
    let mut evaluations = folded(case, invariant, at_store);
    let Some(leader) = &case.details.cluster.leader else { return evaluations };
    for (&id, store) in &case.stores {
        let verdict = verdict(case, id, store, true, &broken).unwrap_or_else(|verdict| verdict);
        evaluations.push(Evaluation::new(invariant, case.link(id, leader), verdict));
        if let Some(before) = &case.leader_before {
            evaluations.push(Evaluation::new(invariant, case.link(id, before), Verdict::Gone));
        }
    }
    for id in case.gone() {
        evaluations.push(Evaluation::new(invariant, case.link(id, leader), Verdict::Gone));
    }
    evaluations
}

fn verdict(
    case: &Case<'_>,
    id: u64,
    store: &StoreDetail,
    at_link: bool,
    broken: &impl Fn(u64, Pulse, f64) -> Step<Option<(String, f64)>>,
) -> Step {
    case.pd()?;
    let suppressed = |why: &str| Err(Verdict::Suppressed(why.to_owned()));
    let Some((pulse, age)) = case.pulses.get(&id).and_then(|pulse| Some((*pulse, pulse.age_s?))) else {
        return Err(untold("the last heartbeat", &names::store(id)));
    };
    match pulse.standing {
        Standing::Heard => return Ok(Verdict::Ok),
        Standing::Untold => return Err(untold("the last heartbeat", &names::store(id))),
        Standing::PdHearsNobody => return suppressed("PD hears of no store, which pd_partial_hang tells"),
        _ if store.state == StoreState::Offline => {
            return suppressed("it is being removed, which store_offline_stuck looks after");
        }
        Standing::CutFromPd if !at_link => return suppressed("it runs; its link to PD is cut, which is told there"),
        Standing::CutFromPd => {}
        _ if at_link => return suppressed("the store does not answer"),
        _ => {}
    }
    let Some((message, threshold)) = broken(id, pulse, age)? else { return Ok(Verdict::Ok) };
    let mut finding = Finding::new(message, age, threshold);
    if at_link {
        finding.involves = vec![case.store(id), case.leader()];
    }
    Ok(Verdict::Violated(finding))
}

/// What the other witnesses say, in words.
pub(super) fn witnesses(pulse: Pulse) -> &'static str {
    match (pulse.standing, pulse.complaints) {
        (Standing::CutFromPd, _) => {
            "Prometheus and the other stores reach it, so it serves: its link to PD is cut, not the store"
        }
        (Standing::CutOff, _) => {
            "its process runs, as Prometheus reaches it, but the other stores do not: it is cut off from the network"
        }
        (Standing::Dead, Some(complaints)) if complaints > 0 => {
            "Prometheus and the other stores do not reach it either: its process or its host does not run"
        }
        (Standing::Dead, _) => "Prometheus does not reach it either: its process or its host does not run",
        _ => "whether it runs is not known, as nothing else was read of it",
    }
}

/// How long, for a message.
pub(super) fn unheard(id: u64, age: f64) -> String {
    format!("PD has not heard of {} for {}", names::store(id), time(age))
}
