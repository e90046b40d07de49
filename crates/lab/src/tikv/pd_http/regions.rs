//! Regions, as PD tells of them.

use serde_json::{Value, json};

use super::super::sim::{Region, Simulator};
use super::answer::{Answer, Object, Request};
use super::keys;

/// How many regions a page holds unless it is said.
const PAGE: usize = 16;

fn peer(simulator: &Simulator, peer: &super::super::sim::Peer) -> Value {
    let role = if peer.learner { "Learner" } else { "Voter" };
    Object::default()
        .unless_zero("role", u8::from(peer.learner))
        .with("role_name", role)
        .unless_zero("is_learner", peer.learner)
        .with("id", peer.id)
        .with("store_id", simulator.stores[usize::from(peer.store)].id)
        .into()
}

/// One region.
pub(super) fn one(simulator: &Simulator, index: u32) -> Value {
    let region = simulator.regions.get(index);
    let told = |it: &super::super::sim::Peer| peer(simulator, it);
    let leader = region.known.and_then(|store| region.peers.iter().find(|peer| peer.store == store));
    let leader = leader.map_or_else(|| json!({ "role_name": "Voter" }), told);
    let silent = |it: &&super::super::sim::Peer| {
        let since = simulator.stores[usize::from(it.store)].silent_since;
        since.is_some_and(|since| simulator.now - since >= super::super::sim::timing::PEER_DOWN)
    };
    let down: Vec<Value> = if region.leader.is_some() {
        let down = region.peers.iter().filter(silent);
        down.map(|it| {
            let since = simulator.stores[usize::from(it.store)].silent_since.unwrap_or(simulator.now);
            json!({ "peer": told(it), "down_seconds": (simulator.now - since) / 1_000 })
        })
        .collect()
    } else {
        Vec::new()
    };
    let pending: Vec<Value> = region.peers.iter().filter(|it| it.pending).map(told).collect();
    let (written, read) = flows(simulator, region);
    Object::default()
        .with("id", region.id)
        .with("start_key", keys::of_row(region.start))
        .with("end_key", keys::of_row(region.end))
        .with("epoch", json!({ "conf_ver": region.conf_ver, "version": region.version }))
        .with("peers", region.peers.iter().map(told).collect::<Vec<_>>())
        .with("leader", leader)
        .unless_zero("down_peers", down)
        .unless_zero("pending_peers", pending)
        .with("cpu_usage", (written / 60_000.0 * 0.01) as u64)
        .with("written_bytes", (written * 1_024.0) as u64)
        .with("read_bytes", (read * 1_024.0) as u64)
        .with("written_keys", written as u64)
        .with("read_keys", read as u64)
        .with("approximate_size", region.size)
        .with("approximate_keys", u64::from(region.size) * 10_000)
        .with("approximate_kv_size", 0)
        .with("approximate_columnar_kv_size", 0)
        .into()
}

/// Rows written to and read from a region in a minute.
pub(super) fn flows(simulator: &Simulator, region: &Region) -> (f64, f64) {
    if region.leader.is_none() {
        return (0.0, 0.0);
    }
    let load = &simulator.load;
    let weight = f64::from(region.weight);
    let mut written = load.rate * 0.4 * load.write_burst.max(1.0) * weight;
    if let Some(hot) = load.hot {
        let end = hot.row.saturating_add(hot.width);
        let common = region.end.min(end).saturating_sub(region.start.max(hot.row));
        written += hot.writes * common as f64 / hot.width.max(1) as f64;
    }
    (written * 60.0, load.rate * 0.6 * weight * 60.0)
}

fn listed(simulator: &Simulator, count: usize, regions: &[u32]) -> Answer {
    let regions: Vec<Value> = regions.iter().map(|&region| one(simulator, region)).collect();
    Answer::ok(json!({ "count": count, "regions": regions }))
}

pub(super) fn by_id(simulator: &Simulator, text: &str) -> Answer {
    let Ok(id) = text.parse::<u64>() else { return Answer::json(400, &format!("invalid region id {text}").into()) };
    match simulator.regions.find(id) {
        Some(region) => Answer::ok(one(simulator, region)),
        None => Answer::json(404, &format!("[PD:region:ErrRegionNotFound]region {id} not found").into()),
    }
}

pub(super) fn by_key(simulator: &Simulator, key: &str) -> Answer {
    match keys::row_of(key).and_then(|row| simulator.regions.at(row)) {
        Some(region) => Answer::ok(one(simulator, region)),
        None => Answer::json(404, &"[PD:region:ErrRegionNotFound]region not found".into()),
    }
}

/// `GET /regions/key?key=…&limit=…`: in the order of keys.
pub(super) fn from_key(simulator: &Simulator, request: &Request) -> Answer {
    let Some(row) = keys::row_of(request.parameter("key").unwrap_or_default()) else {
        return Answer::json(400, &"key should be in hex format".into());
    };
    let mut after: Vec<u32> =
        (0..simulator.regions.len() as u32).filter(|&region| simulator.regions.get(region).end > row).collect();
    after.sort_by_key(|&region| simulator.regions.get(region).start);
    after.truncate(request.limit(PAGE));
    listed(simulator, after.len(), &after)
}

/// `GET /regions/check/…`: all of them, however many.
pub(super) fn check(simulator: &Simulator, kind: &str) -> Answer {
    match simulator.abnormal(kind) {
        Some(found) => listed(simulator, found.len(), &found),
        None => Answer::not_found(),
    }
}

pub(super) fn all(simulator: &Simulator, request: &Request) -> Answer {
    let count = simulator.regions.len();
    let wanted: Vec<u32> = (0..count as u32).take(request.limit(count)).collect();
    listed(simulator, count, &wanted)
}

pub(super) fn of_store(simulator: &Simulator, store: usize) -> Answer {
    let held: Vec<u32> = simulator.regions.held(store).regions.iter().copied().collect();
    listed(simulator, held.len(), &held)
}

/// `GET /regions/writeflow` and its like: the first by some order.
pub(super) fn ordered(simulator: &Simulator, order: &str, request: &Request) -> Answer {
    let measure = |region: &Region| {
        let (written, read) = flows(simulator, region);
        Some(match order {
            "writeflow" | "writequery" => written,
            "readflow" | "readquery" => read,
            "cpu" => written + read * 0.3,
            "size" | "keys" => f64::from(region.size),
            "confver" => f64::from(region.conf_ver),
            "version" => f64::from(region.version),
            _ => return None,
        })
    };
    let mut all: Vec<(f64, u32)> = Vec::new();
    for (index, region) in simulator.regions.all().iter().enumerate() {
        let Some(measure) = measure(region) else { return Answer::not_found() };
        all.push((measure, index as u32));
    }
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let first: Vec<u32> = all.into_iter().take(request.limit(PAGE)).map(|(_, region)| region).collect();
    listed(simulator, first.len(), &first)
}

/// `GET /stats/region`.
pub(super) fn stats(simulator: &Simulator) -> Value {
    let regions = &simulator.regions;
    let of = |value: &dyn Fn(usize) -> i64| {
        let joined = simulator.stores.iter().enumerate().filter(|(_, store)| store.joined);
        super::answer::by_id(joined.map(|(index, store)| (store.id, value(index))))
    };
    let size: u64 = regions.all().iter().map(|region| u64::from(region.size)).sum();
    json!({
        "count": regions.len(),
        "empty_count": regions.all().iter().filter(|region| region.size <= 1).count(),
        "storage_size": size,
        "user_storage_size": 0,
        "user_columnar_storage_size": 0,
        "storage_keys": size * 10_000,
        "store_leader_count": of(&|store| regions.held(store).known_leaders),
        "store_peer_count": of(&|store| regions.held(store).regions.len() as i64),
        "store_leader_size": of(&|store| regions.held(store).leader_size),
        "store_leader_keys": of(&|store| regions.held(store).leader_size * 10_000),
        "store_peer_size": of(&|store| regions.held(store).size),
        "store_peer_keys": of(&|store| regions.held(store).size * 10_000),
    })
}
