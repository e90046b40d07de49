//! The listening end of a proxy.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use super::behaviour::Behaviour;
use super::relay;

/// How long to wait before accepting again when accepting failed, for want of file descriptors say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A proxy on a loopback port of its own, in front of one server. Dropped, it closes every connection.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    server: SocketAddr,
    behaviour: watch::Sender<Behaviour>,
    open: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

/// A proxy could not listen.
#[derive(Debug, thiserror::Error)]
#[error("a proxy in front of {server} cannot listen on 127.0.0.1: {source}")]
pub struct ProxyError {
    server: SocketAddr,
    source: io::Error,
}

impl Proxy {
    /// Starts a proxy in front of `server`, which need not be there yet. Must be called within a runtime.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(server: SocketAddr) -> Result<Self, ProxyError> {
        let failed = |source| ProxyError { server, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (behaviour, _) = watch::channel(Behaviour::Pass);
        let open = Arc::new(AtomicUsize::new(0));
        let accepting = tokio::spawn(accept(listener, server, behaviour.subscribe(), Arc::clone(&open)));
        Ok(Self { address, server, behaviour, open, accepting })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server it stands in front of.
    pub const fn server(&self) -> SocketAddr {
        self.server
    }

    /// How the link behaves.
    pub fn behaviour(&self) -> Behaviour {
        *self.behaviour.borrow()
    }

    /// Makes the link behave so from now on.
    pub fn set(&self, behaviour: Behaviour) {
        self.behaviour.send_replace(behaviour);
    }

    /// How many connections are open through it.
    pub fn open_connections(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Counts a connection as long as it lives.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn accept(
    listener: TcpListener,
    server: SocketAddr,
    behaviour: watch::Receiver<Behaviour>,
    open: Arc<AtomicUsize>,
) {
    // Dropped with this task, it ends every connection.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    open.fetch_add(1, Ordering::Relaxed);
                    let counted = Counted(Arc::clone(&open));
                    let behaviour = behaviour.clone();
                    connections.spawn(async move {
                        relay::relay(client, server, behaviour).await;
                        drop(counted);
                    });
                }
                Err(error) => {
                    tracing::debug!(%server, %error, "cannot accept");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
