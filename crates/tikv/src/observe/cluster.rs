//! The cluster as a whole, out of what PD said.

use std::collections::BTreeMap;

use operator_protocols::{Observation, Timestamp, Unavailable};

use super::memory::Memory;
use super::reading::{EVICT_LEADER, Reading};
use crate::details::{
    ClusterDetail, DrainDetail, LimitDetail, OperatorDetail, RuleDetail, SchedulerDetail, StoreDetail,
};
use crate::pd::{PdError, api};

/// More operators are counted, not kept.
const MAX_OPERATORS: usize = 300;
/// More rules than anybody reads.
const MAX_RULES: usize = 200;

/// What PD says of the whole; and the stores, if it tells them.
pub(super) fn read(
    reading: &mut Reading,
    memory: &Memory,
    at: Timestamp,
    observation: &mut Observation,
) -> (ClusterDetail, Option<BTreeMap<u64, StoreDetail>>) {
    let mut cluster = ClusterDetail::default();
    let told = match std::mem::replace(&mut reading.stores, Err(PdError::NotBootstrapped)) {
        Ok(answer) => super::stores::told(answer),
        Err(PdError::NotBootstrapped) => {
            cluster.empty = true;
            Ok(BTreeMap::new())
        }
        Err(error) => {
            cluster.timed_out = matches!(error, PdError::Timeout { .. });
            Err(error.to_string())
        }
    };
    who_leads(reading, &mut cluster, observation);
    let stores = match told {
        Ok(stores) => stores,
        Err(why) => {
            observation.unavailable.push(Unavailable::new("PD's leader", &why));
            cluster.silence = Some(why);
            // Who leads is known from before, so that its silence has a place.
            cluster.leader = cluster.leader.or_else(|| memory.leader.clone());
            return (cluster, None);
        }
    };
    cluster.answers = true;
    let mut part = Parts { observation };
    cluster.initialized = part.of("whether PD has heard of all regions", &reading.status).map(|s| s.is_initialized);
    settings(reading, &mut cluster, &mut part);
    schedulers(reading, &mut cluster, memory, at, &mut part);
    limits(reading, &mut cluster, &mut part);
    operators(reading, &mut cluster, &mut part);
    cluster.hot_writes = part.of("the hot regions of writes", &reading.hot_writes).and_then(super::hot::detail);
    cluster.hot_reads = part.of("the hot regions of reads", &reading.hot_reads).and_then(super::hot::detail);
    if let Some(Err(error)) = &reading.stats {
        part.missing("the number of regions", error);
    }
    let counted = reading.stats.as_ref().and_then(|stats| stats.as_ref().ok()).map(|stats| stats.count);
    cluster.region_count = counted.or(memory.region_count).filter(|_| cluster.initialized != Some(false));
    for (id, progress) in &reading.progress {
        if let Ok(Some(progress)) = progress
            && progress.progress.is_finite()
            && progress.left_seconds.is_finite()
        {
            cluster.removing.insert(*id, (progress.progress, progress.left_seconds));
        }
    }
    (cluster, Some(stores))
}

/// Reads parts; what could not be read is said.
struct Parts<'a> {
    observation: &'a mut Observation,
}

impl Parts<'_> {
    fn of<'a, T>(&mut self, what: &str, answer: &'a Result<T, PdError>) -> Option<&'a T> {
        match answer {
            Ok(told) => Some(told),
            Err(error) => {
                self.missing(what, error);
                None
            }
        }
    }

    fn missing(&mut self, what: &str, error: &PdError) {
        // An empty cluster has none of it.
        if *error != PdError::NotBootstrapped {
            self.observation.unavailable.push(error.unavailable(what));
        }
    }
}

fn who_leads(reading: &Reading, cluster: &mut ClusterDetail, observation: &mut Observation) {
    match &reading.members {
        Ok(members) => {
            let name = |member: &api::Member| Some(member.name.clone()).filter(|name| !name.is_empty());
            cluster.cluster_id = Some(members.header.cluster_id).filter(|id| *id > 0);
            cluster.leader = members.leader.as_ref().and_then(name);
            cluster.etcd_leader = members.etcd_leader.as_ref().and_then(name);
        }
        Err(error) => observation.unavailable.push(error.unavailable("the members of PD")),
    }
}

fn settings(reading: &Reading, cluster: &mut ClusterDetail, part: &mut Parts<'_>) {
    if let Some(schedule) = part.of("PD's settings", &reading.schedule) {
        cluster.settings.extend(api::flattened(schedule));
        cluster.limits_are_v2 = cluster.settings.get("store-limit-version").is_some_and(|version| version == "v2");
        cluster.max_store_down_s = cluster.settings.get("max-store-down-time").and_then(|text| api::go_duration(text));
    }
    let Some(replicate) = part.of("the placement of replicas", &reading.replicate) else { return };
    cluster.location_labels = replicate.labels();
    let mut set = |name: &str, value: String| cluster.settings.insert(name.to_owned(), value);
    set("max-replicas", replicate.max_replicas.to_string());
    set("location-labels", replicate.location_labels.clone());
    set("isolation-level", replicate.isolation_level.clone());
    let by_rules = replicate.enable_placement_rules.is_on();
    if let Some(on) = by_rules {
        set("enable-placement-rules", on.to_string());
    }
    if by_rules == Some(false) {
        cluster.replicas = Some(replicate.max_replicas).filter(|replicas| *replicas > 0);
        return;
    }
    match part.of("the placement rules", &reading.rules) {
        Some(Some(rules)) => {
            cluster.rules = rules.iter().take(MAX_RULES).map(rule).collect();
            cluster.replicas = replicas(&cluster.rules);
        }
        // There are none: a PD from before there were any.
        Some(None) => cluster.replicas = Some(replicate.max_replicas).filter(|replicas| *replicas > 0),
        None => {}
    }
}

fn rule(told: &api::Rule) -> RuleDetail {
    let constraint = |one: &api::LabelConstraint| (one.key.clone(), one.op.clone(), one.values.clone());
    RuleDetail {
        name: format!("{}/{}", told.group_id, told.id),
        role: told.role.clone(),
        count: told.count,
        constraints: told.label_constraints.iter().map(constraint).collect(),
    }
}

/// How many voting replicas a region has by the rules: the most that the rules of one group ask for.
fn replicas(rules: &[RuleDetail]) -> Option<u32> {
    let mut by_group = BTreeMap::<&str, u32>::new();
    for rule in rules.iter().filter(|rule| rule.role != "learner") {
        let sum = by_group.entry(rule.name.split('/').next().unwrap_or_default()).or_default();
        *sum = sum.saturating_add(rule.count);
    }
    by_group.into_values().max().filter(|replicas| *replicas > 0)
}

fn schedulers(reading: &Reading, cluster: &mut ClusterDetail, memory: &Memory, at: Timestamp, part: &mut Parts<'_>) {
    let names = part.of("the schedulers", &reading.schedulers).and_then(Option::as_ref);
    let mut all = |what: &str, answer: &Result<Option<Vec<String>>, PdError>| {
        part.of(what, answer).and_then(Clone::clone).unwrap_or_default()
    };
    let paused = all("the paused schedulers", &reading.paused);
    let disabled = all("the disabled schedulers", &reading.disabled);
    let detail = |name: &String| SchedulerDetail { paused: paused.contains(name), disabled: disabled.contains(name) };
    cluster.schedulers = names.into_iter().flatten().map(|name| (name.clone(), detail(name))).collect();

    let listed = part.of("the drained stores", &reading.drains);
    let stores = match (listed, names) {
        (Some(Some(list)), _) => Some(list.stores.keys().copied().collect::<Vec<_>>()),
        // Without the scheduler there is no list, and no drain.
        (Some(None), Some(names)) if !names.iter().any(|name| name == EVICT_LEADER) => Some(Vec::new()),
        (Some(None), Some(_)) => {
            let why = format!("{EVICT_LEADER} is there, and this PD does not list its stores");
            part.observation.unavailable.push(Unavailable::new("the drained stores", why));
            None
        }
        _ => None,
    };
    cluster.drains = stores.map(|stores| stores.into_iter().map(|id| (id, memory.drain(id, at))).collect());
    cluster.slow_store_evicted =
        reading.slow.as_ref().ok().and_then(Option::as_ref).and_then(|slow| slow.stores.first().copied());
}

fn limits(reading: &Reading, cluster: &mut ClusterDetail, part: &mut Parts<'_>) {
    match &reading.limits {
        // So PD answers where stores limit themselves (`server/api/store.go`).
        Err(PdError::Refused { status: 400, .. }) => cluster.limits_are_v2 = true,
        answer => {
            let limit = |told: &api::Limits| LimitDetail { add_peer: told.add_peer, remove_peer: told.remove_peer };
            let told = part.of("the stores' limits", answer).into_iter().flatten();
            cluster.limits = told.map(|(id, told)| (*id, limit(told))).collect();
        }
    }
}

fn operators(reading: &Reading, cluster: &mut ClusterDetail, part: &mut Parts<'_>) {
    let Some(Some(told)) = part.of("what PD moves", &reading.operators) else { return };
    cluster.operator_count = Some(told.len() as u64);
    let detail =
        |one: &api::Operator| OperatorDetail { desc: one.desc.clone(), brief: one.brief.clone(), region: one.region };
    cluster.operators = told.iter().take(MAX_OPERATORS).map(detail).collect();
}

impl Memory {
    /// A drain that is there now.
    fn drain(&self, id: u64, at: Timestamp) -> DrainDetail {
        let known = self.cluster.as_ref().and_then(|last| last.drains.as_ref()?.get(&id).cloned());
        known.unwrap_or(DrainDetail { seen_since: at.as_millis(), ours: None })
    }
}
