//! What every member answers by itself.

use serde_json::{Value, json};

use super::super::sim::Simulator;

/// The version that the simulated processes say they are. Nothing of it runs here.
pub(super) const VERSION: &str = "v9.0.0";

pub(super) fn version() -> Value {
    json!({ "version": VERSION, "build_time": "", "hash": "", "branch": "" })
}

pub(super) fn status(simulator: &Simulator, member: usize) -> Value {
    json!({
        "build_ts": "None",
        "version": VERSION,
        "git_hash": "None",
        "start_timestamp": simulator.members[member].process.started_at / 1_000,
        "kernel_type": "Classic",
    })
}

/// The member that answers asks the others whether they are there.
pub(super) fn health(simulator: &Simulator) -> Value {
    let one = |member: &super::super::sim::Member| {
        json!({
            "name": member.name,
            "member_id": member.id,
            "client_urls": [member.url],
            "health": member.works(simulator.now),
        })
    };
    simulator.members.iter().map(one).collect()
}
