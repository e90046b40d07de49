//! Reading and resetting counters.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::call::{Call, CallError, int, unsigned};
use crate::keys::{self, LimiterKey};
use crate::log_entry::LogEntry;
use crate::node::Node;
use crate::once::{self, Conditions, Done, OnceError};
use crate::scan::Page;
use crate::script::{COUNTER, RESET};

/// Entries of a log that [`Node::recorded`] looks at: bounds an answer's size whatever a limit allows.
const MOST_ENTRIES: isize = 10_000;

/// One counter: the sum in one window of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counter {
    /// The limiter key.
    pub key: String,
    /// Its window.
    pub window_ms: u64,
    /// Sum in the window now.
    pub count: u64,
    /// The limit in force.
    pub limit: u64,
    /// What would still fit.
    pub remaining: u64,
    /// Grants so far.
    pub seq: u64,
    /// The key's generation, µs.
    pub generation: u64,
    /// Its log cannot be read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub corrupt: bool,
}

/// One counter, the windows its key is used with, and Redis's clock (µs) when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterReading {
    /// The counter.
    pub counter: Counter,
    /// All windows (ms) the key has logs for.
    pub windows: Vec<u64>,
    /// When.
    pub now_us: i64,
}

/// What Redis recorded for one writer in one second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// `node@boot`.
    pub writer: String,
    /// The key's generation, µs.
    pub generation: u64,
    /// Second of Redis's clock.
    pub second: i64,
    /// The highest limit in force in it.
    pub limit: u64,
    /// Granted cost.
    pub cost: u64,
    /// Number of grants.
    pub grants: u64,
}

/// What a log says was granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedRows {
    /// By writer, generation and second.
    pub rows: Vec<Recorded>,
    /// They are complete from this second on.
    pub from: i64,
    /// Entries that could not be read.
    pub unparsable: usize,
}

impl Node {
    fn counter_call(&self, key: &LimiterKey, window_ms: Option<u64>) -> Call {
        Call {
            keys: vec![keys::hash(key), keys::limit(key), keys::log_prefix(key)],
            args: vec![
                window_ms.map(|w| w.to_string()).unwrap_or_default(),
                self.settings.default_limit.to_string(),
                self.settings.default_window_ms.to_string(),
            ],
        }
    }

    /// One counter. Without a window: the stored one, else the default if it is used, else the smallest used.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn counter(&self, key: &LimiterKey, window_ms: Option<u64>) -> Result<CounterReading, CallError> {
        let mut answers = self.redis.read(&COUNTER, vec![self.counter_call(key, window_ms)]).await?;
        parse(key, &answers.pop().unwrap_or(Err(CallError::NotSent))?)
    }

    /// About `limit` counters of keys that start with `prefix`.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn counters(&self, prefix: &str, cursor: u64, limit: usize) -> Result<Page<Counter>, CallError> {
        let page = self.scan(&keys::logs_pattern(prefix), cursor, limit, keys::parse_log).await?;
        let mut counters = Vec::with_capacity(page.items.len());
        for chunk in page.items.chunks(500) {
            let calls = chunk.iter().map(|(key, window)| self.counter_call(key, Some(*window))).collect();
            for ((key, _), answer) in chunk.iter().zip(self.redis.read(&COUNTER, calls).await?) {
                counters.push(parse(key, &answer?)?.counter);
            }
        }
        Ok(Page { items: counters, next: page.next })
    }

    /// What the log of one counter says was granted to whom.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn recorded(&self, key: &LimiterKey, window_ms: u64) -> Result<RecordedRows, CallError> {
        let mut range = redis::cmd("LRANGE");
        range.arg(keys::log(key, window_ms)).arg(-MOST_ENTRIES - 1).arg(-1);
        let entries: Vec<Vec<u8>> = match self.redis.query(range).await {
            Ok(entries) => entries,
            // Something that is no list stands in its place.
            Err(CallError::Malformed(_)) => return Ok(RecordedRows { unparsable: 1, ..RecordedRows::default() }),
            Err(error) => return Err(error),
        };
        // Read after the log: what had expired then has expired now.
        let now_us = self.counter(key, Some(window_ms)).await?.now_us;
        let window_us = i64::try_from(window_ms).unwrap_or(i64::MAX / 1000).saturating_mul(1000);
        Ok(fold(&entries, now_us - window_us))
    }

    /// Starts a new generation of a key: all its counters are 0 for every check that starts after the answer.
    ///
    /// # Errors
    /// It was not done, or its outcome is unknown.
    pub async fn reset(&self, key: &LimiterKey, conditions: &Conditions) -> Result<Done, OnceError> {
        let body = once::fingerprint("reset", &[]);
        let call = once::call(key, conditions, body, &[keys::hash(key), keys::log_prefix(key)], vec![]);
        once::parse(&self.redis.write(&RESET, call).await?)
    }
}

fn parse(key: &LimiterKey, answer: &[redis::Value]) -> Result<CounterReading, CallError> {
    let (limit, count) = (unsigned(answer, 4)?, unsigned(answer, 6)?);
    let counter = Counter {
        key: key.as_str().to_owned(),
        window_ms: unsigned(answer, 5)?,
        count,
        limit,
        remaining: limit.saturating_sub(count),
        seq: unsigned(answer, 2)?,
        generation: unsigned(answer, 3)?,
        corrupt: int(answer, 0)? != 0,
    };
    let windows = (7..answer.len()).map(|at| unsigned(answer, at)).collect::<Result<_, _>>()?;
    Ok(CounterReading { counter, windows, now_us: int(answer, 1)? })
}

fn fold(entries: &[Vec<u8>], expired_us: i64) -> RecordedRows {
    const SECOND: i64 = 1_000_000;
    let mut from = expired_us.div_euclid(SECOND) + 1;
    let mut unparsable = 0;
    let mut rows: BTreeMap<(String, u64, i64), Recorded> = BTreeMap::new();
    for (at, raw) in entries.iter().enumerate() {
        let Some(entry) = LogEntry::decode(raw) else {
            unparsable += 1;
            continue;
        };
        let second = i64::try_from(entry.t_us).unwrap_or(i64::MAX).div_euclid(SECOND);
        if at == 0 && entries.len() > MOST_ENTRIES.unsigned_abs() {
            from = from.max(second + 1);
        }
        if second < from {
            continue;
        }
        let row = rows.entry((entry.writer.clone(), entry.generation, second)).or_insert_with(|| Recorded {
            writer: entry.writer,
            generation: entry.generation,
            second,
            limit: 0,
            cost: 0,
            grants: 0,
        });
        row.limit = row.limit.max(entry.limit);
        row.cost += entry.cost;
        row.grants += 1;
    }
    RecordedRows { rows: rows.into_values().collect(), from, unparsable }
}
