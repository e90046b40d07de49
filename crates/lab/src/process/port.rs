//! Ports for processes that must keep their address when they are restarted.
//!
//! A port of the range from which the kernel takes the ports of outgoing connections may be gone by the time its
//! process comes back. So ports are taken from below that range, and reserved among all users of this crate by a Unix
//! socket of an abstract name, which lives in the same network namespace as the port and ends with its holder.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};

/// Below this there are services with ports of their own (9090, 8080 …).
const LOWEST: u16 = 10_240;
/// The kernel's default, used when it does not say.
const DEFAULT_EPHEMERAL: u16 = 32_768;
const ATTEMPTS: u16 = 500;

/// A loopback port that was free and is ours until this is dropped.
#[derive(Debug)]
pub struct ReservedPort {
    port: u16,
    _reservation: UnixListener,
}

/// No port could be had.
#[derive(Debug, thiserror::Error)]
#[error("no free port on 127.0.0.1 after {ATTEMPTS} attempts: {source}")]
pub struct PortError {
    #[from]
    source: io::Error,
}

impl ReservedPort {
    /// Finds a free port and reserves it.
    ///
    /// # Errors
    /// When none could be found.
    pub fn find() -> Result<Self, PortError> {
        let end = first_ephemeral_port();
        let mut last = io::Error::other("no port below the range of outgoing connections");
        if let Some(span) = end.checked_sub(LOWEST).filter(|&span| span >= 1_000) {
            // Every process starts elsewhere, so that they rarely meet.
            let start = RandomState::new().build_hasher().finish();
            for attempt in 0..ATTEMPTS {
                let step = start.wrapping_add(u64::from(attempt) * 7) % u64::from(span);
                match Self::reserve(LOWEST + u16::try_from(step).unwrap_or(0)) {
                    Ok(reserved) => return Ok(reserved),
                    Err(error) => last = error,
                }
            }
        }
        for _ in 0..ATTEMPTS {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            match Self::reserve(port) {
                Ok(reserved) => return Ok(reserved),
                Err(error) => last = error,
            }
        }
        Err(last.into())
    }

    fn reserve(port: u16) -> io::Result<Self> {
        let name = SocketAddr::from_abstract_name(format!("operator-lab/port/{port}"))?;
        let reservation = UnixListener::bind_addr(&name)?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        Ok(Self { port, _reservation: reservation })
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether somebody listens on it, or holds it in another way.
    pub fn is_taken(&self) -> bool {
        TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).is_err()
    }
}

fn first_ephemeral_port() -> u16 {
    fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|text| text.split_ascii_whitespace().next()?.parse().ok())
        .unwrap_or(DEFAULT_EPHEMERAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_is_free_and_nobody_else_is_given_it() {
        let first = ReservedPort::find().expect("a port");
        assert!(!first.is_taken());
        let again = ReservedPort::reserve(first.port()).expect_err("reserved already");
        assert_eq!(again.kind(), io::ErrorKind::AddrInUse);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, first.port())).expect("it is free");
        assert!(first.is_taken());
        drop(listener);
        let port = first.port();
        drop(first);
        ReservedPort::reserve(port).expect("given back");
    }
}
