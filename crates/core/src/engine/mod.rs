//! The loop of one subject: observe, judge, open tickets, explain, propose, act, verify; one step after the other, so
//! that a recording of what came in replays to the same end.
//!
//! A cycle has one present, handed in. Whatever changed is written before anything that rests on it is done; what could
//! not be written is not acted on.

mod act;
mod action_commands;
mod answer;
mod answer_bounds;
mod bounded;
mod claim;
mod commands;
mod contain;
mod desk;
mod explain;
mod finish;
mod grace;
mod look;
mod marks;
mod past;
mod past_log;
mod persist;
mod propose;
mod publish;
mod question;
mod reconcile;
mod recording;
mod replay;
mod runtime;
mod settings;
mod state;
mod ticket_commands;
mod tickets;
mod unsent;
mod verify;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use operator_protocols::{
    ActionDefinition, Descriptor, Evaluation, History, InvariantChecker, InvariantDefinition, Locus, Observation,
    ProbeDefinition, Subject, Timestamp,
};
use operator_reasoner::Diagnoser;
use tokio::sync::{broadcast, watch};

use crate::agent::CaseFile;
use crate::recorder::{Record, Recorder, RecordingSubject};
use crate::store::{Snapshot, Store, StoreError};
use crate::{AuditEvent, CommandError, SubjectView};
use bounded::BoundedSubject;
use state::State;

pub(crate) use desk::Desk;
pub use grace::MONITORING_GAP;
pub use past_log::PastLog;
pub use propose::Judged;
pub use question::{Question, QuestionStatus, Standing};
pub use replay::{ReplayError, ReplayReport, replay};
pub use runtime::{EngineHandle, spawn, spawn_at_pace};
pub use settings::{AgentSettings, EngineSettings};

/// How many audit events a slow listener may be behind before it misses some.
const EVENTS_KEPT: usize = 4096;

/// What a loop is made of.
pub struct EngineParts {
    /// What is watched.
    pub subject: Arc<dyn Subject>,
    /// The judge of its invariants.
    pub checker: Box<dyn InvariantChecker>,
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// The epoch of the lease under which this process owns the store.
    pub epoch: u64,
    /// Who explains.
    pub diagnoser: Arc<dyn Diagnoser>,
    /// What the loop is told.
    pub settings: EngineSettings,
    /// What keeps everything that comes in.
    pub recorder: Option<Arc<Recorder>>,
    /// What keeps the last while for the next start.
    pub past: Option<PastLog>,
}

/// The loop of one subject.
pub struct Engine {
    subject: Arc<dyn Subject>,
    /// The same, unrecorded: for an agent's looks, which are no part of the loop.
    unrecorded: Arc<dyn Subject>,
    checker: Box<dyn InvariantChecker>,
    store: Arc<dyn Store>,
    epoch: u64,
    diagnoser: Arc<dyn Diagnoser>,
    settings: EngineSettings,
    recorder: Option<Arc<Recorder>>,
    past: Option<PastLog>,
    recorded_incidents: BTreeSet<String>,

    descriptor: Descriptor,
    actions: Vec<ActionDefinition>,
    /// The same, shared with whoever reads the desk.
    offered: Arc<Vec<ActionDefinition>>,
    probes: Arc<Vec<ProbeDefinition>>,
    definitions: BTreeMap<String, InvariantDefinition>,
    policy_revision: String,

    state: State,
    history: History,
    evaluations: Vec<Evaluation>,
    cycle: u64,
    /// Whether the subject was asked for its past, and the start is in the audit.
    begun: bool,
    /// Whether the kill switch stops actions here, as read at the beginning of the cycle.
    killed: bool,
    /// Another process owns the store: this one only looks.
    fenced: bool,
    /// What is in memory may not be what is stored: it is read again before the next cycle.
    stale: bool,
    /// Actions that failed, stayed unknown or did not help.
    failures: Vec<(Timestamp, String, Locus)>,
    explained_at: BTreeMap<String, Timestamp>,
    unknown_since: BTreeMap<String, (Locus, String, Timestamp)>,
    well_since: BTreeMap<String, Timestamp>,
    flowing_since: BTreeMap<String, Timestamp>,
    /// What keeps the loop from working, by what it concerns.
    trouble: BTreeMap<String, String>,

    view: watch::Sender<Arc<SubjectView>>,
    desk: watch::Sender<Arc<Desk>>,
    events: broadcast::Sender<AuditEvent>,
}

impl Engine {
    /// A loop that goes on where the store says the last one stopped.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn start(parts: EngineParts, now: Timestamp) -> Result<Self, StoreError> {
        let mut engine = Self::prepare(parts, now).await?;
        engine.begin(now).await;
        Ok(engine)
    }

    /// The same, but its subject is asked nothing yet: [`spawn`] has it do so in its own time, so that a subject that
    /// does not answer holds up nobody else's start.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn prepare(mut parts: EngineParts, now: Timestamp) -> Result<Self, StoreError> {
        let install_id = parts.store.install_id().await?;
        let descriptor = parts.subject.descriptor();
        let mut snapshot = parts.store.load(&descriptor.subject).await?;
        snapshot.past = parts.store.past_cases(&descriptor.kind, state::PAST_KEPT as u32).await?;
        let keep = parts.checker.lookback().max(parts.settings.evidence_window);
        let remembered = parts.past.as_mut().map(|log| log.read(now.minus(keep))).unwrap_or_default();
        let remembered = remembered.into_iter().map(Arc::new).collect();
        Ok(Self::prepare_from(parts, &install_id, snapshot, remembered, now))
    }

    /// A loop that goes on from `snapshot`, and remembers what is given, oldest first.
    fn prepare_from(
        parts: EngineParts,
        install_id: &str,
        snapshot: Snapshot,
        remembered: Vec<Arc<Observation>>,
        now: Timestamp,
    ) -> Self {
        let EngineParts { subject, checker, store, epoch, diagnoser, settings, recorder, past } = parts;
        let subject: Arc<dyn Subject> = Arc::new(BoundedSubject::new(subject));
        let unrecorded = Arc::clone(&subject);
        let subject: Arc<dyn Subject> = match &recorder {
            Some(recorder) => Arc::new(RecordingSubject::new(subject, Arc::clone(recorder))),
            None => subject,
        };
        let descriptor = subject.descriptor();
        let mut definitions: BTreeMap<_, _> =
            checker.invariants().iter().map(|definition| (definition.name.clone(), definition.clone())).collect();
        let gap = grace::monitoring_gap_definition(settings.monitoring_gap_after);
        definitions.insert(gap.name.clone(), gap);
        let explained_at = snapshot.explained_at.clone();
        let state = State::new(&descriptor.subject, install_id, snapshot);
        let keep = checker.lookback().max(settings.evidence_window);
        let mut history = History::new();
        for observation in remembered.into_iter().filter(|observation| observation.at < now) {
            history.push(observation, keep);
        }
        let view = publish::first_view(&descriptor, &definitions, &settings);
        let actions = subject.actions();
        Self {
            offered: Arc::new(actions.clone()),
            probes: Arc::new(subject.probes()),
            actions,
            unrecorded,
            policy_revision: settings.policy.revision(),
            subject,
            checker,
            store,
            epoch,
            diagnoser,
            settings,
            recorder,
            past,
            recorded_incidents: BTreeSet::new(),
            descriptor,
            definitions,
            state,
            history,
            evaluations: Vec::new(),
            cycle: 0,
            begun: false,
            killed: false,
            fenced: false,
            stale: false,
            failures: Vec::new(),
            explained_at,
            unknown_since: BTreeMap::new(),
            well_since: BTreeMap::new(),
            flowing_since: BTreeMap::new(),
            trouble: BTreeMap::new(),
            view: watch::Sender::new(Arc::new(view)),
            desk: watch::Sender::new(Arc::default()),
            events: broadcast::Sender::new(EVENTS_KEPT),
        }
    }

    /// Asks the subject for its past and says that the loop has started: once, before the first cycle.
    async fn begin(&mut self, now: Timestamp) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        self.checkpoint(now);
        self.recall_the_past(now).await;
        let started = serde_json::json!({
            "subject": self.descriptor.subject,
            "kind": self.descriptor.kind,
            "epoch": self.epoch,
            "policy": self.settings.policy,
            "policy_revision": self.policy_revision,
        });
        let subject = self.descriptor.subject.clone();
        self.state.audit(AuditEvent::by_operator(now, "operator.started", subject, started));
        self.commit().await;
        self.publish(now);
    }

    /// What the loop shows of its subject, anew after every cycle and command.
    pub fn view(&self) -> watch::Receiver<Arc<SubjectView>> {
        self.view.subscribe()
    }

    /// One incident as it is put to a diagnoser, as of the last cycle.
    ///
    /// # Errors
    /// When no such incident is open and asked about.
    pub fn case(&self, incident: &str) -> Result<CaseFile, CommandError> {
        self.desk.borrow().case(incident)
    }

    /// Every audit event, as it becomes durable.
    pub fn events(&self) -> broadcast::Receiver<AuditEvent> {
        self.events.subscribe()
    }

    /// One whole cycle. `at` is its present.
    pub async fn tick(&mut self, at: Timestamp) {
        self.cycle += 1;
        if self.stale {
            self.read_again().await;
        }
        self.checkpoint(at);
        self.read_kill_switch(at).await;
        self.record(&Record::Tick { at });
        let now = self.observe(at).await;
        let judged = self.judge(&now);
        let outcome = grace::apply(
            &self.state.subject,
            &self.state.violations,
            &judged,
            &self.definitions,
            at,
            self.settings.interval,
        );
        self.evaluations = judged;
        tickets::apply(&mut self.state, outcome, &now, &self.settings);
        self.remember(&now);
        self.record_new_incidents();
        if self.commit().await {
            self.explain(at).await;
            self.lose_patience(at);
        }
        if self.commit().await {
            self.verify(at);
            self.look_after_containments(at).await;
        }
        if self.commit().await {
            self.reconcile(at).await;
        }
        if self.commit().await {
            self.propose(at).await;
        }
        if self.commit().await {
            self.act(at).await;
        }
        for (incident, question) in tickets::close_incidents(&mut self.state, at) {
            self.remember_case(&incident, question, at);
        }
        self.commit().await;
        self.state.forget(at, self.settings.reopen_within);
        self.end_recorded_incidents();
        self.publish(at);
    }
}
