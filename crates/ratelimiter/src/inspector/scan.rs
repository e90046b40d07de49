//! The key space in rotation, a little in each observation: so that a log is found that no node knows of.

use redis::Value;

use super::{Inspection, InspectorError, LogId, command, decoded, not_understood};
use crate::api::MAX_QUANTITY;

/// About how many keys of Redis one step looks at.
const STEP: u32 = 500;
const WHAT: &str = "a part of the key space";

impl Inspection {
    /// Looks at the next part of the key space. Gives the logs in it, and where the next part begins (0: anew).
    pub(crate) async fn scan(&self, cursor: u64) -> Result<(Vec<LogId>, u64), InspectorError> {
        let mut scan = command("SCAN");
        scan.arg(cursor).arg("MATCH").arg("rl:{*}:w:*").arg("COUNT").arg(STEP);
        let (next, names): (String, Vec<Value>) = self.ask(WHAT, &scan).await?;
        let next = next.parse().map_err(|_| not_understood(WHAT, "the cursor is not a number"))?;
        let name = |value: &Value| match value {
            Value::BulkString(bytes) => std::str::from_utf8(bytes).ok().and_then(log_of),
            _ => None,
        };
        Ok((names.iter().filter_map(name).take(STEP as usize * 4).collect(), next))
    }
}

/// The log that has this name in Redis.
fn log_of(name: &str) -> Option<LogId> {
    let (key, window) = name.strip_prefix("rl:{")?.split_once("}:w:")?;
    let window_ms = window.parse().ok().filter(|&window| (1..=MAX_QUANTITY).contains(&window))?;
    Some(LogId { key: decoded(key)?, window_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_a_limiter_writes_are_logs() {
        let log = |key: &str, window_ms| Some(LogId { key: key.to_owned(), window_ms });
        assert_eq!(log_of("rl:{a%7Db}:w:1000"), log("a}b", 1000));
        for name in ["rl:{a}:h", "rl:{a}:w:0", "rl:{a}:w:x", "rl:{a%7d}:w:1", "rl:{}:w:1", "rl:{a b}:w:1", "x"] {
            assert_eq!(log_of(name), None, "{name}");
        }
    }
}
