//! Why a store leads no regions, or few.

use operator_protocols::{Timestamp, Value};
use std::time::Duration;

use super::answer::{Answer, source};
use crate::actions::live::Live;
use crate::actions::rules::{control_plane, store};
use crate::actions::verdict::{Verdict, known};
use crate::actions::{Memory, Scheduler};
use crate::details::{StoreDetail, StoreState};

/// For so long after a start few leaders are nothing to wonder at.
const WARMING_UP: Duration = Duration::from_secs(600);
/// PD begins to move leaders from about this difference on.
const TOLERATED: f64 = 5.0;

pub(super) fn explain(live: &Live, memory: &Memory, id: u64) -> Verdict<Answer> {
    let target = store::exists(live, id)?;
    let mut answer = Answer::new(live.at);
    about_the_store(live, target, &mut answer);
    about_evictions(live, memory, target, &mut answer);
    about_balancing(live, &mut answer);
    let usual = usual_leaders(live, id);
    answer.more("leaders", target.leader_count.into());
    answer.more("median_of_others", usual.into());
    let leads = target.leader_count;
    Ok(match (answer.reasons(), usual) {
        (0, Some(usual)) if leads as f64 + TOLERATED >= usual => {
            answer.say(format!("Store {id} leads {leads} regions, as many as others ({usual:.0})"))
        }
        (0, _) => {
            answer.help("look again in some minutes: leaders come one by one");
            answer.say(format!("Store {id} leads {leads} regions, and nothing that PD shows keeps leaders away"))
        }
        (count, _) => answer.say(format!("Store {id} leads {leads} regions, for {count} reasons")),
    })
}

fn about_the_store(live: &Live, target: &StoreDetail, answer: &mut Answer) {
    let id = target.id;
    if target.state == StoreState::Offline {
        answer.because(format!("store {id} is being removed"), target.state_name.as_str(), source::STORES);
    }
    if live.answers(target) == Some(false) {
        let age = live.heartbeat_age(target).map(|age| age.as_secs_f64());
        answer.blames(
            format!("store {id} does not answer, so its regions are led elsewhere"),
            Value::map([("heartbeat_age_s", Value::from(age))]),
            source::STORES,
            format!("start_component store-{id}, if its process does not run"),
        );
    }
    if target.region_count == 0 {
        answer.because(format!("store {id} holds no regions yet"), target.region_count, source::STORES);
    }
    if target.leader_weight < 0.5 {
        answer.blames(
            format!("its weight as a leader is {}", target.leader_weight),
            target.leader_weight,
            source::STORES,
            format!("set_store_weight store-{id} leader=1"),
        );
    }
    if target.labels.contains_key("engine") {
        answer.because("it is a store of another engine, which leads nothing", Value::Null, source::STORES);
    }
    let started = target.started.map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1_000)));
    if let Some(up) = started.map(|started| live.at.since(started)).filter(|up| *up < WARMING_UP) {
        answer.because(
            format!("it started {} s ago; leaders come back over some minutes", up.as_secs()),
            up.as_secs(),
            source::STORES,
        );
    }
}

fn about_evictions(live: &Live, memory: &Memory, target: &StoreDetail, answer: &mut Answer) {
    let id = target.id;
    let drained = live.drains.as_ref().is_ok_and(|drains| drains.contains(&id));
    let slow = live.slow_evicted.as_ref().is_ok_and(|stores| stores.contains(&id));
    if drained {
        let by = memory.drain_of(id).map_or("somebody".to_owned(), |drain| format!("this operator ({})", drain.intent));
        answer.blames(
            format!("{by} had its leaders evicted: it is drained"),
            id,
            source::DRAINS,
            format!("undrain_store store-{id}, if no restart or upgrade is under way"),
        );
    }
    if slow {
        answer.because("PD itself evicts its leaders, since it is slow", target.slow_score, source::SLOW);
        answer.help("make the store's disk fast again: PD lets leaders back half an hour after that");
    }
    if target.leader_in_paused && !drained && !slow {
        answer.blames(
            "PD lets no leader come to it, although no eviction is listed",
            true,
            source::STORES,
            format!("drain_store and then undrain_store store-{id}: that clears a forgotten pause"),
        );
    }
}

fn about_balancing(live: &Live, answer: &mut Answer) {
    let name = Scheduler::BalanceLeader.name();
    match live.schedulers.as_ref().map(|schedulers| schedulers.get(name)) {
        Ok(None) => {
            answer.blames(
                format!("PD has no {name}"),
                Value::Null,
                source::SCHEDULERS,
                format!("add_scheduler {name}"),
            );
        }
        Ok(Some(state)) if state.paused || state.disabled => {
            answer.blames(format!("{name} rests"), "paused", source::SCHEDULERS, format!("resume_scheduler {name}"));
        }
        _ => {}
    }
    if let Ok(settings) = &live.settings {
        for (key, value) in [("leader-schedule-limit", "0"), ("halt-scheduling", "true")] {
            if settings.get(key).is_some_and(|found| found == value) {
                answer.blames(format!("{key} is {value}"), value, source::SETTINGS, format!("put {key} back"));
            }
        }
    }
    if let Err(refusal) = control_plane::steers(live) {
        answer.because(format!("PD does not steer now: {refusal}"), Value::Null, source::STATUS);
    }
}

/// How many regions the others lead, in the middle.
fn usual_leaders(live: &Live, id: u64) -> Option<f64> {
    let stores = known(&live.stores).ok()?;
    let mut counts: Vec<u64> =
        live.serving(stores).filter(|store| store.id != id).map(|one| one.leader_count).collect();
    counts.sort_unstable();
    counts.get(counts.len() / 2).map(|count| *count as f64)
}
