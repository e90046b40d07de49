//! The subject: one TiKV cluster, as the operator meets it.

use std::sync::{Arc, Mutex, PoisonError};

use operator_protocols::{
    ActionDefinition, ActionRequest, BoxFuture, Descriptor, Driver, Effect, ExecutionToken, Guard, InvariantChecker,
    Observation, PROTOCOL_VERSION, ProbeAnswer, ProbeDefinition, ProbeRequest, Sent, Subject, SubjectConfig,
    SubjectError, Timestamp, Unavailable,
};

use crate::actions::{self, Context, LastLook};
use crate::checker::TikvChecker;
use crate::config::Config;
use crate::details::Details;
use crate::logs::LogTails;
use crate::metrics::{Known, MetricsReader};
use crate::names::KIND;
use crate::observe::{DEADLINE, Memory, Observer};
use crate::pd::PdClient;
use crate::{past, probes};

/// One TiKV cluster: its stores, the members of PD that steer them, and the Prometheus that scrapes both.
///
/// Observing, guarding, probing and looking for effects only read.
pub struct TikvSubject {
    config: Config,
    pd: PdClient,
    metrics: MetricsReader,
    logs: LogTails,
    driver: Option<Arc<dyn Driver>>,
    /// What this process did.
    own: actions::Memory,
    memory: tokio::sync::Mutex<Memory>,
    /// What was last seen.
    last: Mutex<Option<(Timestamp, Arc<Details>)>>,
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
    let checker = TikvChecker::new(&config.name, &config.thresholds, config.time_scale);
    let subject = TikvSubject::new(config, driver)?;
    Ok((Box::new(subject), Box::new(checker)))
}

impl TikvSubject {
    /// The subject with these settings.
    ///
    /// # Errors
    /// When a file or an address that they name is wrong.
    pub fn new(config: Config, driver: Option<Arc<dyn Driver>>) -> Result<Self, SubjectError> {
        let pd = config.client()?;
        let metrics = MetricsReader::new(&config.name, config.metrics.clone(), pd.http().clone())?;
        let logs = config.logs.tails(&config.name);
        Ok(Self {
            pd,
            metrics,
            logs,
            driver,
            own: actions::Memory::default(),
            memory: tokio::sync::Mutex::default(),
            last: Mutex::default(),
            config,
        })
    }

    fn last(&self) -> Option<(Timestamp, Arc<Details>)> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn context(&self) -> Context<'_> {
        Context {
            subject: &self.config.name,
            pd: &self.pd,
            driver: self.driver.as_ref(),
            memory: &self.own,
            last: self.last().map(|(at, details)| LastLook { at, details }),
        }
    }
}

impl Subject for TikvSubject {
    fn descriptor(&self) -> Descriptor {
        let config = &self.config;
        let mut destinations: Vec<String> = config.pd.iter().map(crate::pd::shown).collect();
        if !config.seed_only {
            destinations.push("members of PD, as PD tells".to_owned());
        }
        if config.metrics.scrape_stores {
            destinations.push("status addresses of stores, as PD tells".to_owned());
        }
        destinations.extend(config.metrics.prometheus_url.clone());
        Descriptor {
            protocol_version: PROTOCOL_VERSION,
            subject: config.name.clone(),
            kind: KIND.to_owned(),
            description: format!(
                "a TiKV cluster, seen through PD at {}",
                config.pd.iter().map(crate::pd::shown).collect::<Vec<_>>().join(", ")
            ),
            destinations,
            observe_deadline: DEADLINE,
        }
    }

    fn observe(&self, at: Timestamp) -> BoxFuture<'_, Observation> {
        Box::pin(async move {
            let mut memory = self.memory.lock().await;
            let observer = Observer {
                subject: &self.config.name,
                pd: &self.pd,
                metrics: &self.metrics,
                logs: &self.logs,
                thresholds: &self.config.thresholds,
                drained_by: &|store| self.own.claims(store, at),
            };
            let (observation, details) = observer.observe(&mut memory, at).await;
            if let Some(drains) = &details.cluster.drains {
                self.own.still_drained(|store| drains.contains_key(&store), at);
            }
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, Arc::new(details)));
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

    fn effect<'a>(&'a self, request: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Effect> {
        Box::pin(async move { actions::effect(&self.context(), request, at).await })
    }

    fn probes(&self) -> Vec<ProbeDefinition> {
        probes::definitions()
    }

    fn probe<'a>(&'a self, request: &'a ProbeRequest, at: Timestamp) -> BoxFuture<'a, ProbeAnswer> {
        Box::pin(async move { probes::answer(&self.context(), request, at).await })
    }

    fn history(&self, from: Timestamp, to: Timestamp) -> BoxFuture<'_, Result<Vec<Observation>, Unavailable>> {
        Box::pin(async move {
            // Whose series are whose is only known once PD has told who there is.
            let Some((_, details)) = self.last() else { return Ok(Vec::new()) };
            let leader = details.cluster.leader.as_deref();
            let known = Known { stores: &details.stores, members: &details.members, leader };
            past::read(&self.metrics, &self.config.name, &known, from, to).await
        })
    }
}
