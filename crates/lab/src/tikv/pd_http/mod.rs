//! PD's HTTP interface over the model: the same paths, the same JSON, the same errors as plain text or JSON.
//!
//! Shapes were taken from what a real PD of the 9.0 line answered, and from its source where a situation was not recorded.

mod answer;
mod cluster;
mod health;
mod hotspot;
mod keys;
mod metrics_text;
mod moving;
mod regions;
mod route;
mod server;
mod stores;

pub(crate) use server::{MemberServer, query};
