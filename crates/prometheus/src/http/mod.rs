//! HTTP/1.1 as an operator needs it: every phase bounded in time, every body in size, errors that tell what was sent, no
//! redirect followed, nothing repeated behind the caller's back, and TLS with the certificates one is given.

mod client;
mod connection;
mod error;
mod tls;

pub use client::{HttpAnswer, HttpClient, HttpLimits, HttpMethod, HttpRequest};
pub use error::HttpError;
pub use tls::{TlsError, TlsFiles};
