//! One observation: PD's leader, its members, the metrics and the logs are asked, what can be side by side, each within its
//! time. What did not answer is said; what PD's leader alone knows is remembered while it is silent, and said to be unknown.

mod cluster;
mod components;
mod drift;
mod events;
mod hot;
mod members;
mod memory;
mod reading;
mod regions;
mod stores;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use operator_protocols::{Observation, Timestamp};

pub(crate) use memory::Memory;
pub(crate) use stores::detail as store_detail;

use crate::checker::pulse::{self, Pulse};
use crate::checker::write_path;
use crate::details::{Details, StoreState};
use crate::logs::LogTails;
use crate::metrics::{Known, MetricsReader};
use crate::pd::PdClient;
use crate::thresholds::Thresholds;
use reading::Reading;

/// Asking PD takes five seconds at most, everything else, side by side, four; rounded up.
pub(crate) const DEADLINE: Duration = Duration::from_secs(12);
/// Removals whose progress is asked for.
const MAX_REMOVALS: usize = 8;
/// PD calls a store disconnected from then on (`storeDisconnectDuration` in `pkg/core/store.go`).
const SILENT_AFTER_S: f64 = 20.0;

/// What an observation needs.
pub(crate) struct Observer<'a> {
    pub(crate) subject: &'a str,
    pub(crate) pd: &'a PdClient,
    pub(crate) metrics: &'a MetricsReader,
    pub(crate) logs: &'a LogTails,
    pub(crate) thresholds: &'a Thresholds,
    /// The intent by which a store was drained, if it was one of ours.
    pub(crate) drained_by: &'a (dyn Fn(u64) -> Option<String> + Send + Sync),
}

impl Observer<'_> {
    /// Looks at everything, once; the details are those of the observation, typed.
    pub(crate) async fn observe(&self, memory: &mut Memory, at: Timestamp) -> (Observation, Details) {
        let mut observation = Observation::new(at);
        let mut details = Details::default();
        let removing: Vec<u64> = removing(memory);
        let mut reading = Reading::take(self.pd, memory.wants_stats(at), &removing).await;
        if let Ok(members) = &reading.members {
            self.pd.learn(members);
        }
        let (cluster, told) = cluster::read(&mut reading, memory, at, &mut observation);
        details.cluster = cluster;
        self.name_own_drains(&mut details);
        match told {
            Some(mut stores) => {
                observation.unavailable.extend(stores::age(&mut stores, at));
                details.stores = stores;
            }
            None => details.stores = stores::remembered(&memory.stores),
        }
        let members = members::known(self.pd, &reading.members, &reading.health, memory.members.as_ref());
        details.members = members::details(&members, &reading.health);
        if let Err(error) = &reading.health {
            observation.unavailable.push(error.unavailable("the health of PD's members"));
        }

        self.look_further(memory, &members, &mut details, &mut observation, at).await;
        details.drift = memory.drift.follow(&details, at);
        let pulses = pulse::of(&details, self.thresholds, at.as_millis());
        let url = self.metrics.settings().prometheus_url.as_deref();
        let waits = write_path::waits(&details, self.thresholds, at);
        components::write(self.subject, url, &details, &pulses, &waits, &mut observation);
        events::note(self.subject, memory, &details, at);
        let (changed_at, changes) = memory.leader_changes(at);
        details.cluster.leader_changed_at = changed_at.map(Timestamp::as_millis);
        details.cluster.leader_changes = changes;
        observation.events = memory.recent_events(at);
        remember(memory, reading, &details, at);
        details.write_to(&mut observation);
        observation.discard_readings_that_are_not_finite();
        (observation, details)
    }

    /// Everything that needs to know who there is: the members one by one, the metrics, the logs, and some regions.
    async fn look_further(
        &self,
        memory: &mut Memory,
        members: &[crate::pd::api::Member],
        details: &mut Details,
        observation: &mut Observation,
        at: Timestamp,
    ) {
        let answers = details.cluster.answers;
        let silent = silent(details);
        let known = Known {
            stores: &details.stores,
            members: &details.members,
            leader: details.cluster.leader.as_deref().filter(|_| answers),
        };
        let regions = async {
            if answers && !details.cluster.empty {
                memory.regions.look(self.pd, &silent, at).await;
            } else {
                memory.regions.forget();
            }
        };
        let (asked, (metrics, signals, unavailable), (logs, unread), ()) =
            tokio::join!(members::ask(self.pd, members), self.metrics.read(at, &known), self.logs.look(at), regions,);
        for (name, asked) in asked {
            if let Some(member) = details.members.get_mut(&name) {
                asked.note(member);
            }
        }
        details.metrics = metrics;
        observation.signals = signals;
        observation.signals.extend(hot::signals(self.subject, at, &details.cluster));
        observation.unavailable.extend(unavailable.into_iter().chain(unread));
        observation.logs = logs;
        if !answers {
            // What PD counts was counted before, and is no reading of now.
            observation.signals.retain(|signal| !matches!(signal.name.as_str(), "leader_count" | "region_count"));
            return;
        }
        let pulses = pulse::of(details, self.thresholds, at.as_millis());
        memory.regions.note(&mut details.cluster, &details.metrics, &lost(&pulses));
    }

    fn name_own_drains(&self, details: &mut Details) {
        for (id, drain) in details.cluster.drains.iter_mut().flatten() {
            drain.ours = (self.drained_by)(*id);
        }
    }
}

/// The stores that were being removed when PD last answered.
fn removing(memory: &Memory) -> Vec<u64> {
    let offline = memory.stores.values().filter(|store| store.state == StoreState::Offline);
    offline.map(|store| store.id).take(MAX_REMOVALS).collect()
}

/// The stores that PD has not heard of for a while.
fn silent(details: &Details) -> BTreeSet<u64> {
    let silent = |age: f64| age > SILENT_AFTER_S;
    let stores = details.stores.values().filter(|store| store.heartbeat_age_s.is_some_and(silent));
    stores.map(|store| store.id).collect()
}

fn lost(pulses: &BTreeMap<u64, Pulse>) -> BTreeSet<u64> {
    pulses.iter().filter(|(_, pulse)| pulse.lost()).map(|(id, _)| *id).collect()
}

fn remember(memory: &mut Memory, reading: Reading, details: &Details, at: Timestamp) {
    if let Ok(members) = reading.members {
        memory.members = Some(members);
    }
    for (name, member) in details.members.iter().filter(|(_, member)| member.started.is_some()) {
        memory.member_details.insert(name.clone(), member.clone());
    }
    memory.member_details.retain(|name, _| details.members.contains_key(name));
    if let Some(Ok(stats)) = reading.stats {
        memory.counted(stats.count, at);
    }
    if details.cluster.answers {
        memory.stores.clone_from(&details.stores);
        let mut cluster = details.cluster.clone();
        // What could not be read this time is compared with when it was read last.
        if let Some(last) = memory.cluster.take() {
            if cluster.settings.is_empty() {
                cluster.settings = last.settings;
            }
            if cluster.schedulers.is_empty() {
                cluster.schedulers = last.schedulers;
            }
            cluster.drains = cluster.drains.or(last.drains);
        }
        memory.cluster = Some(cluster);
    }
}
