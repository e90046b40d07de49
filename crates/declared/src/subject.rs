//! The subject: one system described in a file, as the operator meets it.

use std::collections::BTreeSet;
use std::sync::Arc;

use operator_prometheus::{QueryClient, QueryLimits};
use operator_protocols::{
    ActionDefinition, ActionRequest, BoxFuture, Descriptor, Driver, Effect, ExecutionToken, Guard, InvariantChecker,
    Observation, PROTOCOL_VERSION, ProbeAnswer, ProbeDefinition, ProbeRequest, Sent, Subject, SubjectConfig,
    SubjectError, Timestamp, Unavailable,
};

use crate::actions::{self, Starts};
use crate::check::{Asker, HttpClient};
use crate::checker::DeclaredChecker;
use crate::file::{Means, Metrics, SystemFile, authority, http_url};
use crate::observe::{self, Memory};
use crate::settings::Settings;
use crate::{limits, past, probes};

/// The kind of subject, as configuration names it.
pub const KIND: &str = "declared";

/// One system described in a file.
///
/// Observing, probing and reading the past only read: `GET` by HTTP, what the file says to send by TCP, `INFO` to Redis.
/// Nothing but a driver can act on it.
pub struct DeclaredSubject {
    name: String,
    file: Arc<SystemFile>,
    asker: Asker,
    driver: Option<Arc<dyn Driver>>,
    memory: tokio::sync::Mutex<Memory>,
    starts: Starts,
}

/// Makes the subject and its checker: reads the file that the setting `file` names, relative to the working directory,
/// and connects to nothing.
///
/// # Errors
/// The first setting or key of the file that is wrong, with what would be right.
#[expect(clippy::type_complexity, reason = "it is a SubjectFactory, whose type the protocol gives")]
pub fn factory(
    config: &SubjectConfig,
    driver: Option<Arc<dyn Driver>>,
) -> Result<(Box<dyn Subject>, Box<dyn InvariantChecker>), SubjectError> {
    let settings = Settings::read(config)?;
    let shown = settings.file.display().to_string();
    let file = Arc::new(SystemFile::read(&settings.file).map_err(|error| error.of_setting(&shown))?);
    let checker = DeclaredChecker::new(&config.name, Arc::clone(&file), settings.time_scale);
    let subject = DeclaredSubject::new(&config.name, file, driver)?;
    Ok((Box::new(subject), Box::new(checker)))
}

impl DeclaredSubject {
    /// The instance `name` of what the file describes.
    ///
    /// # Errors
    /// When the operating system refuses what an HTTP client needs.
    pub fn new(name: &str, file: Arc<SystemFile>, driver: Option<Arc<dyn Driver>>) -> Result<Self, SubjectError> {
        let http = HttpClient::new().map_err(|why| SubjectError::new("file", why))?;
        let bounds = QueryLimits { timeout: limits::QUERY_TIMEOUT, ..QueryLimits::default() };
        let prometheus = file.prometheus_url.as_deref().map(|url| QueryClient::new(url, bounds)).transpose();
        let prometheus = prometheus.map_err(|error| SubjectError::new("prometheus_url", error.to_string()))?;
        Ok(Self {
            name: name.to_owned(),
            asker: Asker { http, prometheus },
            file,
            driver,
            memory: tokio::sync::Mutex::default(),
            starts: Starts::default(),
        })
    }

    /// Every `host:port` that it may talk to.
    fn destinations(&self) -> Vec<String> {
        let mut all = BTreeSet::new();
        for component in &self.file.components {
            for check in &component.checks {
                match &check.means {
                    Means::Http { url, .. } => all.insert(authority(url)),
                    Means::Tcp { address, .. } => all.insert(address.clone()),
                    Means::PromQl(_) => false,
                };
            }
            match &component.metrics {
                Some(Metrics::Http(url)) => all.insert(authority(url)),
                Some(Metrics::RedisInfo(address)) => all.insert(address.clone()),
                None => false,
            };
        }
        let prometheus = self.file.prometheus_url.as_deref().and_then(|url| http_url(url, None).ok());
        all.extend(prometheus.map(|url| authority(&url)));
        all.into_iter().collect()
    }

    fn actions_context(&self) -> actions::Context<'_> {
        actions::Context {
            subject: &self.name,
            file: &self.file,
            asker: &self.asker,
            driver: self.driver.as_ref(),
            starts: &self.starts,
        }
    }
}

impl Subject for DeclaredSubject {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            protocol_version: PROTOCOL_VERSION,
            subject: self.name.clone(),
            kind: KIND.to_owned(),
            description: self.file.description.clone(),
            destinations: self.destinations(),
            observe_deadline: observe::deadline(&self.file),
        }
    }

    fn observe(&self, at: Timestamp) -> BoxFuture<'_, Observation> {
        Box::pin(async move {
            let mut memory = self.memory.lock().await;
            observe::observe(&self.name, &self.file, &self.asker, &mut memory, at).await
        })
    }

    fn actions(&self) -> Vec<ActionDefinition> {
        actions::definitions(self.driver.is_some())
    }

    fn guard<'a>(&'a self, request: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Guard> {
        Box::pin(async move { actions::guard(&self.actions_context(), request, at).await })
    }

    fn execute<'a>(
        &'a self,
        request: &'a ActionRequest,
        guard: &'a Guard,
        token: &'a ExecutionToken,
    ) -> BoxFuture<'a, Sent> {
        Box::pin(async move { actions::execute(&self.actions_context(), request, guard, token).await })
    }

    fn effect<'a>(&'a self, request: &'a ActionRequest, _at: Timestamp) -> BoxFuture<'a, Effect> {
        Box::pin(async move { actions::effect(&self.actions_context(), request).await })
    }

    fn probes(&self) -> Vec<ProbeDefinition> {
        probes::definitions()
    }

    fn probe<'a>(&'a self, request: &'a ProbeRequest, at: Timestamp) -> BoxFuture<'a, ProbeAnswer> {
        Box::pin(async move { probes::answer(&self.name, &self.file, &self.asker, request, at).await })
    }

    fn history(&self, from: Timestamp, to: Timestamp) -> BoxFuture<'_, Result<Vec<Observation>, Unavailable>> {
        Box::pin(async move {
            match &self.asker.prometheus {
                Some(prometheus) => past::read(prometheus, &self.name, &self.file, from, to).await,
                None => Ok(Vec::new()),
            }
        })
    }
}
