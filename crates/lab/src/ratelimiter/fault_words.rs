//! The faults in words: what can be asked for, and what was done.

use std::collections::BTreeMap;
use std::fmt;

use super::fault::Fault;
use crate::environment::FaultDescription;

impl Fault {
    /// Every fault, with its parameters.
    pub fn descriptions() -> Vec<FaultDescription> {
        let node = ("node", "which node, for example node-2");
        [
            ("R1", "kill_node", "a node is killed (SIGKILL)", vec![node]),
            ("R2", "pause_node", "a node is stopped in its tracks (SIGSTOP)", vec![node]),
            (
                "R3",
                "pause_redis_writes",
                "Redis holds every write back (CLIENT PAUSE … WRITE)",
                vec![("for_ms", "how long, in milliseconds (30000)")],
            ),
            ("R4", "kill_redis", "Redis is killed (SIGKILL)", vec![]),
            ("R5", "cut_link", "the link between one node and Redis is cut", vec![node]),
            (
                "R6",
                "slow_link",
                "the link between one node and Redis is slow",
                vec![node, ("round_trip_ms", "how much longer a round trip takes, in milliseconds (150)")],
            ),
            (
                "R7",
                "wrong_config",
                "one node is restarted with another default limit or window",
                vec![
                    node,
                    ("default_limit", "the wrong limit (ten times the right one)"),
                    ("default_window_ms", "the wrong window, in milliseconds (the right one)"),
                ],
            ),
            ("R8", "wrong_redis", "one node is restarted with another Redis", vec![node]),
            ("R9", "lose_redis_data", "Redis is restarted without its data", vec![]),
            (
                "R10",
                "evict_keys",
                "Redis runs out of memory and throws keys away (maxmemory, allkeys-lru)",
                vec![("keep_percent", "how much of what it holds now it may hold, in percent (50)")],
            ),
            (
                "R11",
                "outside_writes",
                "an unknown client writes into a counter",
                vec![
                    ("key", "whose counter"),
                    ("window_ms", "the counter's window, in milliseconds"),
                    ("entries", "how many entries (40)"),
                    ("cost", "the cost of each (1)"),
                ],
            ),
            (
                "R12",
                "raise_limit",
                "a stored limit is set too high by mistake",
                vec![("key", "whose limit"), ("factor", "how many times too high (10)")],
            ),
            (
                "R13",
                "tenant_burst",
                "one tenant asks far more than it may",
                vec![("rate", "requests a second (200)"), ("for_s", "for how long, in seconds (30)")],
            ),
            (
                "R14",
                "hog_cpu",
                "others burn the processor time that one node may use (in a control group; takes root)",
                vec![node, ("percent", "what the node and they may use together, in percent of one processor (5)")],
            ),
            (
                "H1",
                "planned_work",
                "nothing is broken: nodes are restarted in order, counters reset, limits changed a little",
                vec![("every_s", "from piece to piece, in seconds (3)"), ("for_s", "for how long, in seconds (600)")],
            ),
        ]
        .into_iter()
        .map(|(id, kind, description, params)| FaultDescription {
            id: id.to_owned(),
            kind: kind.to_owned(),
            description: description.to_owned(),
            params: params
                .into_iter()
                .map(|(name, meaning)| (name.to_owned(), meaning.to_owned()))
                .collect::<BTreeMap<_, _>>(),
        })
        .collect()
    }
}

/// What is done, for people and for the journal.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KillNode { node } => write!(f, "R1: kill {node}"),
            Self::PauseNode { node } => write!(f, "R2: pause {node}"),
            Self::PauseRedisWrites { for_ms } => write!(f, "R3: Redis holds writes back for {for_ms} ms"),
            Self::KillRedis {} => f.write_str("R4: kill Redis"),
            Self::CutLink { node } => write!(f, "R5: cut the link from {node} to Redis"),
            Self::SlowLink { node, round_trip_ms } => {
                write!(f, "R6: {round_trip_ms} ms more for a round trip from {node} to Redis")
            }
            Self::WrongConfig { node, default_limit, default_window_ms } => {
                write!(f, "R7: restart {node} with")?;
                match (default_limit, default_window_ms) {
                    (None, None) => f.write_str(" ten times the default limit"),
                    (Some(limit), None) => write!(f, " a default limit of {limit}"),
                    (None, Some(window)) => write!(f, " a default window of {window} ms"),
                    (Some(limit), Some(window)) => write!(f, " a default limit of {limit} in {window} ms"),
                }
            }
            Self::WrongRedis { node } => write!(f, "R8: restart {node} with another Redis"),
            Self::LoseRedisData {} => f.write_str("R9: restart Redis without its data"),
            Self::EvictKeys { keep_percent } => write!(f, "R10: Redis may keep {keep_percent} % of its data"),
            Self::OutsideWrites { key, window_ms, entries, cost } => {
                write!(f, "R11: an unknown client writes {entries} × {cost} into {key} ({window_ms} ms)")
            }
            Self::RaiseLimit { key, factor } => write!(f, "R12: raise the limit of {key} {factor} times"),
            Self::HogCpu { node, percent } => {
                write!(f, "R14: others burn the {percent} % of one processor that {node} may use")
            }
            Self::PlannedWork { every_s, for_s } => {
                write!(f, "H1: a piece of planned work every {every_s} s for {for_s} s")
            }
            Self::TenantBurst { rate, for_s } => write!(f, "R13: one tenant asks {rate} times a second for {for_s} s"),
        }
    }
}
