//! The stores: as PD tells them now, or as it last did.

use std::collections::BTreeMap;

use operator_protocols::{Timestamp, Unavailable};

use crate::details::{NodeState, StoreDetail, StoreState};
use crate::pd::api;

/// A store that PD calls `Up` was heard of within this (`storeDisconnectDuration` in `pkg/core/store.go`).
const UP_WITHIN_S: f64 = 20.0;
/// Clocks that differ by less are one clock: heartbeats take a moment, and so does asking.
const TOLERATED_S: f64 = 5.0;

/// A store as PD tells it, but for its heartbeat's age, which needs a clock.
pub(crate) fn detail(told: api::StoreAndStatus) -> StoreDetail {
    let api::StoreAndStatus { store, status } = told;
    let state = match store.state {
        0 => StoreState::Up,
        1 => StoreState::Offline,
        _ => StoreState::Tombstone,
    };
    let node_state = match (store.node_state, state) {
        (Some(0), _) => NodeState::Preparing,
        (Some(1), _) | (None, StoreState::Up) => NodeState::Serving,
        (Some(2), _) | (None, StoreState::Offline) => NodeState::Removing,
        _ => NodeState::Removed,
    };
    let finite = |number: f64| if number.is_finite() { number } else { 0.0 };
    StoreDetail {
        id: store.id,
        address: store.address,
        status_address: store.status_address,
        state,
        node_state,
        state_name: store.state_name,
        physically_destroyed: store.physically_destroyed,
        version: store.version,
        labels: store.labels.into_iter().take(32).map(|label| (label.key, label.value)).collect(),
        started: Some(store.start_timestamp).filter(|started| *started > 0),
        last_heartbeat_ms: Some(store.last_heartbeat / 1_000_000).filter(|last| *last > 0),
        heartbeat_age_s: None,
        capacity: status.capacity,
        available: status.available,
        used: status.used_size,
        leader_count: status.leader_count,
        region_count: status.region_count,
        leader_score: finite(status.leader_score),
        region_score: finite(status.region_score),
        leader_weight: finite(status.leader_weight),
        region_weight: finite(status.region_weight),
        leader_size_mib: status.leader_size,
        region_size_mib: status.region_size,
        slow_score: status.slow_score,
        network_slow_score: status.network_slow_score,
        is_busy: status.is_busy,
        sending_snapshots: status.sending_snap_count,
        receiving_snapshots: status.receiving_snap_count,
        pending_peers: status.pending_peer_count,
        leader_in_paused: status.pause_leader_transfer_in,
        leader_out_paused: status.pause_leader_transfer_out,
    }
}

/// The stores by id, tombstones left out.
///
/// # Errors
/// If two have one id: then it is not known whose numbers are whose.
pub(super) fn told(answer: api::Stores) -> Result<BTreeMap<u64, StoreDetail>, String> {
    let mut stores = BTreeMap::new();
    for one in answer.stores {
        let store = detail(one);
        let id = store.id;
        if id == 0 {
            return Err("PD tells of a store without an id".to_owned());
        }
        if store.state != StoreState::Tombstone && stores.insert(id, store).is_some() {
            return Err(format!("PD tells of two stores of the id {id}"));
        }
    }
    Ok(stores)
}

/// Counts how old heartbeats are. They are dated by PD's clock: where ours cannot be the same, the difference that PD's own
/// words prove is taken off, and said.
pub(super) fn age(stores: &mut BTreeMap<u64, StoreDetail>, at: Timestamp) -> Option<Unavailable> {
    let age = |store: &StoreDetail| Some(at.as_millis().saturating_sub(store.last_heartbeat_ms?) as f64 / 1000.0);
    let youngest = stores.values().filter_map(age).reduce(f64::min).unwrap_or_default();
    // Of a store that PD calls up, PD has heard of within twenty seconds.
    let up = stores.values().filter(|store| store.state_name == "Up");
    let oldest_up = up.filter_map(age).reduce(f64::max).unwrap_or_default();
    let ahead = if youngest < 0.0 { youngest } else { (oldest_up - UP_WITHIN_S).max(0.0) };
    let differs = ahead.abs() > TOLERATED_S;
    for store in stores.values_mut() {
        let corrected = age(store).map(|age| if differs { age - ahead } else { age });
        store.heartbeat_age_s = corrected.map(|age| age.max(0.0));
    }
    differs.then(|| {
        let how = if ahead > 0.0 { "ahead of" } else { "behind" };
        let seconds = ahead.abs();
        Unavailable::new(
            "the common time",
            format!("the operator's clock is at least {seconds:.0} s {how} PD's; heartbeats are counted by PD's"),
        )
    })
}

/// Stores as PD last told them. What it said of how they are is of then, and is left out: when they were heard of, how full
/// and how slow they were. PD's last word for each stays, and is no more than that.
pub(super) fn remembered(last: &BTreeMap<u64, StoreDetail>) -> BTreeMap<u64, StoreDetail> {
    let mut stores = last.clone();
    for store in stores.values_mut() {
        store.heartbeat_age_s = None;
        store.last_heartbeat_ms = None;
        (store.capacity, store.available, store.used) = (None, None, None);
        store.slow_score = None;
        store.network_slow_score.clear();
    }
    stores
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(id: u64, word: &str, heartbeat_s: i64) -> StoreDetail {
        let last_heartbeat_ms = Some(heartbeat_s * 1000);
        StoreDetail { id, state_name: word.to_owned(), last_heartbeat_ms, ..StoreDetail::default() }
    }

    fn ages(stores: &[StoreDetail], at_s: i64) -> (Vec<f64>, Option<Unavailable>) {
        let mut stores: BTreeMap<u64, StoreDetail> = stores.iter().map(|store| (store.id, store.clone())).collect();
        let why = age(&mut stores, Timestamp::from_millis(at_s * 1000));
        (stores.values().filter_map(|store| store.heartbeat_age_s).collect(), why)
    }

    #[test]
    fn ages_are_counted_by_one_clock_while_there_is_one() {
        let stores = [store(1, "Up", 1000), store(2, "Disconnected", 970), store(3, "Down", 100)];
        assert_eq!(ages(&stores, 1008), (vec![8.0, 38.0, 908.0], None));
        // PD is asked a moment later than the observation is dated.
        assert_eq!(ages(&[store(1, "Up", 1000)], 998), (vec![0.0], None));
    }

    #[test]
    fn a_clock_that_is_behind_pds_makes_no_heartbeat_of_the_future() {
        let (ages, why) = ages(&[store(1, "Up", 1000), store(2, "Disconnected", 960)], 900);
        assert_eq!(ages, [0.0, 40.0]);
        assert!(why.is_some_and(|why| why.why.contains("100 s behind")));
    }

    #[test]
    fn a_clock_that_is_ahead_of_pds_makes_no_store_silent_that_pd_hears() {
        let (ages, why) = ages(&[store(1, "Up", 1000), store(2, "Disconnected", 960)], 1100);
        assert_eq!(ages, [20.0, 60.0]);
        assert!(why.is_some_and(|why| why.why.contains("80 s ahead")));
    }

    #[test]
    fn two_stores_of_one_id_are_no_stores() {
        let one = |id| api::StoreAndStatus { store: api::Store { id, ..api::Store::default() }, ..Default::default() };
        assert!(told(api::Stores { stores: vec![one(4), one(4)] }).is_err_and(|why| why.contains("id 4")));
        assert!(told(api::Stores { stores: vec![one(0)] }).is_err());
        assert_eq!(told(api::Stores { stores: vec![one(4), one(5)] }).map(|stores| stores.len()), Ok(2));
    }
}
