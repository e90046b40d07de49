//! Asking by HTTP.

use std::time::Duration;

use operator_prometheus::{Exposition, ExpositionLimits, read_bounded};
use reqwest::{Client, Response, Url, redirect, retry};

use super::chain;
use crate::file::authority;
use crate::limits;

/// Asks by HTTP: `GET` only, a new connection each time, no redirect, no proxy.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient {
    http: Client,
}

impl HttpClient {
    pub(crate) fn new() -> Result<Self, String> {
        // How long it takes to be let in is part of whether a component answers.
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .pool_max_idle_per_host(0)
            .no_proxy()
            .build();
        http.map(|http| Self { http }).map_err(|error| chain(&error))
    }

    async fn get(&self, url: &Url, timeout: Duration) -> Result<Response, String> {
        self.http.get(url.clone()).timeout(timeout).send().await.map_err(|error| {
            let at = authority(url);
            if error.is_timeout() {
                format!("no answer from {at} within {timeout:?}")
            } else if error.is_connect() {
                format!("could not connect to {at}: {}", root(&error))
            } else {
                format!("no answer from {at}: {}", root(&error))
            }
        })
    }

    /// Whether the answer is the expected one.
    pub(super) async fn check(
        &self,
        url: &Url,
        status: u16,
        body: Option<&str>,
        timeout: Duration,
    ) -> Result<(), String> {
        let response = self.get(url, timeout).await?;
        let given = response.status().as_u16();
        if given != status {
            return Err(format!("{} answers {given}, not {status}", shown(url)));
        }
        let Some(expected) = body else { return Ok(()) };
        let text = read_bounded(response, limits::CHECK_BYTES).await;
        let text = text.map_err(|error| format!("{}: {}", shown(url), chain(&error)))?;
        if super::tcp::contains(&text, expected.as_bytes()) {
            Ok(())
        } else {
            Err(format!("{} answers without {expected:?}", shown(url)))
        }
    }

    /// Reads metrics.
    pub(crate) async fn metrics(&self, url: &Url, timeout: Duration) -> Result<Exposition, String> {
        let bounds = ExpositionLimits::default();
        let response = self.get(url, timeout).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(format!("{} answers {}", shown(url), status.as_u16()));
        }
        let body = read_bounded(response, bounds.bytes).await;
        let body = body.map_err(|error| format!("{}: {}", shown(url), chain(&error)))?;
        Exposition::parse(&body, &bounds).map_err(|error| format!("{}: {error}", shown(url)))
    }
}

/// An address for people, without what a query may hold.
fn shown(url: &Url) -> String {
    format!("{}{}", authority(url), url.path())
}

/// The first cause: what the operating system said, as a rule.
fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
