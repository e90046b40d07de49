//! The subject: one TiKV cluster, as the operator meets it.

use std::sync::{Arc, Mutex, PoisonError};

use operator_protocols::{
    ActionDefinition, ActionRequest, BoxFuture, Descriptor, Driver, Effect, ExecutionToken, Guard, Holds,
    InvariantChecker, Observation, PROTOCOL_VERSION, ProbeAnswer, ProbeDefinition, ProbeRequest, Sent, Subject,
    SubjectConfig, SubjectError, Timestamp, Unavailable,
};

use crate::checker::TikvChecker;
use crate::config::Config;
use crate::details::Details;
use crate::logs::LogTails;
use crate::metrics::{Known, MetricsReader};
use crate::names::KIND;
use crate::observe::{DEADLINE, Memory, Observer};
use crate::past;
use crate::pd::PdClient;

/// One TiKV cluster: its stores, the members of PD that steer them, and the Prometheus that scrapes both.
///
/// Observing, guarding, probing and looking for effects only read.
pub struct TikvSubject {
    config: Config,
    pd: PdClient,
    metrics: MetricsReader,
    logs: LogTails,
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
    pub fn new(config: Config, _driver: Option<Arc<dyn Driver>>) -> Result<Self, SubjectError> {
        let pd = config.client()?;
        let metrics = MetricsReader::new(&config.name, config.metrics.clone(), pd.http().clone())?;
        let logs = config.logs.tails(&config.name);
        Ok(Self { pd, metrics, logs, memory: tokio::sync::Mutex::default(), last: Mutex::default(), config })
    }

    fn last(&self) -> Option<(Timestamp, Arc<Details>)> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
            description: format!("a TiKV cluster, seen through PD at {}", crate::pd::shown(&config.pd[0])),
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
                drained_by: &|_| None,
            };
            let (observation, details) = observer.observe(&mut memory, at).await;
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, Arc::new(details)));
            observation
        })
    }

    fn actions(&self) -> Vec<ActionDefinition> {
        Vec::new()
    }

    fn guard<'a>(&'a self, request: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Guard> {
        Box::pin(async move {
            Guard {
                holds: Holds::No(format!("there is no action {}", request.action)),
                incarnation: None,
                facts: std::collections::BTreeMap::new(),
                as_of: at,
            }
        })
    }

    fn execute<'a>(
        &'a self,
        request: &'a ActionRequest,
        _guard: &'a Guard,
        _token: &'a ExecutionToken,
    ) -> BoxFuture<'a, Sent> {
        Box::pin(async move { Sent::NotSent(format!("there is no action {}", request.action)) })
    }

    fn effect<'a>(&'a self, request: &'a ActionRequest, _at: Timestamp) -> BoxFuture<'a, Effect> {
        Box::pin(async move {
            Effect::Unknown(Unavailable::new(&request.action, format!("there is no action {}", request.action)))
        })
    }

    fn probes(&self) -> Vec<ProbeDefinition> {
        Vec::new()
    }

    fn probe<'a>(&'a self, request: &'a ProbeRequest, at: Timestamp) -> BoxFuture<'a, ProbeAnswer> {
        Box::pin(async move {
            let answer = Err(Unavailable::new(&request.probe, format!("there is no probe {}", request.probe)));
            ProbeAnswer { as_of: at, answer }
        })
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
