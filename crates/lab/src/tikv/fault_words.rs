//! The faults in words: what can be asked for, and what was done.

use std::collections::BTreeMap;
use std::fmt;

use super::fault::Fault;
use crate::environment::FaultDescription;

type Parameters = &'static [(&'static str, &'static str)];

const STORE: (&str, &str) = ("store", "which store, for example store-4");
const OTHER: (&str, &str) = ("other", "which other store");

/// Every fault: its number, its name, what happens, its parameters.
const FAULTS: &[(&str, &str, &str, Parameters)] = &[
    ("F1", "kill_store", "a store is killed (SIGKILL)", &[STORE]),
    ("F3", "restart_store", "no fault: a store is restarted as planned", &[STORE]),
    ("F4", "kill_two_stores", "two stores are killed", &[STORE, OTHER]),
    (
        "F5",
        "slow_network",
        "every round trip between a store and the others is slow",
        &[STORE, ("round_trip_ms", "how much longer a round trip takes, in milliseconds (200)")],
    ),
    (
        "F6",
        "slow_disk",
        "a store's disk is slow",
        &[STORE, ("delay_ms", "how much longer an fsync takes, in milliseconds (400)")],
    ),
    (
        "F7",
        "slow_disks",
        "the disks of two stores are slow",
        &[STORE, OTHER, ("delay_ms", "how much longer an fsync takes, in milliseconds (400)")],
    ),
    (
        "F8",
        "foreign_files",
        "other people's files fill a store's disk",
        &[STORE, ("used_percent", "how full it is then, in percent (82)")],
    ),
    ("F9", "fill_disk", "a store's disk is full", &[STORE, ("left_mib", "what is left, in MiB (2000)")]),
    ("F10", "isolate_store", "a store reaches neither PD nor other stores", &[STORE]),
    ("F11", "cut_link", "two stores do not reach each other", &[STORE, OTHER]),
    ("F12", "cut_pd_link", "a store does not reach PD", &[STORE]),
    ("F13", "kill_pd_leader", "PD's leader is killed (SIGKILL)", &[]),
    ("F14", "kill_pd_quorum", "so many members of PD are killed that the rest is no majority", &[]),
    ("F15", "hang_pd_leader", "the disk of PD's leader hangs: it answers from memory and takes in nothing", &[]),
    ("F16", "leftover_drain", "somebody had leaders evicted from a store and did not take it back", &[STORE]),
    ("F17", "write_hotspot", "one place is written far more than any other", &[("writes", "writes a second (14000)")]),
    (
        "F20",
        "write_burst",
        "far more is written than compaction can take",
        &[("times", "how many times the usual writes (10)")],
    ),
    (
        "F21",
        "disable_scheduling",
        "scheduling was turned off, and a new store joins",
        &[("setting", "the setting that is set to zero (region-schedule-limit)")],
    ),
    ("F23", "offline_while_degraded", "a healthy store is taken offline while another is dead", &[STORE, OTHER]),
    ("F25", "jump_clock", "the clock of PD's leader jumps back", &[("by_ms", "how far, in milliseconds (5000)")]),
    ("F26", "steal_cpu", "others use a store's processors", &[STORE, ("percent", "how much of them, in percent (85)")]),
    ("F27", "stop_prometheus", "Prometheus ends", &[]),
    (
        "F28",
        "poisoned_label",
        "a store is killed, and a label of another holds a sentence that reads like an order",
        &[STORE, OTHER],
    ),
    ("P1", "rolling_restart", "no fault: every store in turn is drained, restarted, and given its leaders back", &[]),
    ("P2", "scale_out", "no fault: a new store joins, and regions move to it", &[]),
    ("P3", "decommission", "no fault: a store is taken out of a healthy cluster that can spare it", &[STORE]),
];

impl Fault {
    /// Every fault, with its parameters.
    pub fn descriptions() -> Vec<FaultDescription> {
        let described = FAULTS.iter().map(|(id, kind, description, params)| FaultDescription {
            id: (*id).to_owned(),
            kind: (*kind).to_owned(),
            description: format!("{description} (simulated)"),
            params: params
                .iter()
                .map(|(name, about)| ((*name).to_owned(), (*about).to_owned()))
                .collect::<BTreeMap<_, _>>(),
        });
        described.collect()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KillStore { store } => write!(f, "F1: kill {store}"),
            Self::RestartStore { store } => write!(f, "F3: restart {store} as planned"),
            Self::KillTwoStores { store, other } => write!(f, "F4: kill {store} and {other}"),
            Self::SlowNetwork { store, round_trip_ms } => {
                write!(f, "F5: {round_trip_ms} ms more for a round trip between {store} and any other store")
            }
            Self::SlowDisk { store, delay_ms } => write!(f, "F6: {delay_ms} ms more for an fsync at {store}"),
            Self::SlowDisks { store, other, delay_ms } => {
                write!(f, "F7: {delay_ms} ms more for an fsync at {store} and at {other}")
            }
            Self::ForeignFiles { store, used_percent } => {
                write!(f, "F8: other files fill the disk of {store} to {used_percent} %")
            }
            Self::FillDisk { store, left_mib } => write!(f, "F9: {left_mib} MiB are left on the disk of {store}"),
            Self::IsolateStore { store } => write!(f, "F10: cut {store} off from PD and all other stores"),
            Self::CutLink { store, other } => write!(f, "F11: cut the link between {store} and {other}"),
            Self::CutPdLink { store } => write!(f, "F12: cut the link between {store} and PD"),
            Self::KillPdLeader {} => f.write_str("F13: kill PD's leader"),
            Self::KillPdQuorum {} => f.write_str("F14: kill a majority of PD's members"),
            Self::HangPdLeader {} => f.write_str("F15: the disk of PD's leader hangs"),
            Self::LeftoverDrain { store } => write!(f, "F16: leave an eviction of leaders from {store} behind"),
            Self::WriteHotspot { writes } => write!(f, "F17: {writes} writes a second into one place"),
            Self::WriteBurst { times } => write!(f, "F20: {times} times the usual writes"),
            Self::DisableScheduling { setting } => write!(f, "F21: set {setting} to 0 and let a new store join"),
            Self::OfflineWhileDegraded { store, other } => write!(f, "F23: kill {other} and take {store} offline"),
            Self::JumpClock { by_ms } => write!(f, "F25: the clock of PD's leader jumps back by {by_ms} ms"),
            Self::StealCpu { store, percent } => write!(f, "F26: others use {percent} % of the processors of {store}"),
            Self::StopPrometheus {} => f.write_str("F27: end Prometheus"),
            Self::PoisonedLabel { store, other } => {
                write!(f, "F28: kill {store}, and a label of {other} reads like an order")
            }
            Self::RollingRestart {} => f.write_str("P1: drain and restart one store after the other"),
            Self::ScaleOut {} => f.write_str("P2: a new store joins"),
            Self::Decommission { store } => write!(f, "P3: take {store} out of the cluster"),
        }
    }
}
