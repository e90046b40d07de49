//! Where the healthy past ends and the trouble begins.

use std::collections::BTreeSet;
use std::time::Duration;

use operator_protocols::{ComponentState, DependencyState, Timestamp};

use crate::PackInput;
use crate::pack::states::States;
use crate::parameters::{EPISODE_GAP, LATEST_SAMPLES, ONSET_GUARD, STATE_REACH};

/// The times a pack is built around.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window {
    /// The first sure sign of the trouble.
    pub start: Timestamp,
    /// The end of the healthy past; between it and `start` a reading may be either.
    pub healthy_until: Timestamp,
    /// The present.
    pub now: Timestamp,
    /// The usual time between two observations.
    pub interval: Duration,
}

impl Window {
    pub fn of(input: &PackInput<'_>, tickets: &BTreeSet<&String>, states: &States<'_>) -> Self {
        let mut gaps: Vec<i64> = input
            .history
            .iter()
            .zip(input.history.iter().skip(1))
            .map(|(a, b)| b.at.as_millis().saturating_sub(a.at.as_millis()))
            .collect();
        gaps.sort_unstable();
        let interval = gaps
            .get(gaps.len() / 2)
            .map_or(Duration::from_secs(5), |gap| Duration::from_millis(u64::try_from(*gap).unwrap_or(0).max(1)));
        let first = input.history.iter().next().map_or(input.now, |first| first.at);
        let start = start(input, tickets, states).unwrap_or_else(|| {
            // Nothing says when: the latest few looks are the present, what was before is the past.
            let latest_samples = LATEST_SAMPLES.min(input.history.len());
            input.history.iter().rev().nth(latest_samples.saturating_sub(1)).map_or(input.now, |o| o.at)
        });
        let guard = ONSET_GUARD.min(start.since(first) / 4);
        Self { start, healthy_until: start.minus(guard), now: input.now, interval }
    }
}

/// The beginning of the latest episode: violations that began close to each other, and the change of state that may
/// have begun it.
fn start(input: &PackInput<'_>, tickets: &BTreeSet<&String>, states: &States<'_>) -> Option<Timestamp> {
    let mut seen: Vec<Timestamp> = input
        .violations
        .iter()
        .filter(|one| tickets.is_empty() || one.ticket.as_ref().is_some_and(|ticket| tickets.contains(ticket)))
        .map(|violation| violation.first_seen.min(input.now))
        .collect();
    seen.sort_unstable();
    let mut start = seen.last().copied();
    for earlier in seen.iter().rev() {
        if start.is_some_and(|start| start.since(*earlier) <= EPISODE_GAP) {
            start = Some(*earlier);
        }
    }
    let down = states.component_runs.iter().filter_map(|(id, runs)| {
        let (now, before) = runs.now()?;
        (states.components.contains_key(id)
            && before.is_some()
            && matches!(now.state, ComponentState::Down | ComponentState::Degraded))
        .then_some(now.since)
    });
    let cut = states.dependency_runs.iter().filter_map(|(key, runs)| {
        let (now, before) = runs.now()?;
        (states.dependencies.contains_key(key) && before.is_some() && now.state == DependencyState::Down)
            .then_some(now.since)
    });
    let changed: Vec<Timestamp> = down.chain(cut).collect();
    match start {
        Some(start) => {
            Some(changed.into_iter().filter(|at| *at < start && start.since(*at) <= STATE_REACH).fold(start, Ord::min))
        }
        None => changed.into_iter().max(),
    }
}
