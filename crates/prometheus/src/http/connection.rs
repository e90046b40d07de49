//! One connection: made within a time, kept while it may be used again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use reqwest::Url;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::error::{HttpError, chain};

/// What requests are sent over.
pub(super) type Sender = SendRequest<Full<Bytes>>;

/// Connections that are kept for each origin.
const KEPT: usize = 8;
/// Origins for which any are kept.
const ORIGINS: usize = 64;

/// Connections of which the last answer was read to its end.
#[derive(Debug, Default)]
pub(super) struct Idle(Mutex<BTreeMap<String, Vec<Sender>>>);

impl Idle {
    /// One that is still open, as far as this side knows.
    pub(super) fn take(&self, origin: &str) -> Option<Sender> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = kept.get_mut(origin)?;
        connections.retain(SendRequest::is_ready);
        connections.pop()
    }

    pub(super) fn keep(&self, origin: &str, sender: Sender) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, connections| !connections.is_empty());
        if kept.len() >= ORIGINS && !kept.contains_key(origin) {
            return;
        }
        let connections = kept.entry(origin.to_owned()).or_default();
        if connections.len() < KEPT {
            connections.push(sender);
        }
    }
}

/// Scheme, host and port.
pub(super) fn origin(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}://{}:{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// Connects within `within`, TLS included.
pub(super) async fn connect(url: &Url, tls: Option<&TlsConnector>, within: Duration) -> Result<Sender, HttpError> {
    let origin = origin(url);
    let failed = |why: String, refused| HttpError::Connect { origin: origin.clone(), why, refused };
    let connecting = async {
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_or_known_default().unwrap_or_default();
        let stream = TcpStream::connect((host.as_str(), port))
            .await
            .map_err(|error| failed(error.to_string(), error.kind() == std::io::ErrorKind::ConnectionRefused))?;
        // Small requests wait for nothing.
        let _ = stream.set_nodelay(true);
        if url.scheme() == "http" {
            return handshake(stream, &failed).await;
        }
        let refused = |why: String| HttpError::Tls { origin: origin.clone(), why, sent: false };
        let Some(tls) = tls else {
            return Err(refused(
                "it is an https address, and no authority is given to check its certificate by".into(),
            ));
        };
        let name = ServerName::try_from(host).map_err(|error| refused(error.to_string()))?;
        let stream = tls.connect(name, stream).await.map_err(|error| refused(chain(&error)))?;
        handshake(stream, &failed).await
    };
    timeout(within, connecting).await.unwrap_or_else(|_| Err(failed(format!("no connection within {within:?}"), false)))
}

async fn handshake<S>(stream: S, failed: &impl Fn(String, bool) -> HttpError) -> Result<Sender, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let made = http1::Builder::new().max_headers(100).max_buf_size(64 << 10).handshake(TokioIo::new(stream)).await;
    let (sender, connection) = made.map_err(|error| failed(chain(&error), false))?;
    tokio::spawn(async move {
        // What goes wrong on it is told to whoever waits for an answer.
        let _ = connection.await;
    });
    Ok(sender)
}
