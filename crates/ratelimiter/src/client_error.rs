//! Why a node gave no answer, and what that proves.

use std::time::Duration;

use operator_prometheus::{BodyError, ParseError};
use operator_protocols::{Sent, Unavailable};

use crate::Address;
use crate::api::ApiError;

/// Why a node gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection came about, so nothing was sent.
    #[error("could not connect to {address}")]
    Connect {
        /// Where.
        address: Address,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
    /// It was sent, perhaps, and no answer came in time.
    #[error("no answer from {address} within {waited:?}")]
    NoAnswer {
        /// Where.
        address: Address,
        /// How long it was waited for.
        waited: Duration,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
    /// The answer was cut off or too long.
    #[error("the answer of {address} could not be read")]
    Body {
        /// Where from.
        address: Address,
        /// What went wrong.
        #[source]
        source: BodyError,
    },
    /// The answer was an error.
    #[error("{address} answered {status}{body}")]
    Status {
        /// Where from.
        address: Address,
        /// The HTTP status.
        status: u16,
        /// What the node said, shortened.
        body: Box<ApiError>,
    },
    /// The answer is not what the API promises.
    #[error("the answer of {address} is not understood")]
    Json {
        /// Where from.
        address: Address,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The metrics are not what the format promises.
    #[error("the metrics of {address} are not understood")]
    Metrics {
        /// Where from.
        address: Address,
        /// What is wrong with them.
        #[source]
        source: ParseError,
    },
    /// The metrics break off before their end mark.
    #[error("the metrics of {address} break off before their end mark")]
    MetricsCutOff {
        /// Where from.
        address: Address,
    },
    /// The HTTP client could not be made.
    #[error("no HTTP client")]
    Setup(#[source] reqwest::Error),
}

impl ClientError {
    /// What could not be read because of this, causes included.
    pub fn unavailable(&self, what: impl Into<String>) -> Unavailable {
        Unavailable::new(what, self.chain())
    }

    /// The error and its causes.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }

    /// Whether nobody listens there: no process, or one that does not take connections.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Connect { source, .. } if !source.is_timeout())
    }

    /// What this says of a request that should have changed something.
    pub(crate) fn sent(&self) -> Sent {
        match self {
            Self::Connect { .. } | Self::Setup(_) => Sent::NotSent(self.chain()),
            // Documented: the call was refused before it had an effect.
            Self::Status { status: 400..=499, .. } => Sent::NoEffect(self.chain()),
            Self::Status { status: 503, body, .. } if body.outcome.as_deref() == Some("none") => {
                Sent::NoEffect(self.chain())
            }
            _ => Sent::Unknown(self.chain()),
        }
    }
}
