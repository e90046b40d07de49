//! Nobody else is at work on a store, and one store is worked on at a time.

use crate::actions::live::Live;
use crate::actions::memory::Memory;
use crate::actions::rules::quorum::list;
use crate::actions::verdict::{Refusal, Verdict, known};
use crate::details::StoreState;

/// No leaders are evicted from any store by somebody else: a rolling restart or an upgrade may be under way.
pub(crate) fn is_nobody_elses(live: &Live, memory: &Memory) -> Verdict {
    let theirs: Vec<u64> =
        known(&live.drains)?.iter().copied().filter(|store| memory.drain_of(*store).is_none()).collect();
    if theirs.is_empty() {
        return Ok(());
    }
    Err(Refusal::no(format!(
        "somebody else evicts the leaders of store {}: a restart or an upgrade may be under way",
        list(&theirs)
    )))
}

/// No other store is drained, evicted for slowness, or removed.
pub(crate) fn is_of_one_store(live: &Live, store: u64) -> Verdict {
    let others =
        |ids: &std::collections::BTreeSet<u64>| -> Vec<u64> { ids.iter().copied().filter(|id| *id != store).collect() };
    let (drained, slow) = (others(known(&live.drains)?), others(known(&live.slow_evicted)?));
    if !drained.is_empty() {
        return Err(Refusal::no(format!("store {} is drained: one store at a time", list(&drained))));
    }
    if !slow.is_empty() {
        return Err(Refusal::no(format!("PD already keeps leaders away from store {}, which is slow", list(&slow))));
    }
    let removed: Vec<u64> = known(&live.stores)?
        .values()
        .filter(|other| other.id != store && other.state == StoreState::Offline)
        .map(|other| other.id)
        .collect();
    if removed.is_empty() {
        return Ok(());
    }
    Err(Refusal::no(format!("store {} is being removed: one store at a time", list(&removed))))
}
