//! What may be asked of PD, and what it answers: word for word as a real one did, where that is known.

use serde_json::Value;

use super::limits::UNLIMITED;
use super::operator::Kind;
use super::scheduler::{BALANCE_LEADER, BALANCE_REGION, EVICT_LEADER, Schedulers};
use super::{Simulator, timing};

/// PD did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A status, and a sentence.
    Said(u16, String),
    /// Status 400, and what is wrong with the input.
    Input(String),
    /// A status, and `null`.
    Null(u16),
}

type Answer = Result<Value, Refusal>;

fn said<T>(status: u16, text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Said(status, text.into()))
}

fn done(text: &str) -> Answer {
    Ok(Value::from(text))
}

impl Simulator {
    fn region_of(&self, body: &Value, key: &str) -> Result<u32, Refusal> {
        let Some(id) = body.get(key).and_then(Value::as_u64) else {
            return said(400, format!("missing {} id", if key == "region_id" { "region" } else { key }));
        };
        self.regions
            .find(id)
            .map_or_else(|| said(500, format!("[PD:region:ErrRegionNotFound]region {id} not found")), Ok)
    }

    fn store_of(&self, body: &Value, key: &str) -> Result<u16, Refusal> {
        let Some(id) = body.get(key).and_then(Value::as_u64) else { return said(400, "missing store id") };
        self.store_by_id(id).map_or_else(
            || said(500, format!("[PD:core:ErrStoreNotFound]store {id} not found")),
            |index| Ok(index as u16),
        )
    }

    /// `POST /operators`.
    pub(crate) fn create_operator(&mut self, body: &Value) -> Answer {
        let Some(name) = body.get("name").and_then(Value::as_str) else { return said(400, "missing operator name") };
        let region_key = if name == "merge-region" { "source_region_id" } else { "region_id" };
        const KNOWN: [&str; 7] = [
            "transfer-leader",
            "transfer-peer",
            "add-peer",
            "add-learner",
            "split-region",
            "merge-region",
            "scatter-region",
        ];
        if !KNOWN.contains(&name) {
            return said(400, "unknown operator");
        }
        let region = self.region_of(body, region_key)?;
        let (desc, class, kind) = match name {
            "transfer-leader" => {
                let Some(id) = body.get("to_store_id").and_then(Value::as_u64) else {
                    return said(400, "missing store id to transfer leader to");
                };
                let to = self.store_by_id(id).map(|index| index as u16);
                let it = self.regions.get(region);
                let voter = to.filter(|&to| it.peers.iter().any(|peer| peer.store == to && !peer.learner));
                let Some(to) = voter else { return said(500, format!("region has no voter in store {id}")) };
                let Some(from) = it.known else {
                    return said(500, "[PD:region:ErrRegionNoLeader]region has no leader");
                };
                ("admin-transfer-leader", "admin,leader", Kind::TransferLeader { from, to })
            }
            "transfer-peer" => {
                let (from, to) = (self.store_of(body, "from_store_id")?, self.store_of(body, "to_store_id")?);
                let target = &self.stores[usize::from(to)];
                if target.record.state != 0 || self.now - target.record.last_heartbeat > timing::UNHEALTHY {
                    return said(500, format!("[PD:core:ErrStoreUnhealthy]store {} is unhealthy", target.id));
                }
                let peers = &self.regions.get(region).peers;
                if !peers.iter().any(|peer| peer.store == from) {
                    return said(500, format!("region has no peer in store {}", self.stores[usize::from(from)].id));
                }
                if peers.iter().any(|peer| peer.store == to) {
                    return said(500, format!("region already has peer in store {}", target.id));
                }
                ("admin-move-peer", "admin,region", Kind::MovePeer { from, to })
            }
            "add-peer" | "add-learner" => {
                ("admin-add-peer", "admin,region", Kind::AddPeer { to: self.store_of(body, "store_id")? })
            }
            "split-region" => ("admin-split-region", "admin,split", Kind::Split),
            "merge-region" => {
                self.region_of(body, "target_region_id")?;
                ("admin-merge-region", "admin,merge", Kind::Merge)
            }
            _ => {
                if self.operators.of(region).is_some() {
                    let id = self.regions.get(region).id;
                    return said(500, format!("the operator of region {id} already exist"));
                }
                let to =
                    self.regions.get(region).peers.iter().map(|peer| peer.store).find(|&store| {
                        self.regions.get(region).leader != Some(store) && self.takes_leaders(store.into())
                    });
                let Some(to) = to else { return done("The operator is created.") };
                ("scatter-region", "admin,region", Kind::Scatter { to })
            }
        };
        if self.dispatch(desc, class, region, kind) {
            done("The operator is created.")
        } else {
            said(500, "[PD:operator:ErrAddOperator]failed to add operator, maybe already have one")
        }
    }

    /// `DELETE /operators/{region}`.
    pub(crate) fn cancel_operator(&mut self, region: u64) -> Answer {
        match self.regions.find(region) {
            Some(index) if self.cancel(index) => done("The pending operator is canceled."),
            _ => said(500, "[PD:operator:ErrOperatorNotFound]operator not found"),
        }
    }

    /// `POST /schedulers`.
    pub(crate) fn add_scheduler(&mut self, body: &Value) -> Answer {
        let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
        if !Schedulers::known(name) {
            return said(400, "unknown scheduler");
        }
        if name == EVICT_LEADER {
            let Some(id) = body.get("store_id").and_then(Value::as_u64) else { return said(400, "missing store id") };
            if self.store_by_id(id).is_none() {
                return said(400, format!("[PD:core:ErrStoreNotFound]store {id} not found"));
            }
            let applied = self.schedulers.present.contains_key(EVICT_LEADER);
            self.evict_by_request(id);
            let answer =
                if applied { "The scheduler has been applied to the store." } else { "The scheduler is created." };
            return done(answer);
        }
        if self.schedulers.present.contains_key(name) {
            return said(500, "[PD:scheduler:ErrSchedulerExisted]scheduler existed");
        }
        self.schedulers.present.insert(name.to_owned(), 0);
        done("The scheduler is created.")
    }

    /// `DELETE /schedulers/{name}`.
    pub(crate) fn remove_scheduler(&mut self, name: &str) -> Answer {
        if let Some(store) = name.strip_prefix("evict-leader-scheduler-") {
            let was = store.parse().is_ok_and(|id| self.end_eviction(id));
            return if was { Ok(Value::Null) } else { Err(Refusal::Null(404)) };
        }
        if self.schedulers.present.remove(name).is_none() {
            return Err(Refusal::Null(404));
        }
        if name == EVICT_LEADER {
            self.schedulers.evicted.clear();
        }
        done("The scheduler is removed.")
    }

    /// `POST /schedulers/{name}`: pauses it for so many seconds; 0 lets it go on.
    pub(crate) fn pause_scheduler(&mut self, name: &str, body: &Value) -> Answer {
        let Some(delay) = body.get("delay").and_then(Value::as_i64) else { return said(400, "missing pause time") };
        let until = if delay > 0 { self.now + delay.saturating_mul(1_000) } else { 0 };
        match self.schedulers.present.get_mut(name) {
            Some(paused) => *paused = until,
            None if name == "all" => {
                for paused in self.schedulers.present.values_mut() {
                    *paused = until;
                }
            }
            None => return said(404, "[PD:scheduler:ErrSchedulerNotFound]scheduler not found"),
        }
        done("Pause or resume the scheduler successfully.")
    }

    /// `POST /checker/{name}`.
    pub(crate) fn pause_checker(&mut self, name: &str, body: &Value) -> Answer {
        let Some(delay) = body.get("delay").and_then(Value::as_i64) else { return said(400, "missing pause time") };
        const KNOWN: [&str; 7] = ["learner", "replica", "rule", "split", "merge", "joint-state", "affinity"];
        if !KNOWN.contains(&name) {
            return said(404, "[PD:checker:ErrCheckerNotFound]checker not found");
        }
        self.schedulers.paused_checkers.insert(name.to_owned(), self.now + delay.max(0).saturating_mul(1_000));
        done("Pause or resume the checker successfully.")
    }

    /// The store of a path, or PD's word that there is none.
    pub(crate) fn store_in_path(&self, text: &str) -> Result<usize, Refusal> {
        let id: u64 = text
            .parse()
            .map_err(|_| Refusal::Input(format!("strconv.ParseUint: parsing {}: invalid syntax", Value::from(text))))?;
        self.store_by_id(id).map_or_else(|| said(404, format!("[PD:core:ErrStoreNotFound]store {id} not found")), Ok)
    }

    /// `POST /store/{id}/limit`.
    pub(crate) fn set_limit(&mut self, store: usize, body: &Value) -> Answer {
        if body.get("ttlSecond").is_some() {
            return said(400, "ttlSecond is deprecated");
        }
        if self.settings.schedule.get("store-limit-version").is_some_and(|version| version == "v2") {
            return said(400, "current store limit version is not v1");
        }
        let rate = body.get("rate").and_then(Value::as_f64).filter(|rate| *rate > 0.0);
        let Some(rate) = rate else { return said(400, "invalid rate which should be larger than 0") };
        let limits = &mut self.stores[store].record.limits;
        match body.get("type").and_then(Value::as_str) {
            Some("add-peer") => limits.0 = rate,
            Some("remove-peer") => limits.1 = rate,
            Some(_) => return said(400, "unknown type"),
            None => *limits = (rate, rate),
        }
        done("The store's limit is updated.")
    }

    /// `POST /store/{id}/weight`.
    pub(crate) fn set_weight(&mut self, store: usize, body: &Value) -> Answer {
        let weight = |key: &str| body.get(key).and_then(Value::as_f64);
        let (Some(leader), Some(region)) = (weight("leader"), weight("region")) else {
            return said(400, "leader weight unset");
        };
        if leader < 0.0 || region < 0.0 {
            return said(400, "bad format leader weight");
        }
        self.stores[store].record.weights = (leader, region);
        done("The store's weight is updated.")
    }

    /// `POST /store/{id}/label`; with `replace`, all others go.
    pub(crate) fn set_labels(&mut self, store: usize, body: &Value, replace: bool) -> Answer {
        let Some(given) = body.as_object() else { return said(400, "labels must be an object") };
        let labels = &mut self.stores[store].labels;
        if replace {
            labels.clear();
        }
        for (key, value) in given {
            let value = value.as_str().unwrap_or_default().to_owned();
            match labels.iter_mut().find(|(name, _)| name == key) {
                Some(label) => label.1 = value,
                None => labels.push((key.clone(), value)),
            }
        }
        done("The store's label is updated.")
    }

    /// `DELETE /store/{id}`. Dead stores count as up here, as they do in PD.
    pub(crate) fn take_offline(&mut self, store: usize, destroyed: bool) -> Answer {
        let id = self.stores[store].id;
        if self.stores[store].record.state == 2 {
            return said(410, format!("[PD:core:ErrStoreRemoved]the store {id} has been removed"));
        }
        let others = self
            .stores
            .iter()
            .enumerate()
            .filter(|(index, other)| *index != store && other.joined && other.record.state == 0);
        let (up, need) = (others.count(), self.settings.replicas as usize);
        if up < need {
            return said(
                400,
                format!(
                    "[PD:core:ErrStoresNotEnough]can not remove store {id} since the number of up stores would be {up} while need {need}"
                ),
            );
        }
        let size = self.regions.held(store).size as f64;
        let now = self.now;
        let record = &mut self.stores[store].record;
        if record.state == 0 {
            record.limits_before = Some(record.limits);
            (record.state, record.node_state, record.removing_from, record.state_since) = (1, 2, size, now);
            record.limits.1 = UNLIMITED;
        }
        record.destroyed |= destroyed;
        done("The store is set as Offline.")
    }

    /// `POST /store/{id}/state?state=…`.
    pub(crate) fn set_state(&mut self, store: usize, state: &str) -> Answer {
        let id = self.stores[store].id;
        match state {
            "Offline" => return self.take_offline(store, false),
            "Up" => {}
            other => return said(400, format!("invalid state {other}")),
        }
        let now = self.now;
        let record = &mut self.stores[store].record;
        if record.state == 2 {
            return said(410, format!("[PD:core:ErrStoreRemoved]the store {id} has been removed"));
        }
        if record.destroyed {
            return said(400, format!("[PD:core:ErrStoreDestroyed]store {id} has been physically destroyed"));
        }
        (record.state, record.node_state, record.state_since) = (0, 1, now);
        if let Some(before) = record.limits_before.take() {
            record.limits = before;
        }
        done("The store's state is updated.")
    }

    /// `POST /config`, one key after the other: what came before the first wrong one stays changed.
    pub(crate) fn change_settings(&mut self, body: &Value) -> Answer {
        let Some(given) = body.as_object() else { return said(400, "config must be an object") };
        for (key, value) in given {
            self.settings.set(key, value).map_err(|why| Refusal::Said(400, why))?;
        }
        done("The config is updated.")
    }

    /// `POST /leader/transfer/{name}` and `POST /leader/resign`.
    pub(crate) fn transfer_pd_leader(&mut self, to: Option<&str>) -> Answer {
        match to {
            None if self.members.len() < 2 => said(500, "no valid pd to transfer etcd leader"),
            None => {
                self.hand_over(None);
                done("The resign command is submitted.")
            }
            Some(name) => match self.member_by_name(name) {
                Some(index) if self.members[index].works(self.now) => {
                    self.hand_over(Some(index));
                    done("The transfer command is submitted.")
                }
                _ => said(500, "no valid pd to transfer etcd leader"),
            },
        }
    }

    /// What the diagnosis of a balancing scheduler says: its status and a sentence.
    pub(crate) fn diagnosis(&self, name: &str) -> Option<(&'static str, &'static str)> {
        if ![BALANCE_LEADER, BALANCE_REGION].contains(&name) {
            return None;
        }
        let limit = if name == BALANCE_LEADER { "leader-schedule-limit" } else { "region-schedule-limit" };
        let moving = self.operators.count(|operator| operator.moves_leader() == (name == BALANCE_LEADER));
        Some(match self.schedulers.present.get(name) {
            None => ("disabled", "the scheduler does not exist"),
            Some(&until) if until > self.now => ("paused", "the scheduler is paused"),
            _ if self.settings.flag("halt-scheduling") => ("halted", "the scheduling is halted"),
            _ if self.settings.limit(limit) == 0 => ("pending", "the scheduler reaches its limit"),
            _ if moving > 0 => ("scheduling", ""),
            _ => ("normal", ""),
        })
    }
}
