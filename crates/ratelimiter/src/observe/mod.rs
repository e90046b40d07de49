//! One observation: the nodes and Redis are asked side by side, then the nodes for what they admitted, then Redis for
//! what it recorded. Every step is bounded in time; what did not answer is said.

mod components;
mod events;
mod memory;
mod node_reading;
mod redis_reading;
mod rows;
mod scrape;
mod signals;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use operator_protocols::{Observation, Timestamp, Unavailable};
use tokio::task::JoinSet;
use tokio::time::timeout;

pub(crate) use events::limit_event;
pub(crate) use memory::{Memory, Target};

use crate::client::NodeClient;
use crate::config::Config;
use crate::details::{Details, LimitsDetail, RecentLimit};
use crate::inspector::{Fold, Inspection, Inspector, LimitRecord, LogId};
use crate::ledger::{Books, Candidates, NodeRows, close, majority_default, pick, unstored_limit};
use crate::own_changes::OwnChanges;
use node_reading::NodeReading;
use redis_reading::RedisReading;

/// Looking at Redis, before the nodes were asked what they admitted.
const REDIS_TIMEOUT: Duration = Duration::from_millis(2000);
/// Reading what the nodes admitted.
const ROWS_TIMEOUT: Duration = Duration::from_millis(2500);
/// Reading what Redis recorded.
const FOLD_TIMEOUT: Duration = Duration::from_millis(2500);
/// The sum of the above and of what asking the nodes may take, rounded up.
pub(crate) const DEADLINE: Duration = Duration::from_secs(8);
/// Changes of limits are of interest this long: twice the hour that a baseline is taken from.
const RECENT_US: u64 = 2 * 3600 * 1_000_000;
/// More changed limits are not followed at one time.
const MAX_RECENT_LIMITS: usize = 200;
/// More writers that nobody knows are not looked up at one time.
const MAX_UNKNOWN_WRITERS: usize = 500;

/// What an observation needs.
pub(crate) struct Observer<'a> {
    pub(crate) config: &'a Config,
    pub(crate) client: &'a NodeClient,
    pub(crate) inspector: &'a Inspector,
    pub(crate) own: &'a OwnChanges,
}

impl Observer<'_> {
    /// Looks at everything, once.
    pub(crate) async fn observe(&self, memory: &mut Memory, at: Timestamp) -> Observation {
        let mut observation = Observation::new(at);
        let targets = memory.targets(self.config);
        let (nodes, (inspection, redis)) = tokio::join!(self.ask_nodes(&targets), self.ask_redis(memory.scan_cursor));
        memory.learn_nodes(&nodes, at);
        memory.learn_redis(&redis, self.config);

        let mut details = Details {
            nodes: nodes.iter().map(|node| (node.target.id.clone(), node.detail(memory))).collect(),
            redis: redis.detail(memory),
            registry: memory.registry_detail(&redis, self.config),
            ..Details::default()
        };
        details.redis.trouble = components::redis_trouble(&details, memory, &redis);
        self.close_books(memory, &mut details, inspection.as_ref(), &nodes, &mut observation).await;
        details.limits.own = self.own.by_key();

        components::write(self.config, memory, &details, &nodes, &redis, &mut observation);
        signals::write(self.config, memory, &details, &nodes, &redis, &mut observation);
        events::write(self.config, memory, &details, &nodes, &redis, &mut observation);
        for node in &nodes {
            node.write_unavailable(&mut observation);
        }
        redis.write_unavailable(&mut observation);
        details.write_to(&mut observation);
        memory.remember(&nodes, &redis);
        observation.discard_readings_that_are_not_finite();
        observation
    }

    async fn ask_nodes(&self, targets: &[Target]) -> Vec<NodeReading> {
        let mut asked = JoinSet::new();
        for target in targets.iter().cloned() {
            let client = self.client.clone();
            asked.spawn(async move { NodeReading::take(&client, target).await });
        }
        let mut nodes: Vec<NodeReading> = Vec::with_capacity(targets.len());
        while let Some(node) = asked.join_next().await {
            nodes.extend(node.ok());
        }
        node_reading::name_by_their_word(&mut nodes);
        nodes.sort_by(|a, b| a.target.id.cmp(&b.target.id));
        nodes
    }

    async fn ask_redis(&self, scan_cursor: u64) -> (Option<Inspection>, RedisReading) {
        match self.inspector.connect().await {
            Ok(inspection) => {
                let reading = timeout(REDIS_TIMEOUT, RedisReading::take(&inspection, scan_cursor)).await;
                let reading = reading.unwrap_or_else(|_| {
                    RedisReading::silent(format!("it did not answer everything within {REDIS_TIMEOUT:?}"))
                });
                (reading.answers().then_some(inspection), reading)
            }
            Err(error) => (None, RedisReading::silent(error.chain())),
        }
    }

    /// Compares what was admitted with what was recorded, if both can be read.
    async fn close_books(
        &self,
        memory: &mut Memory,
        details: &mut Details,
        inspection: Option<&Inspection>,
        nodes: &[NodeReading],
        observation: &mut Observation,
    ) {
        let Some(inspection) = inspection else {
            details.ledger.why_not = Some("Redis does not answer".to_owned());
            details.limits.why_not = details.ledger.why_not.clone();
            return;
        };
        let asked_after_us = match inspection.clock().await {
            Ok(clock) => clock,
            Err(error) => {
                details.ledger.why_not = Some(error.chain());
                details.limits.why_not = details.ledger.why_not.clone();
                return;
            }
        };
        let limit_keys = self.recently_changed_limits(details, nodes, asked_after_us);
        let rows = rows::read(self.client, nodes, &memory.row_cursors, ROWS_TIMEOUT);
        let ((rows, cursors, unavailable), recent) = tokio::join!(rows, limit_keys);
        memory.row_cursors = cursors;
        observation.unavailable.extend(unavailable);
        // What changed lately did so all the same when the list cannot be read.
        match recent {
            Ok(recent) => memory.recently_changed = recent,
            Err(why) => observation.unavailable.push(why),
        }
        let recent = memory.recently_changed.clone();
        let candidates = memory.candidates(&rows, &recent, asked_after_us);
        let (logs, last) = pick(&candidates, memory.rotated_to.as_ref(), self.config.max_keys_per_cycle);
        memory.rotated_to = last;
        let recorded = timeout(FOLD_TIMEOUT, self.recorded(memory, inspection, &rows, &logs, recent)).await;
        let (folds, records) = match recorded {
            Ok(Ok(recorded)) => recorded,
            Ok(Err(error)) => {
                details.ledger.why_not = Some(error.chain());
                details.limits.why_not = details.ledger.why_not.clone();
                observation.unavailable.push(Unavailable::new("what Redis recorded", error.chain()));
                return;
            }
            Err(_) => {
                let why = format!("Redis did not answer everything within {FOLD_TIMEOUT:?}");
                observation.unavailable.push(Unavailable::new("what Redis recorded", &why));
                details.limits.why_not = Some(why.clone());
                details.ledger.why_not = Some(why);
                return;
            }
        };
        self.judge(memory, details, &rows, &folds, &records, asked_after_us, &candidates);
    }

    #[expect(clippy::too_many_arguments, reason = "each is one source of the books, and all are needed at once")]
    fn judge(
        &self,
        memory: &mut Memory,
        details: &mut Details,
        rows: &[NodeRows],
        folds: &[Fold],
        records: &BTreeMap<String, LimitRecord>,
        asked_after_us: u64,
        candidates: &Candidates,
    ) {
        let default = majority_default(details.nodes.values());
        memory.learn_folds(folds, default, |fold, writers| {
            unstored_limit(fold, records.get(&fold.log.key), writers, default)
        });
        details.ledger = close(&Books {
            nodes: rows,
            folds,
            asked_after_us,
            known_boots: &memory.boots,
            writers: &memory.writers,
            records,
            memory: &memory.limits,
            default,
            live: memory.fewest_live(),
            waiting: (candidates.all.len().saturating_sub(folds.len())) as u64,
        });
        memory.suspect(&details.ledger);
        let horizon = asked_after_us.saturating_sub(RECENT_US);
        details.limits = LimitsDetail {
            as_of_us: Some(asked_after_us),
            why_not: None,
            recent: records
                .iter()
                .filter(|(_, record)| record.version >= horizon)
                .map(|(key, record)| {
                    (key.clone(), RecentLimit { record: record.clone(), unstored: memory.unstored.get(key).copied() })
                })
                .collect(),
            own: BTreeMap::new(),
        };
    }

    /// The keys whose stored limit changed lately, from a node that works on the expected Redis.
    async fn recently_changed_limits(
        &self,
        details: &Details,
        nodes: &[NodeReading],
        now_us: u64,
    ) -> Result<Vec<String>, Unavailable> {
        const MAX_PAGES: usize = 20;
        let what = "the list of stored limits";
        let knows = |node: &&NodeReading| {
            let detail = details.nodes.get(&node.target.id);
            detail.is_some_and(|detail| {
                detail.redis_connected == Some(true) && detail.redis_run_id == details.redis.run_id
            })
        };
        let node = nodes.iter().find(knows);
        let Some(endpoint) = node.and_then(|node| node.target.endpoint.as_ref()) else {
            return Err(Unavailable::new(what, "no node that reaches the expected Redis can be asked"));
        };
        let mut changed: Vec<(u64, String)> = Vec::new();
        let mut cursor: Option<String> = None;
        let pages = async {
            for _ in 0..MAX_PAGES {
                let page =
                    self.client.limits(endpoint, cursor.as_deref()).await.map_err(|error| error.unavailable(what))?;
                changed.extend(
                    page.overrides
                        .into_iter()
                        .filter(|stored| stored.version >= now_us.saturating_sub(RECENT_US))
                        .map(|stored| (stored.version, stored.key)),
                );
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            Ok(())
        };
        timeout(ROWS_TIMEOUT, pages)
            .await
            .unwrap_or_else(|_| Err(Unavailable::new(what, format!("it did not come within {ROWS_TIMEOUT:?}"))))?;
        changed.sort_unstable_by(|a, b| b.cmp(a));
        changed.truncate(MAX_RECENT_LIMITS);
        Ok(changed.into_iter().map(|(_, key)| key).collect())
    }

    async fn recorded(
        &self,
        memory: &mut Memory,
        inspection: &Inspection,
        rows: &[NodeRows],
        logs: &[LogId],
        recently_changed: Vec<String>,
    ) -> Result<(Vec<Fold>, BTreeMap<String, LimitRecord>), crate::inspector::InspectorError> {
        let folds = inspection.fold(logs).await?;
        let mut keys: BTreeSet<String> = recently_changed.into_iter().collect();
        keys.extend(logs.iter().map(|log| log.key.clone()));
        let records = inspection.limit_records(&keys.into_iter().collect::<Vec<_>>()).await?;
        let asked: BTreeSet<String> = rows.iter().map(|node| node.writer.clone()).collect();
        let unknown: BTreeSet<&String> = folds
            .iter()
            .flat_map(|fold| fold.rows.iter().map(|row| &row.writer))
            .filter(|writer| !asked.contains(*writer) && !memory.boots.contains(*writer))
            .take(MAX_UNKNOWN_WRITERS)
            .collect();
        let unknown: Vec<String> = unknown.into_iter().cloned().collect();
        memory.learn_boots(inspection.boots_known(&unknown).await?);
        Ok((folds, records))
    }
}
