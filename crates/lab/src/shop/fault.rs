//! What can be broken in the shop, each fault with the number that the scenarios give it.

use operator_protocols::shop::{COMPONENTS, LANES, ORDERS};
use serde::{Deserialize, Serialize};

use crate::environment::FaultRequest;
use crate::error::LabError;

/// A fault. Each breaks a mechanism; every symptom follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// S1, S2: a process ends at once and nobody starts it again.
    #[serde(alias = "S1", alias = "S2")]
    KillComponent {
        /// Which, `orders-2`.
        component: String,
    },
    /// S3, S4: others use a component's machine.
    #[serde(alias = "S3", alias = "S4")]
    HogMachine {
        /// Whose.
        component: String,
        /// How many times as long its own work takes.
        #[serde(default = "twelve")]
        times: u32,
    },
    /// S5: every round trip over one link takes longer.
    #[serde(alias = "S5")]
    DelayLink {
        /// Who calls.
        from: String,
        /// Whom.
        to: String,
        /// How much longer, in milliseconds.
        #[serde(default = "three_hundred")]
        delay_ms: u32,
    },
    /// S6: one link carries nothing.
    #[serde(alias = "S6")]
    CutLink {
        /// Who calls.
        from: String,
        /// Whom.
        to: String,
    },
    /// S7: one replica of orders runs with another rate of tax.
    #[serde(alias = "S7")]
    WrongTax {
        /// Which.
        replica: String,
        /// The rate, in percent.
        #[serde(default = "seven")]
        percent: u32,
    },
    /// S8: one replica of orders does not report to the catalog any more what it sold.
    #[serde(alias = "S8")]
    StopReporting {
        /// Which.
        replica: String,
    },
    /// S9: somebody takes waiting jobs out of a lane.
    #[serde(alias = "S9")]
    StealJobs {
        /// Which.
        lane: String,
        /// How many, at most.
        #[serde(default = "forty")]
        jobs: u32,
    },
    /// S10: somebody who is none of the shop puts jobs into a lane.
    #[serde(alias = "S10")]
    SmuggleJobs {
        /// Which.
        lane: String,
        /// How many.
        #[serde(default = "sixty")]
        jobs: u32,
    },
    /// S11: the queue ends, loses its journal, and starts again.
    #[serde(alias = "S11")]
    LoseJournal {},
    /// S12: other people's files fill the queue's disk.
    #[serde(alias = "S12")]
    FillDisk {
        /// For how many jobs there is room, those it holds included.
        #[serde(default)]
        room: u32,
    },
    /// S13: far more shoppers come.
    #[serde(alias = "S13")]
    Crowd {
        /// How many times as many.
        #[serde(default = "four")]
        times: u32,
    },
    /// S14: the clock of a component jumps ahead.
    #[serde(alias = "S14")]
    JumpClock {
        /// Whose.
        component: String,
        /// How far, in milliseconds.
        #[serde(default = "four_hundred_seconds")]
        by_ms: u32,
    },
    /// S15: a new version is rolled out to one component, and is slow.
    #[serde(alias = "S15")]
    SlowVersion {
        /// Which.
        component: String,
        /// How many times as long its work takes.
        #[serde(default = "twelve")]
        times: u32,
    },
    /// S16: somebody sets how many entries the catalog keeps at hand.
    #[serde(alias = "S16")]
    SmallCache {
        /// How many.
        #[serde(default = "ten")]
        entries: u32,
    },
    /// S17: a good version is rolled out to one component; a minute later others use another's machine.
    #[serde(alias = "S17")]
    HogAfterDeploy {
        /// Whose machine.
        component: String,
        /// What gets the good version.
        deployed: String,
        /// How many times as long the work of the first takes.
        #[serde(default = "twelve")]
        times: u32,
    },
    /// S18: the status of a component cannot be read, though it works.
    #[serde(alias = "S18")]
    HideStatus {
        /// Whose.
        component: String,
    },
    /// N1: no fault: twice as many shoppers come and go, as in a wave.
    #[serde(alias = "N1")]
    LoadWave {
        /// At its height, in percent of the usual.
        #[serde(default = "two_hundred")]
        percent: u32,
        /// How long, in seconds.
        #[serde(default = "two_hundred_forty")]
        for_s: u32,
    },
    /// N2: no fault: every replica of orders is drained, restarted and put back, one after the other.
    #[serde(alias = "N2")]
    RollingRestart {},
    /// N3: no fault: a good version is rolled out to one component.
    #[serde(alias = "N3")]
    GoodVersion {
        /// Which.
        component: String,
    },
    /// H1: nothing happens.
    #[serde(alias = "H1")]
    Nothing {},
}

const fn twelve() -> u32 {
    12
}
const fn three_hundred() -> u32 {
    300
}
const fn seven() -> u32 {
    7
}
const fn forty() -> u32 {
    40
}
const fn sixty() -> u32 {
    60
}
const fn four() -> u32 {
    4
}
const fn ten() -> u32 {
    10
}
const fn four_hundred_seconds() -> u32 {
    400_000
}
const fn two_hundred() -> u32 {
    200
}
const fn two_hundred_forty() -> u32 {
    240
}

impl Fault {
    /// Reads a request, by name (`kill_component`) or number (`S1`).
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
            Self::KillComponent { component } | Self::HideStatus { component } => known("component", component),
            Self::GoodVersion { component } => versioned("component", component),
            Self::HogMachine { component, times } => {
                known("component", component).and_then(|()| within("times", *times, 2, 1_000))
            }
            Self::SlowVersion { component, times } => {
                versioned("component", component).and_then(|()| within("times", *times, 2, 1_000))
            }
            Self::HogAfterDeploy { component, deployed, times } => known("component", component)
                .and_then(|()| versioned("deployed", deployed))
                .and_then(|()| within("times", *times, 2, 1_000)),
            Self::DelayLink { from, to, delay_ms } => {
                link(from, to).and_then(|()| within("delay_ms", *delay_ms, 1, 10_000))
            }
            Self::CutLink { from, to } => link(from, to),
            Self::WrongTax { replica, percent } => {
                replica_of_orders(replica).and_then(|()| within("percent", *percent, 0, 100))
            }
            Self::StopReporting { replica } => replica_of_orders(replica),
            Self::StealJobs { lane, jobs } | Self::SmuggleJobs { lane, jobs } => {
                one_of("lane", lane, &LANES).and_then(|()| within("jobs", *jobs, 1, 1_000))
            }
            Self::FillDisk { room } => within("room", *room, 0, 2_000),
            Self::Crowd { times } => within("times", *times, 2, 20),
            Self::JumpClock { component, by_ms } => {
                known("component", component).and_then(|()| within("by_ms", *by_ms, 1, 86_400_000))
            }
            Self::SmallCache { entries } => within("entries", *entries, 1, 1_000_000),
            Self::LoadWave { percent, for_s } => {
                within("percent", *percent, 100, 1_000).and_then(|()| within("for_s", *for_s, 10, 3_600))
            }
            Self::LoseJournal {} | Self::RollingRestart {} | Self::Nothing {} => Ok(()),
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

fn one_of(field: &str, name: &str, known: &[&str]) -> Result<(), LabError> {
    if known.contains(&name) {
        Ok(())
    } else {
        Err(LabError::invalid(field, format!("one of {}, not {name:?}", known.join(", "))))
    }
}

fn known(field: &str, component: &str) -> Result<(), LabError> {
    one_of(field, component, &COMPONENTS)
}

/// A component whose version can be set again.
fn versioned(field: &str, component: &str) -> Result<(), LabError> {
    known(field, component)?;
    if ["catalog", "queue"].contains(&component) {
        return Err(LabError::invalid(field, format!("a front, a replica of orders or a packer, not {component:?}")));
    }
    Ok(())
}

fn replica_of_orders(replica: &str) -> Result<(), LabError> {
    one_of("replica", replica, &ORDERS)
}

fn link(from: &str, to: &str) -> Result<(), LabError> {
    known("from", from)?;
    known("to", to)?;
    let kind = |name: &str| name.split('-').next().unwrap_or_default().to_owned();
    let there = matches!(
        (&*kind(from), &*kind(to)),
        ("front", "orders" | "catalog") | ("orders", "catalog" | "queue") | ("packer", "queue")
    );
    if there { Ok(()) } else { Err(LabError::invalid("to", format!("one that {from} calls, not {to}"))) }
}
