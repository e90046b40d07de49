//! What is asked of the nodes' management interface; the first node that answers is as good as any.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::outside_write::encode;
use crate::error::LabError;

/// A node on this machine that does not answer by then is broken.
const TIMEOUT: Duration = Duration::from_secs(2);
/// A management answer about one key is some hundred bytes.
const MAX_ANSWER: usize = 256 << 10;

/// A limit that is stored for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLimit {
    /// The limit.
    pub limit: u32,
    /// The key's default window in milliseconds, where one is stored.
    pub window_ms: Option<u32>,
}

/// The nodes, as a manager meets them.
pub(super) struct NodeApi<'a> {
    pub(super) client: &'a Client,
    pub(super) nodes: Vec<SocketAddr>,
}

/// A client that talks to nobody but whom it is told to.
pub(super) fn client() -> Result<Client, LabError> {
    client_with(HeaderMap::new())
}

/// The same, that presents the nodes' management token.
pub(super) fn client_with_token(token: &str) -> Result<Client, LabError> {
    let value = HeaderValue::from_str(&format!("Bearer {token}"));
    let mut value = value.map_err(|error| LabError::asked("present the management token", error))?;
    value.set_sensitive(true);
    client_with(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

fn client_with(headers: HeaderMap) -> Result<Client, LabError> {
    Client::builder()
        .no_proxy()
        .default_headers(headers)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()
        .map_err(|error| LabError::asked("make an HTTP client", error))
}

/// What is read of a node's `/health`.
#[derive(Deserialize)]
struct Health {
    redis_connected: bool,
    mode: String,
}

impl NodeApi<'_> {
    /// Waits until every node decides by Redis.
    pub(super) async fn await_coordinated(&self, within: Duration) -> Result<(), LabError> {
        let deadline = Instant::now() + within;
        for node in &self.nodes {
            loop {
                let said = answer(self.client.get(format!("http://{node}/health"))).await;
                let health = said.clone().ok().and_then(|(_, body)| serde_json::from_value::<Health>(body).ok());
                if health.is_some_and(|health| health.redis_connected && health.mode == "coordinated") {
                    break;
                }
                if Instant::now() >= deadline {
                    let why = said.map_or_else(|error| error, |(_, body)| body.to_string());
                    return Err(LabError::asked(format!("see the node at {node} use Redis within {within:?}"), why));
                }
                sleep(Duration::from_millis(10)).await;
            }
        }
        Ok(())
    }

    /// What is stored for a key, if anything.
    pub(super) async fn stored_limit(&self, key: &str) -> Result<Option<StoredLimit>, LabError> {
        let path = limit_path(key);
        let (status, body) = self.ask(&Method::GET, &path, None).await?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::OK => serde_json::from_value(body)
                .map(Some)
                .map_err(|error| LabError::asked(format!("read the stored limit of {key}"), error)),
            _ => Err(unexpected("read the stored limit of", key, status, &body)),
        }
    }

    /// Stores a limit for a key.
    pub(super) async fn put_limit(&self, key: &str, stored: &StoredLimit) -> Result<(), LabError> {
        let mut body = json!({ "limit": stored.limit });
        if let Some(window_ms) = stored.window_ms {
            body["window_ms"] = window_ms.into();
        }
        match self.ask(&Method::PUT, &limit_path(key), Some(&body)).await? {
            (StatusCode::OK, _) => Ok(()),
            (status, body) => Err(unexpected("store a limit for", key, status, &body)),
        }
    }

    /// Stores no limit for a key any more.
    pub(super) async fn delete_limit(&self, key: &str) -> Result<(), LabError> {
        match self.ask(&Method::DELETE, &limit_path(key), None).await? {
            (StatusCode::OK | StatusCode::NOT_FOUND, _) => Ok(()),
            (status, body) => Err(unexpected("delete the limit of", key, status, &body)),
        }
    }

    /// Resets every counter of a key.
    pub(super) async fn reset(&self, key: &str) -> Result<(), LabError> {
        let path = format!("/api/counters/{}/reset", encode(key));
        match self.ask(&Method::POST, &path, Some(&json!({}))).await? {
            (StatusCode::OK, _) => Ok(()),
            (status, body) => Err(unexpected("reset the counter of", key, status, &body)),
        }
    }

    /// Asks one node after the other until one does what is asked or says why not. All that is asked here may be
    /// asked twice. A node whose Redis is out of reach, or which answers slowly, is passed over.
    async fn ask(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<(StatusCode, Value), LabError> {
        let mut why = "there is no node".to_owned();
        for node in &self.nodes {
            let mut request = self.client.request(method.clone(), format!("http://{node}{path}"));
            if let Some(body) = body {
                request = request.json(body);
            }
            match answer(request).await {
                Ok((StatusCode::SERVICE_UNAVAILABLE, body)) => why = format!("{node}: 503 {body}"),
                Ok(answer) => return Ok(answer),
                Err(error) => why = format!("{node}: {error}"),
            }
        }
        Err(LabError::asked(format!("{method} {path} on any node"), why))
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<(StatusCode, Value), String> {
    let mut response = request.send().await.map_err(|error| error.to_string())?;
    let status = response.status();
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| error.to_string())? {
        if bytes.len() + piece.len() > MAX_ANSWER {
            return Err(format!("an answer of more than {MAX_ANSWER} bytes"));
        }
        bytes.extend_from_slice(&piece);
    }
    let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into());
    Ok((status, body))
}

fn limit_path(key: &str) -> String {
    format!("/api/limits/{}", encode(key))
}

fn unexpected(what: &str, key: &str, status: StatusCode, body: &Value) -> LabError {
    LabError::asked(format!("{what} {key}"), format!("{status} {body}"))
}
