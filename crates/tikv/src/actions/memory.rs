//! What of its own actions a process remembers: PD keeps no owner of a drain and no key of a request.
//!
//! Nothing here is needed for safety; after a restart it is empty. Who takes a drain of ours back then: the operator's
//! journal knows the containment and undoes it when the store is well; what is left without a journal is found by its
//! age, as anybody's leftover, and proposed to be taken back. Pauses end by themselves in PD.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use operator_protocols::Timestamp;

/// More entries of a kind are not remembered; the oldest names are forgotten then.
const MAX_ENTRIES: usize = 1_000;
/// PD may need so long to show a drain that was just asked for.
const SHOWN_WITHIN: Duration = Duration::from_secs(60);

/// What of its own actions a process remembers.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    drains: BTreeMap<u64, OwnDrain>,
    starts: BTreeMap<String, Option<String>>,
    epochs: BTreeMap<String, u64>,
}

/// A drain that this process asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnDrain {
    /// The intent that asked for it.
    pub(crate) intent: String,
    /// When it was asked for.
    pub(crate) since: Timestamp,
    /// How long it was meant to last.
    pub(crate) until: Timestamp,
    /// How many leaders the store had then.
    pub(crate) leaders: u64,
}

impl Memory {
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A drain is about to be asked for.
    pub(super) fn drains(&self, store: u64, drain: OwnDrain) {
        put(&mut self.kept().drains, store, drain);
    }

    /// A drain is about to be taken back.
    pub(super) fn undrains(&self, store: u64) {
        self.kept().drains.remove(&store);
    }

    /// The drain of `store`, if it is ours as far as this process knows.
    pub(crate) fn drain_of(&self, store: u64) -> Option<OwnDrain> {
        self.kept().drains.get(&store).cloned()
    }

    /// The intent that `store` is drained for, as long as that was meant to last. After that nobody claims the drain, and it
    /// is a leftover like anybody else's.
    pub(crate) fn claims(&self, store: u64, at: Timestamp) -> Option<String> {
        self.drain_of(store).filter(|drain| drain.until >= at).map(|drain| drain.intent)
    }

    /// Forgets drains that PD no longer has: what comes later under the same store is somebody else's.
    pub(crate) fn still_drained(&self, present: impl Fn(u64) -> bool, at: Timestamp) {
        self.kept().drains.retain(|store, drain| present(*store) || at.since(drain.since) < SHOWN_WITHIN);
    }

    /// The last start of a component before an intent starts it, or starts it again.
    pub(super) fn starts_after(&self, intent: &str, last: Option<&str>) {
        put(&mut self.kept().starts, intent.to_owned(), last.map(str::to_owned));
    }

    /// The last start of a component before an intent started it; none, if that is not known.
    pub(super) fn started_after(&self, intent: &str) -> Option<Option<String>> {
        self.kept().starts.get(intent).cloned()
    }

    /// The version of a region's range before an intent changes it.
    pub(super) fn changes_from(&self, intent: &str, version: u64) {
        put(&mut self.kept().epochs, intent.to_owned(), version);
    }

    /// The version of a region's range before an intent changed it.
    pub(super) fn changed_from(&self, intent: &str) -> Option<u64> {
        self.kept().epochs.get(intent).copied()
    }
}

fn put<K: Ord + Clone, V>(map: &mut BTreeMap<K, V>, key: K, value: V) {
    if map.len() >= MAX_ENTRIES && !map.contains_key(&key) {
        map.pop_first();
    }
    map.insert(key, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_that_pd_no_longer_has_is_no_longer_ours() {
        let memory = Memory::default();
        let at = |s: i64| Timestamp::from_millis(s * 1_000);
        let drain = OwnDrain { intent: "i1".into(), since: at(0), until: at(1_800), leaders: 7 };
        memory.drains(4, drain.clone());
        memory.still_drained(|_| false, at(30));
        assert_eq!(memory.drain_of(4), Some(drain), "PD may not show it yet");
        memory.still_drained(|store| store == 4, at(90));
        assert_eq!(memory.claims(4, at(1_800)).as_deref(), Some("i1"));
        assert_eq!(memory.claims(4, at(1_801)), None, "it was not meant to last so long");
        memory.still_drained(|_| false, at(91));
        assert_eq!(memory.drain_of(4), None);
    }
}
