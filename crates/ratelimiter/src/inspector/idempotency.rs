//! Whether an action with an idempotency key had its effect: the record of it is written by the script that has it. And
//! the generation of a key, which a reset moves on.

use redis::Value;

use super::{Inspection, InspectorError, command, encoded};

/// The record of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    /// The run_id of the Redis that had it.
    pub(crate) run_id: String,
    /// The generation of a reset, or the version of a limit.
    pub(crate) answer: u64,
}

impl Inspection {
    /// The record of `intent` on `key`, if there is one.
    pub(crate) async fn done(&self, key: &str, intent: &str) -> Result<Option<Done>, InspectorError> {
        let mut get = command("HMGET");
        get.arg(format!("rl:{{{}}}:i:{}", encoded(key), encoded(intent))).arg(&["run_id", "answer"]);
        let fields: Vec<Value> = self.ask("the record of an action", &get).await?;
        let text = |at: usize| match fields.get(at) {
            Some(Value::BulkString(bytes)) => std::str::from_utf8(bytes).ok(),
            _ => None,
        };
        Ok(text(0).zip(text(1).and_then(|answer| answer.parse().ok())).map(|(run_id, answer)| Done {
            run_id: run_id.chars().filter(char::is_ascii_hexdigit).take(64).collect(),
            answer,
        }))
    }

    /// The generation of a key as its hash has it: when it was last reset, in microseconds; 0 if it never was.
    pub(crate) async fn generation(&self, key: &str) -> Result<u64, InspectorError> {
        let mut get = command("HGET");
        get.arg(format!("rl:{{{}}}:h", encoded(key))).arg("g");
        let generation: Option<u64> = self.ask("the generation of a key", &get).await?;
        Ok(generation.unwrap_or(0))
    }
}
