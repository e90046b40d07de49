//! How somebody on this host asks something of a running operator: a socket in its state directory.
//!
//! Read in this order:
//!
//! 1. What is said: [`ControlRequest`]s and [`ControlReply`]s or [`Fault`]s, one JSON object a line.
//! 2. Who says it: [`Principals`], from a [`PrincipalsConfig`]: the kernel names the user at the other end, or a
//!    [`Token`] names a principal; what a [`Grant`] covers is checked before anything else happens.
//! 3. Who listens: a [`ControlServer`] in front of a [`ControlHandler`]; a [`ControlClient`] asks.

mod authorisation;
mod client;
mod connection;
mod grant;
mod handler;
mod limits;
mod line;
mod principals;
mod principals_config;
mod protocol;
mod server;
mod socket;
mod token;
mod token_source;

pub use client::{ClientError, ControlClient};
pub use grant::{Grant, SubjectScope};
pub use handler::ControlHandler;
pub use limits::{ControlLimits, LINE_BYTES};
pub use principals::{Denied, Principals};
pub use principals_config::{PeerConfig, PrincipalsConfig, PrincipalsError, TokenConfig};
pub use protocol::{CONTROL_VERSION, ControlReply, ControlRequest, Envelope, Fault, FaultCode, Outcome, Response};
pub use server::ControlServer;
pub use socket::{BindError, SOCKET_NAME};
pub use token::Token;
