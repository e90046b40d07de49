//! A connection for one request: made within the time, checked, and gone with the answer.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::{Answer, Endpoint, roots};
use crate::{ProviderError, SettingsError};

/// How long a connection may take to stand, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// What requests to one endpoint go over.
pub(crate) struct Transport {
    endpoint: Endpoint,
    may_be_clear: bool,
    tls: Option<TlsConnector>,
    max_bytes: usize,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

type Sender = http1::SendRequest<Full<Bytes>>;

impl Transport {
    /// A transport to `base_url`, whose answers have at most `max_bytes`.
    ///
    /// # Errors
    /// Which setting is wrong.
    pub(crate) fn new(
        base_url: &str,
        may_be_clear: bool,
        ca: Option<&Path>,
        max_bytes: usize,
    ) -> Result<Self, SettingsError> {
        let endpoint = Endpoint::parse(base_url, may_be_clear)?;
        let tls = if endpoint.is_tls { Some(roots::connector(ca)?) } else { None };
        Ok(Self { endpoint, may_be_clear, tls, max_bytes })
    }

    /// Where it leads.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Posts JSON and waits for the head of the answer.
    ///
    /// # Errors
    /// Why none came until `until`.
    pub(crate) async fn post(
        &self,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: &str,
        until: Instant,
    ) -> Result<Answer, ProviderError> {
        let mut sender = self.connect(until.min(Instant::now() + CONNECT)).await?;
        let mut message = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{path}", self.endpoint.prefix))
            .header(HOST, &self.endpoint.authority)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream")
            .header(USER_AGENT, concat!("operator/", env!("CARGO_PKG_VERSION")));
        for (name, value) in headers {
            message = message.header(name, value);
        }
        let message = message
            .body(Full::new(Bytes::from(body.to_owned())))
            .map_err(|error| lost(format!("no request: {error}")))?;
        let sent = timeout_at(until, sender.send_request(message)).await.map_err(|_| late())?;
        let answer = sent.map_err(|error| lost(format!("the connection broke: {}", chain(&error))))?;
        Ok(Answer::new(answer, sender, until, self.max_bytes))
    }

    async fn connect(&self, until: Instant) -> Result<Sender, ProviderError> {
        let connecting = async {
            let stream = TcpStream::connect((&*self.endpoint.host, self.endpoint.port))
                .await
                .map_err(|error| lost(format!("no connection to {}: {error}", self.endpoint.authority)))?;
            let _ = stream.set_nodelay(true);
            let Some(tls) = &self.tls else {
                // A name is no proof: what counts is where it led.
                let is_here = stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback());
                if !self.may_be_clear && !is_here {
                    return Err(lost(format!("{} is not this machine, and it is http://", self.endpoint.authority)));
                }
                return handshake(stream).await;
            };
            let refused = |why: String| lost(format!("no TLS with {}: {why}", self.endpoint.authority));
            let name = ServerName::try_from(self.endpoint.host.clone()).map_err(|error| refused(error.to_string()))?;
            let stream = tls.connect(name, stream).await.map_err(|error| refused(chain(&error)))?;
            handshake(stream).await
        };
        let late = |_| lost(format!("no connection to {} in time", self.endpoint.authority));
        timeout_at(until, connecting).await.map_err(late)?
    }
}

async fn handshake<S>(stream: S) -> Result<Sender, ProviderError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let made = http1::Builder::new().max_headers(100).max_buf_size(64 << 10).handshake(TokioIo::new(stream)).await;
    let (sender, connection) = made.map_err(|error| lost(format!("no HTTP: {}", chain(&error))))?;
    // It ends when the sender and the body are dropped; what goes wrong on it is told to whoever waits for the answer.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}

pub(super) fn lost(why: String) -> ProviderError {
    ProviderError::Lost { why }
}

pub(super) fn late() -> ProviderError {
    lost("the time is over".to_owned())
}

/// An error and its causes, without what a cause repeats of the error.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
