//! What keeps a store that is to be removed from being gone, and for how long: the question that is asked most of TiKV.

use operator_protocols::Value;

use super::answer::{Answer, source};
use super::rebalance_progress::span;
use crate::actions::live::{Live, Replication};
use crate::actions::rules::quorum::list;
use crate::actions::rules::{control_plane, scale_in, store};
use crate::actions::verdict::{Refusal, Verdict, known};
use crate::details::{DriftDetail, StoreDetail, StoreState};

/// A count that has not fallen for so long does not fall.
const STUCK_AFTER_S: f64 = 1_800.0;

pub(super) fn explain(live: &Live, id: u64) -> Verdict<Answer> {
    let mut answer = Answer::new(live.at);
    let Some(target) = known(&live.stores)?.get(&id) else {
        return Ok(answer.say(format!("PD knows no store {id} that is not gone: it is a tombstone, or never was")));
    };
    match target.state {
        StoreState::Tombstone => return Ok(answer.say(format!("Store {id} is a tombstone"))),
        StoreState::Up => {
            answer.help(format!("scale_in_check store-{id}, then offline_store"));
            return Ok(answer.say(format!("Store {id} is not being removed: nobody asked PD to")));
        }
        StoreState::Offline => {}
    }
    about_regions(live, target, &mut answer);
    let mut stops = 0;
    for stop in [no_targets, settings, steering, majority] {
        stops += u32::from(stop(live, target, &mut answer));
    }
    about_moves(live, target, &mut answer);
    let eta = estimate(live, target, &mut answer);
    let left = target.region_count;
    if stops > 0 {
        answer.help(format!("cancel_offline store-{id}, if it cannot be made possible soon"));
    }
    Ok(match (left, stops, eta) {
        (0, _, _) => answer.say(format!("Store {id} holds nothing any more: PD makes it a tombstone within seconds")),
        (left, 0, Some(eta)) => {
            answer.eta(eta);
            answer.say(format!("Store {id} still holds {left} regions, which leave it in about {}", span(eta)))
        }
        (left, 0, None) => answer.say(format!("Store {id} still holds {left} regions; PD does not say for how long")),
        (left, stops, _) => {
            answer.say(format!("Store {id} still holds {left} regions, and cannot be emptied for {stops} reasons"))
        }
    })
}

fn about_regions(live: &Live, target: &StoreDetail, answer: &mut Answer) {
    answer.because(
        format!("it holds {} regions and leads {}", target.region_count, target.leader_count),
        Value::map([("regions", Value::from(target.region_count)), ("leaders", target.leader_count.into())]),
        source::STORES,
    );
    let drift = live.last.as_ref().and_then(|last| last.details.drift.of(&DriftDetail::regions_of(target.id)).copied());
    if let Some(drift) = drift {
        let statement = if drift.not_falling_s >= STUCK_AFTER_S {
            format!("their number has not fallen for {}", span(drift.not_falling_s))
        } else {
            format!("their number changes by {:.1} a minute", drift.per_minute)
        };
        answer.because(statement, drift.per_minute, source::OBSERVED);
    }
    if live.answers(target) == Some(false) {
        answer.because(
            "it does not answer, so its replicas are made anew from the others",
            Value::Null,
            source::STORES,
        );
    }
}

/// Too few stores can take what it holds.
fn no_targets(live: &Live, target: &StoreDetail, answer: &mut Answer) -> bool {
    let (Ok(stores), Ok(replication)) = (&live.stores, &live.replication) else { return false };
    let wanted = replication.replicas() as usize;
    let mut unfit = Vec::new();
    let mut fit = 0;
    for other in stores.values().filter(|other| other.id != target.id) {
        match store::is_fit(live, other.id) {
            Ok(_) if replication.rules.iter().any(|rule| Replication::admits(rule, other)) => fit += 1,
            Ok(_) => unfit.push(format!("store {}: no rule places replicas there", other.id)),
            Err(refusal) => unfit.push(refusal.to_string()),
        }
    }
    if fit >= wanted {
        return false;
    }
    answer.blames(
        format!("regions have {wanted} replicas, and only {fit} other stores can take one"),
        Value::List(unfit.iter().take(20).map(|why| Value::from(super::answer::plain(why))).collect()),
        source::STORES,
        "start the stores that do not answer, or add one",
    );
    true
}

fn settings(live: &Live, _: &StoreDetail, answer: &mut Answer) -> bool {
    let Err(Refusal::No(why)) = scale_in::movable(live) else { return false };
    answer.blames(why, Value::Null, source::SETTINGS, "put the setting back: config_restore");
    true
}

fn steering(live: &Live, _: &StoreDetail, answer: &mut Answer) -> bool {
    let Err(refusal) = control_plane::steers(live) else { return false };
    answer.blames(
        format!("PD does not steer now: {refusal}"),
        Value::Null,
        source::STATUS,
        "wait until PD has a leader that has heard of all regions",
    );
    true
}

/// Regions whose majority is gone cannot be moved.
fn majority(live: &Live, target: &StoreDetail, answer: &mut Answer) -> bool {
    let Ok(silent) = crate::actions::rules::quorum::silent(live) else { return false };
    let others: Vec<u64> = silent.iter().copied().filter(|id| *id != target.id).collect();
    if silent.len() < 2 || others.is_empty() {
        return false;
    }
    answer.blames(
        format!(
            "stores {} do not answer: regions that had two replicas there have no leader and cannot move",
            list(&silent)
        ),
        Value::List(silent.iter().take(20).map(|id| Value::from(*id)).collect()),
        source::STORES,
        "start those stores; nothing else brings such regions back without loss",
    );
    true
}

fn about_moves(live: &Live, target: &StoreDetail, answer: &mut Answer) {
    if let Ok(operators) = &live.operators {
        // How PD words a move: `mv peer: store [3] to [4]`.
        let from = format!("[{}]", target.id);
        let moves = operators.iter().filter(|operator| operator.brief.contains(&from)).count();
        answer.because(
            format!("PD moves {} regions at the moment, {moves} of them to or from it", operators.len()),
            moves as u64,
            source::OPERATORS,
        );
    }
    if let Ok(records) = &live.records {
        let failed = records.iter().filter(|record| !record.finished).count();
        if failed > 0 {
            answer.blames(
                format!("{failed} operators of the last ten minutes did not finish"),
                failed as u64,
                source::RECORDS,
                "look at snapshots and disks of the stores that receive",
            );
        }
    }
    if let Some(count) = live.abnormal.as_ref().ok().and_then(|abnormal| abnormal.get("down-peer")).filter(|n| **n > 0)
    {
        answer.because(format!("{count} regions have a replica that does not answer"), *count, source::CHECK);
    }
}

/// PD's own estimate; else the least time that the stores' limits allow.
fn estimate(live: &Live, target: &StoreDetail, answer: &mut Answer) -> Option<f64> {
    if let Some(progress) = live.progress.as_ref().ok().and_then(|progress| progress.get(&target.id)) {
        answer.because(
            format!("PD says {:.0} % are done, at {:.1} MiB/s", 100.0 * progress.done, progress.speed),
            Value::map([("progress", Value::from(progress.done)), ("left_seconds", progress.left_s.into())]),
            source::PROGRESS,
        );
        if progress.speed > 0.0 && progress.left_s.is_finite() && progress.left_s >= 0.0 {
            return Some(progress.left_s);
        }
    }
    let limits = live.limits.as_ref().ok()?.as_ref()?;
    let stores = live.stores.as_ref().ok()?;
    let per_minute: f64 = live
        .serving(stores)
        .filter(|store| store.id != target.id)
        .filter_map(|store| limits.get(&store.id))
        .map(|limit| limit.add_peer)
        .filter(|rate| rate.is_finite() && *rate > 0.0)
        .sum();
    if per_minute <= 0.0 {
        return None;
    }
    answer.because(
        format!("the other stores may take {per_minute:.0} replicas a minute together"),
        per_minute,
        source::LIMITS,
    );
    Some(60.0 * target.region_count as f64 / per_minute)
}
