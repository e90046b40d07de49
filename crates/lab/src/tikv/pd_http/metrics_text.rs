//! A member's own metrics, as text: those of a real one that say something here.

use std::fmt::Write as _;

use super::super::sim::Simulator;

/// Upper bounds of the buckets of etcd's fsync, in seconds (etcd: 1 ms doubled thirteen times).
fn fsync_buckets() -> impl Iterator<Item = f64> {
    (0..14).map(|power| 0.001 * f64::from(1_u32 << power))
}

/// The metrics of one member.
pub(super) fn of(simulator: &Simulator, index: usize) -> String {
    let member = &simulator.members[index];
    let leads = simulator.serving() == Some(index);
    let mut text = String::new();
    // Writing into a string cannot fail.
    let mut line = |name: &str, labels: &str, value: f64| {
        let _ = writeln!(text, "{name}{labels} {value}");
    };
    line("process_start_time_seconds", "", (member.process.started_at / 1_000) as f64);
    line("etcd_server_has_leader", "", f64::from(u8::from(simulator.serving().is_some())));
    line("etcd_server_is_leader", "", f64::from(u8::from(leads)));
    line("etcd_server_leader_changes_seen_total", "", f64::from(1 + simulator.leadership.changes));
    let typical = 0.001 + member.fsync_delay / 1_000.0;
    let count = (simulator.now - member.process.started_at).max(0) as f64 / 250.0;
    for bound in fsync_buckets() {
        let below = count * (1.0 - (-bound / typical).exp());
        line("etcd_disk_wal_fsync_duration_seconds_bucket", &format!("{{le=\"{bound}\"}}"), below.floor());
    }
    line("etcd_disk_wal_fsync_duration_seconds_bucket", "{le=\"+Inf\"}", count.floor());
    line("etcd_disk_wal_fsync_duration_seconds_sum", "", count * typical);
    line("etcd_disk_wal_fsync_duration_seconds_count", "", count.floor());
    let known = leads && simulator.initialized();
    for (kind, count) in simulator.abnormal_counts() {
        let count = if known { count as f64 } else { 0.0 };
        line("pd_regions_status", &format!("{{type=\"{kind}\"}}"), count);
    }
    if leads {
        of_stores(simulator, &mut line);
    }
    text
}

fn of_stores(simulator: &Simulator, line: &mut impl FnMut(&str, &str, f64)) {
    let joined = || (0..simulator.stores.len()).filter(|&index| simulator.stores[index].joined);
    let age = |index: usize| simulator.now - simulator.stores[index].record.last_heartbeat;
    let counted = |which: &dyn Fn(usize) -> bool| joined().filter(|&index| which(index)).count() as f64;
    let up = |index: usize| simulator.stores[index].record.state == 0;
    let max_down = simulator.settings.max_down();
    let states: [(&str, f64); 7] = [
        ("store_up_count", counted(&|index| up(index) && age(index) <= 20_000)),
        ("store_disconnected_count", counted(&|index| up(index) && (20_001..=600_000).contains(&age(index)))),
        ("store_unhealth_count", counted(&|index| up(index) && (600_001..=max_down).contains(&age(index)))),
        ("store_down_count", counted(&|index| up(index) && age(index) > max_down)),
        ("store_offline_count", counted(&|index| simulator.stores[index].record.state == 1)),
        ("store_tombstone_count", counted(&|index| simulator.stores[index].record.state == 2)),
        ("store_low_space_count", counted(&|index| simulator.low_space(index))),
    ];
    for (kind, count) in states {
        line("pd_cluster_status", &format!("{{type=\"{kind}\"}}"), count);
    }
    for index in joined() {
        let store = &simulator.stores[index];
        let held = simulator.regions.held(index);
        for (kind, value) in [
            ("leader_count", held.known_leaders as f64),
            ("region_count", held.regions.len() as f64),
            ("leader_score", simulator.leader_score(index)),
            ("region_score", simulator.region_score(index)),
            ("store_available", store.record.available),
            ("store_used", store.record.used),
            ("store_capacity", store.record.capacity),
        ] {
            let labels = format!("{{address=\"{}\",store=\"{}\",type=\"{kind}\"}}", store.address, store.id);
            line("pd_scheduler_store_status", &labels, value);
        }
    }
}
