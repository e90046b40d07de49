//! Bringing the environment up: Redis, the links, the nodes, and what an earlier run left to be mended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::config::RateLimiterConfig;
use super::environment::{Inner, OTHER_REDIS, RateLimiterEnvironment};
use super::node_api::{self, StoredLimit};
use super::places::{NodePlace, Places, loopback};
use super::programs::Programs;
use super::{REDIS, workload};
use crate::environment::Cleared;
use crate::error::LabError;
use crate::folder;
use crate::journal::Journal;
use crate::process::{ProcessSpec, ReservedPort, Supervisor};
use crate::proxy::Proxy;

/// A node says that it is ready before it has found Redis, which on one machine takes it a moment.
const CONNECTED: Duration = Duration::from_secs(10);
/// How often to look for another port when one was taken between finding and using it.
const PORT_ATTEMPTS: usize = 5;

impl RateLimiterEnvironment {
    /// Starts it and waits until everything answers. Faults that an earlier run in the same folder left behind are
    /// taken back; the answer says which.
    ///
    /// # Errors
    /// When a setting is wrong, a program is missing, the folder is in use, or a process does not start; whatever was
    /// started is gone then.
    pub async fn start(config: RateLimiterConfig) -> Result<(Self, Cleared), LabError> {
        config.check()?;
        let programs = Programs::find()?;
        let config = RateLimiterConfig { folder: folder::private(&config.folder)?, ..config };
        let lock = folder::lock(&config.folder)?;
        let journal = Journal::open(config.folder.join("undo.jsonl"))?;
        let supervisor = Arc::new(Supervisor::new(config.folder.join("processes"), &programs.guard)?);

        let redis_folder = folder::private(&config.folder.join(REDIS))?;
        let redis = start_somewhere(&supervisor, |port| programs.redis(REDIS, port, &redis_folder)).await?;
        let other_redis = ReservedPort::find()?;
        let other_folder = folder::private(&config.folder.join(OTHER_REDIS))?;
        supervisor.declare(programs.redis(OTHER_REDIS, other_redis.port(), &other_folder))?;

        let nodes = start_nodes(&config, &programs, &supervisor, redis.port()).await?;
        let inner = Arc::new(Inner {
            programs,
            supervisor,
            places: Places { redis, other_redis, nodes },
            journal: Mutex::new(journal),
            operation: tokio::sync::Mutex::default(),
            workload: Mutex::default(),
            planned: Mutex::default(),
            http: node_api::client()?,
            _lock: lock,
            config,
        });
        workload::declare(&inner)?;
        inner.api().await_coordinated(CONNECTED).await?;
        let cleared = inner.undo_all().await?;
        for (key, &limit) in &inner.config.limits {
            inner.api().put_limit(key, &StoredLimit { limit, window_ms: None }).await?;
        }
        Ok((Self { inner }, cleared))
    }
}

async fn start_nodes(
    config: &RateLimiterConfig,
    programs: &Programs,
    supervisor: &Arc<Supervisor>,
    redis: u16,
) -> Result<BTreeMap<String, NodePlace>, LabError> {
    let mut starting = tokio::task::JoinSet::new();
    for name in config.node_names() {
        let (config, programs, supervisor) = (config.clone(), programs.clone(), Arc::clone(supervisor));
        starting.spawn(async move {
            let link = Proxy::start(loopback(redis)).await?;
            let spec = |port| programs.node(&config, &name, port, link.address());
            let port = start_somewhere(&supervisor, spec).await?;
            Ok::<_, LabError>((name, NodePlace { port, link }))
        });
    }
    let mut nodes = BTreeMap::new();
    while let Some(started) = starting.join_next().await {
        let (name, place) = started.map_err(|error| LabError::asked("start a node", error))??;
        nodes.insert(name, place);
    }
    Ok(nodes)
}

/// Declares and starts a process on a free port; on another one, if it was taken meanwhile.
async fn start_somewhere(supervisor: &Supervisor, spec: impl Fn(u16) -> ProcessSpec) -> Result<ReservedPort, LabError> {
    let mut attempts = 1;
    loop {
        let port = ReservedPort::find()?;
        let spec = spec(port.port());
        let name = spec.name.clone();
        supervisor.declare(spec)?;
        match supervisor.start(&name).await {
            Ok(_) => return Ok(port),
            Err(error) if attempts < PORT_ATTEMPTS && port.is_taken() && !supervisor.status(&name)?.running => {
                tracing::debug!(process = %name, port = port.port(), %error, "the port was taken");
                attempts += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
