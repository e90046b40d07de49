//! What Prometheus says of stores and members: asked, joined to what PD knows, and said where it cannot be.
//!
//! A store is scraped at its status address and known to PD by another one, so that whose numbers are whose is decided in
//! one place ([`Targets`]). Where nothing can be joined nothing is known; that is never the same as nothing being wrong.

mod address;
mod alive;
mod answer;
mod direct;
mod exposed;
mod fallback;
mod own_answers;
mod questions;
mod reader;
#[cfg(test)]
mod real_prometheus;
mod representative;
mod settings;
mod signals;
mod targets;

pub(crate) use answer::merge;
pub(crate) use reader::{ENOUGH_REQUESTS, MetricsReader};
pub(crate) use representative::peers;
pub(crate) use settings::{Join, MetricsSettings, SETTINGS};
pub(crate) use targets::{Known, Targets};
