//! An environment for one test, and questions to its nodes.

use std::path::Path;

use operator_lab::environment::{Environment as _, FaultRequest, WorkloadSpec};
use operator_lab::ratelimiter::{RateLimiterConfig, RateLimiterEnvironment};
use operator_protocols::Id;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::eventually;

/// A running environment; its folder goes with it.
pub struct Limiter {
    pub environment: RateLimiterEnvironment,
    pub folder: TempDir,
    http: reqwest::Client,
}

/// Settings that make things happen soon.
pub fn config(folder: &Path) -> RateLimiterConfig {
    RateLimiterConfig { folder: folder.to_owned(), heartbeat_s: 1, ttl_s: 3, ..RateLimiterConfig::default() }
}

impl Limiter {
    pub async fn start() -> Self {
        Self::with(|config| config).await
    }

    pub async fn with(change: impl FnOnce(RateLimiterConfig) -> RateLimiterConfig) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (environment, cleared) =
            RateLimiterEnvironment::start(change(config(folder.path()))).await.expect("the environment starts");
        assert!(cleared.undone.is_empty() && cleared.left.is_empty(), "{cleared:?}");
        let http = reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_secs(2)).build();
        Self { environment, folder, http: http.expect("an HTTP client") }
    }

    pub fn id(&self, component: &str) -> Id {
        Id::new(&self.environment.config().subject, component)
    }

    pub fn url(&self, node: &str, path: &str) -> String {
        format!("http://{}{path}", self.environment.node_addresses()[node])
    }

    /// What a node answers, if it does.
    pub async fn get(&self, node: &str, path: &str) -> Option<Value> {
        self.http.get(self.url(node, path)).send().await.ok()?.json().await.ok()
    }

    pub async fn health(&self, node: &str) -> Option<Value> {
        self.get(node, "/health").await
    }

    /// One decision: whether it was granted, and by whose word (`redis` or `degraded`).
    pub async fn check(&self, node: &str, key: &str) -> Option<(bool, String)> {
        let request = self.http.post(self.url(node, "/check")).header("x-ratelimit-debug", "1");
        let response = request.json(&json!({ "key": key })).send().await.ok()?;
        let decision = response.headers().get("x-ratelimit-decision")?.to_str().ok()?.to_owned();
        let (_, source) = decision.split_once("source=")?;
        let source = source.split(';').next()?.to_owned();
        let answer: Value = response.json().await.ok()?;
        Some((answer["allowed"].as_bool()?, source))
    }

    /// Waits until every node decides by Redis.
    pub async fn settled(&self) {
        for node in self.environment.config().node_names() {
            eventually(&format!("{node} decides by Redis"), || async {
                let (_, source) = self.check(&node, "probe").await?;
                (source == "redis").then_some(())
            })
            .await;
        }
    }

    pub async fn inject(&self, fault: FaultRequest) {
        self.environment.inject(&fault).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
    }

    /// Takes back everything, and checks that nothing is left.
    pub async fn clear(&self) {
        let cleared = self.environment.clear().await.expect("clear");
        assert!(cleared.left.is_empty(), "{cleared:?}");
        assert!(!cleared.undone.is_empty());
        assert!(self.environment.status().open_faults.is_empty());
    }
}

/// A light load over a few keys.
pub fn light_load() -> WorkloadSpec {
    serde_json::from_value(json!({ "rate": 50, "keys": 5 })).expect("a workload")
}
