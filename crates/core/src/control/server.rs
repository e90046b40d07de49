//! Listens on the control socket and serves whoever connects, within limits.

use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use crate::control::connection::Connection;
use crate::control::protocol::Response;
use crate::control::socket::{SocketFile, listen};
use crate::control::{BindError, ControlHandler, ControlLimits, Fault, FaultCode, Principals};

/// How long to wait when no connection can be accepted: too many files are open, mostly.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens on the control socket of a state directory.
pub struct ControlServer {
    listener: UnixListener,
    file: SocketFile,
    shared: Arc<Shared>,
}

/// What every connection needs.
pub(super) struct Shared {
    pub(super) principals: Principals,
    pub(super) handler: Arc<dyn ControlHandler>,
    pub(super) limits: ControlLimits,
    /// Held while somebody waits for having shown a wrong token.
    pub(super) wrong_token: Mutex<()>,
}

impl ControlServer {
    /// Listens in `state_dir`, which is created for this user alone if it is missing. To be called by whoever owns the
    /// store there, within a runtime. A socket is replaced only if nobody answers on it.
    ///
    /// # Errors
    /// When somebody listens there already, or the socket cannot be put there safely.
    pub async fn bind(
        state_dir: &Path,
        principals: Principals,
        handler: Arc<dyn ControlHandler>,
    ) -> Result<Self, BindError> {
        Self::bind_within(state_dir, principals, handler, ControlLimits::default()).await
    }

    /// The same, with other limits.
    ///
    /// # Errors
    /// As [`ControlServer::bind`].
    pub async fn bind_within(
        state_dir: &Path,
        principals: Principals,
        handler: Arc<dyn ControlHandler>,
        limits: ControlLimits,
    ) -> Result<Self, BindError> {
        let (listener, file) = listen(state_dir).await?;
        Ok(Self {
            listener,
            file,
            shared: Arc::new(Shared { principals, handler, limits, wrong_token: Mutex::default() }),
        })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Serves until `shutdown` is ready; then accepts nobody any more, waits a little for requests under way, and
    /// removes the socket.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let Self { listener, file, shared } = self;
        let places = Arc::new(Semaphore::new(shared.limits.connections));
        let (stop, stopping) = watch::channel(());
        let mut connections = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(ended) = connections.join_next(), if !connections.is_empty() => note(ended),
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => match places.clone().try_acquire_owned() {
                        Ok(place) => {
                            let (shared, stopping) = (shared.clone(), stopping.clone());
                            connections.spawn(async move {
                                serve_one(stream, shared, stopping).await;
                                drop(place);
                            });
                        }
                        Err(_) => turn_away(&stream),
                    },
                    Err(error) => {
                        tracing::warn!(%error, "no connection can be accepted on the control socket");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop((listener, file, stopping));
        // Every connection that waits for a request sees that the sender is gone.
        drop(stop);
        let drained = timeout(shared.limits.drain, async {
            while let Some(ended) = connections.join_next().await {
                note(ended);
            }
        });
        if drained.await.is_err() {
            tracing::warn!(left = connections.len(), "requests on the control socket were cut off");
            connections.shutdown().await;
        }
    }
}

async fn serve_one(stream: UnixStream, shared: Arc<Shared>, stopping: watch::Receiver<()>) {
    match stream.peer_cred() {
        Ok(peer) => Connection::new(stream, peer.uid(), shared).serve(stopping).await,
        Err(error) => tracing::warn!(%error, "the kernel does not say who is at the other end of the control socket"),
    }
}

fn turn_away(stream: &UnixStream) {
    let fault = Fault::new(FaultCode::Busy, "too many are asking at once: try again in a moment");
    if let Ok(mut line) = serde_json::to_vec(&Response::new(None, Err(fault))) {
        line.push(b'\n');
        // A fresh socket takes a line at once; whoever is in such trouble that it does not goes without.
        let _: io::Result<usize> = stream.try_write(&line);
    }
}

fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a request on the control socket failed");
    }
}
