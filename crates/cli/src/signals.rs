//! What the process is told from outside: to stop, and to stop every action.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Failure;

/// SIGINT, SIGTERM and SIGHUP: all ask for a clean end.
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Stop {
    /// Listens from now on: none of them ends the process by itself any more.
    ///
    /// # Errors
    /// When the kernel does not let it.
    pub fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::failed("listen for signals", error));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// Waits until one of them comes.
    pub async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}

/// SIGUSR1: engages the kill switch.
pub struct Kill(Signal);

impl Kill {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the kernel does not let it.
    pub fn listen() -> Result<Self, Failure> {
        let kill = signal(SignalKind::user_defined1()).map_err(|error| Failure::failed("listen for SIGUSR1", error))?;
        Ok(Self(kill))
    }

    /// Waits until it comes.
    pub async fn asked(&mut self) {
        if self.0.recv().await.is_none() {
            // No further signal can come.
            std::future::pending::<()>().await;
        }
    }
}
