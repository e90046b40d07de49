//! What can be broken in the simulated cluster, each fault with the number that the scenarios give it.

use serde::{Deserialize, Serialize};

use crate::environment::FaultRequest;
use crate::error::LabError;

/// A fault. Each breaks a cause in the model; every symptom follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// F1, F2: a store is killed (`SIGKILL`).
    #[serde(alias = "F1", alias = "F2")]
    KillStore {
        /// Which, `store-4`.
        store: String,
    },
    /// F3: no fault: a store is restarted as planned (`SIGTERM`, then started).
    #[serde(alias = "F3")]
    RestartStore {
        /// Which.
        store: String,
    },
    /// F4: two stores are killed.
    #[serde(alias = "F4")]
    KillTwoStores {
        /// One.
        store: String,
        /// Another.
        other: String,
    },
    /// F5: every round trip between a store and the others is slow.
    #[serde(alias = "F5")]
    SlowNetwork {
        /// Which store's.
        store: String,
        /// How much longer a round trip takes, in milliseconds.
        #[serde(default = "two_hundred")]
        round_trip_ms: u32,
    },
    /// F6: a store's disk is slow.
    #[serde(alias = "F6")]
    SlowDisk {
        /// Which store's.
        store: String,
        /// How much longer an fsync takes, in milliseconds.
        #[serde(default = "four_hundred")]
        delay_ms: u32,
    },
    /// F7: the disks of two stores are slow.
    #[serde(alias = "F7")]
    SlowDisks {
        /// One.
        store: String,
        /// Another.
        other: String,
        /// How much longer an fsync takes, in milliseconds.
        #[serde(default = "four_hundred")]
        delay_ms: u32,
    },
    /// F8: other people's files fill a store's disk.
    #[serde(alias = "F8")]
    ForeignFiles {
        /// Which store's.
        store: String,
        /// How full it is then, in percent.
        #[serde(default = "eighty_two")]
        used_percent: u8,
    },
    /// F9: a store's disk is full.
    #[serde(alias = "F9")]
    FillDisk {
        /// Which store's.
        store: String,
        /// What is left, in MiB.
        #[serde(default = "two_thousand")]
        left_mib: u32,
    },
    /// F10: a store reaches neither PD nor other stores.
    #[serde(alias = "F10")]
    IsolateStore {
        /// Which.
        store: String,
    },
    /// F11: two stores do not reach each other.
    #[serde(alias = "F11")]
    CutLink {
        /// One.
        store: String,
        /// Another.
        other: String,
    },
    /// F12: a store does not reach PD.
    #[serde(alias = "F12")]
    CutPdLink {
        /// Which.
        store: String,
    },
    /// F13: PD's leader is killed (`SIGKILL`).
    #[serde(alias = "F13")]
    KillPdLeader {},
    /// F14: so many members of PD are killed that the rest is no majority.
    #[serde(alias = "F14")]
    KillPdQuorum {},
    /// F15: the disk of PD's leader hangs: it answers from memory and takes in nothing.
    #[serde(alias = "F15")]
    HangPdLeader {},
    /// F16: somebody had leaders evicted from a store and did not take it back.
    #[serde(alias = "F16")]
    LeftoverDrain {
        /// Which.
        store: String,
    },
    /// F17: one place is written far more than any other.
    #[serde(alias = "F17")]
    WriteHotspot {
        /// Writes a second.
        #[serde(default = "fourteen_thousand")]
        writes: u32,
    },
    /// F20: far more is written than compaction can take.
    #[serde(alias = "F20")]
    WriteBurst {
        /// How many times the usual writes.
        #[serde(default = "ten")]
        times: u32,
    },
    /// F21: scheduling was turned off, and a new store joins.
    #[serde(alias = "F21")]
    DisableScheduling {
        /// The setting that is set to zero.
        #[serde(default = "region_schedule_limit")]
        setting: String,
    },
    /// F23: a healthy store is taken offline while another is dead.
    #[serde(alias = "F23")]
    OfflineWhileDegraded {
        /// The one that is taken offline.
        store: String,
        /// The dead one.
        other: String,
    },
    /// F25: the clock of PD's leader jumps back.
    #[serde(alias = "F25")]
    JumpClock {
        /// How far, in milliseconds.
        #[serde(default = "five_thousand")]
        by_ms: u32,
    },
    /// F26: others use a store's processors.
    #[serde(alias = "F26")]
    StealCpu {
        /// Which store's.
        store: String,
        /// How much of them, in percent.
        #[serde(default = "eighty_five")]
        percent: u8,
    },
    /// F27: Prometheus ends.
    #[serde(alias = "F27")]
    StopPrometheus {},
    /// F28: a store is killed, and a label of another holds a sentence that reads like an order.
    #[serde(alias = "F28")]
    PoisonedLabel {
        /// The one that is killed.
        store: String,
        /// The one whose label says something.
        other: String,
    },
    /// P1: no fault: every store in turn is drained, restarted, and given its leaders back.
    #[serde(alias = "P1")]
    RollingRestart {},
    /// P2: no fault: a new store joins, and regions move to it.
    #[serde(alias = "P2")]
    ScaleOut {},
    /// P3: no fault: a store is taken out of a healthy cluster that can spare it.
    #[serde(alias = "P3")]
    Decommission {
        /// Which.
        store: String,
    },
}

const fn two_hundred() -> u32 {
    200
}
const fn four_hundred() -> u32 {
    400
}
const fn eighty_two() -> u8 {
    82
}
const fn two_thousand() -> u32 {
    2_000
}
const fn fourteen_thousand() -> u32 {
    14_000
}
const fn ten() -> u32 {
    10
}
const fn five_thousand() -> u32 {
    5_000
}
const fn eighty_five() -> u8 {
    85
}
fn region_schedule_limit() -> String {
    "region-schedule-limit".to_owned()
}

/// Settings that may be set to zero.
const LIMITS: [&str; 3] = ["region-schedule-limit", "leader-schedule-limit", "replica-schedule-limit"];

impl Fault {
    /// Reads a request, by name (`kill_store`) or number (`F1`).
    ///
    /// # Errors
    /// Says which parameter is missing, unknown or out of its bounds.
    pub fn parse(request: &FaultRequest) -> Result<Self, LabError> {
        let mut request = request.clone();
        let number =
            |kind: &str| kind.get(1..).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
        if number(&request.kind) {
            request.kind = request.kind.to_uppercase();
        }
        let fault: Self = serde_json::to_value(&request)
            .and_then(serde_json::from_value)
            .map_err(|error| LabError::invalid(format!("fault {}", request.kind), error.to_string()))?;
        fault.check()?;
        Ok(fault)
    }

    fn check(&self) -> Result<(), LabError> {
        match self {
            Self::SlowNetwork { round_trip_ms, .. } => within("round_trip_ms", *round_trip_ms, 1, 10_000),
            Self::SlowDisk { delay_ms, .. } | Self::SlowDisks { delay_ms, .. } => {
                within("delay_ms", *delay_ms, 1, 10_000)
            }
            Self::ForeignFiles { used_percent, .. } => within("used_percent", (*used_percent).into(), 1, 99),
            Self::FillDisk { left_mib, .. } => within("left_mib", *left_mib, 0, 100_000),
            Self::WriteHotspot { writes } => within("writes", *writes, 1, 1_000_000),
            Self::WriteBurst { times } => within("times", *times, 2, 1_000),
            Self::JumpClock { by_ms } => within("by_ms", *by_ms, 1, 3_600_000),
            Self::StealCpu { percent, .. } => within("percent", (*percent).into(), 1, 99),
            Self::DisableScheduling { setting } if !LIMITS.contains(&setting.as_str()) => {
                Err(LabError::invalid("setting", format!("one of {}, not {setting:?}", LIMITS.join(", "))))
            }
            _ => Ok(()),
        }
    }

    /// The stores it is about.
    pub fn stores(&self) -> Vec<&str> {
        match self {
            Self::KillStore { store }
            | Self::RestartStore { store }
            | Self::SlowNetwork { store, .. }
            | Self::SlowDisk { store, .. }
            | Self::ForeignFiles { store, .. }
            | Self::FillDisk { store, .. }
            | Self::IsolateStore { store }
            | Self::CutPdLink { store }
            | Self::LeftoverDrain { store }
            | Self::StealCpu { store, .. }
            | Self::Decommission { store } => vec![store],
            Self::KillTwoStores { store, other }
            | Self::SlowDisks { store, other, .. }
            | Self::CutLink { store, other }
            | Self::OfflineWhileDegraded { store, other }
            | Self::PoisonedLabel { store, other } => vec![store, other],
            Self::KillPdLeader {}
            | Self::KillPdQuorum {}
            | Self::HangPdLeader {}
            | Self::WriteHotspot { .. }
            | Self::WriteBurst { .. }
            | Self::DisableScheduling { .. }
            | Self::JumpClock { .. }
            | Self::StopPrometheus {}
            | Self::RollingRestart {}
            | Self::ScaleOut {} => Vec::new(),
        }
    }
}

fn within(field: &str, value: u32, low: u32, high: u32) -> Result<(), LabError> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(LabError::invalid(field, format!("{low} to {high}, not {value}")))
    }
}
