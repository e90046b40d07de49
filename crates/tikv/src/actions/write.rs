//! Every request that can change anything at PD. What has no variant here cannot be sent: no removal by force, no removal
//! of all drains or all operators at once, no adding or removing of single peers, no halting of scheduling, nothing below
//! `/admin`, no removal of a member, no weight of zero.

use std::fmt;

use serde_json::{Value, json};

use super::settings::Assignment;
use crate::pd::{Call, Method};

/// A scheduler that PD has by default. Others are not touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheduler {
    BalanceLeader,
    BalanceRegion,
    BalanceHotRegion,
    EvictSlowStore,
}

impl Scheduler {
    pub(crate) const ALL: [Self; 4] =
        [Self::BalanceLeader, Self::BalanceRegion, Self::BalanceHotRegion, Self::EvictSlowStore];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BalanceLeader => "balance-leader-scheduler",
            Self::BalanceRegion => "balance-region-scheduler",
            Self::BalanceHotRegion => "balance-hot-region-scheduler",
            Self::EvictSlowStore => "evict-slow-store-scheduler",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheduler| scheduler.name() == name)
    }
}

/// A checker of PD that may be paused: those that neither replace replicas nor place them by rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checker {
    Merge,
    Split,
}

impl Checker {
    pub(crate) const ALL: [Self; 2] = [Self::Merge, Self::Split];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Split => "split",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|checker| checker.name() == name)
    }
}

/// How a region is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SplitPolicy {
    /// In the middle of its data, which is read for it.
    Scan,
    /// About the middle, by what is known of its files.
    Approximate,
}

impl SplitPolicy {
    pub(crate) const ALL: [Self; 2] = [Self::Approximate, Self::Scan];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Approximate => "approximate",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }
}

/// Which way peers move that a store's limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limited {
    AddPeer,
    RemovePeer,
}

impl Limited {
    pub(crate) const ALL: [Self; 2] = [Self::AddPeer, Self::RemovePeer];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AddPeer => "add-peer",
            Self::RemovePeer => "remove-peer",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|limited| limited.name() == name)
    }
}

/// A weight of a store. Zero would move everything away from it, and far from one moves very much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Weight(f64);

impl Weight {
    pub(crate) const MIN: f64 = 0.5;
    pub(crate) const MAX: f64 = 2.0;

    pub(crate) fn new(weight: f64) -> Option<Self> {
        (Self::MIN..=Self::MAX).contains(&weight).then_some(Self(weight))
    }

    pub(crate) fn get(self) -> f64 {
        self.0
    }
}

/// The name of a member of PD, of characters that mean nothing in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MemberName(String);

impl MemberName {
    pub(crate) fn new(name: &str) -> Option<Self> {
        let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let named = (1..=128).contains(&name.len()) && name.chars().all(sound) && name.chars().any(|c| c != '.');
        named.then(|| Self(name.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// One request that changes something.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Write {
    TransferLeader { region: u64, to: u64 },
    TransferPeer { region: u64, from: u64, to: u64 },
    SplitRegion { region: u64, policy: SplitPolicy },
    MergeRegion { source: u64, into: u64 },
    ScatterRegion { region: u64 },
    CancelOperator { region: u64 },
    Drain { store: u64 },
    Undrain { store: u64 },
    PauseScheduler { scheduler: Scheduler, seconds: u32 },
    ResumeScheduler { scheduler: Scheduler },
    AddScheduler { scheduler: Scheduler },
    PauseChecker { checker: Checker, seconds: u32 },
    ResumeChecker { checker: Checker },
    StoreLimit { store: u64, limited: Limited, rate: u32 },
    StoreWeight { store: u64, leader: Weight, region: Weight },
    Configure(Assignment),
    Offline { store: u64 },
    CancelOffline { store: u64 },
    MovePdLeader { to: MemberName },
    ResignPdLeader,
}

impl Write {
    /// The request as it is sent on behalf of an intent: verb, path with the one query string there is, and body.
    pub(crate) fn call(&self, intent: &str) -> Call {
        let call = |method, path: &str, body| Call {
            method,
            path: format!("/pd/api/v1{path}"),
            body,
            intent: intent.to_owned(),
        };
        let post = |path: &str, body: Value| call(Method::Post, path, Some(body));
        let operator = |body: Value| post("/operators", body);
        match self {
            Self::TransferLeader { region, to } => {
                operator(json!({ "name": "transfer-leader", "region_id": region, "to_store_id": to }))
            }
            Self::TransferPeer { region, from, to } => operator(
                json!({ "name": "transfer-peer", "region_id": region, "from_store_id": from, "to_store_id": to }),
            ),
            Self::SplitRegion { region, policy } => {
                operator(json!({ "name": "split-region", "region_id": region, "policy": policy.name() }))
            }
            Self::MergeRegion { source, into } => {
                operator(json!({ "name": "merge-region", "source_region_id": source, "target_region_id": into }))
            }
            Self::ScatterRegion { region } => operator(json!({ "name": "scatter-region", "region_id": region })),
            Self::CancelOperator { region } => call(Method::Delete, &format!("/operators/{region}"), None),
            Self::Drain { store } => {
                post("/schedulers", json!({ "name": "evict-leader-scheduler", "store_id": store }))
            }
            Self::Undrain { store } => {
                call(Method::Delete, &format!("/schedulers/evict-leader-scheduler-{store}"), None)
            }
            Self::PauseScheduler { scheduler, seconds } => {
                post(&format!("/schedulers/{}", scheduler.name()), json!({ "delay": seconds }))
            }
            Self::ResumeScheduler { scheduler } => {
                post(&format!("/schedulers/{}", scheduler.name()), json!({ "delay": 0 }))
            }
            Self::AddScheduler { scheduler } => post("/schedulers", json!({ "name": scheduler.name() })),
            Self::PauseChecker { checker, seconds } => {
                post(&format!("/checker/{}", checker.name()), json!({ "delay": seconds }))
            }
            Self::ResumeChecker { checker } => post(&format!("/checker/{}", checker.name()), json!({ "delay": 0 })),
            Self::StoreLimit { store, limited, rate } => {
                post(&format!("/store/{store}/limit"), json!({ "type": limited.name(), "rate": rate }))
            }
            Self::StoreWeight { store, leader, region } => {
                post(&format!("/store/{store}/weight"), json!({ "leader": leader.get(), "region": region.get() }))
            }
            Self::Configure(assignment) => post("/config", json!({ assignment.key(): assignment.json() })),
            Self::Offline { store } => call(Method::Delete, &format!("/store/{store}"), None),
            Self::CancelOffline { store } => call(Method::Post, &format!("/store/{store}/state?state=Up"), None),
            Self::MovePdLeader { to } => call(Method::Post, &format!("/leader/transfer/{}", to.as_str()), None),
            Self::ResignPdLeader => call(Method::Post, "/leader/resign", None),
        }
    }
}

/// As it is sent: `POST /pd/api/v1/operators {"name":…}`.
impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call("").fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_as_it_is_sent() {
        let shown = |write: Write| write.to_string();
        assert_eq!(
            shown(Write::TransferLeader { region: 333, to: 3 }),
            r#"POST /pd/api/v1/operators {"name":"transfer-leader","region_id":333,"to_store_id":3}"#
        );
        assert_eq!(shown(Write::Undrain { store: 4 }), "DELETE /pd/api/v1/schedulers/evict-leader-scheduler-4");
        assert_eq!(shown(Write::Offline { store: 4 }), "DELETE /pd/api/v1/store/4");
        assert_eq!(shown(Write::CancelOffline { store: 4 }), "POST /pd/api/v1/store/4/state?state=Up");
    }

    #[test]
    fn a_weight_of_zero_and_a_name_with_a_path_in_it_cannot_be_made() {
        for weight in [0.0, -0.0, 0.49, 2.01, f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(Weight::new(weight), None, "{weight}");
        }
        for name in ["", ".", "..", "a/b", "../x", "a?b", "a#b", "a b", "a%2fb", "ä", "a\n"] {
            assert_eq!(MemberName::new(name), None, "{name:?}");
        }
        assert!(MemberName::new("basic-pd-0.peer").is_some());
    }
}
