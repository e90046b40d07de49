//! Starts a node, serves its API, and stops it in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::identity::Identity;
use crate::node::Node;
use crate::settings::{Settings, SettingsError};
use crate::{api, reconnect};

/// How long connections may take to end after the last request.
const LINGER: Duration = Duration::from_secs(3);

/// Why a node cannot run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The Redis URL is none. It is not repeated, since it may hold a password.
    #[error("--redis-url (RATELIMITER_REDIS_URL) must be redis://[user:password@]host[:port][/db]")]
    RedisUrl(#[source] redis::RedisError),
    /// The address cannot be listened on.
    #[error("cannot listen on {host}:{port} (--node-host, --node-port)")]
    Listen {
        /// As configured.
        host: String,
        /// As configured.
        port: u16,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No boot id could be made.
    #[error("the operating system gives no random numbers")]
    Random(#[source] std::io::Error),
}

/// A node that listens.
#[derive(Debug)]
pub struct RunningNode {
    /// The node itself.
    pub node: Arc<Node>,
    /// What it listens on.
    pub address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
    server: JoinHandle<()>,
    end: oneshot::Sender<()>,
}

/// Starts a node. It serves at once, also without Redis.
///
/// # Errors
/// See [`StartError`].
pub async fn start(settings: Settings) -> Result<RunningNode, StartError> {
    settings.validate()?;
    let identity = Identity::new_boot(&settings.node_id).map_err(StartError::Random)?;
    // "localhost" may resolve to ::1 first; what is advertised is meant to be the same everywhere.
    let host = if settings.node_host == "localhost" { "127.0.0.1" } else { settings.node_host.as_str() };
    let fail = |source| StartError::Listen { host: host.to_owned(), port: settings.node_port, source };
    let listener = TcpListener::bind((host, settings.node_port)).await.map_err(fail)?;
    let address = listener.local_addr().map_err(fail)?;
    if address.ip().is_unspecified() {
        tracing::warn!("--node-host {host} is also what the registry advertises: others cannot reach this node by it");
    }
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let advertised = format!("{host}:{}", address.port());
    let node = Arc::new(Node::new(settings, identity, advertised).map_err(StartError::RedisUrl)?);
    let tasks = vec![
        tokio::spawn(reconnect::keep_reads(node.redis.clone())),
        tokio::spawn(reconnect::keep_scripts(node.redis.clone())),
        tokio::spawn(node.clone().keep_registered()),
        tokio::spawn(node.clone().keep_limits()),
        tokio::spawn(node.clone().maintain()),
        tokio::spawn(node.clone().measure_lag()),
    ];
    let (end, ended) = oneshot::channel::<()>();
    let service = api::router(node.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let listener = listener.tap_io(|stream| {
        // Small answers must not wait for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
    });
    let server = tokio::spawn(async move {
        let serving = axum::serve(listener, service).with_graceful_shutdown(async {
            let _ = ended.await;
        });
        if let Err(error) = serving.await {
            tracing::error!(%error, "serving ended");
        }
    });
    Ok(RunningNode { node, address, tasks, server, end })
}

impl RunningNode {
    /// Stops in order: not ready any more, the registry told, a grace for the load balancers to notice, then the end.
    pub async fn stop(self) {
        self.node.leave().await;
        tokio::time::sleep(Duration::from_millis(self.node.settings.shutdown_grace_ms)).await;
        let _ = self.end.send(());
        let mut server = self.server;
        if tokio::time::timeout(LINGER, &mut server).await.is_err() {
            server.abort();
        }
        for task in self.tasks {
            task.abort();
        }
    }
}
