//! What this node itself let through, second by second of Redis's clock, for the busiest counters.
//!
//! This is the node's side of a conservation law: what the nodes say they admitted must be what Redis recorded.
//! Memory is bounded: 1,000 counters have rows; the rest are counted only, and take the place of a quieter one
//! when they become busy.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How many (key, window) have rows.
pub const TRACKED: usize = 1000;
/// How many more are watched for becoming busy.
const CANDIDATES: usize = 4096;
/// Rows are kept for the window, at most this, and [`SLACK_S`] more.
const LONGEST_S: i64 = 600;
const SLACK_S: i64 = 60;

/// A (key, window in ms).
pub type CounterId = (Arc<str>, u64);

/// The three columns, in cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Granted by Redis to this node.
    pub admitted: u64,
    /// Accepted without Redis.
    pub degraded: u64,
    /// Sent to Redis, outcome not learned in time, and not known to have had no effect.
    pub unanswered: u64,
}

/// Which column a cost goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// [`Cell::admitted`]
    Admitted,
    /// [`Cell::degraded`]
    Degraded,
    /// [`Cell::unanswered`]
    Unanswered,
}

/// One row as `/api/admitted` shows it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// The limiter key.
    pub key: String,
    /// Its window in ms.
    pub window_ms: u64,
    /// The key's generation in µs.
    pub generation: u64,
    /// Second of Redis's clock.
    pub second: i64,
    /// See [`Cell`].
    pub admitted: u64,
    /// See [`Cell`].
    pub degraded: u64,
    /// See [`Cell`].
    pub unanswered: u64,
    /// The rows of this counter are complete from this second on.
    pub since: i64,
}

/// Where a page of rows ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Counter of the last row shown.
    pub counter: CounterId,
    /// Its generation.
    pub generation: u64,
    /// Its second.
    pub second: i64,
}

#[derive(Debug, Default)]
struct Tracked {
    rows: BTreeMap<(u64, i64), Cell>,
    since: i64,
    generation: u64,
    /// Decisions, halved at every maintenance.
    busy: u64,
}

/// The rows of one node.
#[derive(Debug, Default)]
pub struct Admitted {
    tracked: BTreeMap<CounterId, Tracked>,
    candidates: HashMap<CounterId, u64>,
}

impl Admitted {
    /// Adds `cost` to a row. `generation` is `None` where Redis did not say it: then the last one known counts.
    /// Returns the generation the row has, so that [`Self::take_back`] finds it again.
    pub fn add(&mut self, counter: &CounterId, generation: Option<u64>, second: i64, column: Column, cost: u64) -> u64 {
        let full = self.tracked.len() >= TRACKED;
        if full && !self.tracked.contains_key(counter) {
            if self.candidates.len() < CANDIDATES || self.candidates.contains_key(counter) {
                *self.candidates.entry(counter.clone()).or_default() += 1;
            }
            return generation.unwrap_or(0);
        }
        let tracked = self.tracked.entry(counter.clone()).or_insert_with(|| Tracked {
            // The second it starts in is only partly seen if the counter was watched before.
            since: second,
            ..Tracked::default()
        });
        tracked.busy += 1;
        let generation = generation.unwrap_or(tracked.generation);
        tracked.generation = tracked.generation.max(generation);
        let cell = tracked.rows.entry((generation, second)).or_default();
        let column = match column {
            Column::Admitted => &mut cell.admitted,
            Column::Degraded => &mut cell.degraded,
            Column::Unanswered => &mut cell.unanswered,
        };
        *column = column.saturating_add(cost);
        generation
    }

    /// Takes an unanswered cost back, once it is known to have had no effect.
    pub fn take_back(&mut self, counter: &CounterId, generation: u64, second: i64, cost: u64) {
        if let Some(cell) = self.tracked.get_mut(counter).and_then(|t| t.rows.get_mut(&(generation, second))) {
            cell.unanswered = cell.unanswered.saturating_sub(cost);
        }
    }

    /// Last known generation of a counter; 0 if none is known.
    #[must_use]
    pub fn generation(&self, counter: &CounterId) -> u64 {
        self.tracked.get(counter).map_or(0, |t| t.generation)
    }

    /// Forgets old rows and lets counters that became busy take the place of quiet ones. Called every few seconds.
    pub fn maintain(&mut self, now_second: i64) {
        self.tracked.retain(|(_, window_ms), tracked| {
            let keep = i64::try_from(window_ms.div_ceil(1000)).unwrap_or(LONGEST_S).min(LONGEST_S) + SLACK_S;
            tracked.rows.retain(|(_, second), _| *second >= now_second - keep);
            tracked.busy /= 2;
            !tracked.rows.is_empty()
        });
        let mut waiting: Vec<(u64, CounterId)> = self.candidates.iter().map(|(c, n)| (*n, c.clone())).collect();
        waiting.sort_unstable_by(|a, b| b.cmp(a));
        let mut quiet: Vec<(u64, CounterId)> = self.tracked.iter().map(|(c, t)| (t.busy, c.clone())).collect();
        quiet.sort_unstable();
        let mut quiet = quiet.into_iter();
        for (count, counter) in waiting {
            if self.tracked.len() >= TRACKED {
                // Twice as busy, so that two of a kind do not push each other out all the time.
                match quiet.next() {
                    Some((busy, victim)) if count > busy * 2 => self.tracked.remove(&victim),
                    _ => break,
                };
            }
            self.candidates.remove(&counter);
            // Seen whole only from the next second on.
            self.tracked.insert(counter, Tracked { since: now_second + 1, busy: count, ..Tracked::default() });
        }
        self.candidates.retain(|_, count| {
            *count /= 2;
            *count > 0
        });
    }

    /// How many counters have rows, and about how many recently used ones have none.
    #[must_use]
    pub fn coverage(&self) -> (usize, usize) {
        (self.tracked.len(), self.candidates.len())
    }

    /// Up to `limit` rows after `from`, in order, and where to go on.
    #[must_use]
    pub fn page(&self, from: Option<&Position>, limit: usize) -> (Vec<Row>, Option<Position>) {
        let mut rows = Vec::new();
        let start = from.map(|p| p.counter.clone()).unwrap_or_default();
        for (counter, tracked) in self.tracked.range(start..) {
            for ((generation, second), cell) in &tracked.rows {
                let here = Position { counter: counter.clone(), generation: *generation, second: *second };
                if from.is_some_and(|from| here <= *from) {
                    continue;
                }
                if rows.len() == limit {
                    let next = rows.last().map(|r: &Row| Position {
                        counter: (r.key.as_str().into(), r.window_ms),
                        generation: r.generation,
                        second: r.second,
                    });
                    return (rows, next);
                }
                rows.push(Row {
                    key: counter.0.to_string(),
                    window_ms: counter.1,
                    generation: *generation,
                    second: *second,
                    admitted: cell.admitted,
                    degraded: cell.degraded,
                    unanswered: cell.unanswered,
                    since: tracked.since,
                });
            }
        }
        (rows, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(name: &str) -> CounterId {
        (name.into(), 1000)
    }

    #[test]
    fn degraded_and_unanswered_costs_share_the_row_of_the_last_known_generation() {
        let mut admitted = Admitted::default();
        admitted.add(&counter("a"), Some(7), 100, Column::Admitted, 3);
        assert_eq!(admitted.add(&counter("a"), None, 100, Column::Degraded, 2), 7);
        admitted.add(&counter("a"), None, 100, Column::Unanswered, 5);
        admitted.take_back(&counter("a"), 7, 100, 4);
        let (rows, next) = admitted.page(None, 10);
        assert_eq!(next, None);
        let cells: Vec<_> = rows.iter().map(|r| (r.generation, r.admitted, r.degraded, r.unanswered)).collect();
        assert_eq!(cells, [(7, 3, 2, 1)]);
    }

    #[test]
    fn pages_show_every_row_once() {
        let mut admitted = Admitted::default();
        for key in ["a", "b", "c"] {
            for second in 0..7 {
                admitted.add(&counter(key), Some(second % 2), second as i64, Column::Admitted, 1);
            }
        }
        let (mut seen, mut from) = (Vec::new(), None);
        loop {
            let (rows, next) = admitted.page(from.as_ref(), 4);
            assert!(rows.len() <= 4);
            seen.extend(rows);
            from = next;
            if from.is_none() {
                break;
            }
        }
        assert_eq!(seen, admitted.page(None, 1000).0);
        assert_eq!(seen.len(), 21);
    }

    #[test]
    fn a_busy_newcomer_takes_the_place_of_a_quiet_counter_and_says_since_when() {
        let mut admitted = Admitted::default();
        for i in 0..TRACKED {
            admitted.add(&counter(&format!("k{i}")), Some(0), 50, Column::Admitted, 1);
        }
        for _ in 0..10 {
            admitted.add(&counter("hot"), Some(0), 50, Column::Admitted, 1);
        }
        assert_eq!(admitted.coverage(), (TRACKED, 1));
        admitted.maintain(50);
        admitted.add(&counter("hot"), Some(0), 51, Column::Admitted, 1);
        let hot: Vec<Row> = admitted.page(None, 9999).0.into_iter().filter(|r| r.key == "hot").collect();
        assert_eq!((hot.len(), hot[0].since, hot[0].admitted), (1, 51, 1));
        assert_eq!(admitted.coverage(), (TRACKED, 0));
    }

    #[test]
    fn old_rows_go() {
        let mut admitted = Admitted::default();
        admitted.add(&counter("a"), Some(0), 100, Column::Admitted, 1);
        admitted.maintain(100 + 1 + SLACK_S);
        assert_eq!(admitted.page(None, 9).0.len(), 1);
        admitted.maintain(100 + 2 + SLACK_S);
        assert_eq!(admitted.coverage(), (0, 0));
    }
}
