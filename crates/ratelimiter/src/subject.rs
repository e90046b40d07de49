//! The subject: one distributed rate limiter, as the operator meets it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use operator_prometheus::{QueryClient, QueryLimits};
use operator_protocols::{
    ActionDefinition, ActionRequest, BoxFuture, Descriptor, Driver, Effect, ExecutionToken, Guard, InvariantChecker,
    Observation, PROTOCOL_VERSION, ProbeAnswer, ProbeDefinition, ProbeRequest, Sent, Subject, SubjectConfig,
    SubjectError, Timestamp, Unavailable,
};

use crate::actions::{self, Context, Starts};
use crate::checker::RateLimiterChecker;
use crate::client::NodeClient;
use crate::config::Config;
use crate::inspector::Inspector;
use crate::names::KIND;
use crate::observe::{DEADLINE, Memory, Observer, Target};
use crate::own_changes::OwnChanges;
use crate::{past, probes};

/// One distributed rate limiter: its nodes and the Redis they share.
///
/// Observing, guarding, probing and looking for effects only read: `GET` to the nodes, read-only commands to Redis.
pub struct RateLimiterSubject {
    config: Config,
    client: NodeClient,
    inspector: Inspector,
    prometheus: Option<QueryClient>,
    driver: Option<Arc<dyn Driver>>,
    memory: tokio::sync::Mutex<Memory>,
    targets: Mutex<Vec<Target>>,
    own: OwnChanges,
    starts: Starts,
}

/// Makes the subject and its checker from configuration. It connects to nothing.
///
/// # Errors
/// The first setting that is wrong, with what would be right.
#[expect(clippy::type_complexity, reason = "it is a SubjectFactory, whose type the protocol gives")]
pub fn factory(
    config: &SubjectConfig,
    driver: Option<Arc<dyn Driver>>,
) -> Result<(Box<dyn Subject>, Box<dyn InvariantChecker>), SubjectError> {
    let config = Config::read(config)?;
    let checker = RateLimiterChecker::new(&config.name, config.time_scale);
    let subject = RateLimiterSubject::new(config, driver)?;
    Ok((Box::new(subject), Box::new(checker)))
}

impl RateLimiterSubject {
    /// The subject with these settings.
    ///
    /// # Errors
    /// When a setting is wrong that only its user can judge, such as the address of a Prometheus.
    pub fn new(config: Config, driver: Option<Arc<dyn Driver>>) -> Result<Self, SubjectError> {
        let client = NodeClient::new(config.management_token.clone())
            .map_err(|error| SubjectError::new("nodes", error.chain()))?;
        let prometheus = config.prometheus_url.as_deref().map(|url| QueryClient::new(url, QueryLimits::default()));
        let prometheus =
            prometheus.transpose().map_err(|error| SubjectError::new("prometheus_url", error.to_string()))?;
        let memory = Memory::default();
        Ok(Self {
            client,
            inspector: Inspector::new(config.redis.clone()),
            prometheus,
            driver,
            targets: Mutex::new(memory.targets(&config)),
            memory: tokio::sync::Mutex::new(memory),
            own: OwnChanges::default(),
            starts: Starts::default(),
            config,
        })
    }

    fn known_targets(&self) -> Vec<Target> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn context(&self) -> Context<'_> {
        Context {
            config: &self.config,
            client: &self.client,
            inspector: &self.inspector,
            driver: self.driver.as_ref(),
            targets: self.known_targets(),
            own: &self.own,
            starts: &self.starts,
        }
    }
}

impl Subject for RateLimiterSubject {
    fn descriptor(&self) -> Descriptor {
        let config = &self.config;
        let mut destinations: Vec<String> = config.nodes.iter().map(|node| node.address.to_string()).collect();
        destinations.push(self.inspector.address());
        destinations.extend(config.discover_hosts.iter().map(|host| format!("{host}:*")));
        destinations.extend(config.prometheus_url.clone());
        Descriptor {
            protocol_version: PROTOCOL_VERSION,
            subject: config.name.clone(),
            kind: KIND.to_owned(),
            description: format!(
                "a rate limiter of {} nodes that share Redis at {}",
                config.nodes.len(),
                self.inspector.address()
            ),
            destinations,
            observe_deadline: DEADLINE,
        }
    }

    fn observe(&self, at: Timestamp) -> BoxFuture<'_, Observation> {
        Box::pin(async move {
            let mut memory = self.memory.lock().await;
            let observer =
                Observer { config: &self.config, client: &self.client, inspector: &self.inspector, own: &self.own };
            let observation = observer.observe(&mut memory, at).await;
            *self.targets.lock().unwrap_or_else(PoisonError::into_inner) = memory.targets(&self.config);
            observation
        })
    }

    fn actions(&self) -> Vec<ActionDefinition> {
        actions::definitions(self.driver.is_some())
    }

    fn guard<'a>(&'a self, request: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Guard> {
        Box::pin(async move { actions::guard(&self.context(), request, at).await })
    }

    fn execute<'a>(
        &'a self,
        request: &'a ActionRequest,
        guard: &'a Guard,
        token: &'a ExecutionToken,
    ) -> BoxFuture<'a, Sent> {
        Box::pin(async move { actions::execute(&self.context(), request, guard, token).await })
    }

    fn effect<'a>(&'a self, request: &'a ActionRequest, _at: Timestamp) -> BoxFuture<'a, Effect> {
        Box::pin(async move { actions::effect(&self.context(), request).await })
    }

    fn probes(&self) -> Vec<ProbeDefinition> {
        probes::definitions()
    }

    fn probe<'a>(&'a self, request: &'a ProbeRequest, at: Timestamp) -> BoxFuture<'a, ProbeAnswer> {
        Box::pin(async move { probes::answer(&self.context(), request, at).await })
    }

    fn history(&self, from: Timestamp, to: Timestamp) -> BoxFuture<'_, Result<Vec<Observation>, Unavailable>> {
        Box::pin(async move {
            let Some(prometheus) = &self.prometheus else { return Ok(Vec::new()) };
            let nodes: BTreeSet<String> = self.known_targets().into_iter().map(|target| target.id).collect();
            past::read(prometheus, &self.config.name, &nodes, from, to).await
        })
    }
}
