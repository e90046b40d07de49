//! Reading metrics, for every subject whose system exposes them.
//!
//! - [`Exposition`]: what one scrape of a `/metrics` endpoint says, parsed strictly within [`ExpositionLimits`]. A line
//!   that does not parse, or a series that is there twice, is a [`ParseError`] that names the line.
//! - [`Histogram`]: a cumulative histogram out of a scrape; what happened between two scrapes, and quantiles of that.
//! - [`QueryClient`]: instant and range queries against a Prometheus server, with bounded answers.
//! - [`HttpClient`]: HTTP with bounds and with one's own certificates, for these and for a subject's own API.
//! - [`read_bounded`]: the body of an HTTP answer, counted while it streams in.
//!
//! A number that is not finite is passed on as it is: whoever reads it decides what its absence means.

mod body;
mod exposition;
mod histogram;
mod http;
mod line;
mod parse_error;
mod query;
mod query_answer;

pub use body::{BodyError, read_bounded};
pub use exposition::{Exposition, ExpositionLimits, Family, FamilyKind, Labels, Sample};
pub use histogram::{Bucket, Histogram, HistogramError};
pub use http::{HttpAnswer, HttpClient, HttpError, HttpLimits, HttpMethod, HttpRequest, TlsError, TlsFiles};
pub use parse_error::{ParseError, Problem};
pub use query::{QueryClient, QueryError, QueryLimits};
pub use query_answer::{Point, Series};
