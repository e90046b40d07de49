//! A distributed rate limiter: several nodes share Redis and enforce one limit together, exactly.
//!
//! Read in this order: what a check is and how it is answered ([`decision`], [`decide`]); how Redis decides
//! (`script/check.lua`) over a log of grants ([`log_entry`], [`keys`]); how a call never takes effect after its caller
//! gave up ([`redis_clock`], [`link`]); what a node does without Redis ([`local_limiter`]); then the API ([`api`]).
//! `docs/redis-layout.md` and `docs/http-api.md` are the public contract.

pub mod admitted;
pub mod api;
pub mod call;
pub mod counters;
pub mod decide;
pub mod decision;
pub mod drain;
pub mod error;
pub mod identity;
pub mod keys;
pub mod limits;
pub mod link;
pub mod loadgen;
pub mod local_limiter;
pub mod log_entry;
pub mod metrics;
pub mod node;
pub mod once;
pub mod openapi;
pub mod reconnect;
pub mod redis_client;
pub mod redis_clock;
pub mod registry;
pub mod scan;
pub mod script;
pub mod server;
pub mod settings;
pub mod time;
