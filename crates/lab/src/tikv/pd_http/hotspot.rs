//! What is hot, as PD tells of it.

use serde_json::{Value, json};

use super::super::go;
use super::super::sim::{HOT_AFTER, Simulator};
use super::answer::by_id;
use super::regions::flows;

/// A region is hot from so many rows a second (PD's thresholds lie near it).
const HOT: f64 = 1_000.0;

/// `GET /hotspot/regions/write` and `/read`; reads have no hot regions in this model.
pub(super) fn regions(simulator: &Simulator, write: bool) -> Value {
    let of = |as_leader: bool| {
        let joined = simulator.stores.iter().enumerate().filter(|(_, store)| store.joined);
        by_id(joined.map(|(index, store)| (store.id, of_store(simulator, index, write, as_leader))))
    };
    json!({ "as_peer": of(false), "as_leader": of(true) })
}

fn of_store(simulator: &Simulator, index: usize, write: bool, as_leader: bool) -> Value {
    let store = &simulator.stores[index];
    let mut statistics: Vec<Value> = Vec::new();
    let mut total = 0.0;
    let reports = simulator.hot_reports();
    let hottest = simulator.load.hot.filter(|_| write && reports >= HOT_AFTER);
    if let Some(hot) = hottest {
        for &region in &simulator.regions.held(index).regions {
            let it = simulator.regions.get(region);
            let leads = it.leader == Some(index as u16);
            let rows = flows(simulator, it).0 / 60.0;
            if rows < HOT || it.end <= hot.row || (as_leader && !leads) {
                continue;
            }
            total += rows;
            statistics.push(json!({
                "store_id": store.id,
                "region_id": it.id,
                "hot_degree": reports,
                "flow_bytes": rows * 1_024.0,
                "flow_keys": rows,
                "flow_query": rows,
                "flow_cpu": 0,
                "is_leader": leads,
                "anti_count": 1,
                "last_update_time": go::rfc3339(simulator.now),
            }));
        }
    }
    let rate = match (write, as_leader) {
        (true, true) => store.flow.writes,
        // What is written goes to every replica.
        (true, false) => store.flow.applies,
        (false, _) => store.flow.reads,
    };
    json!({
        "store_bytes": rate * 1_024.0,
        "store_keys": rate,
        "store_query": rate,
        "store_cpu": 0,
        "total_flow_bytes": total * 1_024.0,
        "total_flow_keys": total,
        "total_flow_query": total,
        "total_flow_cpu": 0,
        "regions_count": statistics.len(),
        "statistics": statistics,
    })
}

/// `GET /hotspot/stores`.
pub(super) fn stores(simulator: &Simulator) -> Value {
    let of = |rate: &dyn Fn(&super::super::sim::Store) -> f64| {
        let joined = simulator.stores.iter().filter(|store| store.joined);
        by_id(joined.map(|store| (store.id, rate(store).round())))
    };
    json!({
        "bytes-write-rate": of(&|store| store.flow.applies * 1_024.0),
        "bytes-read-rate": of(&|store| store.flow.reads * 1_024.0),
        "keys-write-rate": of(&|store| store.flow.applies),
        "keys-read-rate": of(&|store| store.flow.reads),
        "query-write-rate": of(&|store| store.flow.writes),
        "query-read-rate": of(&|store| store.flow.reads),
        "cpu-read-rate": of(&|store| store.flow.reads * 25e-6),
    })
}
