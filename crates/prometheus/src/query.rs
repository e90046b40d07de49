//! Instant and range queries against a Prometheus server.

use std::collections::BTreeSet;
use std::time::Duration;

use operator_protocols::{Timestamp, Unavailable};
use reqwest::Url;
use tokio::time::timeout;

use crate::{BodyError, HttpClient, HttpError, HttpLimits, HttpRequest, Series, query_answer};

/// How much an answer may hold, and how long it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryLimits {
    /// Bytes of the answer.
    pub bytes: usize,
    /// Series in the answer.
    pub series: usize,
    /// Points of one series.
    pub points: usize,
    /// From connecting to the last byte.
    pub timeout: Duration,
}

impl Default for QueryLimits {
    /// 8 MiB, 1,000 series, 5 s, and 11,000 points, which is also what a Prometheus server allows a series.
    fn default() -> Self {
        Self { bytes: 8 << 20, series: 1_000, points: 11_000, timeout: Duration::from_secs(5) }
    }
}

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The server's address is not one.
    #[error("{url:?} is not the address of a Prometheus server, such as http://localhost:9090: {why}")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The query asks for something that makes no sense.
    #[error("{0}")]
    Range(String),
    /// The server did not answer.
    #[error("the Prometheus server did not answer")]
    NoAnswer(#[source] HttpError),
    /// The answer could not be read.
    #[error("the Prometheus server's answer could not be read")]
    Body(#[from] BodyError),
    /// The server answered with an error that is not in its API's form.
    #[error("the Prometheus server answered with status {0}")]
    Status(u16),
    /// The server refused the query.
    #[error("the Prometheus server refused the query: {kind}: {message}")]
    Refused {
        /// Its kind of error.
        kind: String,
        /// What it says.
        message: String,
    },
    /// The answer is not in the API's form.
    #[error("the Prometheus server's answer is not understood")]
    NotUnderstood(#[source] serde_json::Error),
    /// The answer contradicts itself.
    #[error("the Prometheus server's answer makes no sense: {0}")]
    Contradictory(String),
    /// The answer holds more than allowed.
    #[error("the answer holds more than {limit} {what}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
}

impl QueryError {
    /// What could not be read because of this, causes included.
    pub fn unavailable(&self, what: impl Into<String>) -> Unavailable {
        let mut why = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            why = format!("{why}: {error}");
            cause = error.source();
        }
        Unavailable::new(what, why)
    }
}

/// A Prometheus server. It follows no redirect.
#[derive(Debug, Clone)]
pub struct QueryClient {
    http: HttpClient,
    base: Url,
    limits: QueryLimits,
}

impl QueryClient {
    /// The server at `base_url`, for example `http://localhost:9090`.
    ///
    /// # Errors
    /// [`QueryError::Address`] if that is not an `http` address.
    pub fn new(base_url: &str, limits: QueryLimits) -> Result<Self, QueryError> {
        let plain = HttpClient::plain();
        Self::with_http(base_url, limits, plain)
    }

    /// The same, asked through `http`: by `https`, too, if that has certificates.
    ///
    /// # Errors
    /// [`QueryError::Address`] if that is no address that `http` could reach.
    pub fn with_http(base_url: &str, limits: QueryLimits, http: HttpClient) -> Result<Self, QueryError> {
        let address = |why: &str| QueryError::Address { url: base_url.to_owned(), why: why.to_owned() };
        let mut base = Url::parse(base_url).map_err(|error| address(&error.to_string()))?;
        match base.scheme() {
            "http" => {}
            "https" if http.has_tls() => {}
            "https" => return Err(address("only http is spoken where no certificate authority is given")),
            _ => return Err(address("only http and https are spoken")),
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(address("it must not have a query or a fragment"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(QueryError::Address {
                url: base.host_str().unwrap_or_default().to_owned(),
                why: "it must not hold a name or a password".to_owned(),
            });
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self { http, base, limits })
    }

    /// The value of an expression at an instant: one point a series.
    ///
    /// # Errors
    /// When the server does not answer, refuses, or answers with something else or with too much.
    pub async fn instant(&self, expression: &str, at: Timestamp) -> Result<Vec<Series>, QueryError> {
        self.ask("api/v1/query", &[("query", expression.to_owned()), ("time", seconds(at))]).await
    }

    /// The values of an expression from `from` to `to`, one each `step`.
    ///
    /// # Errors
    /// [`QueryError::Range`] if that makes no or too many points; else as for [`QueryClient::instant`].
    pub async fn range(
        &self,
        expression: &str,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> Result<Vec<Series>, QueryError> {
        if to < from || step.is_zero() {
            return Err(QueryError::Range(format!("a range must not end before it begins, nor step by {step:?}")));
        }
        if to.since(from).as_millis() / step.as_millis().max(1) >= self.limits.points as u128 {
            return Err(QueryError::Range(format!(
                "steps of {step:?} make more than {} points of the range",
                self.limits.points
            )));
        }
        let step = format!("{:.3}", step.as_secs_f64());
        let parameters =
            [("query", expression.to_owned()), ("start", seconds(from)), ("end", seconds(to)), ("step", step)];
        self.ask("api/v1/query_range", &parameters).await
    }

    /// The names of the metrics of which a series that `selector` selects, such as `{job="x"}`, had a value between
    /// `from` and `to`. Which of them a system exposes depends on its version.
    ///
    /// # Errors
    /// As for [`QueryClient::instant`]; also for more names than series are allowed.
    pub async fn metric_names(
        &self,
        selector: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<BTreeSet<String>, QueryError> {
        let parameters = [("match[]", selector.to_owned()), ("start", seconds(from)), ("end", seconds(to))];
        self.fetch("api/v1/label/__name__/values", &parameters, query_answer::parse_names).await
    }

    async fn ask(&self, path: &str, parameters: &[(&str, String)]) -> Result<Vec<Series>, QueryError> {
        self.fetch(path, parameters, query_answer::parse).await
    }

    async fn fetch<T>(
        &self,
        path: &str,
        parameters: &[(&str, String)],
        parse: fn(&[u8], &QueryLimits) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let address = |why: String| QueryError::Address { url: self.base.to_string(), why };
        let mut url = self.base.join(path).map_err(|error| address(error.to_string()))?;
        url.query_pairs_mut().extend_pairs(parameters);
        let limits = HttpLimits {
            connect: self.limits.timeout,
            answer: self.limits.timeout,
            bytes: self.limits.bytes,
            ..HttpLimits::default()
        };
        let asked = timeout(self.limits.timeout, self.http.send(HttpRequest::get(&url), &limits)).await;
        let late = HttpError::Timeout { origin: self.base.to_string(), waited: self.limits.timeout };
        let answer = asked.unwrap_or(Err(late)).map_err(|error| match error {
            HttpError::TooLarge { limit, .. } => QueryError::Body(BodyError::TooLarge { limit }),
            error => QueryError::NoAnswer(error),
        })?;
        let is_success = (200..300).contains(&answer.status);
        match parse(&answer.body, &self.limits) {
            // An error's body says more than its status, where it is in the API's form.
            Err(QueryError::NotUnderstood(_)) if !is_success => Err(QueryError::Status(answer.status)),
            Ok(_) if !is_success => Err(QueryError::Status(answer.status)),
            result => result,
        }
    }
}

fn seconds(at: Timestamp) -> String {
    format!("{:.3}", at.as_millis() as f64 / 1000.0)
}
