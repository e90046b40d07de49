//! Why there is no answer, and whether the request may have been carried out all the same.

use std::time::Duration;

use tokio_rustls::rustls::Error;

/// Why an HTTP request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is not one.
    #[error("{url:?} is no address: {why}")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// No connection came about, so nothing was sent.
    #[error("could not connect to {origin}: {why}")]
    Connect {
        /// Where.
        origin: String,
        /// What went wrong.
        why: String,
        /// Whether the host answered that nothing listens there.
        refused: bool,
    },
    /// The two sides do not accept each other's certificate, or one of them does not speak TLS.
    #[error("no TLS with {origin}: {why}")]
    Tls {
        /// With whom.
        origin: String,
        /// What went wrong.
        why: String,
        /// Whether the request had been handed over: in TLS 1.3 a server refuses a client's certificate only after that.
        sent: bool,
    },
    /// It was sent, perhaps, and no whole answer came in time.
    #[error("no answer from {origin} within {waited:?}")]
    Timeout {
        /// From whom.
        origin: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// It was sent, perhaps, and the connection broke or what came is no HTTP.
    #[error("the connection to {origin} broke: {why}")]
    Broken {
        /// To whom.
        origin: String,
        /// What went wrong.
        why: String,
    },
    /// The answer is longer than allowed; reading stopped there.
    #[error("the answer of {origin} is longer than {limit} bytes")]
    TooLarge {
        /// Whose.
        origin: String,
        /// The bound, in bytes.
        limit: usize,
    },
}

impl HttpError {
    /// Whether the request provably never left this side.
    pub fn is_unsent(&self) -> bool {
        matches!(self, Self::Address { .. } | Self::Connect { .. } | Self::Tls { sent: false, .. })
    }
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

/// Whether TLS is among the causes.
pub(super) fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        // An I/O error shows the cause of its content, not its content.
        let content = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if error.is::<Error>() || matches!(content, Some(content) if content.is::<Error>()) {
            return true;
        }
        cause = error.source();
    }
    false
}
