//! The loops of one process: a store, one loop a subject, the control socket in front of them, and a clean end.

mod handler;
mod lab_driver;
mod pace;
#[cfg(test)]
mod tests;
mod told;
mod watched;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use operator_core::agent::{Agent, AgentLimits, AgentProgress, LocalOffice, Office};
use operator_core::control::{ControlServer, Principals, PrincipalsConfig};
use operator_core::engine::{AgentSettings, Engine, EngineHandle, EngineParts, PastLog, spawn_at_pace};
use operator_core::recorder::{Recorder, RecorderSettings, recover_interrupted};
use operator_core::store::sqlite::SqliteStore;
use operator_core::store::{KillAcknowledgement, KillScope, Store};
use operator_core::{AuditEvent, Principal, SubjectView, SystemClock};
use operator_protocols::{Clock, Timestamp};
use operator_reasoner::{Diagnoser, Reasoner};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

use crate::exit::{Failure, with_causes};
use handler::Handler;

pub use pace::Pace;
pub use told::Told;
pub use watched::Watched;

/// How many events a narrator may be behind before it misses some.
const EVENTS_KEPT: usize = 4096;

/// What to run.
pub struct Plan {
    /// Where the store, the socket and the recordings are.
    pub state_dir: PathBuf,
    /// What to watch.
    pub subjects: Vec<Watched>,
    /// Whose time it is, and how fast it goes.
    pub pace: Pace,
    /// Who may ask, beside root and the user who runs this.
    pub principals: PrincipalsConfig,
    /// A file to record everything to, until the end; only with one subject.
    pub record_to: Option<PathBuf>,
    /// Whether it goes on where it cannot listen for commands, in a folder whose path is too long for a socket, say.
    pub deaf_if_need_be: bool,
    /// The agent beside the loops, if there is one.
    pub agent: Option<AgentPlan>,
}

/// The agent beside the loops.
#[derive(Clone)]
pub struct AgentPlan {
    /// Whom it asks; none, where it is a process of its own, and the loops only wait for it.
    pub diagnoser: Option<Arc<dyn Diagnoser>>,
    /// How much it takes on.
    pub limits: AgentLimits,
    /// How long proposals wait for its answer, in real time.
    pub patience: Duration,
}

/// Running loops.
pub struct Host {
    /// The loops, in the order of the plan.
    pub loops: Vec<EngineHandle>,
    store: Arc<SqliteStore>,
    clock: Arc<dyn Clock>,
    events: broadcast::Sender<Told>,
    shutdown: watch::Sender<bool>,
    running: Vec<JoinHandle<()>>,
    serving: Option<JoinHandle<()>>,
    recorders: Vec<Arc<Recorder>>,
    agent: Option<watch::Receiver<Arc<AgentProgress>>>,
}

impl Host {
    /// Takes the store, starts every loop and listens.
    ///
    /// # Errors
    /// When another operator owns the state directory, the store cannot be used, a principal's token cannot be read or
    /// the socket cannot be put in its place.
    pub async fn start(plan: Plan) -> Result<Self, Failure> {
        let clock = Arc::clone(&plan.pace.clock);
        let store = Arc::new(SqliteStore::open(&plan.state_dir)?);
        let holder = format!("operator process {}", std::process::id());
        let lease = store.acquire_lease(&holder, clock.now()).await?;
        let own_uid = rustix::process::geteuid().as_raw();
        let principals = Principals::new(&plan.principals, own_uid, &|name| std::env::var(name).ok())
            .map_err(|error| Failure::usage(format!("the principals are wrong: {error}")))?;

        let (shutdown, stopping) = watch::channel(false);
        let events = broadcast::Sender::new(EVENTS_KEPT);
        let (mut loops, mut running, mut recorders) = (Vec::new(), Vec::new(), Vec::new());
        for watched in plan.subjects {
            let name = watched.subject.descriptor().subject;
            let recorder = start_recorder(&plan.state_dir, &name, plan.record_to.as_deref())?;
            recorders.push(Arc::clone(&recorder));
            let mut settings = watched.settings;
            settings.approvers = principals.approvers(&name);
            settings.agent = plan.agent.as_ref().map(|agent| AgentSettings {
                // The loops' own time may go faster than the agent's.
                patience: agent.patience.mul_f64(plan.pace.speed.max(1.0)),
            });
            let parts = EngineParts {
                subject: watched.subject,
                checker: watched.checker,
                store: Arc::clone(&store) as Arc<dyn Store>,
                epoch: lease.epoch,
                diagnoser: Arc::new(Reasoner::new()),
                settings,
                recorder: Some(recorder),
                past: Some(past_of(&plan.state_dir, &name)?),
            };
            let every = plan.pace.real(parts.settings.interval);
            // Nothing is asked of any subject here: one that does not answer holds up its own loop only.
            let engine = Engine::prepare(parts, clock.now()).await?;
            forward(name, engine.events(), events.clone());
            let (handle, task) = spawn_at_pace(engine, Arc::clone(&clock), every, stopping.clone());
            loops.push(handle);
            running.push(task);
        }

        let agent =
            plan.agent.as_ref().and_then(|agent| Some((Arc::clone(agent.diagnoser.as_ref()?), agent.limits.clone())));
        let agent = agent.map(|(diagnoser, limits)| {
            let office = |handle: &EngineHandle| Arc::new(LocalOffice::new(handle.clone())) as Arc<dyn Office>;
            let agent = Agent::new(loops.iter().map(office).collect(), diagnoser, limits);
            let (progress, stop) = (agent.progress(), stopping.clone());
            running.push(tokio::spawn(async move { agent.run(stop).await }));
            progress
        });
        let handler = Arc::new(Handler::new(loops.clone(), Arc::clone(&store), Arc::clone(&clock), events.clone()));
        let mut stop_serving = stopping;
        let serving = match ControlServer::bind(&plan.state_dir, principals, handler).await {
            Ok(server) => Some(tokio::spawn(server.serve(async move {
                // Whoever could say so is gone: that is the end, too.
                let _ = stop_serving.wait_for(|stop| *stop).await;
            }))),
            Err(error) if plan.deaf_if_need_be => {
                tracing::info!(error = %with_causes(&error), "nobody can ask this operator for anything");
                None
            }
            Err(error) => return Err(Failure::failed("listen for commands", with_causes(&error))),
        };
        Ok(Self { loops, store, clock, events, shutdown, running, serving, recorders, agent })
    }

    /// The present of every loop.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Every audit event of every loop, and of the kill switch.
    pub fn events(&self) -> broadcast::Receiver<Told> {
        self.events.subscribe()
    }

    /// The store.
    pub fn store(&self) -> &Arc<SqliteStore> {
        &self.store
    }

    /// Engages the kill switch of everything: nothing is claimed any more when this returns.
    ///
    /// # Errors
    /// When neither row nor file could be written.
    pub async fn engage_kill_switch(&self, by: &Principal, reason: &str) -> Result<KillAcknowledgement, Failure> {
        let now = self.now();
        let acknowledged = self.store.engage_kill_switch(KillScope::Global, by, reason, now).await?;
        handler::tell_switch(&self.events, by, &KillScope::Global, true, reason, now);
        Ok(acknowledged)
    }

    /// What every loop shows of its subject now, in the order of the plan.
    pub fn views(&self) -> Vec<Arc<SubjectView>> {
        self.loops.iter().map(|handle| Arc::clone(&handle.view.borrow())).collect()
    }

    /// What the agent is doing, if there is one in this process.
    pub fn agent(&self) -> Option<Arc<AgentProgress>> {
        self.agent.as_ref().map(|progress| Arc::clone(&progress.borrow()))
    }

    /// Finishes the cycles under way, ends the recordings and frees the state directory. Gives what was recorded.
    pub async fn stop(self) -> Vec<operator_core::recorder::RecorderStats> {
        self.shutdown.send_replace(true);
        for task in self.running {
            if let Err(error) = task.await {
                tracing::error!(%error, "a loop ended badly");
            }
        }
        if let Some(serving) = self.serving
            && let Err(error) = serving.await
        {
            tracing::error!(%error, "the control socket ended badly");
        }
        let mut stats = Vec::new();
        for recorder in self.recorders {
            recorder.close().await;
            stats.push(recorder.stats());
        }
        stats
    }
}

fn start_recorder(state_dir: &Path, subject: &str, record_to: Option<&Path>) -> Result<Arc<Recorder>, Failure> {
    let incidents = state_dir.join("recordings").join(subject);
    let failed = |error: std::io::Error| Failure::failed(format!("record in {}", incidents.display()), error);
    for recovered in recover_interrupted(&incidents).map_err(failed)? {
        tracing::warn!(path = %recovered.display(), "a recording was cut off; it is readable up to its last whole line");
    }
    let settings = RecorderSettings { incidents: Some(incidents.clone()), ..RecorderSettings::default() };
    let recorder = Recorder::start(settings).map_err(failed)?;
    if let Some(path) = record_to {
        recorder.record_to(path).map_err(|error| Failure::failed(format!("record to {}", path.display()), error))?;
    }
    Ok(Arc::new(recorder))
}

/// What the loop remembers from one start to the next.
fn past_of(state_dir: &Path, subject: &str) -> Result<PastLog, Failure> {
    PastLog::open(state_dir, subject)
        .map_err(|error| Failure::failed(format!("keep observations in {}", state_dir.display()), error))
}

fn forward(subject: String, mut from: broadcast::Receiver<AuditEvent>, to: broadcast::Sender<Told>) {
    tokio::spawn(async move {
        loop {
            match from.recv().await {
                // Nobody may be listening.
                Ok(event) => drop(to.send(Told { subject: Some(subject.clone()), event })),
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "events were not narrated; the audit has them");
                }
                Err(RecvError::Closed) => return,
            }
        }
    });
}

/// The present, by the system's clock.
pub fn now() -> Timestamp {
    SystemClock.now()
}
