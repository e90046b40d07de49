//! No number that PD may tell makes a plan, an effect or an explanation panic.

use proptest::prelude::*;

use super::scene::{effect, holding, plan_with};
use crate::actions::Memory;
use crate::actions::live::{Live, Progress};
use crate::details::{LimitDetail, StoreState};

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(0.0),
        Just(-1.0),
        Just(f64::MAX),
        any::<f64>()
    ]
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(1), Just(u64::MAX), any::<u64>()]
}

fn instant() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![Just(None), Just(Some(i64::MIN)), Just(Some(i64::MAX)), Just(Some(0)), any::<i64>().prop_map(Some)]
}

/// Puts these numbers wherever numbers are.
fn spoil(live: &mut Live, of_float: f64, of_count: u64, at: Option<i64>, state: u8) {
    for store in live.stores.as_mut().expect("stores").values_mut().take(3) {
        (store.capacity, store.available, store.used) = (Some(of_float), Some(of_float), Some(of_float));
        (store.leader_score, store.region_score, store.leader_weight) = (of_float, of_float, of_float);
        (store.leader_count, store.region_count, store.pending_peers) = (of_count, of_count, of_count);
        (store.last_heartbeat_ms, store.started) = (at, at);
        store.state = match state {
            0 => StoreState::Up,
            1 => StoreState::Offline,
            _ => StoreState::Tombstone,
        };
    }
    for region in live.regions.values_mut().filter_map(|read| read.as_mut().ok()?.as_mut()) {
        (region.size_mib, region.version, region.conf_ver) = (of_count, of_count, of_count);
    }
    if let Ok(Some(limits)) = &mut live.limits {
        limits.values_mut().for_each(|limit| *limit = LimitDetail { add_peer: of_float, remove_peer: of_float });
    }
    let progress = Progress { action: "removing".into(), done: of_float, speed: of_float, left_s: of_float };
    live.progress = Ok([(4, progress)].into());
    live.hot = Ok([(333, of_float)].into());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_panics(of_float in number(), of_count in count(), at in instant(), state in 0_u8..3) {
        let memory = Memory::default();
        for (mut live, request) in holding() {
            spoil(&mut live, of_float, of_count, at, state);
            let _ = plan_with(&live, &memory, &request);
            let _ = effect(&live, &memory, &request);
            crate::probes::tests::explain_all(&live);
        }
    }
}
