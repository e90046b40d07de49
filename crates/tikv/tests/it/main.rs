//! The subject against what a real PD answered, and against servers that do not behave; and what its questions answer.

mod compliance;
mod hostile;
mod http_server;
mod player;
mod questions;
mod recordings;
mod scene;
mod tickets;
mod tls;
