//! A store as PD tells it.

use crate::details::{NodeState, StoreDetail, StoreState};
use crate::pd::api;

/// A store as PD tells it; its heartbeat's age is left to whoever knows what time it is.
pub(super) fn detail(told: api::StoreAndStatus) -> StoreDetail {
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
    StoreDetail {
        id: store.id,
        address: store.address,
        status_address: store.status_address,
        state,
        node_state,
        state_name: store.state_name,
        physically_destroyed: store.physically_destroyed,
        version: store.version,
        labels: store.labels.into_iter().map(|label| (label.key, label.value)).collect(),
        started: Some(store.start_timestamp).filter(|started| *started > 0),
        last_heartbeat_ms: Some(store.last_heartbeat / 1_000_000).filter(|last| *last > 0),
        heartbeat_age_s: None,
        capacity: status.capacity,
        available: status.available,
        used: status.used_size,
        leader_count: status.leader_count,
        region_count: status.region_count,
        leader_score: status.leader_score,
        region_score: status.region_score,
        leader_weight: status.leader_weight,
        region_weight: status.region_weight,
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
