//! Prometheus's query interface over the model. It understands the questions of the subject's catalogue and nothing else,
//! and answers them from what would have been scraped.

mod evaluate;
mod matching;
mod server;

pub(crate) use server::PrometheusServer;
