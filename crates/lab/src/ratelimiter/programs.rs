//! The programs of this environment, and how each is started.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::RateLimiterConfig;
use crate::binaries::{MissingProgram, find};
use crate::process::{ProcessSpec, Readiness};

/// Where the programs are.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    pub(super) guard: PathBuf,
    pub(super) redis: PathBuf,
    pub(super) node: PathBuf,
    pub(super) loadgen: PathBuf,
}

impl Programs {
    pub(super) fn find() -> Result<Self, MissingProgram> {
        Ok(Self {
            guard: find("operator-child-guard")?,
            redis: find("redis-server")?,
            node: find("ratelimiter")?,
            loadgen: find("loadgen")?,
        })
    }

    /// A Redis of our own: loopback only, its data in `folder`, every write on disk within a second.
    pub(super) fn redis(&self, name: &str, port: u16, folder: &Path) -> ProcessSpec {
        let port = port.to_string();
        let folder = folder.to_string_lossy();
        ProcessSpec::new(name, &self.redis)
            .args([
                "--bind",
                "127.0.0.1",
                "--port",
                &port,
                "--dir",
                &folder,
                "--appendonly",
                "yes",
                "--appendfsync",
                "everysec",
                // No snapshots: the log is enough, and a forked child is not bound to our end. The log's own rewrite
                // (at 64 MB) forks as well, for a moment.
                "--save",
                "",
                "--daemonize",
                "no",
            ])
            .ready_when(Readiness::Answers {
                address: SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap_or(0))),
                send: "PING\r\n".to_owned(),
                expect: "+PONG\r\n".to_owned(),
            })
    }

    /// A node that reaches Redis at `redis`.
    pub(super) fn node(&self, config: &RateLimiterConfig, name: &str, port: u16, redis: SocketAddr) -> ProcessSpec {
        let mut spec = ProcessSpec::new(name, &self.node)
            .env("RATELIMITER_REDIS_URL", format!("redis://{redis}"))
            .env("RATELIMITER_NODE_ID", name)
            .env("RATELIMITER_NODE_HOST", "127.0.0.1")
            .env("RATELIMITER_NODE_PORT", port.to_string())
            .env(DEFAULT_LIMIT, config.default_limit.to_string())
            .env(DEFAULT_WINDOW_MS, config.default_window_ms.to_string())
            .env("RATELIMITER_ON_REDIS_FAILURE", config.on_redis_failure.word())
            .env("RATELIMITER_REDIS_TIMEOUT_MS", config.redis_timeout_ms.to_string())
            .env("RATELIMITER_NODE_HEARTBEAT_SECONDS", config.heartbeat_s.to_string())
            .env("RATELIMITER_NODE_TTL_SECONDS", config.ttl_s.to_string())
            .ready_when(Readiness::ReadyLine);
        spec.start_timeout = Duration::from_secs(15);
        // It still serves for a second after SIGTERM.
        spec.stop_grace = Duration::from_secs(5);
        spec
    }
}

/// The node's setting of the limit of a key for which none is stored.
pub(super) const DEFAULT_LIMIT: &str = "RATELIMITER_DEFAULT_LIMIT";
/// The node's setting of the window of a key for which none is stored.
pub(super) const DEFAULT_WINDOW_MS: &str = "RATELIMITER_DEFAULT_WINDOW_MS";
