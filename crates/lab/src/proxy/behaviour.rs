//! What a proxied link does to the bytes it is given.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a proxied link behaves. It may be changed at any time and holds for open connections as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum Behaviour {
    /// Everything passes at once.
    #[default]
    Pass,
    /// Everything passes, late.
    Delay {
        /// How late towards the server, in milliseconds.
        to_server_ms: u32,
        /// How late towards the client, in milliseconds.
        to_client_ms: u32,
    },
    /// Open connections are reset, new ones at once as well.
    Cut,
    /// Connections stay and new ones are accepted, but every byte vanishes. A connection that lost bytes is reset when
    /// this ends, for its two ends no longer agree on what was said.
    Drop,
}

impl Behaviour {
    /// A delay of `round_trip_ms`, half of it in each direction.
    pub const fn round_trip(round_trip_ms: u32) -> Self {
        let there = round_trip_ms / 2;
        Self::Delay { to_server_ms: there, to_client_ms: round_trip_ms - there }
    }

    /// How late bytes pass in one direction.
    pub(super) fn delay(self, towards: Towards) -> Duration {
        match (self, towards) {
            (Self::Delay { to_server_ms, .. }, Towards::Server) => Duration::from_millis(to_server_ms.into()),
            (Self::Delay { to_client_ms, .. }, Towards::Client) => Duration::from_millis(to_client_ms.into()),
            (Self::Pass | Self::Cut | Self::Drop, _) => Duration::ZERO,
        }
    }
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("pass"),
            Self::Delay { to_server_ms, to_client_ms } => {
                write!(f, "delay {to_server_ms} ms there, {to_client_ms} ms back")
            }
            Self::Cut => f.write_str("cut"),
            Self::Drop => f.write_str("drop"),
        }
    }
}

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Towards {
    Server,
    Client,
}
