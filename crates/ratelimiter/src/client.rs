//! The nodes' HTTP API: bounded answers, bounded time, no redirect followed, nothing sent twice.

use std::time::{Duration, Instant};

use operator_prometheus::{Exposition, ExpositionLimits, read_bounded};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, RequestBuilder, redirect, retry};
use serde::de::DeserializeOwned;

use crate::api::{AdmittedPage, ApiError, Drain, Health, LimitDone, LimitsPage, ResetDone, Resynced};
use crate::client_error::ClientError;
use crate::{Address, Secret};

/// Everything but the unreserved characters of RFC 3986: how keys stand in paths and in Redis.
pub(crate) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A node answers that it lives within this; it is also what `node_down` is judged by.
pub const LIVEZ_TIMEOUT: Duration = Duration::from_secs(1);
/// Any other reading: all of them go on side by side and must fit into one observation.
const READ_TIMEOUT: Duration = Duration::from_secs(1);
/// Most answers are a few kilobytes.
const MAX_BODY: usize = 1 << 20;
/// Rows of one page of `/api/admitted`; with keys of ordinary length about half a megabyte.
const ADMITTED_PAGE: usize = 4000;
/// The longest keys, escaped, make a page about this large.
const MAX_ADMITTED_BODY: usize = 4 << 20;

/// Where a node is reached, and whether it may be shown the management token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The address.
    pub address: Address,
    /// Whether the token is sent there: only to addresses that the configuration names.
    pub trusted: bool,
}

/// The nodes' HTTP API.
#[derive(Debug, Clone)]
pub struct NodeClient {
    http: Client,
    token: Option<Secret>,
}

/// What goes with a request that changes something, so that it happens at most once and only on the Redis that was
/// looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Precondition<'a> {
    /// The idempotency key.
    pub(crate) intent: &'a str,
    /// The run_id of the Redis that must carry it out.
    pub(crate) run_id: &'a str,
    /// How long to wait for the answer.
    pub(crate) time_limit: Duration,
}

impl NodeClient {
    /// A client that shows `token` to trusted endpoints.
    ///
    /// # Errors
    /// When the operating system refuses what an HTTP client needs.
    pub fn new(token: Option<Secret>) -> Result<Self, ClientError> {
        // A connection for each request: how long a node takes to accept one is part of whether it lives, and a
        // request on a connection that the other side just closed would have to be repeated.
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .pool_max_idle_per_host(0)
            .no_proxy()
            .build()
            .map_err(ClientError::Setup)?;
        Ok(Self { http, token })
    }

    fn request(&self, method: Method, to: &Endpoint, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("http://{}{path}", to.address));
        match &self.token {
            Some(token) if to.trusted => request.bearer_auth(token.reveal()),
            _ => request,
        }
    }

    async fn bytes(
        &self,
        request: RequestBuilder,
        to: &Endpoint,
        timeout: Duration,
        limit: usize,
    ) -> Result<Vec<u8>, ClientError> {
        let address = || to.address.clone();
        let response = request.timeout(timeout).send().await.map_err(|source| {
            if source.is_connect() || source.is_builder() {
                ClientError::Connect { address: address(), source }
            } else {
                ClientError::NoAnswer { address: address(), waited: timeout, source }
            }
        })?;
        let status = response.status();
        let body =
            read_bounded(response, limit).await.map_err(|source| ClientError::Body { address: address(), source });
        if status.is_success() {
            return body;
        }
        let mut error: ApiError = body.ok().and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
        for text in [&mut error.error, &mut error.message] {
            *text = text.chars().filter(|c| !c.is_control()).take(200).collect();
        }
        Err(ClientError::Status { address: address(), status: status.as_u16(), body: Box::new(error) })
    }

    async fn json<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        to: &Endpoint,
        timeout: Duration,
        limit: usize,
    ) -> Result<T, ClientError> {
        let body = self.bytes(request, to, timeout, limit).await?;
        serde_json::from_slice(&body).map_err(|source| ClientError::Json { address: to.address.clone(), source })
    }

    async fn read<T: DeserializeOwned>(&self, to: &Endpoint, path: &str) -> Result<T, ClientError> {
        self.json(self.request(Method::GET, to, path), to, READ_TIMEOUT, MAX_BODY).await
    }

    /// Whether it lives, and how long it took to say so.
    pub(crate) async fn livez(&self, to: &Endpoint) -> Result<Duration, ClientError> {
        let begun = Instant::now();
        self.bytes(self.request(Method::GET, to, "/livez"), to, LIVEZ_TIMEOUT, MAX_BODY).await?;
        Ok(begun.elapsed())
    }

    /// What it says of itself.
    pub(crate) async fn health(&self, to: &Endpoint) -> Result<Health, ClientError> {
        self.read(to, "/health").await
    }

    /// Its metrics.
    pub(crate) async fn metrics(&self, to: &Endpoint) -> Result<Exposition, ClientError> {
        let address = || to.address.clone();
        let limits = ExpositionLimits { bytes: MAX_BODY, series: 5_000, ..ExpositionLimits::default() };
        let body = self.bytes(self.request(Method::GET, to, "/metrics"), to, READ_TIMEOUT, MAX_BODY).await?;
        let exposition =
            Exposition::parse(&body, &limits).map_err(|source| ClientError::Metrics { address: address(), source })?;
        if exposition.ended() { Ok(exposition) } else { Err(ClientError::MetricsCutOff { address: address() }) }
    }

    /// One page of what it let through.
    pub(crate) async fn admitted(&self, to: &Endpoint, cursor: Option<&str>) -> Result<AdmittedPage, ClientError> {
        let request = self.request(Method::GET, to, "/api/admitted").query(&[("limit", ADMITTED_PAGE)]);
        let request = request.query(&[("cursor", cursor)]);
        self.json(request, to, READ_TIMEOUT, MAX_ADMITTED_BODY).await
    }

    /// One page of the stored limits.
    pub(crate) async fn limits(&self, to: &Endpoint, cursor: Option<&str>) -> Result<LimitsPage, ClientError> {
        let request = self.request(Method::GET, to, "/api/limits").query(&[("limit", 500)]);
        let request = request.query(&[("cursor", cursor)]);
        self.json(request, to, READ_TIMEOUT, MAX_ADMITTED_BODY).await
    }

    /// One counter with what Redis recorded for it, as the node gives it.
    pub(crate) async fn counter(&self, to: &Endpoint, key: &str) -> Result<serde_json::Value, ClientError> {
        let path = format!("/api/counters/{}?detail=true", utf8_percent_encode(key, ENCODED));
        self.read(to, &path).await
    }

    /// Whether it is drained, and by whom.
    pub(crate) async fn drain_state(&self, to: &Endpoint, node: &str) -> Result<Drain, ClientError> {
        self.read(to, &format!("/api/nodes/{node}/drain")).await
    }

    /// Tells it to take no more traffic until the end of `ttl_s`.
    pub(crate) async fn drain(
        &self,
        to: &Endpoint,
        node: &str,
        owner: &str,
        ttl_s: u64,
        if_version: Option<u64>,
        time_limit: Duration,
    ) -> Result<Drain, ClientError> {
        let mut body = serde_json::json!({ "owner": owner, "ttl_s": ttl_s });
        if let Some(version) = if_version {
            body["if_version"] = version.into();
        }
        let request = self.request(Method::PUT, to, &format!("/api/nodes/{node}/drain")).json(&body);
        self.json(request, to, time_limit, MAX_BODY).await
    }

    /// Tells it to take traffic again, if `owner` drained it.
    pub(crate) async fn undrain(
        &self,
        to: &Endpoint,
        node: &str,
        owner: &str,
        time_limit: Duration,
    ) -> Result<Drain, ClientError> {
        let request = self.request(Method::DELETE, to, &format!("/api/nodes/{node}/drain"));
        self.json(request.query(&[("owner", owner)]), to, time_limit, MAX_BODY).await
    }

    /// Starts a key's counters afresh.
    pub(crate) async fn reset(
        &self,
        to: &Endpoint,
        key: &str,
        precondition: Precondition<'_>,
    ) -> Result<ResetDone, ClientError> {
        let path = format!("/api/counters/{}/reset", utf8_percent_encode(key, ENCODED));
        let request = keyed(self.request(Method::POST, to, &path), precondition);
        self.json(request, to, precondition.time_limit, MAX_BODY).await
    }

    /// Stores a key's limit, if the record is still at `version`, or still absent.
    pub(crate) async fn put_limit(
        &self,
        to: &Endpoint,
        key: &str,
        limit: u64,
        window_ms: Option<u64>,
        version: Option<u64>,
        precondition: Precondition<'_>,
    ) -> Result<LimitDone, ClientError> {
        let mut body = serde_json::json!({ "limit": limit });
        if let Some(window_ms) = window_ms {
            body["window_ms"] = window_ms.into();
        }
        let path = format!("/api/limits/{}", utf8_percent_encode(key, ENCODED));
        let request = keyed(self.request(Method::PUT, to, &path), precondition).json(&body);
        let request = match version {
            Some(version) => request.header("If-Match", format!("\"{version}\"")),
            None => request.header("If-None-Match", "*"),
        };
        self.json(request, to, precondition.time_limit, MAX_BODY).await
    }

    /// Tells it to read registry and limits again.
    pub(crate) async fn resync(&self, to: &Endpoint, time_limit: Duration) -> Result<Resynced, ClientError> {
        self.json(self.request(Method::POST, to, "/api/resync"), to, time_limit, MAX_BODY).await
    }
}

fn keyed(request: RequestBuilder, precondition: Precondition<'_>) -> RequestBuilder {
    request.header("Idempotency-Key", precondition.intent).header("X-Redis-Run-Id", precondition.run_id)
}
