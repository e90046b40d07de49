//! The control socket of a running environment: another process sees it, breaks it, mends it and acts on its
//! processes through it.
//!
//! One JSON object a line in each direction, over a Unix socket in the environment's folder that only its owner may
//! use. [`ControlClient`] is also a [`Driver`](operator_protocols::Driver), so that an operator in a process of its own
//! can act on the environment.

mod client;
mod server;
mod socket_path;
mod wire;

pub use client::{ControlClient, ControlError};
pub use server::ControlServer;
pub use wire::{DriverFailure, Failure, Request};

/// The socket's name in the environment's folder.
pub const SOCKET: &str = "control.sock";
