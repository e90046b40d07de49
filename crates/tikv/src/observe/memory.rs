//! What one observation leaves to the next: who was there, what PD said, and what happened. Everything in it is bounded, and
//! an observation is right without it: it is then only less complete.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use operator_protocols::{Event, Timestamp};

use super::drift::Drift;
use super::regions::Regions;
use crate::details::{ClusterDetail, MemberDetail, StoreDetail};
use crate::pd::api;

/// Events are told for so long: as long as a grace may last, and longer than a diagnosis looks back for a cause.
pub(super) const EVENTS_FOR: Duration = Duration::from_secs(3600);
/// More events are not kept; the oldest go.
const MAX_EVENTS: usize = 200;
/// Changes of the leader within this are counted.
const CHANGES_WITHIN: Duration = Duration::from_secs(600);
/// The number of regions is asked for so often.
const STATS_EVERY: Duration = Duration::from_secs(30);

/// What is remembered from one observation to the next.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The members, as PD last told them.
    pub(super) members: Option<api::Members>,
    /// What the members last said of themselves.
    pub(super) member_details: BTreeMap<String, MemberDetail>,
    /// The member that led when that was last known.
    pub(super) leader: Option<String>,
    /// When the leader changed.
    changes: VecDeque<Timestamp>,
    /// What PD said when it last answered.
    pub(super) cluster: Option<ClusterDetail>,
    /// The stores, as PD last told them.
    pub(super) stores: BTreeMap<u64, StoreDetail>,
    /// The number of regions, and when it was asked for.
    pub(super) region_count: Option<u64>,
    counted_at: Option<Timestamp>,
    events: VecDeque<Event>,
    pub(super) regions: Regions,
    pub(super) drift: Drift,
}

impl Memory {
    /// Whether the number of regions is to be asked for.
    pub(super) fn wants_stats(&self, at: Timestamp) -> bool {
        self.counted_at.is_none_or(|then| at < then || at.since(then) >= STATS_EVERY)
    }

    /// The number of regions was told.
    pub(super) fn counted(&mut self, regions: u64, at: Timestamp) {
        (self.region_count, self.counted_at) = (Some(regions), Some(at));
    }

    /// Takes note of who leads; says who led before, if another does now.
    pub(super) fn lead(&mut self, leader: &str, at: Timestamp) -> Option<String> {
        let before = self.leader.replace(leader.to_owned()).filter(|before| before != leader)?;
        self.changes.push_back(at);
        // What was counted was counted by another member, which now begins anew.
        self.counted_at = None;
        Some(before)
    }

    /// When the leader last changed, and how many times within ten minutes.
    pub(super) fn leader_changes(&mut self, at: Timestamp) -> (Option<Timestamp>, u32) {
        let last = self.changes.back().copied();
        while self.changes.len() > 1 && self.changes.front().is_some_and(|then| at.since(*then) > CHANGES_WITHIN) {
            self.changes.pop_front();
        }
        let recent = self.changes.iter().filter(|then| at.since(**then) <= CHANGES_WITHIN).count();
        (last, u32::try_from(recent).unwrap_or(u32::MAX))
    }

    /// Keeps an event, to be told for a while; once.
    pub(super) fn note(&mut self, event: Event) {
        if self.events.iter().any(|known| known.id == event.id) {
            return;
        }
        self.events.push_back(event);
        if self.events.len() > MAX_EVENTS {
            self.events.pop_front();
        }
    }

    /// The events that are still news at `at`.
    pub(super) fn recent_events(&mut self, at: Timestamp) -> Vec<Event> {
        let horizon = at.minus(EVENTS_FOR);
        self.events.retain(|event| event.at >= horizon);
        self.events.iter().filter(|event| event.at <= at).cloned().collect()
    }
}
