//! What one observation leaves to the next: the last good registry, the last scrapes, the rotation, and who was ever
//! seen. Everything in it is bounded, and an observation is right without it: it is then only less complete.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use operator_protocols::{Event, EventId, Timestamp};

use super::node_reading::NodeReading;
use super::redis_reading::RedisReading;
use super::rows::RowCursors;
use super::scrape::Scrape;
use crate::client::Endpoint;
use crate::config::Config;
use crate::details::{Ledger, RegisteredDetail, RegistryDetail};
use crate::inspector::{Fold, LogId, RegisteredState, Registry};
use crate::ledger::{Candidates, LimitMemory, NodeRows, Writers};

/// Boots and keys beyond this are forgotten, all at once: they are looked up again.
const MAX_REMEMBERED: usize = 20_000;
/// Logs found by scanning are looked at for this long.
const SCANNED_S: u64 = 600;
/// A log that was wrong is looked at until it was right so many times.
const CLEAN: u32 = 4;
/// The count of live nodes that a node goes by may be this old: three of its heartbeats.
const LIVE_FOR: Duration = Duration::from_secs(90);

/// An expected node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its local id.
    pub(crate) id: String,
    /// Where it is asked; none if it may not be.
    pub(crate) endpoint: Option<Endpoint>,
    /// Whether the configuration gives it its name.
    pub(super) named: bool,
}

/// What is remembered from one observation to the next.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    registry: Option<Registry>,
    registry_counts: bool,
    learned_ids: BTreeMap<String, String>,
    live: VecDeque<(Instant, u64)>,
    /// The run_id of the expected Redis, as last seen.
    pub(super) run_id: Option<String>,
    /// Those it had before.
    pub(super) past_run_ids: BTreeSet<String>,
    /// The last scrape of each node, with the boot it was of.
    pub(super) scrapes: BTreeMap<String, (String, Scrape)>,
    /// The last counters of Redis: when, evictions.
    pub(super) evictions: Option<(Instant, f64)>,
    /// Since when each node runs, with the boot it is of: computed once a boot, so that it stays the same.
    pub(super) since: BTreeMap<String, (String, Timestamp)>,
    /// The changes of limits that were told, so that they stay the same.
    pub(super) limit_changes: BTreeMap<EventId, Event>,
    /// The boot of each node, as last seen.
    pub(super) node_boots: BTreeMap<String, String>,
    /// What each node last said of how it decides and whether it is drained.
    pub(super) conditions: BTreeMap<String, (crate::api::Mode, bool)>,
    /// Events to be told for a while.
    pub(super) events: VecDeque<Event>,
    /// Every `node@boot` seen.
    pub(super) boots: BTreeSet<String>,
    /// The settings each of them told.
    pub(super) writers: Writers,
    /// Limits seen in logs.
    pub(super) limits: LimitMemory,
    /// The limit that keys are used with while none is stored.
    pub(super) unstored: BTreeMap<String, u64>,
    suspects: BTreeMap<LogId, u32>,
    scanned: BTreeMap<LogId, u64>,
    /// The keys whose stored limit changed lately, by the last list that could be read.
    pub(super) recently_changed: Vec<String>,
    /// Where the scan goes on.
    pub(super) scan_cursor: u64,
    /// Where the rotation goes on.
    pub(super) rotated_to: Option<LogId>,
    /// Where reading goes on with nodes that have too many rows.
    pub(super) row_cursors: RowCursors,
}

impl Memory {
    /// The expected nodes: those configured and those of the last good registry.
    pub(crate) fn targets(&self, config: &Config) -> Vec<Target> {
        let mut targets: BTreeMap<String, Target> = BTreeMap::new();
        let registered = self.registry.iter().flat_map(|registry| &registry.nodes);
        for node in &config.nodes {
            let address = node.address.to_string();
            let of_registry =
                registered.clone().find(|(_, registered)| registered.address.as_ref() == Some(&node.address));
            let id = node
                .id
                .clone()
                .or_else(|| self.learned_ids.get(&address).cloned())
                .or_else(|| of_registry.map(|(id, _)| id.clone()))
                .unwrap_or(address);
            let endpoint = Some(Endpoint { address: node.address.clone(), trusted: true });
            targets.insert(id.clone(), Target { id, endpoint, named: node.id.is_some() });
        }
        for (id, registered) in registered {
            let address = registered.address.as_ref();
            let address = address.filter(|address| config.discover_hosts.iter().any(|host| address.same_host(host)));
            targets.entry(id.clone()).or_insert_with(|| Target {
                id: id.clone(),
                endpoint: address.map(|address| Endpoint { address: address.clone(), trusted: false }),
                named: true,
            });
        }
        targets.into_values().collect()
    }

    pub(super) fn learn_nodes(&mut self, nodes: &[NodeReading], at: Timestamp) {
        for node in nodes {
            let Some(health) = node.health() else { continue };
            let since = at.minus(Duration::try_from_secs_f64(health.uptime_s).unwrap_or_default());
            let known = self.since.entry(node.target.id.clone()).or_insert_with(|| (health.boot_id.clone(), since));
            if known.0 != health.boot_id {
                *known = (health.boot_id.clone(), since);
            }
            if let Some(endpoint) = node.target.endpoint.as_ref().filter(|_| !node.target.named) {
                self.learned_ids.insert(endpoint.address.to_string(), health.node_id.clone());
            }
            let writer = format!("{}@{}", health.node_id, health.boot_id);
            if self.writers.len() >= MAX_REMEMBERED {
                self.writers.clear();
            }
            self.writers.insert(writer.clone(), health.settings.clone());
            self.learn_boots([writer]);
        }
    }

    pub(super) fn learn_boots(&mut self, boots: impl IntoIterator<Item = String>) {
        if self.boots.len() >= MAX_REMEMBERED {
            self.boots.clear();
        }
        self.boots.extend(boots);
    }

    pub(super) fn learn_redis(&mut self, redis: &RedisReading, config: &Config) {
        self.registry_counts = false;
        let Ok(registry) = &redis.registry else { return };
        if let Some((found, next)) = &redis.scanned {
            self.scan_cursor = *next;
            let until = registry.now_us / 1_000_000 + SCANNED_S;
            if self.scanned.len() < MAX_REMEMBERED {
                self.scanned.extend(found.iter().map(|log| (log.clone(), until)));
            }
        }
        let boots = registry.nodes.iter().filter_map(|(id, node)| Some(format!("{id}@{}", node.boot_id.as_ref()?)));
        let boots: Vec<_> = boots.collect();
        self.learn_boots(boots);
        if registry.counts(config.heartbeat) {
            let live = |node: &&crate::inspector::Registered| {
                matches!(node.state, RegisteredState::Up | RegisteredState::Draining)
            };
            let live = registry.nodes.values().filter(live).count() as u64;
            self.live.push_back((Instant::now(), live));
            self.registry_counts = true;
            self.registry = Some(registry.clone());
        }
        while self.live.len() > 1 && self.live.front().is_some_and(|(when, _)| when.elapsed() > LIVE_FOR) {
            self.live.pop_front();
        }
    }

    /// The fewest live nodes that a node may go by; 1 if nothing is known.
    pub(super) fn fewest_live(&self) -> u64 {
        self.live.iter().map(|(_, live)| *live).min().unwrap_or(1).max(1)
    }

    /// The last boot of a node that was seen.
    pub(super) fn boot_of(&self, node: &str) -> Option<&str> {
        self.node_boots.get(node).map(String::as_str)
    }

    /// Whether the registry says that the node is about to stop and to come back.
    pub(super) fn is_leaving(&self, node: &str) -> bool {
        let registry = self.registry.as_ref().filter(|_| self.registry_counts);
        registry
            .and_then(|registry| registry.nodes.get(node))
            .is_some_and(|registered| registered.state == RegisteredState::Leaving)
    }

    pub(super) fn registry_detail(&self, redis: &RedisReading, config: &Config) -> RegistryDetail {
        let detail = |registry: &Registry| {
            let detail = |node: &crate::inspector::Registered| RegisteredDetail {
                state: node.state,
                fresh: Duration::from_micros(registry.now_us.saturating_sub(node.heartbeat_us))
                    < node.interval(config.heartbeat) * 2,
                boot_id: node.boot_id.clone(),
            };
            registry.nodes.iter().map(|(id, node)| (id.clone(), detail(node))).collect()
        };
        let why_not = match &redis.registry {
            _ if self.registry_counts => None,
            Ok(_) => Some("no heartbeat in it is young".to_owned()),
            Err(why) => Some(why.clone()),
        };
        RegistryDetail {
            counts: self.registry_counts,
            why_not,
            nodes: self.registry.as_ref().map(detail).unwrap_or_default(),
        }
    }

    /// The logs there are to look at. Those of keys whose limit changed lately are as urgent as suspects.
    pub(super) fn candidates(&mut self, rows: &[NodeRows], changed: &[String], now_us: u64) -> Candidates {
        /// What was admitted within this makes a log busy.
        const BUSY_S: i64 = 15;
        let now = now_us / 1_000_000;
        self.scanned.retain(|_, until| *until > now);
        let since = i64::try_from(now).unwrap_or(i64::MAX) - BUSY_S;
        let mut busy: BTreeMap<&LogId, u64> = BTreeMap::new();
        for (log, rows) in rows.iter().flat_map(NodeRows::logs) {
            let recent = rows.iter().filter(|row| row.second >= since);
            *busy.entry(log).or_default() += recent.map(|row| row.admitted.saturating_add(row.degraded)).sum::<u64>();
        }
        let mut by_cost: Vec<_> = busy.iter().filter(|(_, cost)| **cost > 0).map(|(log, cost)| (*cost, *log)).collect();
        by_cost.sort_unstable_by(|a, b| b.cmp(a));
        let mut all: BTreeSet<LogId> = busy.keys().map(|log| (*log).clone()).collect();
        all.extend(self.scanned.keys().cloned());
        all.extend(self.suspects.keys().cloned());
        let changed: BTreeSet<&String> = changed.iter().collect();
        let urgent = all.iter().filter(|log| changed.contains(&log.key)).cloned();
        Candidates {
            suspects: self.suspects.keys().cloned().chain(urgent).collect(),
            busy: by_cost.into_iter().take(100).map(|(_, log)| log.clone()).collect(),
            all,
        }
    }

    /// Takes note of which logs were found wrong, and forgets those that are right again.
    pub(super) fn suspect(&mut self, ledger: &Ledger) {
        let judged: BTreeSet<&String> = ledger.judged.iter().collect();
        for (log, clean) in &mut self.suspects {
            if judged.contains(&log.key) {
                *clean += 1;
            }
        }
        let wrong = ledger.differing.iter().map(|difference| (&difference.key, difference.window_ms));
        let wrong = wrong.chain(ledger.excess.iter().map(|excess| (&excess.key, excess.window_ms)));
        let wrong = wrong.chain(ledger.unreadable.iter().map(|log| (&log.key, log.window_ms)));
        for (key, window_ms) in wrong {
            self.suspects.insert(LogId { key: key.clone(), window_ms }, 0);
        }
        self.suspects.retain(|_, clean| *clean < CLEAN);
    }

    /// Learns from folds which limits are in use.
    pub(super) fn learn_folds(
        &mut self,
        folds: &[Fold],
        default: Option<u64>,
        unstored: impl Fn(&Fold, &Writers) -> Option<u64>,
    ) {
        if self.unstored.len() >= MAX_REMEMBERED {
            self.unstored.clear();
        }
        for fold in folds {
            self.limits.learn(fold, &self.writers, default);
            if let Some(limit) = unstored(fold, &self.writers) {
                self.unstored.insert(fold.log.key.clone(), limit);
            }
        }
        if let Some(fold) = folds.first() {
            self.limits.forget_before(i64::try_from(fold.now_us / 1_000_000).unwrap_or(i64::MAX));
        }
    }

    /// Keeps an event to be told for a while.
    pub(super) fn note(&mut self, event: Event) {
        const MAX_EVENTS: usize = 200;
        if self.events.iter().any(|known| known.id == event.id) {
            return;
        }
        self.events.push_back(event);
        if self.events.len() > MAX_EVENTS {
            self.events.pop_front();
        }
    }

    /// Forgets events that are no news any more.
    pub(super) fn forget_events_before(&mut self, at: Timestamp) {
        self.events.retain(|event| event.at >= at);
    }

    /// Takes this observation's readings as the last ones.
    pub(super) fn remember(&mut self, nodes: &[NodeReading], redis: &RedisReading) {
        for node in nodes {
            let Some(health) = node.health() else { continue };
            let id = &node.target.id;
            self.node_boots.insert(id.clone(), health.boot_id.clone());
            self.conditions.insert(id.clone(), (health.mode, health.draining));
            if let Some(scrape) = node.scrape() {
                self.scrapes.insert(id.clone(), (health.boot_id.clone(), scrape.clone()));
            }
        }
        if let Ok(info) = &redis.info {
            if self.run_id.as_ref() != Some(&info.run_id) {
                self.past_run_ids.extend(self.run_id.replace(info.run_id.clone()));
            }
            self.evictions = info.number("evicted_keys").map(|evicted| (redis.taken, evicted));
        }
    }
}
