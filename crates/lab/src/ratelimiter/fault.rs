//! What can be broken in this environment, each fault with the number that the scenarios give it.

use serde::{Deserialize, Serialize};

use super::config::check_key;
use crate::environment::FaultRequest;
use crate::error::LabError;

/// A fault. What is not given is as in the scenario of its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// R1: a node is killed (`SIGKILL`).
    #[serde(alias = "R1")]
    KillNode {
        /// Which.
        node: String,
    },
    /// R2: a node is stopped in its tracks (`SIGSTOP`).
    #[serde(alias = "R2")]
    PauseNode {
        /// Which.
        node: String,
    },
    /// R3: Redis holds every write back (`CLIENT PAUSE … WRITE`).
    #[serde(alias = "R3")]
    PauseRedisWrites {
        /// How long, in milliseconds.
        #[serde(default = "thirty_seconds")]
        for_ms: u32,
    },
    /// R4: Redis is killed (`SIGKILL`).
    #[serde(alias = "R4")]
    KillRedis {},
    /// R5: the link between one node and Redis is cut.
    #[serde(alias = "R5")]
    CutLink {
        /// Whose.
        node: String,
    },
    /// R6: the link between one node and Redis is slow.
    #[serde(alias = "R6")]
    SlowLink {
        /// Whose.
        node: String,
        /// How much longer a round trip takes, in milliseconds.
        #[serde(default = "slow_round_trip")]
        round_trip_ms: u32,
    },
    /// R7: one node runs with another default limit or window.
    #[serde(alias = "R7")]
    WrongConfig {
        /// Which.
        node: String,
        /// The wrong limit; ten times the right one if neither is given.
        #[serde(default)]
        default_limit: Option<u32>,
        /// The wrong window, in milliseconds.
        #[serde(default)]
        default_window_ms: Option<u32>,
    },
    /// R8: one node runs with another Redis.
    #[serde(alias = "R8")]
    WrongRedis {
        /// Which.
        node: String,
    },
    /// R9: Redis is restarted without its data.
    #[serde(alias = "R9")]
    LoseRedisData {},
    /// R10: Redis runs out of memory and throws keys away (`maxmemory`, `allkeys-lru`).
    #[serde(alias = "R10")]
    EvictKeys {
        /// How much of what it holds now it may hold from now on, in percent.
        #[serde(default = "half")]
        keep_percent: u8,
    },
    /// R11: an unknown client writes into a counter.
    #[serde(alias = "R11")]
    OutsideWrites {
        /// Whose counter.
        key: String,
        /// The counter's window, in milliseconds.
        window_ms: u32,
        /// How many entries.
        #[serde(default = "some_entries")]
        entries: u32,
        /// The cost of each.
        #[serde(default = "one")]
        cost: u32,
    },
    /// R12: a stored limit is set too high by mistake.
    #[serde(alias = "R12")]
    RaiseLimit {
        /// Whose.
        key: String,
        /// How many times too high.
        #[serde(default = "ten")]
        factor: u32,
    },
    /// R13: one tenant asks far more than it may.
    #[serde(alias = "R13")]
    TenantBurst {
        /// Requests a second.
        #[serde(default = "burst_rate")]
        rate: u32,
        /// For how long, in seconds.
        #[serde(default = "thirty")]
        for_s: u32,
    },
    /// R14: others burn the processor time that one node may use.
    #[serde(alias = "R14")]
    HogCpu {
        /// Which.
        node: String,
        /// What the node and they may use together, in percent of one processor.
        #[serde(default = "five")]
        percent: u8,
    },
    /// H1: no fault at all: planned, harmless work.
    #[serde(alias = "H1")]
    PlannedWork {
        /// From piece to piece, in seconds.
        #[serde(default = "three")]
        every_s: u32,
        /// For how long, in seconds.
        #[serde(default = "ten_minutes")]
        for_s: u32,
    },
}

const fn thirty_seconds() -> u32 {
    30_000
}
const fn slow_round_trip() -> u32 {
    150
}
const fn half() -> u8 {
    50
}
const fn some_entries() -> u32 {
    40
}
const fn one() -> u32 {
    1
}
const fn ten() -> u32 {
    10
}
const fn five() -> u8 {
    5
}
const fn burst_rate() -> u32 {
    200
}
const fn three() -> u32 {
    3
}
const fn ten_minutes() -> u32 {
    600
}
const fn thirty() -> u32 {
    30
}

impl Fault {
    /// Reads a request, by name (`kill_node`) or number (`R1`).
    ///
    /// # Errors
    /// Says which parameter is missing, unknown or out of its bounds.
    pub fn parse(request: &FaultRequest) -> Result<Self, LabError> {
        let mut request = request.clone();
        if let Some(number) = request.kind.strip_prefix('r').filter(|rest| rest.bytes().all(|b| b.is_ascii_digit())) {
            request.kind = format!("R{number}");
        }
        let fault: Self = serde_json::to_value(&request)
            .and_then(serde_json::from_value)
            .map_err(|error| LabError::invalid(format!("fault {}", request.kind), error.to_string()))?;
        fault.check()?;
        Ok(fault)
    }

    fn check(&self) -> Result<(), LabError> {
        match self {
            Self::PauseRedisWrites { for_ms } => within("for_ms", *for_ms, 1, 600_000),
            Self::SlowLink { round_trip_ms, .. } => within("round_trip_ms", *round_trip_ms, 1, 60_000),
            Self::WrongConfig { default_limit, default_window_ms, .. } => {
                within("default_limit", default_limit.unwrap_or(1), 1, 1_000_000_000)?;
                within("default_window_ms", default_window_ms.unwrap_or(1), 1, 1_000_000_000)
            }
            Self::EvictKeys { keep_percent } => within("keep_percent", (*keep_percent).into(), 0, 100),
            Self::OutsideWrites { key, window_ms, entries, cost } => {
                check_key("key", key)?;
                within("window_ms", *window_ms, 1, 1_000_000_000)?;
                within("entries", *entries, 1, 10_000)?;
                within("cost", *cost, 1, 1_000_000_000)
            }
            Self::RaiseLimit { key, factor } => {
                check_key("key", key)?;
                within("factor", *factor, 2, 1_000_000)
            }
            Self::TenantBurst { rate, for_s } => {
                within("rate", *rate, 1, 100_000)?;
                within("for_s", *for_s, 1, 3_600)
            }
            Self::PlannedWork { every_s, for_s } => {
                within("every_s", *every_s, 1, 3_600)?;
                within("for_s", *for_s, 1, 3_600)
            }
            Self::HogCpu { percent, .. } => within("percent", (*percent).into(), 1, 100),
            Self::KillNode { .. }
            | Self::PauseNode { .. }
            | Self::KillRedis {}
            | Self::CutLink { .. }
            | Self::WrongRedis { .. }
            | Self::LoseRedisData {} => Ok(()),
        }
    }
}

fn within(field: &str, value: u32, min: u32, max: u32) -> Result<(), LabError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(LabError::invalid(field, format!("{min} to {max}, not {value}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_found_by_its_name_and_by_its_number() {
        for kind in ["slow_link", "R6", "r6"] {
            let fault = Fault::parse(&FaultRequest::new(kind).with("node", "node-2")).expect(kind);
            assert_eq!(fault, Fault::SlowLink { node: "node-2".to_owned(), round_trip_ms: 150 });
        }
    }

    #[test]
    fn every_described_fault_is_one_with_exactly_these_parameters() {
        for description in Fault::descriptions() {
            let mut request = FaultRequest::new(&description.id);
            for (name, meaning) in &description.params {
                let required = !meaning.ends_with(')');
                if required {
                    request = match name.as_str() {
                        "window_ms" => request.with(name, 60_000_i64),
                        _ => request.with(name, "node-1"),
                    };
                }
            }
            let fault = Fault::parse(&request).expect(&description.id);
            let wire = serde_json::to_value(&fault).expect("serializes");
            let mut names: Vec<_> = wire.as_object().expect("an object").keys().cloned().collect();
            assert_eq!(wire["kind"], description.kind.as_str());
            names.retain(|name| name != "kind");
            names.sort();
            assert_eq!(names, description.params.keys().cloned().collect::<Vec<_>>(), "{}", description.id);
            assert!(fault.to_string().starts_with(&format!("{}: ", description.id)));
        }
    }

    #[test]
    fn a_wrong_request_says_what_is_wrong() {
        let wrong = [
            (FaultRequest::new("R99"), "unknown variant `R99`"),
            (FaultRequest::new("kill_node"), "missing field `node`"),
            (FaultRequest::new("kill_redis").with("node", "node-1"), "unknown field `node`"),
            (FaultRequest::new("slow_link").with("node", "node-1").with("round_trip_ms", 0_i64), "1 to 60000, not 0"),
            (FaultRequest::new("raise_limit").with("key", ""), "a key of 1 to 512 bytes"),
        ];
        for (request, expected) in wrong {
            let error = Fault::parse(&request).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
