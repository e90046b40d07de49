//! A limiter that keeps its promise, with everything that happens to one: resets, changed limits, restarts, nodes without
//! Redis, answers that never came. Its books are read at three different moments, as real ones are.

use std::collections::{BTreeMap, BTreeSet};

use super::{Books, LimitMemory, NodeRows, Writers, close};
use crate::api::{AdmittedRow, Mode, NodeSettings};
use crate::details::Ledger;
use crate::inspector::{Fold, LimitRecord, LogId, Previous, RecordedRow};

pub(super) const DEFAULT_LIMIT: u64 = 20;
const KEYS: usize = 3;
const NODES: usize = 3;
const WINDOWS_MS: [u64; 3] = [2_000, 10_000, 45_000];

/// One entry of a log.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) t_us: u64,
    pub(super) cost: u64,
    pub(super) generation: u64,
    pub(super) limit: u64,
    pub(super) writer: String,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Log {
    pub(super) generation: u64,
    pub(super) entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Node {
    boot: u64,
    alone: bool,
    rows: BTreeMap<(LogId, u64, i64), AdmittedRow>,
    /// What it knows it let through: when, how much.
    own: BTreeMap<LogId, Vec<(u64, u64)>>,
    generations: BTreeMap<LogId, u64>,
}

/// The limiter and its clock.
#[derive(Debug)]
pub(super) struct World {
    seed: u64,
    pub(super) now_us: u64,
    pub(super) logs: BTreeMap<LogId, Log>,
    records: BTreeMap<String, LimitRecord>,
    nodes: Vec<Node>,
    boots: BTreeSet<String>,
    memory: LimitMemory,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let node =
            Node { boot: 0, alone: false, rows: BTreeMap::new(), own: BTreeMap::new(), generations: BTreeMap::new() };
        let mut world = Self {
            seed,
            now_us: 1_000_000_000_000,
            logs: BTreeMap::new(),
            records: BTreeMap::new(),
            nodes: vec![node; NODES],
            boots: BTreeSet::new(),
            memory: LimitMemory::default(),
        };
        for node in 0..NODES {
            let writer = world.writer(node);
            world.boots.insert(writer);
        }
        world
    }

    /// SplitMix64: a stream of numbers that only depends on the seed.
    fn draw(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    fn writer(&self, node: usize) -> String {
        format!("n{node}@b{}", self.nodes[node].boot)
    }

    fn limit_of(&self, key: &str) -> u64 {
        self.records.get(key).and_then(|record| record.limit).unwrap_or(DEFAULT_LIMIT)
    }

    /// Lets `seconds` pass, with everything happening at random.
    pub(super) fn run(&mut self, seconds: u64) {
        let end = self.now_us + seconds * 1_000_000;
        while self.now_us < end {
            self.now_us += self.draw(60_000) + 1;
            let key = format!("k{}", self.draw(KEYS as u64));
            let node = self.draw(NODES as u64) as usize;
            match self.draw(1000) {
                0..=2 => self.reset(&key),
                3..=6 => self.change_limit(&key),
                7 => self.restart(node),
                8..=9 => self.nodes[node].alone = true,
                10..=29 => self.nodes[node].alone = false,
                _ => self.check(node, &key),
            }
        }
    }

    fn check(&mut self, node: usize, key: &str) {
        let window_ms = WINDOWS_MS[self.draw(WINDOWS_MS.len() as u64) as usize];
        let log = LogId { key: key.to_owned(), window_ms };
        let (limit, cost, now) = (self.limit_of(key), 1 + self.draw(3), self.now_us);
        if self.nodes[node].alone {
            return self.check_alone(node, &log, limit, cost);
        }
        let writer = self.writer(node);
        let recorded = self.logs.entry(log.clone()).or_default();
        let generation = recorded.generation;
        let from = now - window_ms * 1000;
        let held: u64 = recorded
            .entries
            .iter()
            .filter(|entry| entry.generation == generation && entry.t_us > from)
            .map(|entry| entry.cost)
            .sum();
        if held + cost > limit {
            return;
        }
        recorded.entries.retain(|entry| entry.generation == generation);
        // What is expired leaves in chunks, at some time.
        if now % 7 == 0 {
            recorded.entries.retain(|entry| entry.t_us > from);
        }
        recorded.entries.push(Entry { t_us: now, cost, generation, limit, writer });
        if self.draw(60) == 0 {
            // The answer never came: the caller was answered from memory.
            self.row(node, &log, None).unanswered += cost;
            return self.check_alone(node, &log, limit, cost);
        }
        self.row(node, &log, Some(generation)).admitted += cost;
        self.nodes[node].own.entry(log).or_default().push((now, cost));
    }

    fn check_alone(&mut self, node: usize, log: &LogId, limit: u64, cost: u64) {
        let (now, share) = (self.now_us, (limit / NODES as u64).max(1));
        let from = now - log.window_ms * 1000;
        let own = self.nodes[node].own.entry(log.clone()).or_default();
        if own.iter().filter(|(t, _)| *t > from).map(|(_, cost)| cost).sum::<u64>() + cost <= share {
            own.push((now, cost));
            self.row(node, log, None).degraded += cost;
        }
    }

    fn row(&mut self, node: usize, log: &LogId, generation: Option<u64>) -> &mut AdmittedRow {
        let second = (self.now_us / 1_000_000) as i64;
        let node = &mut self.nodes[node];
        let known = node.generations.entry(log.clone()).or_default();
        if let Some(generation) = generation {
            *known = generation;
        }
        let generation = *known;
        node.rows.entry((log.clone(), generation, second)).or_insert_with(|| AdmittedRow {
            key: log.key.clone(),
            window_ms: log.window_ms,
            generation,
            second,
            admitted: 0,
            degraded: 0,
            unanswered: 0,
            since: 0,
        })
    }

    fn reset(&mut self, key: &str) {
        for (log, recorded) in &mut self.logs {
            if log.key == key {
                recorded.generation = self.now_us.max(recorded.generation + 1);
            }
        }
    }

    /// Changes a limit by less than a factor of five, now and then for the first time.
    fn change_limit(&mut self, key: &str) {
        let limit = 8 + self.draw(24);
        let (now, before) = (self.now_us, self.records.remove(key));
        let mut previous = before.as_ref().map(|record| record.previous.clone()).unwrap_or_default();
        if let Some(before) = before {
            previous.insert(0, Previous { limit: before.limit, from_us: before.version, until_us: now });
            previous.truncate(16);
        }
        let record = LimitRecord { limit: Some(limit), window_ms: None, version: now, by: String::new(), previous };
        self.records.insert(key.to_owned(), record);
    }

    fn restart(&mut self, node: usize) {
        let boot = self.nodes[node].boot + 1;
        self.nodes[node] =
            Node { boot, alone: false, rows: BTreeMap::new(), own: BTreeMap::new(), generations: BTreeMap::new() };
        let writer = self.writer(node);
        self.boots.insert(writer);
    }

    /// What a node answers at this moment.
    fn read_node(&self, node: usize) -> NodeRows {
        let writer = &self.nodes[node];
        let rows = writer.rows.values().cloned().collect();
        NodeRows::new(&format!("n{node}"), &format!("n{node}"), &format!("b{}", writer.boot), rows)
    }

    /// What Redis answers at this moment: the newest `most` entries of each log.
    pub(super) fn fold(&self, most: usize) -> Vec<Fold> {
        let fold = |(log, recorded): (&LogId, &Log)| {
            let reach = self.now_us - (log.window_ms + 20_000) * 1000;
            let young: Vec<&Entry> =
                recorded.entries.iter().rev().take(most).take_while(|entry| entry.t_us > reach).collect();
            let cut = young.len() == most && recorded.entries.len() > most;
            let mut rows: BTreeMap<(String, u64, i64), RecordedRow> = BTreeMap::new();
            for entry in &young {
                let second = (entry.t_us / 1_000_000) as i64;
                let row = rows.entry((entry.writer.clone(), entry.generation, second)).or_insert_with(|| RecordedRow {
                    writer: entry.writer.clone(),
                    generation: entry.generation,
                    second,
                    cost: 0,
                    limit: 0,
                });
                row.cost += entry.cost;
                row.limit = row.limit.max(entry.limit);
            }
            Fold {
                log: log.clone(),
                now_us: self.now_us,
                problem: None,
                generation: recorded.generation,
                complete_after_us: if cut { young.last().map_or(0, |entry| entry.t_us) } else { 0 },
                unparsable: 0,
                rows: rows.into_values().collect(),
            }
        };
        self.logs.iter().map(fold).collect()
    }

    /// Reads and closes the books while the world goes on.
    pub(super) fn close(&mut self, most: usize) -> Ledger {
        self.close_with(most, |_, _| {})
    }

    /// The same, after `tamper` had its way with what was read.
    pub(super) fn close_with(
        &mut self,
        most: usize,
        tamper: impl FnOnce(&mut Vec<NodeRows>, &mut Vec<Fold>),
    ) -> Ledger {
        let asked_after_us = self.now_us;
        let mut nodes = Vec::new();
        for node in 0..NODES {
            self.run_checks(400_000);
            nodes.push(self.read_node(node));
        }
        self.run_checks(400_000);
        let mut folds = self.fold(most);
        tamper(&mut nodes, &mut folds);
        let settings = NodeSettings {
            default_limit: DEFAULT_LIMIT,
            default_window_ms: 10_000,
            on_redis_failure: Mode::Local,
            redis_timeout_ms: 250,
        };
        let writers: Writers = self.boots.iter().map(|writer| (writer.clone(), settings.clone())).collect();
        for fold in &folds {
            self.memory.learn(fold, &writers, Some(DEFAULT_LIMIT));
        }
        close(&Books {
            nodes: &nodes,
            folds: &folds,
            asked_after_us,
            known_boots: &self.boots,
            writers: &writers,
            records: &self.records,
            memory: &self.memory,
            default: Some(DEFAULT_LIMIT),
            live: NODES as u64,
            waiting: 0,
        })
    }

    /// Traffic alone, as goes on while the books are read.
    fn run_checks(&mut self, micros: u64) {
        let end = self.now_us + micros;
        while self.now_us < end {
            self.now_us += self.draw(60_000) + 1;
            let key = format!("k{}", self.draw(KEYS as u64));
            let node = self.draw(NODES as u64) as usize;
            self.check(node, &key);
        }
    }
}
