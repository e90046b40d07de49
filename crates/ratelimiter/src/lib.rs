//! The subject that teaches the operator a distributed rate limiter: nodes that decide together through one Redis.
//!
//! - [`factory`] makes the [`RateLimiterSubject`] and its [`RateLimiterChecker`] from [`Config`].
//! - Looking: the nodes' HTTP API (`client`, `api`), the Redis they should share (`inspector`), and both put together
//!   into one observation (`observe`), whose free-form part is typed in `details`.
//! - The books: what was admitted against what was recorded and what was allowed (`ledger`).
//! - Judging: one invariant a file (`checker`).
//! - Acting: one action a file (`actions`); asking more (`probes`); the past (`past`).

mod actions;
mod address;
mod api;
mod checker;
mod client;
mod client_error;
mod config;
mod details;
#[cfg(test)]
mod documented;
mod inspector;
mod ledger;
mod names;
mod observe;
mod own_changes;
mod past;
mod probes;
mod secret;
mod subject;

pub use address::{Address, AddressError};
pub use checker::{FOLD_ABOVE, RateLimiterChecker};
pub use config::{Config, ExpectedNode, MAX_KEYS_PER_CYCLE, RedisTarget};
pub use names::KIND;
pub use secret::Secret;
pub use subject::{RateLimiterSubject, factory};
