//! The faults in words: what can be asked for, and what was done.

use std::collections::BTreeMap;
use std::fmt;

use super::fault::Fault;
use crate::environment::FaultDescription;

type Parameters = &'static [(&'static str, &'static str)];

const COMPONENT: (&str, &str) = ("component", "which component, for example orders-2");
const REPLICA: (&str, &str) = ("replica", "which replica of orders, for example orders-2");
const FROM: (&str, &str) = ("from", "who calls, for example orders-2");
const TO: (&str, &str) = ("to", "whom, for example queue");
const LANE: (&str, &str) = ("lane", "which lane: express, freight or parcel");
const TIMES: (&str, &str) = ("times", "how many times as long its own work takes (12)");

/// Every fault: its number, its name, what happens, its parameters.
const FAULTS: &[(&str, &str, &str, Parameters)] = &[
    ("S1", "kill_component", "a process ends at once", &[COMPONENT]),
    ("S3", "hog_machine", "others use a component's machine", &[COMPONENT, TIMES]),
    ("S5", "delay_link", "a link is slow", &[FROM, TO, ("delay_ms", "how much longer a round trip takes (300)")]),
    ("S6", "cut_link", "a link carries nothing", &[FROM, TO]),
    ("S7", "wrong_tax", "a replica runs with another rate of tax", &[REPLICA, ("percent", "the rate (7)")]),
    ("S8", "stop_reporting", "a replica does not report to the catalog any more what it sold", &[REPLICA]),
    ("S9", "steal_jobs", "somebody takes jobs out of a lane", &[LANE, ("jobs", "how many, at most (40)")]),
    ("S10", "smuggle_jobs", "somebody unknown puts jobs into a lane", &[LANE, ("jobs", "how many (60)")]),
    ("S11", "lose_journal", "the queue ends, loses its journal, and starts again", &[]),
    (
        "S12",
        "fill_disk",
        "other people's files fill the queue's disk",
        &[("room", "for how many jobs there is room (0)")],
    ),
    ("S13", "crowd", "far more shoppers come", &[("times", "how many times as many (4)")]),
    ("S14", "jump_clock", "a component's clock jumps ahead", &[COMPONENT, ("by_ms", "how far (400000)")]),
    ("S15", "slow_version", "a new version of one component is slow", &[COMPONENT, TIMES]),
    ("S16", "small_cache", "somebody makes the catalog keep little at hand", &[("entries", "how many entries (10)")]),
    (
        "S17",
        "hog_after_deploy",
        "a good version is rolled out; a minute later others use another component's machine",
        &[COMPONENT, ("deployed", "what gets the good version, for example packer-1"), TIMES],
    ),
    ("S18", "hide_status", "a component's status cannot be read, though it works", &[COMPONENT]),
    (
        "N1",
        "load_wave",
        "no fault: more shoppers come and go",
        &[("percent", "at its height, of the usual (200)"), ("for_s", "how long, in seconds (240)")],
    ),
    ("N2", "rolling_restart", "no fault: every replica of orders is restarted in turn, as planned", &[]),
    ("N3", "good_version", "no fault: a good version is rolled out to one component", &[COMPONENT]),
    ("H1", "nothing", "no fault: nothing happens", &[]),
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
            Self::KillComponent { component } => write!(f, "S1: kill {component}"),
            Self::HogMachine { component, times } => write!(f, "S3: work takes {times} times as long at {component}"),
            Self::DelayLink { from, to, delay_ms } => write!(f, "S5: {delay_ms} ms more from {from} to {to}"),
            Self::CutLink { from, to } => write!(f, "S6: cut the link from {from} to {to}"),
            Self::WrongTax { replica, percent } => write!(f, "S7: {replica} charges {percent} % of tax"),
            Self::StopReporting { replica } => write!(f, "S8: {replica} stops reporting its sales"),
            Self::StealJobs { lane, jobs } => write!(f, "S9: take up to {jobs} jobs out of lane {lane}"),
            Self::SmuggleJobs { lane, jobs } => write!(f, "S10: put {jobs} jobs of nobody's into lane {lane}"),
            Self::LoseJournal {} => f.write_str("S11: the queue loses its journal"),
            Self::FillDisk { room } => write!(f, "S12: other files leave room for {room} jobs on the queue's disk"),
            Self::Crowd { times } => write!(f, "S13: {times} times as many shoppers"),
            Self::JumpClock { component, by_ms } => write!(f, "S14: the clock of {component} jumps by {by_ms} ms"),
            Self::SlowVersion { component, times } => {
                write!(f, "S15: a version of {component} that takes {times} times as long")
            }
            Self::SmallCache { entries } => write!(f, "S16: the catalog keeps {entries} entries at hand"),
            Self::HogAfterDeploy { component, deployed, times } => {
                write!(f, "S17: a good version of {deployed}, then work takes {times} times as long at {component}")
            }
            Self::HideStatus { component } => write!(f, "S18: the status of {component} cannot be read"),
            Self::LoadWave { percent, for_s } => write!(f, "N1: a wave of shoppers up to {percent} % for {for_s} s"),
            Self::RollingRestart {} => f.write_str("N2: restart the replicas of orders in turn"),
            Self::GoodVersion { component } => write!(f, "N3: a good version of {component}"),
            Self::Nothing {} => f.write_str("H1: nothing"),
        }
    }
}
