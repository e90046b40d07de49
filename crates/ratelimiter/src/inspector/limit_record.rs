//! Stored limits, with what was stored before.

use std::collections::BTreeMap;

use redis::Value;
use serde::{Deserialize, Serialize};

use super::{Inspection, InspectorError, encoded, quantity};

/// Records keep this many previous values.
const MAX_PREVIOUS: usize = 16;
const WHAT: &str = "stored limits";

/// What is stored for a key, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LimitRecord {
    /// The stored limit; none if it was deleted.
    pub(crate) limit: Option<u64>,
    /// The stored window, in milliseconds.
    pub(crate) window_ms: Option<u64>,
    /// When it became so, in microseconds by Redis's clock.
    pub(crate) version: u64,
    /// `node@boot` through which it was changed.
    pub(crate) by: String,
    /// What was stored before, newest first.
    pub(crate) previous: Vec<Previous>,
}

/// What was stored for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Previous {
    /// The limit; none if none was stored.
    pub(crate) limit: Option<u64>,
    /// Since when, in microseconds.
    pub(crate) from_us: u64,
    /// Until when, in microseconds.
    pub(crate) until_us: u64,
}

impl Inspection {
    /// The records of these keys; a key without one is left out.
    pub(crate) async fn limit_records(&self, keys: &[String]) -> Result<BTreeMap<String, LimitRecord>, InspectorError> {
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut pipeline = redis::pipe();
        pipeline.ignore_errors();
        for key in keys {
            let name = format!("rl:{{{}}}:limit", encoded(key));
            pipeline.cmd("HMGET").arg(name).arg(&["limit", "window_ms", "version", "by", "previous"]);
        }
        let answers: Vec<redis::RedisResult<Value>> = self.ask_all(WHAT, &pipeline).await?;
        let record = |answer: &redis::RedisResult<Value>| answer.as_ref().ok().and_then(record);
        Ok(keys.iter().zip(&answers).filter_map(|(key, answer)| Some((key.clone(), record(answer)?))).collect())
    }
}

/// Reads a record; what makes no sense is none, as it is to the nodes.
fn record(answer: &Value) -> Option<LimitRecord> {
    let Value::Array(fields) = answer else { return None };
    let field = |at: usize| match fields.get(at) {
        Some(Value::BulkString(bytes)) => std::str::from_utf8(bytes).ok(),
        _ => None,
    };
    Some(LimitRecord {
        version: field(2)?.parse().ok().filter(|&version: &u64| version < 1 << 53)?,
        limit: field(0).and_then(quantity).filter(|&limit| limit > 0),
        window_ms: field(1).and_then(quantity).filter(|&window| window > 0),
        by: field(3).unwrap_or_default().chars().filter(|c| !c.is_control()).take(80).collect(),
        previous: field(4).unwrap_or_default().split(',').filter_map(previous).take(MAX_PREVIOUS).collect(),
    })
}

fn previous(item: &str) -> Option<Previous> {
    let mut parts = item.split(':');
    let limit = quantity(parts.next()?)?;
    let _window = parts.next()?;
    let from_us = parts.next()?.parse().ok()?;
    let until_us = parts.next()?.parse().ok()?;
    (from_us <= until_us).then_some(Previous { limit: (limit > 0).then_some(limit), from_us, until_us })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_and_what_makes_no_sense_is_left_out() {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let answer = Value::Array(vec![
            text("500"),
            Value::Nil,
            text("30"),
            text("n@b\u{7}"),
            text("100:0:20:30,0:0:10:20,x:0:1:2,5:0:9:8,7"),
        ]);
        let record = record(&answer).expect("a record");
        assert_eq!((record.limit, record.window_ms, record.version, record.by.as_str()), (Some(500), None, 30, "n@b"));
        assert_eq!(
            record.previous,
            [
                Previous { limit: Some(100), from_us: 20, until_us: 30 },
                Previous { limit: None, from_us: 10, until_us: 20 }
            ]
        );
    }
}
