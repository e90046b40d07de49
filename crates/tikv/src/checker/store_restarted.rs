//! `store_restarted`, `crash_loop`: a store started again and nobody had prepared that; or it does so again and again.
//!
//! A restart is prepared if the store's leaders were evicted before: by request, or by the store itself as it stopped, so that
//! it led nothing while PD still heard of it.

use std::time::Duration;

use operator_protocols::{Evaluation, Event, EventKind, Finding, Observation, Value, Verdict};

use super::case::{Case, Step, untold};
use super::fold::folded;
use super::invariant::{Invariant, Source};
use crate::names;
use crate::thresholds::Limit;

/// Heartbeats come every ten seconds (TiKV, raftstore.pd-store-heartbeat-tick-interval): until then PD's numbers are fresh.
const FRESH_S: f64 = 10.0;
/// Of its regions a store leads a third where replicas are three; a store that leads less than this part of them led next to
/// nothing.
const NEXT_TO_NOTHING: f64 = 0.02;
/// Seconds after which a start is no news, however much clocks differ.
const LONG_AGO_S: f64 = 3600.0;
/// Seconds for which a store is disconnected before that is told (the grace of `store_disconnected`): whoever starts it again
/// after that does what was asked for.
const TOLD_AFTER_S: f64 = 30.0;
/// Restarts are counted over half an hour.
const WINDOW: Duration = Duration::from_secs(1800);

pub(super) const RESTARTED: Invariant =
    Invariant::new("store_restarted", "No store starts again unprepared", restarted)
        .unit("starts")
        .limit(Limit::HeartbeatAge)
        .needs(&[Source::Leader]);

pub(super) const CRASH_LOOP: Invariant = Invariant::new("crash_loop", "No store starts again and again", crash_loop)
    .critical()
    .limit(Limit::Restarts)
    .needs(&[Source::Metrics]);

fn restarted(case: &Case<'_>) -> Vec<Evaluation> {
    let evaluations = case.each_living_store("store_restarted", |id, store| {
        case.pd()?;
        let Some(started) = store.started else { return Err(untold("its start", &names::store(id))) };
        if case.uptime(id).is_some_and(|uptime| uptime > LONG_AGO_S) {
            return Ok(Verdict::Ok);
        }
        let past: Vec<Seen> =
            case.past.since(case.now.at.minus(super::LOOKBACK)).filter_map(|seen| look(seen, id)).collect();
        let Some(other) = past.iter().rposition(|seen| seen.started != started) else { return Ok(Verdict::Ok) };
        let before = &past[..=other];
        let name = names::store(id);
        if case.drained(id).is_some() || past.iter().any(|seen| seen.drained) {
            return Err(Verdict::Suppressed("it was restarted with its leaders evicted".to_owned()));
        }
        if acted_on(case, id) {
            return Err(Verdict::Suppressed("it was restarted on purpose".to_owned()));
        }
        let missed = case.limit(Limit::HeartbeatAge) + TOLD_AFTER_S * case.time_scale;
        if past.iter().any(|seen| seen.started != started && seen.age_s.is_some_and(|age| age >= missed)) {
            return Err(Verdict::Suppressed("it was away for long enough that its absence was told".to_owned()));
        }
        let fresh = before.iter().rev().find(|seen| seen.age_s.is_some_and(|age| age <= FRESH_S));
        if fresh.is_some_and(|seen| seen.leaders <= NEXT_TO_NOTHING * seen.regions) {
            return Err(Verdict::Suppressed("it led nothing when it stopped: it was stopped on purpose".to_owned()));
        }
        // A graceful restart whose evicted leaders no look saw leaving, and a crash that was mended at once, look alike once.
        if case.metric("store_restarts", id).is_ok_and(|starts| starts < 2.0) {
            return Err(Verdict::Suppressed(
                "it started again once, in half a minute: that may have been meant".to_owned(),
            ));
        }
        let ago = (case.now.at.as_millis() / 1000).saturating_sub(started).max(0);
        let message = format!("{name} started again {ago} s ago, and nothing had prepared that");
        Ok(Verdict::Violated(Finding { persists: Some(super::LOOKBACK), ..Finding::new(message, 1.0, 0.0) }))
    });
    folded(case, "store_restarted", evaluations)
}

/// A store in a past observation.
struct Seen {
    started: i64,
    age_s: Option<f64>,
    leaders: f64,
    regions: f64,
    drained: bool,
}

fn look(seen: &Observation, id: u64) -> Option<Seen> {
    let key = id.to_string();
    let store = seen.details.get("stores")?.get(&key)?;
    let number = |name: &str| store.get(name).and_then(Value::as_f64);
    let drains = seen.details.get("cluster").and_then(|cluster| cluster.get("drains"));
    Some(Seen {
        started: store.get("started").and_then(Value::as_i64)?,
        age_s: number("heartbeat_age_s"),
        leaders: number("leader_count").unwrap_or(0.0),
        regions: number("region_count").unwrap_or(0.0),
        drained: drains.is_some_and(|drains| drains.get(&key).is_some())
            || store.get("leader_in_paused").and_then(Value::as_bool) == Some(true),
    })
}

/// Whether somebody was seen to act on a store.
fn acted_on(case: &Case<'_>, id: u64) -> bool {
    let on = case.store(id);
    let acts = |event: &Event| event.on == on && matches!(event.kind, EventKind::Action | EventKind::Deploy);
    let past = case.past.since(case.now.at.minus(super::LOOKBACK)).flat_map(|seen| &seen.events);
    past.chain(&case.now.events).any(acts)
}

fn crash_loop(case: &Case<'_>) -> Vec<Evaluation> {
    let evaluations = case.each_store("crash_loop", |id, _| -> Step {
        let starts = case.metric("store_restarts", id)?;
        let limit = case.limit(Limit::Restarts);
        if starts < limit {
            return Ok(Verdict::Ok);
        }
        let message = format!(
            "{} started {starts:.0} times within half an hour; its last log lines and its exit code say why",
            names::store(id)
        );
        Ok(Verdict::Violated(Finding { persists: Some(WINDOW), ..Finding::new(message, starts, limit) }))
    });
    folded(case, "crash_loop", evaluations)
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, store};
    use super::*;
    use crate::details::DrainDetail;

    /// A store that was away for half a minute.
    fn restart(mut scene: Scene) -> Scene {
        for step in 0..6 {
            scene.kill(4, f64::from(step) * 5.0 + 8.0);
            scene.judge();
        }
        scene.revive(4);
        scene.started(4, 2);
        scene
    }

    #[test]
    fn a_store_that_came_back_without_preparation_is_told_for_two_minutes() {
        let mut scene = Scene::healthy();
        scene.judge();
        let mut scene = restart(scene);
        scene.metric("store_restarts", 4, 1.0);
        assert!(scene.judge().suppressed("store_restarted", &store(4)).contains("started again once"));
        scene.metric("store_restarts", 4, 2.0);
        let started = scene.store(4).started;
        for _ in 0..10 {
            assert!(scene.judge().is_violated("store_restarted", &store(4)));
        }
        for _ in 0..30 {
            scene.judge();
        }
        assert_eq!(scene.store(4).started, started);
        assert_eq!(scene.judge().verdict("store_restarted", &store(4)), &Verdict::Ok);
    }

    #[test]
    fn a_store_whose_leaders_were_evicted_first_was_restarted_on_purpose() {
        let mut scene = Scene::healthy();
        scene.drains().insert(4, DrainDetail::default());
        scene.judge();
        let mut scene = restart(scene);
        scene.drains().clear();
        assert!(scene.judge().suppressed("store_restarted", &store(4)).contains("leaders evicted"));

        let mut scene = Scene::healthy();
        scene.store(4).leader_count = 0;
        scene.judge();
        let mut scene = restart(scene);
        assert!(scene.judge().suppressed("store_restarted", &store(4)).contains("stopped on purpose"));
    }

    #[test]
    fn a_store_whose_absence_was_told_and_that_was_started_then_is_no_news() {
        let mut scene = Scene::healthy();
        scene.judge();
        for step in 0..10 {
            scene.kill(4, f64::from(step) * 5.0 + 8.0);
            scene.judge();
        }
        scene.revive(4);
        scene.started(4, 2);
        assert!(scene.judge().suppressed("store_restarted", &store(4)).contains("absence was told"));
    }

    #[test]
    fn three_starts_within_half_an_hour_are_a_loop() {
        let mut scene = Scene::healthy();
        scene.metric("store_restarts", 4, 2.0);
        assert!(!scene.judge().is_violated("crash_loop", &store(4)));
        scene.metric("store_restarts", 4, 3.0);
        assert_eq!(scene.judge().finding("crash_loop", &store(4)).persists, Some(WINDOW));
    }
}
