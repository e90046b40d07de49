//! The client: a request in, an answer or a reason out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{Method, Request};
use reqwest::Url;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::connection::{self, Idle, Sender, origin};
use super::error::{HttpError, chain, is_tls};
use super::{TlsError, TlsFiles};

/// How long the phases of a request may take, and how long its answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpLimits {
    /// Until a connection stands, TLS included.
    pub connect: Duration,
    /// From then until the last byte of the answer.
    pub answer: Duration,
    /// Bytes of the answer's body.
    pub bytes: usize,
    /// Whether a longer body is cut off there, and not an error: a list may say enough by its beginning.
    pub cut: bool,
}

impl Default for HttpLimits {
    /// 3 s, 5 s, 8 MiB, and longer ones are errors.
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), answer: Duration::from_secs(5), bytes: 8 << 20, cut: false }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpMethod {
    /// To read. It may go over a connection that was used before, and over another one if that had been closed.
    Get,
    /// To change something. It goes over a connection of its own, once.
    Post,
    /// To take something away. It goes over a connection of its own, once.
    Delete,
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub struct HttpRequest<'a> {
    /// What is asked for.
    pub method: HttpMethod,
    /// Where.
    pub url: &'a Url,
    /// Further headers.
    pub headers: &'a [(&'static str, &'a str)],
    /// A body in JSON.
    pub json: Option<&'a serde_json::Value>,
}

impl<'a> HttpRequest<'a> {
    /// A reading request.
    pub fn get(url: &'a Url) -> Self {
        Self { method: HttpMethod::Get, url, headers: &[], json: None }
    }
}

/// An answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Its status.
    pub status: u16,
    /// What its body claims to be, if it does.
    pub content_type: Option<String>,
    /// Its body.
    pub body: Vec<u8>,
    /// Whether that is only the beginning of it.
    pub is_cut: bool,
}

/// An HTTP/1.1 client, with or without TLS.
#[derive(Clone)]
pub struct HttpClient {
    tls: Option<TlsConnector>,
    idle: Arc<Idle>,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

impl HttpClient {
    /// A client that speaks no TLS.
    pub fn plain() -> Self {
        Self { tls: None, idle: Arc::default() }
    }

    /// Whether it reaches `https` addresses.
    pub fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// A client; without `tls` it reaches no `https` address.
    ///
    /// # Errors
    /// Which file is wrong, and why.
    pub fn new(tls: Option<&TlsFiles>) -> Result<Self, TlsError> {
        let tls = tls.map(TlsFiles::read).transpose()?.map(TlsConnector::from);
        Ok(Self { tls, idle: Arc::default() })
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// Why there is no answer; [`HttpError::is_unsent`] tells whether the request can have had an effect.
    pub async fn send(&self, request: HttpRequest<'_>, limits: &HttpLimits) -> Result<HttpAnswer, HttpError> {
        let origin = origin(request.url);
        if request.method == HttpMethod::Get
            && let Some(sender) = self.idle.take(&origin)
        {
            match self.exchange(sender, &origin, request, limits).await {
                // The other side closed it while it was idle: that says nothing, and reading twice harms nobody.
                Err(HttpError::Broken { .. }) => {}
                result => return result,
            }
        }
        let sender = connection::connect(request.url, self.tls.as_ref(), limits.connect).await?;
        self.exchange(sender, &origin, request, limits).await
    }

    async fn exchange(
        &self,
        mut sender: Sender,
        origin: &str,
        request: HttpRequest<'_>,
        limits: &HttpLimits,
    ) -> Result<HttpAnswer, HttpError> {
        let until = Instant::now() + limits.answer;
        let late = || HttpError::Timeout { origin: origin.to_owned(), waited: limits.answer };
        let broken = |error: &(dyn std::error::Error + 'static)| match is_tls(error) {
            true => HttpError::Tls { origin: origin.to_owned(), why: chain(error), sent: true },
            false => HttpError::Broken { origin: origin.to_owned(), why: chain(error) },
        };
        let too_large = || HttpError::TooLarge { origin: origin.to_owned(), limit: limits.bytes };
        let message = build(request)?;
        let sent = timeout_at(until, sender.send_request(message)).await.map_err(|_| late())?;
        let (head, mut body) = sent.map_err(|error| broken(&error))?.into_parts();
        let announced = head.headers.get("content-length").and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if !limits.cut && announced.is_some_and(|length| length > limits.bytes as u64) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        let mut is_cut = false;
        while let Some(frame) = timeout_at(until, body.frame()).await.map_err(|_| late())? {
            let frame = frame.map_err(|error| broken(&error))?;
            let Ok(data) = frame.into_data() else { continue };
            let room = limits.bytes - bytes.len();
            if data.len() > room {
                if !limits.cut {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&data[..room]);
                is_cut = true;
                break;
            }
            bytes.extend_from_slice(&data);
        }
        if request.method == HttpMethod::Get && !is_cut {
            self.idle.keep(origin, sender);
        }
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(HttpAnswer { status: head.status.as_u16(), content_type, body: bytes, is_cut })
    }
}

fn build(request: HttpRequest<'_>) -> Result<Request<Full<Bytes>>, HttpError> {
    let address = |why: String| HttpError::Address { url: request.url.to_string(), why };
    let method = match request.method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Delete => Method::DELETE,
    };
    let mut target = request.url.path().to_owned();
    if let Some(query) = request.url.query() {
        target = format!("{target}?{query}");
    }
    let mut host = request.url.host_str().unwrap_or_default().to_owned();
    if let Some(port) = request.url.port() {
        host = format!("{host}:{port}");
    }
    let body = request.json.map(|json| Bytes::from(json.to_string()));
    let mut message = Request::builder().method(method).uri(target).header(HOST, host);
    if body.is_some() {
        message = message.header(CONTENT_TYPE, "application/json");
    }
    for (name, value) in request.headers {
        let wrong = || address(format!("the header {name} cannot hold its value"));
        let value = HeaderValue::from_str(value).map_err(|_| wrong())?;
        message = message.header(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value);
    }
    message.body(Full::new(body.unwrap_or_default())).map_err(|error| address(error.to_string()))
}
