//! An answer whose body is still coming.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Response;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use tokio::time::{Instant, timeout_at};

use super::connection::{chain, late, lost};
use crate::ProviderError;

/// What a body claims to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// One JSON document.
    Json,
    /// A stream of events.
    Events,
    /// Something else, by its name.
    Other(String),
}

/// An answer, of which the head has come.
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: u16,
    /// What its body claims to be.
    pub(crate) content: Content,
    /// How long it asks to wait, in milliseconds.
    pub(crate) retry_after_ms: Option<u64>,
    body: Incoming,
    room: usize,
    max_bytes: usize,
    until: Instant,
    // The connection lives as long as this does.
    _sender: SendRequest<Full<Bytes>>,
}

impl Answer {
    pub(super) fn new(
        answer: Response<Incoming>,
        sender: SendRequest<Full<Bytes>>,
        until: Instant,
        max_bytes: usize,
    ) -> Self {
        let (head, body) = answer.into_parts();
        Self {
            status: head.status.as_u16(),
            content: content(&head.headers),
            retry_after_ms: retry_after(&head.headers),
            body,
            room: max_bytes,
            max_bytes,
            until,
            _sender: sender,
        }
    }

    /// The next bytes of the body; `None` at its end.
    ///
    /// # Errors
    /// The connection broke, the time is over, or the body is longer than allowed.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, ProviderError> {
        loop {
            let Some(frame) = timeout_at(self.until, self.body.frame()).await.map_err(|_| late())? else {
                return Ok(None);
            };
            let frame = frame.map_err(|error| lost(format!("the answer broke off: {}", chain(&error))))?;
            let Ok(data) = frame.into_data() else { continue };
            self.room = self.room.checked_sub(data.len()).ok_or_else(|| ProviderError::Garbled {
                why: format!("the answer is longer than {} bytes", self.max_bytes),
            })?;
            return Ok(Some(data));
        }
    }
}

fn content(headers: &HeaderMap) -> Content {
    if let Some(encoding) = headers.get(CONTENT_ENCODING).filter(|encoding| *encoding != "identity") {
        return Content::Other(format!("content encoded as {encoding:?}, which was not asked for"));
    }
    let name = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => Content::Json,
        "text/event-stream" => Content::Events,
        other => Content::Other(other.chars().take(80).collect()),
    }
}

/// A number of seconds, or of milliseconds where a server is that exact. A date is not read: it would need a clock that
/// agrees with the server's, and without it the usual patience applies.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let milliseconds = number("retry-after-ms").or_else(|| Some(number(RETRY_AFTER.as_str())? * 1000.0))?;
    // The cast saturates; a day is longer than any budget.
    (milliseconds.is_finite() && milliseconds >= 0.0).then_some(milliseconds.min(86_400_000.0).ceil() as u64)
}
