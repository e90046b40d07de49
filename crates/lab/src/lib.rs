//! Environments that are broken for real, to see what an operator makes of it.
//!
//! - [`environment`]: what a running system offers here: status, load, faults, a driver. `ratelimiter` is one, `tikv`
//!   and `shop` are others; each is a feature.
//! - [`compose`]: systems in containers, whatever they run.
//! - [`process`]: the supervisor of its processes, which takes them along when it ends, whatever way it ends.
//! - [`proxy`]: links that can be made slow, cut or silent.
//! - [`journal`]: how each fault is taken back, on disk before the fault acts.
//! - [`scenario`]: an environment, a load, a fault, and what is true about it.
//! - [`control`]: the socket through which another process uses a running environment.
//! - [`eval`]: scenarios × seeds against the real loop.
//! - [`saturation`]: how much load an environment sustains.
//! - [`scorecard`]: what many runs say about a diagnoser.
//! - [`rca`]: public root-cause data, put to the reasoner.
//! - [`cases`]: what a diagnoser was given, with what is true, to be asked again.
//! - [`binaries`]: where the programs are that an environment runs.

pub mod binaries;
pub mod cases;
pub mod compose;
pub mod control;
pub mod environment;
mod error;
pub mod eval;
mod folder;
pub mod journal;
#[cfg(any(feature = "shop", feature = "tikv"))]
mod pace;
pub mod process;
pub mod proxy;
#[cfg(feature = "ratelimiter")]
pub mod ratelimiter;
pub mod rca;
pub mod saturation;
pub mod scenario;
pub mod scorecard;
#[cfg(feature = "shop")]
pub mod shop;
#[cfg(feature = "tikv")]
pub mod tikv;
#[cfg(any(feature = "shop", feature = "tikv"))]
mod virtual_clock;

pub use error::LabError;
