//! A store is there, or fit to take something over.

use crate::actions::live::Live;
use crate::actions::verdict::{Refusal, Verdict, known};
use crate::details::{StoreDetail, StoreState};

/// From this score on PD sends no leader to a store (`slowStoreThreshold` in `pkg/core/store.go`).
const SLOW: u64 = 80;
/// PD's `low-space-ratio` by default: below this share of free space a store gets no more regions.
const LOW_SPACE: f64 = 0.2;
/// Below this share of free space a disk is taken to be what a store suffers from, a little before [`LOW_SPACE`]: PD hears of
/// it with a heartbeat, and a disk that fills is fuller than PD says.
const SHORT_OF_SPACE: f64 = 0.22;
/// A store with fewer regions is never low on space for PD, as long as it has some bytes left
/// (`initialMinSpace` and `InitClusterRegionThreshold` in `pkg/core`).
const FEW_REGIONS: u64 = 100;
const SMALL_SPACE: f64 = 8.0 * 1024.0 * 1024.0 * 1024.0;

/// The store, if PD knows it.
pub(crate) fn exists(live: &Live, id: u64) -> Verdict<&StoreDetail> {
    known(&live.stores)?.get(&id).ok_or_else(|| Refusal::no(format!("PD knows no store {id}")))
}

/// It belongs to the cluster and is not being removed.
pub(crate) fn belongs(store: &StoreDetail) -> Verdict {
    match store.state {
        StoreState::Up => Ok(()),
        StoreState::Offline => Err(Refusal::no(format!("store {} is being removed", store.id))),
        StoreState::Tombstone => Err(Refusal::no(format!("store {} was removed", store.id))),
    }
}

/// It answers.
pub(crate) fn answers(live: &Live, store: &StoreDetail) -> Verdict {
    match live.answers(store) {
        Some(true) => Ok(()),
        Some(false) => {
            let age = live.heartbeat_age(store).map_or(String::new(), |age| format!(" for {} s", age.as_secs()));
            Err(Refusal::no(format!("store {} does not answer{age}", store.id)))
        }
        None => Err(Refusal::unknown(format!("whether store {} answers", store.id), "PD does not say when it did")),
    }
}

/// What it has left of what it can hold, in bytes.
fn space(store: &StoreDetail) -> Verdict<(f64, f64)> {
    let (Some(capacity), Some(available)) = (store.capacity, store.available) else {
        return Err(Refusal::unknown(format!("the space of store {}", store.id), "PD does not say"));
    };
    if capacity <= 0.0 {
        return Err(Refusal::unknown(format!("the space of store {}", store.id), "its capacity is not positive"));
    }
    Ok((available, capacity))
}

/// It is not low on space, as PD counts that.
pub(crate) fn has_space(store: &StoreDetail) -> Verdict {
    let (available, _) = space(store)?;
    if store.region_count < FEW_REGIONS && available > SMALL_SPACE { Ok(()) } else { has_share(store, LOW_SPACE) }
}

/// It is not about to be low on space, however few regions it has.
pub(crate) fn has_room(store: &StoreDetail) -> Verdict {
    has_share(store, SHORT_OF_SPACE)
}

fn has_share(store: &StoreDetail, least: f64) -> Verdict {
    let (available, capacity) = space(store)?;
    if available / capacity < least {
        let percent = 100.0 * available / capacity;
        return Err(Refusal::no(format!("store {} is low on space: {percent:.0} % are free", store.id)));
    }
    Ok(())
}

/// It belongs, answers, is neither busy nor slow, and has space.
pub(crate) fn is_fit(live: &Live, id: u64) -> Verdict<&StoreDetail> {
    let store = exists(live, id)?;
    belongs(store)?;
    answers(live, store)?;
    if store.is_busy {
        return Err(Refusal::no(format!("store {id} says that it is busy")));
    }
    if let Some(score) = store.slow_score.filter(|score| *score >= SLOW) {
        return Err(Refusal::no(format!("store {id} is slow: its score is {score} of 100")));
    }
    has_space(store)?;
    Ok(store)
}

/// Leaders may come to it.
pub(crate) fn takes_leaders(live: &Live, store: &StoreDetail) -> Verdict {
    if known(&live.drains)?.contains(&store.id) || store.leader_in_paused {
        return Err(Refusal::no(format!("leaders are kept away from store {}: it is drained", store.id)));
    }
    if known(&live.slow_evicted)?.contains(&store.id) {
        return Err(Refusal::no(format!("PD keeps leaders away from store {}, since it is slow", store.id)));
    }
    Ok(())
}
