//! PD's HTTP API: what it says (`api`), how it is asked ([`PdClient`]), and why there is no answer ([`PdError`]).
//!
//! A member that does not lead hands most questions on to the one that does (`pkg/utils/apiutil/serverapi/middleware.go` in
//! PD), so that any member that answers will do. `/ping`, `/status` and `/health` every member answers itself.

pub(crate) mod api;
mod call;
mod client;
mod error;

pub(crate) use call::{Call, Method};
pub(crate) use client::{PdClient, shown};
pub(crate) use error::PdError;
