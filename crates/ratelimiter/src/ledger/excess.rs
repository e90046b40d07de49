//! Whether more was admitted than allowed: over every stretch of whole seconds as long as the window, all nodes together.
//!
//! Such a stretch is never longer than a window, so a limiter that keeps its promise never exceeds the limit in one. For a
//! boot that cannot be asked, what Redis recorded stands in; what it let through without Redis is lost, and only makes the
//! sum smaller.

use std::collections::{BTreeMap, BTreeSet};

use super::NodeRows;
use super::limits_in_force::{InForce, Sources, Writers};
use crate::api::Mode;
use crate::details::{Excess, OverLimit};
use crate::inspector::Fold;

/// Stretches that ended within the last so many seconds are judged: three intervals of the monitor, so that none is
/// missed when a cycle is late.
const RECENT_S: i64 = 15;

/// What the judgement of one log needs.
pub(super) struct Judged<'a> {
    pub(super) nodes: &'a [NodeRows],
    pub(super) fold: &'a Fold,
    pub(super) limits: Sources<'a>,
    /// Boots that ever said they exist.
    pub(super) known_boots: &'a BTreeSet<String>,
    /// What each node does without Redis.
    pub(super) failure_modes: &'a BTreeMap<String, Mode>,
    /// The fewest live nodes that a node may have counted on lately.
    pub(super) live: u64,
}

/// What came of it.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// Nothing above the limit.
    Within,
    /// The worst stretch, which is above it.
    Exceeded(Box<Excess>),
    /// What was allowed could not be told.
    LimitUnknown,
}

#[derive(Default, Clone, Copy)]
struct Cell {
    admitted: u64,
    degraded: u64,
}

/// Judges one log.
pub(super) fn judge(judged: &Judged<'_>) -> Outcome {
    let log = &judged.fold.log;
    let length = i64::try_from(log.window_ms / 1000).unwrap_or(i64::MAX);
    if length == 0 {
        return Outcome::Within;
    }
    let generations = judged.admitted();
    let now = i64::try_from(judged.fold.now_us / 1_000_000).unwrap_or(i64::MAX);
    let mut worst: Option<Excess> = None;
    let mut unknown = false;
    for (generation, cells) in &generations {
        let ends: BTreeSet<i64> = cells.keys().map(|(second, _)| *second).collect();
        let first = ends.first().copied().unwrap_or(now);
        for until in now - RECENT_S..=now {
            if until < first {
                continue;
            }
            let from = until.saturating_sub(length - 1);
            let stretch: Vec<_> =
                cells.range((from, 0)..=(until, usize::MAX)).map(|((_, node), cell)| (*node, *cell)).collect();
            let sum = stretch
                .iter()
                .fold(0_u64, |sum, (_, cell)| sum.saturating_add(cell.admitted).saturating_add(cell.degraded));
            if sum == 0 {
                continue;
            }
            // The limit matters where something was admitted.
            let active = stretch_first(cells, from, until);
            let degraded = stretch.iter().any(|(_, cell)| cell.degraded > 0);
            match judged.limits.highest(active, until, degraded) {
                InForce::Unknown => unknown = true,
                InForce::NotSeen => {}
                InForce::AtMost(limit) => {
                    let excess = judged.stretch(*generation, (from, until), &stretch, limit);
                    let over = |excess: &Excess| excess.admitted.saturating_sub(excess.limit + excess.shares);
                    if over(&excess) > worst.as_ref().map_or(0, over) {
                        worst = Some(excess);
                    }
                }
            }
        }
    }
    match worst {
        Some(excess) => Outcome::Exceeded(Box::new(excess)),
        None if unknown => Outcome::LimitUnknown,
        None => Outcome::Within,
    }
}

/// The first second from `from` on in which something was admitted.
fn stretch_first(cells: &Cells, from: i64, until: i64) -> i64 {
    cells.range((from, 0)..=(until, usize::MAX)).next().map_or(from, |((second, _), _)| *second)
}

/// What was admitted by second and node, in one generation. Boots that cannot be asked share one index after the nodes'.
type Cells = BTreeMap<(i64, usize), Cell>;

impl Judged<'_> {
    fn admitted(&self) -> BTreeMap<u64, Cells> {
        let mut generations: BTreeMap<u64, Cells> = BTreeMap::new();
        let mut enter = |generation: u64, second: i64, index: usize, cell: Cell| {
            let entry = generations.entry(generation).or_default().entry((second, index)).or_default();
            entry.admitted = entry.admitted.saturating_add(cell.admitted);
            entry.degraded = entry.degraded.saturating_add(cell.degraded);
        };
        let mut asked: BTreeMap<&str, (usize, Option<i64>)> = BTreeMap::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let since = node.complete_since(&self.fold.log);
            asked.insert(&node.writer, (index, since));
            for row in node.of(&self.fold.log) {
                let told = since.is_some_and(|since| row.second >= since);
                let admitted = if told { row.admitted } else { 0 };
                if admitted > 0 || row.degraded > 0 {
                    enter(row.generation, row.second, index, Cell { admitted, degraded: row.degraded });
                }
            }
        }
        for row in &self.fold.rows {
            let index = match asked.get(row.writer.as_str()) {
                Some((_, Some(since))) if row.second >= *since => continue,
                Some((index, _)) => *index,
                None if self.known_boots.contains(&row.writer) => self.nodes.len(),
                // What nobody admitted was not admitted.
                None => continue,
            };
            enter(row.generation, row.second, index, Cell { admitted: row.cost, degraded: 0 });
        }
        generations
    }

    fn stretch(&self, generation: u64, (from, until): (i64, i64), cells: &[(usize, Cell)], limit: u64) -> Excess {
        let mut by_node: BTreeMap<usize, Cell> = BTreeMap::new();
        for (node, cell) in cells {
            let sum = by_node.entry(*node).or_default();
            sum.admitted = sum.admitted.saturating_add(cell.admitted);
            sum.degraded = sum.degraded.saturating_add(cell.degraded);
        }
        let share = (limit / self.live.max(1)).max(1);
        let degraded = by_node.iter().filter(|(_, cell)| cell.degraded > 0);
        let (local, open): (Vec<_>, Vec<_>) = degraded
            .filter_map(|(index, _)| self.nodes.get(*index).map(|node| &node.node))
            // A node of which it is not known what it does without Redis gets the benefit of the doubt.
            .partition(|node| matches!(self.failure_modes.get(*node), None | Some(Mode::Local)));
        Excess {
            key: self.fold.log.key.clone(),
            window_ms: self.fold.log.window_ms,
            generation,
            until,
            admitted: by_node.values().map(|cell| cell.admitted.saturating_add(cell.degraded)).sum(),
            degraded: by_node.values().map(|cell| cell.degraded).sum(),
            limit,
            shares: share.saturating_mul(local.len() as u64),
            over: self.over((from, until), limit),
            open: open.into_iter().cloned().collect(),
            nodes: u32::try_from(by_node.len()).unwrap_or(u32::MAX),
        }
    }

    /// The nodes with entries by a higher limit than the one that was in force.
    fn over(&self, (from, until): (i64, i64), limit: u64) -> Vec<OverLimit> {
        let nodes: BTreeMap<String, &str> =
            self.nodes.iter().map(|node| (node.writer.clone(), node.node.as_str())).collect();
        let mut over: BTreeMap<&str, u64> = BTreeMap::new();
        for row in self.fold.rows.iter().filter(|row| row.limit > limit && (from..=until).contains(&row.second)) {
            if let Some(node) = nodes.get(&row.writer) {
                let highest = over.entry(node).or_default();
                *highest = row.limit.max(*highest);
            }
        }
        over.into_iter().map(|(node, limit)| OverLimit { node: node.to_owned(), limit }).collect()
    }
}

/// What each node that told its settings does without Redis.
pub(super) fn failure_modes(nodes: &[NodeRows], writers: &Writers) -> BTreeMap<String, Mode> {
    nodes.iter().filter_map(|node| Some((node.node.clone(), writers.get(&node.writer)?.on_redis_failure))).collect()
}
