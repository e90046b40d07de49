//! Opens the language model that is configured: its wire format, its address and its key. Nothing is asked of it here.

use std::sync::Arc;
use std::time::Duration;

use operator_reasoner::Diagnoser;

use crate::config::LlmConfig;

/// How long a host may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(3);

/// A language model that can be asked.
#[derive(Clone)]
pub struct Model {
    /// Asks it, and checks its answers.
    pub diagnoser: Arc<dyn Diagnoser>,
    /// Whom it talks to: `HOST:PORT`.
    pub destination: String,
    /// What is odd about how it is configured.
    pub warnings: Vec<String>,
}

impl Model {
    /// Its name, as recorded with every diagnosis.
    pub fn name(&self) -> &str {
        self.diagnoser.name()
    }

    /// Whether its host takes connections. Nothing is sent.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn reachable(&self) -> Result<(), String> {
        let connecting = tokio::net::TcpStream::connect(self.destination.as_str());
        match tokio::time::timeout(CONNECT, connecting).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(format!("{}: {error}", self.destination)),
            Err(_) => Err(format!("{}: no connection within {} s", self.destination, CONNECT.as_secs())),
        }
    }
}

/// Opens it.
///
/// # Errors
/// What is missing, and what would help.
pub fn open(config: &LlmConfig) -> Result<Model, String> {
    let _ = config;
    Err("not yet".to_owned())
}
