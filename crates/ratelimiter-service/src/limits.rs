//! Stored limits: reading, storing and deleting them, with what was stored before.

use std::collections::HashMap;

use redis::Value;
use serde::Serialize;

use crate::call::CallError;
use crate::decision::StoredLimit;
use crate::keys::{self, LimiterKey};
use crate::node::Node;
use crate::once::{self, Conditions, Done, OnceError};
use crate::scan::Page;
use crate::script::LIMIT;
use crate::time::rfc3339;

/// What was stored during some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreviousLimit {
    /// `None`: nothing was.
    pub limit: Option<u64>,
    /// `None`: no window was.
    pub window_ms: Option<u64>,
    /// Since when.
    pub from: String,
    /// Until when.
    pub until: String,
}

/// A stored limit as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Override {
    /// Whose.
    pub key: String,
    /// Authoritative for every window of the key.
    pub limit: u64,
    /// Window where a request gives none.
    pub window_ms: Option<u64>,
    /// µs of the change that made it so.
    pub version: u64,
    /// The same, readable.
    pub updated_at: String,
    /// `node@boot` the change came through.
    pub by: String,
    /// What was stored before, newest first, at most 16.
    pub previous: Vec<PreviousLimit>,
}

/// What the record of a key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitRecord {
    /// A limit is stored.
    Stored(Override),
    /// None is (any more).
    Absent {
        /// What was.
        previous: Vec<PreviousLimit>,
    },
}

fn record_command(key: &LimiterKey) -> redis::Cmd {
    redis::cmd("HMGET").arg(keys::limit(key)).arg(&["limit", "window_ms", "version", "by", "previous"]).to_owned()
}

fn previous(text: &str) -> Vec<PreviousLimit> {
    let some = |n: u64| (n > 0).then_some(n);
    let parse = |item: &str| {
        let mut parts = item.splitn(4, ':').map(|part| part.parse::<u64>().ok());
        let mut next = || parts.next().flatten();
        let (limit, window, from, until) = (next()?, next()?, next()?, next()?);
        let time = |us: u64| rfc3339(i64::try_from(us).unwrap_or(0));
        Some(PreviousLimit { limit: some(limit), window_ms: some(window), from: time(from), until: time(until) })
    };
    text.split(',').filter_map(parse).collect()
}

/// Understands a record; one that makes no sense counts as absent.
fn parse(key: &LimiterKey, answer: &Value) -> LimitRecord {
    let field = |at: usize| match answer {
        Value::Array(fields) => match fields.get(at) {
            Some(Value::BulkString(bytes)) => std::str::from_utf8(bytes).ok(),
            _ => None,
        },
        _ => None,
    };
    let number = |at: usize| field(at).and_then(|text| text.parse::<u64>().ok());
    let previous = previous(field(4).unwrap_or_default());
    let Some(limit) = number(0) else {
        return LimitRecord::Absent { previous };
    };
    let version = number(2).unwrap_or(0);
    LimitRecord::Stored(Override {
        key: key.as_str().to_owned(),
        limit,
        window_ms: number(1),
        version,
        updated_at: rfc3339(i64::try_from(version).unwrap_or(0)),
        by: field(3).unwrap_or_default().to_owned(),
        previous,
    })
}

impl Node {
    /// What is stored for a key.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn limit(&self, key: &LimiterKey) -> Result<LimitRecord, CallError> {
        let answer: Value = match self.redis.query(record_command(key)).await {
            // Something that is no record stands in its place: nothing is stored, and a PUT replaces it.
            Err(CallError::Malformed(_)) => Value::Nil,
            answer => answer?,
        };
        Ok(parse(key, &answer))
    }

    /// About `limit` stored limits.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn limits(&self, cursor: u64, limit: usize) -> Result<Page<Override>, CallError> {
        let page = self.scan(keys::LIMITS_PATTERN, cursor, limit, keys::parse_limit).await?;
        let mut overrides = Vec::new();
        for chunk in page.items.chunks(500) {
            let mut pipeline = redis::pipe();
            for key in chunk {
                pipeline.add_command(record_command(key));
            }
            for (key, answer) in chunk.iter().zip(self.redis.query_many(pipeline).await?) {
                if let LimitRecord::Stored(stored) = parse(key, &answer) {
                    overrides.push(stored);
                }
            }
        }
        Ok(Page { items: overrides, next: page.next })
    }

    /// Stores a limit, or with `None` deletes it. Every check that starts after the answer sees it.
    ///
    /// # Errors
    /// It was not done, or its outcome is unknown.
    pub async fn change_limit(
        &self,
        key: &LimiterKey,
        change: Option<StoredLimit>,
        conditions: &Conditions,
    ) -> Result<Done, OnceError> {
        let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
        let limit = number(change.map(|c| c.limit));
        let window = number(change.and_then(|c| c.window_ms));
        let body = once::fingerprint("limit", &[&limit, &window]);
        let args = vec![
            self.identity.writer.clone(),
            conditions.if_match.clone().unwrap_or_default(),
            if conditions.if_none_match { "1" } else { "" }.to_owned(),
            limit,
            window,
        ];
        let call = once::call(key, conditions, body, &[keys::limit(key)], args);
        let done = once::parse(&self.redis.write(&LIMIT, call).await?)?;
        if !done.replayed {
            self.learn_limit(key, change);
        }
        Ok(done)
    }

    /// Reads all stored limits again, for the time without Redis. Returns how many there are.
    ///
    /// # Errors
    /// Redis did not answer; what was known stays.
    pub async fn read_limits(&self) -> Result<usize, CallError> {
        let (mut known, mut cursor) = (HashMap::new(), 0);
        loop {
            let page = self.limits(cursor, 1000).await?;
            for stored in page.items {
                if let Ok(key) = LimiterKey::new(&stored.key) {
                    known.insert(key, StoredLimit { limit: stored.limit, window_ms: stored.window_ms });
                }
            }
            match page.next {
                Some(next) => cursor = next,
                None => break,
            }
        }
        let count = known.len();
        self.replace_limits(known);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previous_limits_are_read_and_nonsense_is_left_out() {
        let read = previous("50:0:1000000:2000000,0:0:2000000:3000000,x:1,");
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].limit, read[0].window_ms, read[1].limit), (Some(50), None, None));
        assert_eq!(read[0].until, "1970-01-01T00:00:02.000000Z");
    }
}
