//! The questions, one by one.

use std::collections::BTreeMap;
use std::future::Future;

use operator_protocols::{Timestamp, Unavailable};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Diagnostic, OperatorStatus, Part, Peer, Progress, Record, Region, Replication, Role};
use crate::actions::verdict::Read;
use crate::actions::write::{Checker, Scheduler};
use crate::details::{LimitDetail, NodeState, OperatorDetail, RuleDetail, StoreDetail, StoreState};
use crate::pd::{PdClient, PdError, api};

/// More operators and records are not kept.
const MAX_OPERATORS: usize = 2_000;
/// The progress of more stores is not asked for.
const MAX_PROGRESS: usize = 16;
/// Records of so many seconds are asked for: PD keeps no older ones.
const RECORDS_S: i64 = 600;

/// Which schedulers rest, by what for.
#[derive(Debug, Clone, Default)]
pub(super) struct Resting {
    pub(super) paused: Vec<String>,
    pub(super) disabled: Vec<String>,
}

/// Puts questions to PD: each gives its answer, or why there is none.
pub(super) struct Ask<'a> {
    pub(super) pd: &'a PdClient,
    pub(super) parts: &'a [Part],
}

impl Ask<'_> {
    pub(super) async fn when<T>(&self, part: Part, otherwise: Read<T>, ask: impl Future<Output = Read<T>>) -> Read<T> {
        if self.parts.contains(&part) { ask.await } else { otherwise }
    }

    pub(super) async fn one<T: DeserializeOwned>(&self, what: &str, path: &str) -> Read<T> {
        self.pd.get(&full(path)).await.map_err(|error| error.unavailable(what))
    }

    pub(super) async fn optional<T: DeserializeOwned>(&self, what: &str, path: &str) -> Read<Option<T>> {
        self.pd.get_optional(&full(path)).await.map_err(|error| error.unavailable(what))
    }

    /// A list, for which Go may write `null`.
    pub(super) async fn list<T: DeserializeOwned>(&self, what: &str, path: &str) -> Read<Vec<T>> {
        Ok(self.one::<Option<Vec<T>>>(what, path).await?.unwrap_or_default())
    }

    pub(super) async fn replication(&self) -> Read<Replication> {
        let what = "the placement of replicas";
        let told: api::Replicate = self.one(what, "/config/replicate").await?;
        let rules = match told.enable_placement_rules.is_on() {
            Some(true) => {
                let rules: Vec<api::Rule> = self.list("the placement rules", "/config/rules").await?;
                rules.into_iter().map(of_rule).collect()
            }
            Some(false) => {
                let name = "max-replicas".to_owned();
                vec![RuleDetail { name, role: "voter".to_owned(), count: told.max_replicas, constraints: Vec::new() }]
            }
            None => return Err(Unavailable::new(what, "PD does not say whether placement rules are on")),
        };
        let isolation_level = Some(told.isolation_level.clone()).filter(|level| !level.is_empty());
        Ok(Replication { rules, location_labels: told.labels(), isolation_level })
    }

    pub(super) async fn resting(&self) -> Read<Resting> {
        let (paused, disabled) = tokio::join!(
            self.list("the paused schedulers", "/schedulers?status=paused"),
            self.list("the disabled schedulers", "/schedulers?status=disabled"),
        );
        Ok(Resting { paused: paused?, disabled: disabled? })
    }

    pub(super) async fn checkers(&self) -> Read<BTreeMap<String, bool>> {
        #[derive(Deserialize)]
        struct Rests {
            paused: bool,
        }
        let mut found = BTreeMap::new();
        for checker in Checker::ALL {
            let path = format!("/checker/{}", checker.name());
            let rests: Rests = self.one("the checkers", &path).await?;
            found.insert(checker.name().to_owned(), rests.paused);
        }
        Ok(found)
    }

    pub(super) async fn settings(&self) -> Read<BTreeMap<String, String>> {
        let told: BTreeMap<String, api::Setting> = self.one("PD's settings", "/config/schedule").await?;
        Ok(api::flattened(&told).collect())
    }

    pub(super) async fn limits(&self) -> Read<Option<BTreeMap<u64, LimitDetail>>> {
        let told: BTreeMap<u64, api::Limits> = match self.pd.get(&full("/stores/limit")).await {
            Ok(told) => told,
            // So PD answers where stores limit themselves (`server/api/store.go`).
            Err(PdError::Refused { status: 400, .. }) => return Ok(None),
            Err(error) => return Err(error.unavailable("the stores' limits")),
        };
        let limit = |limits: api::Limits| LimitDetail { add_peer: limits.add_peer, remove_peer: limits.remove_peer };
        Ok(Some(told.into_iter().map(|(id, limits)| (id, limit(limits))).collect()))
    }

    pub(super) async fn operators(&self) -> Read<Vec<OperatorDetail>> {
        let told: Vec<api::Operator> = self.list("the operators", "/operators").await?;
        let detail = |one: api::Operator| OperatorDetail { desc: one.desc, brief: one.brief, region: one.region };
        Ok(told.into_iter().take(MAX_OPERATORS).map(detail).collect())
    }

    pub(super) async fn records(&self, at: Timestamp) -> Read<Vec<Record>> {
        let from = (at.as_millis() / 1_000).saturating_sub(RECORDS_S);
        let told: Vec<api::Operator> =
            self.list("the ended operators", &format!("/operators/records?from={from}")).await?;
        let record =
            |one: api::Operator| Record { desc: one.desc, region: one.region, finished: one.ending == "finished" };
        Ok(told.into_iter().take(MAX_OPERATORS).map(record).collect())
    }

    pub(super) async fn abnormal(&self) -> Read<BTreeMap<String, u64>> {
        let mut counts = BTreeMap::new();
        for word in ["miss-peer", "down-peer"] {
            let what = format!("the regions that are {word}");
            let path = full(&format!("/regions/check/{word}"));
            let (text, _) = self.pd.get_beginning(&path).await.map_err(|error| error.unavailable(&*what))?;
            let list = api::beginning(&text).ok_or_else(|| Unavailable::new(what, "PD's answer is no list"))?;
            counts.insert(word.to_owned(), list.count);
        }
        Ok(counts)
    }

    pub(super) async fn hot(&self) -> Read<BTreeMap<u64, f64>> {
        let (written, read) = tokio::join!(
            self.one::<api::HotRegions>("the hot regions", "/hotspot/regions/write"),
            self.one::<api::HotRegions>("the hot regions", "/hotspot/regions/read"),
        );
        let mut hot = BTreeMap::new();
        for told in [written?, read?] {
            for peers in told.as_leader.into_values().chain(told.as_peer.into_values()) {
                for region in peers.statistics {
                    let bytes: &mut f64 = hot.entry(region.region_id).or_default();
                    *bytes = bytes.max(region.flow_bytes);
                }
            }
        }
        Ok(hot)
    }

    pub(super) async fn diagnostics(&self) -> Read<BTreeMap<String, Diagnostic>> {
        let mut found = BTreeMap::new();
        for scheduler in [Scheduler::BalanceRegion, Scheduler::BalanceLeader] {
            let path = format!("/schedulers/diagnostic/{}", scheduler.name());
            // Diagnosis may be off, or not be there yet: then there is nothing to say.
            if let Some(told) = self.optional::<api::Diagnostic>("the diagnosis", &path).await.ok().flatten() {
                let diagnostic = Diagnostic { status: told.status, summary: told.summary };
                found.insert(scheduler.name().to_owned(), diagnostic);
            }
        }
        Ok(found)
    }

    pub(super) async fn progress(&self, stores: &Read<BTreeMap<u64, StoreDetail>>) -> Read<BTreeMap<u64, Progress>> {
        let changing =
            |store: &&StoreDetail| store.state == StoreState::Offline || store.node_state == NodeState::Preparing;
        let mut found = BTreeMap::new();
        for store in stores.as_ref().map_err(Clone::clone)?.values().filter(changing).take(MAX_PROGRESS) {
            let path = format!("/stores/progress?id={}", store.id);
            if let Some(told) = self.optional::<api::Progress>("the progress of removals", &path).await? {
                let progress = Progress {
                    action: told.action,
                    done: told.progress,
                    speed: told.current_speed,
                    left_s: told.left_seconds,
                };
                found.insert(store.id, progress);
            }
        }
        Ok(found)
    }

    pub(super) async fn region(&self, id: u64) -> Read<Option<Region>> {
        let told: Option<api::Region> = self.optional(&format!("region {id}"), &format!("/region/id/{id}")).await?;
        match told {
            Some(told) if told.id != id => {
                Err(Unavailable::new(format!("region {id}"), format!("PD answers with region {}", told.id)))
            }
            told => Ok(told.map(of_region)),
        }
    }

    pub(super) async fn operator_of(&self, id: u64) -> Read<Option<OperatorStatus>> {
        let what = format!("what PD does with region {id}");
        let told: String = match self.pd.get(&full(&format!("/operators/{id}"))).await {
            Ok(told) => told,
            Err(PdError::Failed { body, .. }) if body.contains("ErrOperatorNotFound") => return Ok(None),
            Err(error) => return Err(error.unavailable(what)),
        };
        let (status, operator) = api::operator_status(&told)
            .ok_or_else(|| Unavailable::new(what, "PD's answer has another shape than it should"))?;
        Ok(Some(OperatorStatus { status, desc: operator.desc }))
    }
}

fn full(path: &str) -> String {
    format!("/pd/api/v1{path}")
}

fn of_rule(rule: api::Rule) -> RuleDetail {
    let constraint = |one: api::LabelConstraint| (one.key, one.op, one.values);
    RuleDetail {
        name: format!("{}/{}", rule.group_id, rule.id),
        role: rule.role,
        count: rule.count,
        constraints: rule.label_constraints.into_iter().map(constraint).collect(),
    }
}

fn of_region(told: api::Region) -> Region {
    let leader = told.leader_store();
    let role = |peer: &api::Peer| match peer.role_name.as_str() {
        "IncomingVoter" | "DemotingVoter" => Role::Changing,
        _ if peer.votes() => Role::Voter,
        _ => Role::Learner,
    };
    Region {
        id: told.id,
        start_key: told.start_key,
        end_key: told.end_key,
        conf_ver: told.epoch.conf_ver,
        version: told.epoch.version,
        peers: told.peers.iter().map(|peer| Peer { store: peer.store_id, role: role(peer) }).collect(),
        leader,
        down: told.down_peers.iter().map(|down| down.peer.store_id).collect(),
        pending: told.pending_peers.iter().map(|peer| peer.store_id).collect(),
        size_mib: told.approximate_size,
        keys: told.approximate_keys,
    }
}
