//! What the tests share: a cluster whose time passes when asked, and questions to it.

use std::time::Duration;

use operator_lab::environment::{Environment as _, FaultRequest, WorkloadSpec};
use operator_lab::tikv::{Pace, TikvConfig, TikvEnvironment};
use serde_json::Value;
use tempfile::TempDir;

/// A cluster under load.
pub struct Cluster {
    pub environment: TikvEnvironment,
    http: reqwest::Client,
    _folder: TempDir,
}

impl Cluster {
    pub async fn start(change: impl FnOnce(&mut TikvConfig)) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut config = TikvConfig { folder: folder.path().join("environment"), ..TikvConfig::default() };
        change(&mut config);
        let (environment, _) = TikvEnvironment::start(config, Pace::Asked).expect("the cluster starts");
        let load: WorkloadSpec = serde_json::from_str(r#"{"rate": 40000}"#).expect("a load");
        environment.start_workload(&load).await.expect("load");
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().expect("a client");
        Self { environment, http, _folder: folder }
    }

    pub async fn pass(&self, seconds: u64) {
        let until = self.environment.clock().now().plus(Duration::from_secs(seconds));
        self.environment.advance(until).await.expect("time passes");
    }

    pub async fn break_it(&self, fault: FaultRequest) {
        self.environment.inject(&fault).await.expect("injected");
    }

    /// Asks a member by its number, from 1: status, type of the content, body.
    pub async fn ask_member(
        &self,
        member: usize,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, String, String), reqwest::Error> {
        let url = format!("{}{path}", self.environment.pd_urls()[member - 1]);
        let mut request = self.http.request(method.parse().expect("a method"), url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let kind = response.headers()["content-type"].to_str().expect("text").to_owned();
        Ok((status, kind, response.text().await?))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, _, body) = self.ask_member(1, "GET", path, None).await.expect("an answer");
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).expect("JSON")
    }

    pub async fn store(&self, id: u64) -> Value {
        self.get(&format!("/pd/api/v1/store/{id}")).await
    }

    pub async fn state(&self, id: u64) -> String {
        self.store(id).await["store"]["state_name"].as_str().expect("a state").to_owned()
    }

    /// The value of a question of the catalogue, by store.
    pub async fn metric(&self, name: &str) -> Vec<(String, f64)> {
        let query = operator_tikv::queries::find(name).expect("a question");
        let rendered = query.render("1m", "job=\"tikv\"", "job=\"pd\"", "instance");
        let url = format!("{}/api/v1/query", self.environment.prometheus_url());
        let response = self.http.get(url).query(&[("query", rendered)]).send().await.expect("an answer");
        let answer: Value = response.json().await.expect("JSON");
        assert_eq!(answer["status"], "success", "{answer}");
        let series = answer["data"]["result"].as_array().expect("series");
        let value = |one: &Value| {
            let text = one["value"][1].as_str().expect("a value");
            (one["metric"]["instance"].as_str().expect("a target").to_owned(), text.parse().expect("a number"))
        };
        series.iter().map(value).collect()
    }

    /// The greatest value of a question at a store.
    pub async fn at_store(&self, name: &str, id: u64) -> Option<f64> {
        let target = format!("tikv-{id}:20180");
        let values = self.metric(name).await.into_iter().filter(|(instance, _)| *instance == target);
        values.map(|(_, value)| value).max_by(f64::total_cmp)
    }
}
