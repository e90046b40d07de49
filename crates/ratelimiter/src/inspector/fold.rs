//! What Redis recorded for some logs, folded by one read-only script.

use redis::Value;

use super::{Inspection, InspectorError, command, encoded, not_understood};
use crate::api::MAX_SUM;

/// The script. It is sent whole with `EVAL_RO`: loading it first would be a write.
const SCRIPT: &str = include_str!("fold.lua");
/// The newest entries of each log that are folded.
const MAX_ENTRIES: usize = 1000;
/// Logs of one call: Redis does nothing else meanwhile, so a call stays within a few milliseconds.
const LOGS_PER_CALL: usize = 10;
/// How far back is folded at most; nodes keep their rows about as long.
pub(crate) const HORIZON_MS: u64 = 600_000;
/// What the fold looks back beyond a window, to see which limits were in force at its beginning.
const MARGIN_MS: u64 = 20_000;
const WHAT: &str = "what is recorded";

/// One log: a key and a window.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LogId {
    /// The key.
    pub(crate) key: String,
    /// The window, in milliseconds.
    pub(crate) window_ms: u64,
}

/// What a writer was granted within one second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordedRow {
    /// `node@boot`, or whatever stands in its place.
    pub(crate) writer: String,
    /// The generation of the entries.
    pub(crate) generation: u64,
    /// The second, by Redis's clock.
    pub(crate) second: i64,
    /// The sum of their costs.
    pub(crate) cost: u64,
    /// The highest limit in force for one of them.
    pub(crate) limit: u64,
}

/// One log, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fold {
    /// Which log.
    pub(crate) log: LogId,
    /// Redis's clock at the fold, in microseconds.
    pub(crate) now_us: u64,
    /// What is wrong with the log as a whole.
    pub(crate) problem: Option<String>,
    /// The key's generation.
    pub(crate) generation: u64,
    /// The fold is complete for entries younger than this, in microseconds; 0 if for all that there are.
    pub(crate) complete_after_us: u64,
    /// How many entries are none.
    pub(crate) unparsable: u64,
    /// What was granted.
    pub(crate) rows: Vec<RecordedRow>,
}

impl Fold {
    /// From when on no entry can be missing, in microseconds: entries leave the log once they are older than the window or
    /// than a reset, and a fold reaches back only so far.
    pub(crate) fn complete_since_us(&self) -> u64 {
        let window_us = self.log.window_ms.saturating_mul(1000);
        let reach_us = (self.log.window_ms.min(HORIZON_MS) + MARGIN_MS) * 1000;
        self.now_us.saturating_sub(window_us.min(reach_us)).max(self.complete_after_us).max(self.generation)
    }
}

impl Inspection {
    /// Folds these logs.
    pub(crate) async fn fold(&self, logs: &[LogId]) -> Result<Vec<Fold>, InspectorError> {
        let mut folds = Vec::with_capacity(logs.len());
        for chunk in logs.chunks(LOGS_PER_CALL) {
            let mut call = command("EVAL_RO");
            call.arg(SCRIPT).arg(chunk.len() * 2);
            for log in chunk {
                let key = encoded(&log.key);
                call.arg(format!("rl:{{{key}}}:w:{}", log.window_ms)).arg(format!("rl:{{{key}}}:h"));
            }
            for log in chunk {
                call.arg((log.window_ms.min(HORIZON_MS) + MARGIN_MS) * 1000).arg(MAX_ENTRIES);
            }
            let answer: Vec<Value> = self.ask(WHAT, &call).await?;
            folds.extend(read(chunk, &answer)?);
        }
        Ok(folds)
    }
}

fn read(logs: &[LogId], answer: &[Value]) -> Result<Vec<Fold>, InspectorError> {
    let [seconds, micros, folds @ ..] = answer else {
        return Err(not_understood(WHAT, "it has no time"));
    };
    let now_us = number(seconds)?.saturating_mul(1_000_000).saturating_add(number(micros)?);
    if folds.len() != logs.len() {
        return Err(not_understood(WHAT, format!("{} logs came for {}", folds.len(), logs.len())));
    }
    logs.iter().zip(folds).map(|(log, fold)| read_log(log, now_us, fold)).collect()
}

fn read_log(log: &LogId, now_us: u64, fold: &Value) -> Result<Fold, InspectorError> {
    let Value::Array(fields) = fold else {
        return Err(not_understood(WHAT, "a log is not an array"));
    };
    let [problem, _length, _folded, generation, oldest, unparsable, rows @ ..] = fields.as_slice() else {
        return Err(not_understood(WHAT, "a log has too few fields"));
    };
    if rows.len() > MAX_ENTRIES {
        return Err(not_understood(WHAT, "a log has more rows than entries were asked for"));
    }
    let problem = text(problem)?;
    Ok(Fold {
        log: log.clone(),
        now_us,
        problem: (!problem.is_empty()).then_some(problem),
        generation: number(generation)?,
        complete_after_us: number(oldest)?,
        unparsable: number(unparsable)?,
        rows: rows.iter().map(read_row).collect::<Result<_, _>>()?,
    })
}

fn read_row(row: &Value) -> Result<RecordedRow, InspectorError> {
    let Value::Array(fields) = row else {
        return Err(not_understood(WHAT, "a row is not an array"));
    };
    let [writer, generation, second, cost, _grants, limit] = fields.as_slice() else {
        return Err(not_understood(WHAT, "a row has not six fields"));
    };
    let cost = number(cost)?;
    if cost >= MAX_SUM {
        return Err(not_understood(WHAT, format!("{cost} is no cost")));
    }
    Ok(RecordedRow {
        writer: text(writer)?,
        generation: number(generation)?,
        second: i64::try_from(number(second)?).map_err(|_| not_understood(WHAT, "a second is out of range"))?,
        cost,
        limit: number(limit)?,
    })
}

fn number(value: &Value) -> Result<u64, InspectorError> {
    match value {
        Value::Int(number) => {
            u64::try_from(*number).map_err(|_| not_understood(WHAT, format!("{number} is below zero")))
        }
        _ => Err(not_understood(WHAT, "there is no number where one should be")),
    }
}

/// A text; what is not printable ASCII is shown escaped, so that it can neither be mistaken nor do harm.
fn text(value: &Value) -> Result<String, InspectorError> {
    match value {
        Value::BulkString(bytes) => Ok(bytes.escape_ascii().to_string()),
        Value::SimpleString(text) => Ok(text.as_bytes().escape_ascii().to_string()),
        _ => Err(not_understood(WHAT, "there is no text where one should be")),
    }
}
