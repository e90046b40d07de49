//! The limiter against a real Redis: one file for each promise.

mod admitted;
mod api_errors;
mod check;
mod counters;
mod deadlines;
mod degraded;
mod drain;
mod exactness;
mod harness;
mod judge;
mod limits;
mod loadgen;
mod management;
mod model;
mod once;
mod process;
mod registry;
mod reset;
