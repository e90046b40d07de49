//! What a node is told at start: environment variables with the prefix `RATELIMITER_`, overridden by flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use serde::Serialize;

use crate::keys::MAX_QUANTITY;

/// What a node does with a check when Redis does not answer it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnRedisFailure {
    /// Enforce limit ÷ live nodes from this node's memory.
    Local,
    /// Accept everything.
    Open,
    /// Refuse everything.
    Closed,
}

impl OnRedisFailure {
    /// Its name in settings, metrics and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// What a node says of itself when it is stopped by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnStop {
    /// It will be back: say Leaving for 30 s.
    Leave,
    /// It is scaled in: take it out of the registry.
    Deregister,
}

/// A node of a distributed rate limiter: several nodes share Redis and enforce one limit together.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "ratelimiter",
    version,
    after_help = "Example:\n  ratelimiter --node-id node-2 --node-port 0 --redis-url redis://127.0.0.1:6379\n\n\
                  The management token comes from RATELIMITER_MANAGEMENT_TOKEN or a file, never from a flag."
)]
pub struct Settings {
    /// Redis 7.0 or later, as `redis://[user:password@]host[:port][/db]`.
    #[arg(long, env = "RATELIMITER_REDIS_URL", default_value = "redis://localhost:6379", hide_env_values = true)]
    pub redis_url: String,
    /// Name of this node: 1 to 40 letters, digits, '-', '_' or '.'.
    #[arg(long, env = "RATELIMITER_NODE_ID", default_value = "node-1")]
    pub node_id: String,
    /// Host name or address to listen on and to advertise.
    #[arg(long, env = "RATELIMITER_NODE_HOST", default_value = "localhost")]
    pub node_host: String,
    /// Port to listen on; 0 picks a free one.
    #[arg(long, env = "RATELIMITER_NODE_PORT", default_value_t = 8000)]
    pub node_port: u16,
    /// Limit where neither a stored limit nor the request says one.
    #[arg(long, env = "RATELIMITER_DEFAULT_LIMIT", default_value_t = 100)]
    pub default_limit: u64,
    /// Window (ms) where neither the request nor a stored limit says one.
    #[arg(long, env = "RATELIMITER_DEFAULT_WINDOW_MS", default_value_t = 60_000)]
    pub default_window_ms: u64,
    /// After how many seconds without a heartbeat this node counts as Down.
    #[arg(long, env = "RATELIMITER_NODE_TTL_SECONDS", default_value_t = 30)]
    pub node_ttl_seconds: u64,
    /// Seconds between heartbeats.
    #[arg(long, env = "RATELIMITER_NODE_HEARTBEAT_SECONDS", default_value_t = 10)]
    pub node_heartbeat_seconds: u64,
    /// What to do with a check when Redis does not answer.
    #[arg(long, env = "RATELIMITER_ON_REDIS_FAILURE", value_enum, default_value = "local")]
    pub on_redis_failure: OnRedisFailure,
    /// How long (ms) a check waits for Redis.
    #[arg(long, env = "RATELIMITER_REDIS_TIMEOUT_MS", default_value_t = 250)]
    pub redis_timeout_ms: u64,
    /// What to do in the registry when stopped by SIGTERM or SIGINT.
    #[arg(long, env = "RATELIMITER_ON_STOP", value_enum, default_value = "leave")]
    pub on_stop: OnStop,
    /// How long (ms) to go on serving, with /readyz 503, after the signal.
    #[arg(long, env = "RATELIMITER_SHUTDOWN_GRACE_MS", default_value_t = 1000)]
    pub shutdown_grace_ms: u64,
    /// File that holds the token management calls must present; without a token they must come from loopback.
    #[arg(long, env = "RATELIMITER_MANAGEMENT_TOKEN_FILE")]
    pub management_token_file: Option<PathBuf>,
    /// The token; read by [`Settings::read_token`].
    #[arg(skip)]
    pub management_token: Option<Token>,
}

/// A secret that does not show itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Wraps a token.
    #[must_use]
    pub fn new(token: &str) -> Self {
        Self(token.to_owned())
    }

    /// The secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A value is out of range; the setting is named as its flag.
    #[error("--{setting} (RATELIMITER_{}) {must}, got {got}", setting.to_uppercase().replace('-', "_"))]
    Invalid {
        /// The flag without dashes.
        setting: &'static str,
        /// What would be right.
        must: &'static str,
        /// What was given.
        got: String,
    },
    /// The token file cannot be used.
    #[error("cannot read the management token from {path}")]
    TokenFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Settings {
    /// Takes the token from `env` (the value of `RATELIMITER_MANAGEMENT_TOKEN`) or the token file. Empty counts as unset.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_token(&mut self, env: Option<String>) -> Result<(), SettingsError> {
        let token = match (&self.management_token_file, env) {
            (Some(path), _) => std::fs::read_to_string(path)
                .map(Some)
                .map_err(|source| SettingsError::TokenFile { path: path.clone(), source })?,
            (None, env) => env,
        };
        self.management_token = token.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).map(Token);
        Ok(())
    }

    /// Checks what clap cannot.
    ///
    /// # Errors
    /// The first setting that is out of range.
    pub fn validate(&self) -> Result<(), SettingsError> {
        let id = &self.node_id;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if id.is_empty() || id.len() > 40 || !id.chars().all(plain) {
            let must = "must be 1 to 40 letters, digits, '-', '_' or '.'";
            return Err(SettingsError::Invalid { setting: "node-id", must, got: format!("{id:?}") });
        }
        if self.node_host.is_empty() || self.node_host.len() > 253 {
            let must = "must be a host name or an address";
            return Err(SettingsError::Invalid { setting: "node-host", must, got: format!("{:?}", self.node_host) });
        }
        let ranges = [
            ("default-limit", self.default_limit, 1, MAX_QUANTITY, "must be from 1 to 1000000000"),
            ("default-window-ms", self.default_window_ms, 1, MAX_QUANTITY, "must be from 1 to 1000000000 ms"),
            ("node-heartbeat-seconds", self.node_heartbeat_seconds, 1, 3600, "must be from 1 to 3600 s"),
            // Below 50 ms the clocks' drift would no longer fit into the fifth of the timeout left for it.
            ("redis-timeout-ms", self.redis_timeout_ms, 50, 60_000, "must be from 50 to 60000 ms"),
            ("shutdown-grace-ms", self.shutdown_grace_ms, 0, 60_000, "must be at most 60000 ms"),
        ];
        for (setting, value, low, high, must) in ranges {
            if !(low..=high).contains(&value) {
                return Err(SettingsError::Invalid { setting, must, got: value.to_string() });
            }
        }
        if self.node_ttl_seconds <= self.node_heartbeat_seconds || self.node_ttl_seconds > 86_400 {
            let must = "must be longer than the heartbeat and at most 86400 s";
            let got = self.node_ttl_seconds.to_string();
            return Err(SettingsError::Invalid { setting: "node-ttl-seconds", must, got });
        }
        Ok(())
    }

    /// How long a check waits for Redis.
    #[must_use]
    pub fn redis_timeout(&self) -> Duration {
        Duration::from_millis(self.redis_timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flags: &[&str]) -> Settings {
        Settings::parse_from(std::iter::once("ratelimiter").chain(flags.iter().copied()))
    }

    #[test]
    fn a_setting_out_of_range_is_named() {
        let error = parse(&["--default-limit", "0"]).validate().unwrap_err().to_string();
        assert_eq!(error, "--default-limit (RATELIMITER_DEFAULT_LIMIT) must be from 1 to 1000000000, got 0");
        assert!(parse(&["--node-id", "a@b"]).validate().unwrap_err().to_string().contains("--node-id"));
        assert!(
            parse(&["--node-ttl-seconds", "10"]).validate().unwrap_err().to_string().contains("--node-ttl-seconds")
        );
    }

    #[test]
    fn a_token_never_shows() {
        let mut settings = parse(&[]);
        settings.read_token(Some(" secret\n".into())).unwrap();
        assert_eq!(settings.management_token.as_ref().map(Token::reveal), Some("secret"));
        assert!(!format!("{settings:?}").contains("secret"));
        settings.read_token(Some(String::new())).unwrap();
        assert_eq!(settings.management_token, None);
    }
}
