//! Whether PD rebalances the cluster, how far it is, and when it will be done.

use std::collections::BTreeMap;

use operator_protocols::Value;

use super::answer::{Answer, plain, source};
use crate::actions::live::Live;
use crate::actions::verdict::{Verdict, known};
use crate::details::StoreDetail;

/// Scores that differ by less are even, for PD and for people.
const EVEN: f64 = 0.05;

pub(super) fn explain(live: &Live) -> Verdict<Answer> {
    let operators = known(&live.operators)?;
    let mut answer = Answer::new(live.at);
    let mut by_kind = BTreeMap::<String, u64>::new();
    for operator in operators {
        *by_kind.entry(plain(&operator.desc)).or_default() += 1;
    }
    if !by_kind.is_empty() {
        let kinds: Vec<String> = by_kind.iter().take(10).map(|(desc, count)| format!("{count} {desc}")).collect();
        answer.because(
            format!("PD moves {} regions: {}", operators.len(), kinds.join(", ")),
            Value::map(by_kind.iter().take(10).map(|(desc, count)| (desc.as_str(), Value::from(*count)))),
            source::OPERATORS,
        );
    }
    if let Ok(records) = &live.records {
        let finished = records.iter().filter(|record| record.finished).count();
        answer.because(
            format!("in the last ten minutes {finished} operators finished, and {} did not", records.len() - finished),
            finished as u64,
            source::RECORDS,
        );
    }
    let eta = about_progress(live, &mut answer);
    let leaders = about_spread(live, &mut answer, "leaders", |store| store.leader_score);
    let regions = about_spread(live, &mut answer, "regions", |store| store.region_score);
    if let Some(eta) = eta {
        answer.eta(eta);
    }
    let even = leaders.is_none_or(|share| share <= EVEN) && regions.is_none_or(|share| share <= EVEN);
    let moving = !operators.is_empty() || eta.is_some();
    Ok(match (moving, even, eta) {
        (true, _, Some(eta)) => {
            answer.say(format!("PD is at work; stores that fill or empty are done in {}", span(eta)))
        }
        (true, true, None) => answer.say("PD is at work, and the stores are even already"),
        (true, false, None) => {
            answer.say("PD is at work, and the stores are not even yet; it does not say for how long")
        }
        (false, true, _) => answer.say("Nothing is being moved, and the stores are even"),
        (false, false, _) => {
            answer.help("ask why_nothing_scheduled");
            answer.say("Nothing is being moved, although the stores are not even")
        }
    })
}

/// The longest time that PD says a store still takes to fill or empty.
fn about_progress(live: &Live, answer: &mut Answer) -> Option<f64> {
    let progress = live.progress.as_ref().ok()?;
    for (store, progress) in progress.iter().take(20) {
        answer.because(
            format!(
                "store {store} is {} to {:.0} %, at {:.1} MiB/s, with {} left",
                plain(&progress.action),
                100.0 * progress.done,
                progress.speed,
                span(progress.left_s)
            ),
            Value::map([
                ("store", Value::from(*store)),
                ("progress", progress.done.into()),
                ("left_seconds", progress.left_s.into()),
            ]),
            source::PROGRESS,
        );
    }
    progress.values().map(|one| one.left_s).filter(|left| left.is_finite() && *left >= 0.0).max_by(f64::total_cmp)
}

/// How far the stores' scores are apart, as a share of the greatest.
fn about_spread(live: &Live, answer: &mut Answer, what: &str, score: impl Fn(&StoreDetail) -> f64) -> Option<f64> {
    let (low, high) = spread(live, score)?;
    let share = if high > 0.0 { (high - low) / high } else { 0.0 };
    answer.because(
        format!("by their score for {what} the stores are from {low:.0} to {high:.0}, {:.0} % apart", 100.0 * share),
        Value::map([("least", Value::from(low)), ("greatest", high.into())]),
        source::STORES,
    );
    Some(share)
}

/// The least and the greatest score among the stores that serve and are not drained.
pub(super) fn spread(live: &Live, score: impl Fn(&StoreDetail) -> f64) -> Option<(f64, f64)> {
    let stores = live.stores.as_ref().ok()?;
    let drained = |id: &u64| live.drains.as_ref().is_ok_and(|drains| drains.contains(id));
    let scores: Vec<f64> = live
        .serving(stores)
        .filter(|store| !drained(&store.id) && !store.labels.contains_key("engine"))
        .map(score)
        .filter(|score| score.is_finite())
        .collect();
    let low = scores.iter().copied().min_by(f64::total_cmp)?;
    let high = scores.iter().copied().max_by(f64::total_cmp)?;
    Some((low, high))
}

/// A time as people say it.
pub(super) fn span(seconds: f64) -> String {
    match seconds {
        seconds if !seconds.is_finite() || seconds < 0.0 => "an unknown time".to_owned(),
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        seconds if seconds < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.1} h", seconds / 3_600.0),
    }
}
