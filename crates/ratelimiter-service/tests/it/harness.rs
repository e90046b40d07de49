//! A private Redis and nodes of the limiter for one test; nothing outlives it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser as _;
use ratelimiter_service::server::{self, RunningNode};
use ratelimiter_service::settings::Settings;
use serde_json::{Value, json};

/// A Redis on a free port. It dies with its handle, and with this process, however that ends: the shell that
/// holds it waits for its standard input to close.
pub struct Redis {
    pub port: u16,
    pid: u32,
    shell: Child,
    _dir: tempfile::TempDir,
}

impl Redis {
    pub async fn start() -> Self {
        Self::start_on(free_port(), &[]).await
    }

    pub async fn start_on(port: u16, extra: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let script = r#"redis-server "$@" >/dev/null 2>&1 & echo $!; cat >/dev/null; kill -9 $! 2>/dev/null"#;
        let mut shell = Command::new("sh")
            .args(["-c", script, "sh", "--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .arg("--dir")
            .arg(dir.path())
            .args(extra)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh and redis-server are installed");
        let mut line = String::new();
        BufReader::new(shell.stdout.take().expect("piped")).read_line(&mut line).expect("the shell says the pid");
        let redis = Self { port, pid: line.trim().parse().expect("a pid"), shell, _dir: dir };
        eventually("redis answers", async || redis.connection().await.is_some()).await;
        redis
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    async fn connection(&self) -> Option<redis::aio::MultiplexedConnection> {
        // A paused Redis answers when the pause is over.
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
        let client = redis::Client::open(self.url()).ok()?;
        client.get_multiplexed_async_connection_with_config(&config).await.ok()
    }

    /// One command over a connection of its own.
    pub async fn run<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        self.run_raw(&words.iter().map(|w| w.as_bytes()).collect::<Vec<_>>()).await
    }

    pub async fn run_raw<T: redis::FromRedisValue>(&self, words: &[&[u8]]) -> T {
        let mut connection = self.connection().await.expect("redis answers");
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        command.query_async(&mut connection).await.unwrap_or_else(|e| panic!("{words:?}: {e}"))
    }

    /// SIGKILL.
    pub async fn kill(self) -> u16 {
        let status = Command::new("kill").args(["-9", &self.pid.to_string()]).status();
        assert!(status.is_ok_and(|s| s.success()));
        eventually("the port is free", async || self.connection().await.is_none()).await;
        self.port
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// Waits until something holds, at most 15 s.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < Duration::from_secs(15), "not within 15 s: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A node and a client for it.
pub struct TestNode {
    pub running: RunningNode,
    pub api: Api,
}

impl TestNode {
    /// Starts a node with these flags and waits until it decides with Redis.
    pub async fn start(redis: &Redis, flags: &[&str]) -> Self {
        let node = Self::start_at(&redis.url(), flags).await;
        node.coordinated().await;
        node
    }

    pub async fn start_at(redis_url: &str, flags: &[&str]) -> Self {
        // Longer than the default, so that a busy machine is not taken for a slow Redis.
        let patience: &[&str] =
            if flags.contains(&"--redis-timeout-ms") { &[] } else { &["--redis-timeout-ms", "500"] };
        let all = ["ratelimiter", "--redis-url", redis_url, "--node-port", "0", "--shutdown-grace-ms", "0"];
        let settings = Settings::parse_from(all.iter().chain(patience).chain(flags));
        let running = server::start(settings).await.expect("a node starts");
        let api = Api::new(&format!("http://{}", running.address));
        Self { running, api }
    }

    pub async fn coordinated(&self) {
        eventually("the node decides with Redis", async || self.mode().await == "coordinated").await;
    }

    pub async fn mode(&self) -> String {
        self.api.get("/health").await.body["mode"].as_str().unwrap_or_default().to_owned()
    }

    /// Value of the first series whose line starts with this.
    pub async fn metric(&self, series: &str) -> f64 {
        let text = self.api.get("/metrics").await.text;
        let line = text.lines().find(|line| line.starts_with(series)).unwrap_or_else(|| panic!("no {series}"));
        line.rsplit(' ').next().and_then(|v| v.parse().ok()).expect("a number")
    }
}

#[derive(Clone)]
pub struct Api {
    pub base: String,
    pub http: reqwest::Client,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// A part of `X-RateLimit-Decision`.
    pub fn decided(&self, part: &str) -> String {
        let decision = self.header("x-ratelimit-decision");
        let found = decision.split(';').find_map(|p| p.strip_prefix(part)?.strip_prefix('='));
        found.unwrap_or_else(|| panic!("no {part} in {decision:?}")).to_owned()
    }

    pub fn number(&self, part: &str) -> u64 {
        self.decided(part).parse().expect("a number")
    }
}

impl Api {
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().expect("a client");
        Self { base: base.to_owned(), http }
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_send(request).await.expect("the node answers")
    }

    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status, headers, text, body })
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request("POST", path).json(&body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request("PUT", path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path)).await
    }

    /// A check with the debug header.
    pub async fn check(&self, body: Value) -> Answer {
        self.send(self.request("POST", "/check").header("x-ratelimit-debug", "1").json(&body)).await
    }

    /// A check of one key with this limit in a minute.
    pub async fn take(&self, key: &str, limit: u64, cost: u64) -> Answer {
        self.check(json!({ "key": key, "limit": limit, "cost": cost })).await
    }

    pub async fn reset(&self, key: &str) -> Answer {
        self.send(self.request("POST", &format!("/api/counters/{}/reset", encode(key)))).await
    }
}

pub fn encode(key: &str) -> String {
    ratelimiter_service::keys::encode(key)
}
