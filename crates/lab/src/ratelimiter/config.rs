//! How a rate limiter environment is to be.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::LabError;

/// The settings of an environment. Anything not given is as the service's own defaults have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateLimiterConfig {
    /// The folder for everything it writes; relative to the current one. Empty means that whoever starts it says so.
    pub folder: PathBuf,
    /// The subject instance's name.
    pub subject: String,
    /// How many nodes, 1 to 9: `node-1`, `node-2` …
    pub nodes: u8,
    /// The limit of a key for which none is stored.
    pub default_limit: u32,
    /// The window of a key for which none is stored, in milliseconds.
    pub default_window_ms: u32,
    /// How a node decides without Redis.
    pub on_redis_failure: OnRedisFailure,
    /// How long a node waits for Redis, in milliseconds.
    pub redis_timeout_ms: u32,
    /// How often a node says that it is there, in seconds.
    pub heartbeat_s: u32,
    /// After how long without a word a node counts as gone, in seconds.
    pub ttl_s: u32,
    /// Limits that are stored when it starts, by key.
    pub limits: BTreeMap<String, u32>,
}

/// How a node decides without Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRedisFailure {
    /// Each node enforces its share from memory.
    Local,
    /// Everything is granted.
    Open,
    /// Nothing is granted.
    Closed,
}

impl OnRedisFailure {
    /// The word that the node's setting takes.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

impl Default for RateLimiterConfig {
    fn default() -> Self {
        Self {
            folder: PathBuf::new(),
            subject: "limiter".to_owned(),
            nodes: 3,
            default_limit: 100,
            default_window_ms: 60_000,
            on_redis_failure: OnRedisFailure::Local,
            redis_timeout_ms: 250,
            heartbeat_s: 10,
            ttl_s: 30,
            limits: BTreeMap::new(),
        }
    }
}

impl RateLimiterConfig {
    /// The names of the nodes, in order.
    pub fn node_names(&self) -> Vec<String> {
        (1..=self.nodes).map(|number| format!("node-{number}")).collect()
    }

    /// Checks what can be checked without starting anything.
    ///
    /// # Errors
    /// Names the first setting that is wrong and what would be right.
    pub fn check(&self) -> Result<(), LabError> {
        if self.subject.is_empty() || self.subject.len() > 64 {
            return Err(LabError::invalid("subject", "a name of 1 to 64 bytes"));
        }
        if !(1..=9).contains(&self.nodes) {
            return Err(LabError::invalid("nodes", format!("1 to 9 nodes, not {}", self.nodes)));
        }
        let positive = [
            ("default_limit", self.default_limit),
            ("default_window_ms", self.default_window_ms),
            ("redis_timeout_ms", self.redis_timeout_ms),
            ("heartbeat_s", self.heartbeat_s),
            ("ttl_s", self.ttl_s),
        ];
        for (field, value) in positive {
            if !(1..=1_000_000_000).contains(&value) {
                return Err(LabError::invalid(field, format!("1 to 1000000000, not {value}")));
            }
        }
        if self.ttl_s <= self.heartbeat_s {
            return Err(LabError::invalid("ttl_s", "longer than heartbeat_s"));
        }
        for (key, &limit) in &self.limits {
            check_key("limits", key)?;
            if !(1..=1_000_000_000).contains(&limit) {
                return Err(LabError::invalid(format!("limits.{key}"), format!("1 to 1000000000, not {limit}")));
            }
        }
        Ok(())
    }
}

/// Whether `key` can be a rate-limited key.
pub(super) fn check_key(field: &str, key: &str) -> Result<(), LabError> {
    if (1..=512).contains(&key.len()) && !key.chars().any(char::is_control) {
        return Ok(());
    }
    Err(LabError::invalid(field, format!("a key of 1 to 512 bytes without control characters, not {key:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_setting_is_named() {
        RateLimiterConfig::default().check().expect("the defaults are right");
        let wrong = [
            ("nodes", RateLimiterConfig { nodes: 0, ..Default::default() }),
            ("default_limit", RateLimiterConfig { default_limit: 0, ..Default::default() }),
            ("ttl_s", RateLimiterConfig { ttl_s: 10, ..Default::default() }),
            ("limits", RateLimiterConfig { limits: [(String::new(), 1)].into(), ..Default::default() }),
            ("limits.a", RateLimiterConfig { limits: [("a".to_owned(), 0)].into(), ..Default::default() }),
        ];
        for (field, config) in wrong {
            let error = config.check().expect_err(field).to_string();
            assert!(error.starts_with(&format!("{field}: ")), "{error}");
        }
    }
}
