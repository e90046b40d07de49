//! A rate limiter of our own in a temporary folder: it runs, it is under load, it can be broken, and an operator in
//! another process can reach it through its control socket.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use operator_lab::control::ControlServer;
use operator_lab::environment::{Environment, FaultRequest, WorkloadSpec};
use operator_lab::process::LogStream;
use operator_lab::ratelimiter::{RateLimiterConfig, RateLimiterEnvironment};
use tempfile::TempDir;

use super::late::{Late, Lateness};

/// More than a node says in a test.
const LOG_BYTES: u64 = 8 << 20;

/// A running rate limiter; everything of it goes with it.
pub struct Cluster {
    pub environment: RateLimiterEnvironment,
    _server: ControlServer,
    folder: TempDir,
}

impl Cluster {
    /// Three nodes, Redis and a light load.
    pub async fn start(change: impl FnOnce(RateLimiterConfig) -> RateLimiterConfig) -> Self {
        Self::served(change, |environment| Arc::new(environment)).await
    }

    /// The same, with a driver that starts late.
    pub async fn late(lateness: &Arc<Lateness>, change: impl FnOnce(RateLimiterConfig) -> RateLimiterConfig) -> Self {
        let lateness = Arc::clone(lateness);
        Self::served(change, |environment| Arc::new(Late { environment, lateness })).await
    }

    async fn served(
        change: impl FnOnce(RateLimiterConfig) -> RateLimiterConfig,
        serve: impl FnOnce(RateLimiterEnvironment) -> Arc<dyn Environment>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let config = RateLimiterConfig { folder: folder.path().to_owned(), ..RateLimiterConfig::default() };
        let (environment, _) = RateLimiterEnvironment::start(change(config)).await.expect("the cluster starts");
        let server = ControlServer::start(folder.path(), serve(environment.clone())).expect("the socket");
        let load = WorkloadSpec {
            pattern: "steady".to_owned(),
            rate: 30,
            keys: 20,
            zipf: 0.8,
            seed: 0,
            params: BTreeMap::new(),
        };
        environment.start_workload(&load).await.expect("load");
        Self { environment, _server: server, folder }
    }

    /// Its folder, as `operator run --lab` is told.
    pub fn folder(&self) -> &str {
        self.folder.path().to_str().expect("a path of UTF-8")
    }

    /// Breaks something.
    pub async fn inject(&self, fault: FaultRequest) {
        self.environment.inject(&fault).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
    }

    /// How many times a node was started, by what it said itself at each of its starts.
    pub fn starts_of(&self, node: &str) -> u64 {
        let said = self.environment.supervisor().log_tail(node, LogStream::Out, LOG_BYTES).expect("its log");
        said.lines().filter(|line| line.contains(r#""event":"ready""#)).count() as u64
    }

    /// Ends everything, in order, so that what Redis has on record is whole. Gives its folder, with what is left in it.
    pub async fn end(self) -> TempDir {
        self.environment.shut_down().await.expect("it ends");
        self.folder
    }
}

/// Where Redis keeps its log of writes, in the folder of a cluster.
pub fn redis_log(folder: &Path) -> std::path::PathBuf {
    folder.join("redis").join("appendonlydir")
}
