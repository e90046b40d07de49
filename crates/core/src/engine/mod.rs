//! The loop of one subject: observe, judge, open tickets, explain, propose, act, verify; one step after the other, so
//! that a recording of what came in replays to the same end.
//!
//! A cycle has one present, handed in. Whatever changed is written before anything that rests on it is done; what could
//! not be written is not acted on.

mod act;
mod bounded;
mod commands;
mod contain;
mod explain;
mod grace;
mod past_log;
mod propose;
mod reconcile;
mod replay;
mod runtime;
mod settings;
mod state;
mod tickets;
mod verify;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use operator_protocols::{
    ActionDefinition, Descriptor, Evaluation, History, InvariantChecker, InvariantDefinition, Locus, Observation,
    Subject, Timestamp, Unavailable, Verdict,
};
use operator_reasoner::Diagnoser;
use tokio::sync::{broadcast, watch};

use crate::policy::Autonomy;
use crate::recorder::{Header, Record, Recorder, RecordingSubject};
use crate::store::{KillScope, Snapshot, Store, StoreError};
use crate::{AuditEvent, Principal, SubjectView};
use bounded::BoundedSubject;
use state::State;

pub use grace::MONITORING_GAP;
pub use past_log::PastLog;
pub use propose::Judged;
pub use replay::{ReplayError, ReplayReport, replay};
pub use runtime::{EngineHandle, spawn};
pub use settings::EngineSettings;

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
    definitions: BTreeMap<String, InvariantDefinition>,
    policy_revision: String,

    state: State,
    history: History,
    evaluations: Vec<Evaluation>,
    cycle: u64,
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
    events: broadcast::Sender<AuditEvent>,
}

impl Engine {
    /// A loop that goes on where the store says the last one stopped.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn start(parts: EngineParts, now: Timestamp) -> Result<Self, StoreError> {
        let install_id = parts.store.install_id().await?;
        let snapshot = parts.store.load(&parts.subject.descriptor().subject).await?;
        Self::start_from(parts, &install_id, snapshot, now).await
    }

    async fn start_from(
        parts: EngineParts,
        install_id: &str,
        snapshot: Snapshot,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let EngineParts { subject, checker, store, epoch, diagnoser, settings, recorder, mut past } = parts;
        let subject: Arc<dyn Subject> = Arc::new(BoundedSubject::new(subject));
        let subject: Arc<dyn Subject> = match &recorder {
            Some(recorder) => Arc::new(RecordingSubject::new(subject, Arc::clone(recorder))),
            None => subject,
        };
        let descriptor = subject.descriptor();
        let mut definitions: BTreeMap<_, _> =
            checker.invariants().iter().map(|definition| (definition.name.clone(), definition.clone())).collect();
        let gap = grace::monitoring_gap_definition(settings.monitoring_gap_after);
        definitions.insert(gap.name.clone(), gap);
        let state = State::new(&descriptor.subject, install_id, snapshot);
        let keep = checker.lookback().max(settings.evidence_window);
        let mut history = History::new();
        for observation in past.as_mut().map(|log| log.read(now.minus(keep))).unwrap_or_default() {
            if observation.at < now {
                history.push(Arc::new(observation), keep);
            }
        }
        let view = first_view(&descriptor, &definitions, &settings);
        let mut engine = Self {
            actions: subject.actions(),
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
            killed: false,
            fenced: false,
            stale: false,
            failures: Vec::new(),
            explained_at: BTreeMap::new(),
            unknown_since: BTreeMap::new(),
            well_since: BTreeMap::new(),
            flowing_since: BTreeMap::new(),
            trouble: BTreeMap::new(),
            view: watch::Sender::new(Arc::new(view)),
            events: broadcast::Sender::new(EVENTS_KEPT),
        };
        engine.checkpoint(now);
        engine.recall_the_past(now).await;
        let started = serde_json::json!({
            "subject": engine.descriptor.subject,
            "kind": engine.descriptor.kind,
            "epoch": engine.epoch,
            "policy": engine.settings.policy,
            "policy_revision": engine.policy_revision,
        });
        let subject = engine.descriptor.subject.clone();
        engine.state.audit(AuditEvent::by_operator(now, "operator.started", subject, started));
        engine.commit().await;
        engine.publish(now);
        Ok(engine)
    }

    /// What the loop shows of its subject, anew after every cycle and command.
    pub fn view(&self) -> watch::Receiver<Arc<SubjectView>> {
        self.view.subscribe()
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
        tickets::close_incidents(&mut self.state, at);
        self.commit().await;
        self.state.forget(at, self.settings.reopen_within);
        self.end_recorded_incidents();
        self.publish(at);
    }

    async fn observe(&mut self, at: Timestamp) -> Arc<Observation> {
        let mut now = self.subject.observe(at).await;
        now.discard_readings_that_are_not_finite();
        if now.at != at {
            now.unavailable.push(Unavailable::new("the time of the observation", format!("it says {}", now.at)));
            now.at = at;
        }
        Arc::new(now)
    }

    /// The checker's evaluations with the loop's own; those of invariants that nobody declared are left out and said.
    fn judge(&mut self, now: &Arc<Observation>) -> Vec<Evaluation> {
        let checker = &self.checker;
        let history = &self.history;
        let checked = catch_unwind(AssertUnwindSafe(|| checker.check(history, now)));
        let mut judged = match checked {
            Ok(judged) => {
                self.trouble.remove("checker");
                judged
            }
            Err(_) => {
                self.trouble.insert("checker".to_owned(), "the checker panicked: nothing was judged".to_owned());
                Vec::new()
            }
        };
        let undeclared: BTreeSet<_> = judged
            .iter()
            .filter(|evaluation| !self.definitions.contains_key(&evaluation.invariant))
            .map(|evaluation| evaluation.invariant.clone())
            .collect();
        if undeclared.is_empty() {
            self.trouble.remove("undeclared");
        } else {
            let names: Vec<_> = undeclared.into_iter().collect();
            let what = format!("judged, but not declared: {}", names.join(", "));
            self.trouble.insert("undeclared".to_owned(), what);
        }
        judged.retain(|evaluation| self.definitions.contains_key(&evaluation.invariant));
        for evaluation in &mut judged {
            if matches!(&evaluation.verdict, Verdict::Violated(finding) if !finding.is_finite()) {
                let why = Unavailable::new(evaluation.invariant.clone(), "a number of its finding is not finite");
                evaluation.verdict = Verdict::Unknown(why);
            }
        }
        // What is violated and was not judged at all could not be judged.
        let judged_now: BTreeSet<_> =
            judged.iter().map(|e| crate::violation::fingerprint(&e.invariant, &e.on)).collect();
        for (fingerprint, violation) in &self.state.violations {
            if violation.invariant != MONITORING_GAP && !judged_now.contains(fingerprint) {
                let why = Unavailable::new(violation.invariant.clone(), "it was not judged in this cycle");
                judged.push(Evaluation::new(violation.invariant.clone(), violation.on.clone(), Verdict::Unknown(why)));
            }
        }
        let gaps = grace::judge_gaps(
            &mut self.unknown_since,
            &judged,
            &self.state.violations,
            now,
            self.settings.monitoring_gap_after,
        );
        judged.extend(gaps);
        judged
    }

    fn remember(&mut self, now: &Arc<Observation>) {
        let keep = self.checker.lookback().max(self.settings.evidence_window);
        if self.history.push(Arc::clone(now), keep) {
            self.trouble.remove("clock");
            if let Some(Err(error)) = self.past.as_mut().map(|past| past.append(now, keep)) {
                self.trouble.insert("past".to_owned(), format!("the past is not kept on disk: {error}"));
            }
        } else {
            let what = "the clock went backwards: the observation is not kept".to_owned();
            self.trouble.insert("clock".to_owned(), what);
        }
    }

    /// Asks the subject for the past before what is remembered already.
    async fn recall_the_past(&mut self, now: Timestamp) {
        let remembered = std::mem::take(&mut self.history);
        let begins = remembered.iter().next().map_or(now, |observation| observation.at);
        let keep = self.checker.lookback().max(self.settings.evidence_window);
        match self.subject.history(now.minus(keep), now).await {
            Ok(past) => {
                for mut observation in past {
                    observation.discard_readings_that_are_not_finite();
                    if observation.at < begins {
                        self.history.push(Arc::new(observation), keep);
                    }
                }
            }
            Err(why) => {
                self.trouble.insert("history".to_owned(), why.to_string());
            }
        }
        for observation in remembered.iter() {
            self.history.push(Arc::clone(observation), keep);
        }
    }

    async fn read_kill_switch(&mut self, at: Timestamp) {
        let engaged = match self.store.kill_switch().await {
            Ok(states) => states
                .into_iter()
                .find(|state| {
                    state.engaged
                        && match &state.scope {
                            KillScope::Global => true,
                            KillScope::Subject(name) => *name == self.state.subject,
                        }
                })
                .map(|state| (state.scope, state.reason)),
            Err(error) => {
                self.trouble.insert("store".to_owned(), error.to_string());
                Some((KillScope::Global, format!("the kill switch cannot be read: {error}")))
            }
        };
        if engaged.is_some() != self.killed {
            self.killed = engaged.is_some();
            let (scope, reason) = engaged.unwrap_or((KillScope::Global, "released".to_owned()));
            let principal = Principal::operator();
            self.record(&Record::KillSwitch { at, principal, scope, engaged: self.killed, reason });
        }
    }

    /// Writes what changed. Gives whether everything is written.
    async fn commit(&mut self) -> bool {
        if self.fenced || self.stale {
            return false;
        }
        if !self.state.unwritten() {
            return true;
        }
        match self.store.commit_cycle(self.epoch, self.state.commit()).await {
            Ok(()) => {
                self.trouble.remove("store");
                for event in self.state.written() {
                    self.tell(event);
                }
                true
            }
            Err(error) => {
                match &error {
                    StoreError::LostLease { .. } => self.fenced = true,
                    StoreError::Conflict { .. } => self.stale = true,
                    _ => {}
                }
                tracing::error!(subject = %self.state.subject, %error, "what changed could not be written");
                self.trouble.insert("store".to_owned(), error.to_string());
                false
            }
        }
    }

    /// Reads the state from the store again, where memory may differ from it. What was not written is found again by
    /// the next cycle.
    async fn read_again(&mut self) {
        match self.store.load(&self.state.subject).await {
            Ok(snapshot) => {
                let mut state = State::new(&self.state.subject, &self.state.install_id, snapshot);
                state.verifications = std::mem::take(&mut self.state.verifications);
                self.state = state;
                self.stale = false;
            }
            Err(error) => {
                self.trouble.insert("store".to_owned(), error.to_string());
            }
        }
    }

    fn tell(&self, event: AuditEvent) {
        // Nobody may be listening.
        let _ = self.events.send(event);
    }

    fn record(&self, record: &Record) {
        if let Some(recorder) = &self.recorder {
            recorder.append(record);
        }
    }

    fn checkpoint(&self, at: Timestamp) {
        let Some(recorder) = self.recorder.as_ref().filter(|recorder| recorder.checkpoint_due(at)) else { return };
        let settings = serde_json::to_value(&self.settings).unwrap_or_default();
        let header =
            Header::new(self.subject.as_ref(), self.state.install_id.clone(), settings, self.state.snapshot(), at);
        recorder.checkpoint(header, self.history.iter().cloned().collect());
        if self.killed {
            let (principal, reason) = (Principal::operator(), "engaged before the recording began".to_owned());
            recorder.append(&Record::KillSwitch { at, principal, scope: KillScope::Global, engaged: true, reason });
        }
    }

    fn record_new_incidents(&mut self) {
        let Some(recorder) = &self.recorder else { return };
        for incident in self.state.open_incidents() {
            if self.recorded_incidents.insert(incident.clone()) {
                recorder.begin_incident(&incident);
            }
        }
    }

    fn end_recorded_incidents(&mut self) {
        let Some(recorder) = &self.recorder else { return };
        let open: BTreeSet<_> = self.state.open_incidents().into_iter().collect();
        self.recorded_incidents.retain(|incident| {
            let goes_on = open.contains(incident);
            if !goes_on {
                recorder.end_incident(incident);
            }
            goes_on
        });
    }

    fn publish(&self, at: Timestamp) {
        let mut tickets: Vec<_> = self.state.tickets.values().cloned().collect();
        tickets.sort_by(|a, b| (a.opened_at, a.id.len(), &a.id).cmp(&(b.opened_at, b.id.len(), &b.id)));
        let mut incidents: Vec<_> = self.state.incidents.values().cloned().collect();
        incidents.sort_by(|a, b| (a.opened_at, a.id.len(), &a.id).cmp(&(b.opened_at, b.id.len(), &b.id)));
        let mut executions: Vec<_> = self.state.executions.values().cloned().collect();
        executions.sort_by_key(|e| (e.proposal.created_at, state::intent_number(&e.proposal.id)));
        let mut trouble: Vec<_> = self.trouble.iter().map(|(what, why)| format!("{what}: {why}")).collect();
        if self.fenced {
            trouble.push("another operator took over: this one only looks".to_owned());
        }
        let policy = &self.settings.policy;
        self.view.send_replace(Arc::new(SubjectView {
            descriptor: self.descriptor.clone(),
            cycle: self.cycle,
            at,
            observation: self.history.last().cloned(),
            invariants: self.definitions.values().cloned().collect(),
            evaluations: self.evaluations.clone(),
            violations: self.state.violations.values().cloned().collect(),
            tickets,
            incidents,
            diagnoses: self
                .state
                .diagnoses
                .iter()
                .map(|(incident, (_, diagnosis))| (incident.clone(), diagnosis.clone()))
                .collect(),
            executions,
            verifications: self.state.verifications.clone(),
            autonomy: [policy.low_risk, policy.medium_risk, policy.high_risk],
            killed: self.killed,
            trouble,
        }));
    }
}

fn first_view(
    descriptor: &Descriptor,
    definitions: &BTreeMap<String, InvariantDefinition>,
    settings: &EngineSettings,
) -> SubjectView {
    let autonomy: [Autonomy; 3] = [settings.policy.low_risk, settings.policy.medium_risk, settings.policy.high_risk];
    SubjectView {
        descriptor: descriptor.clone(),
        cycle: 0,
        at: Timestamp::default(),
        observation: None,
        invariants: definitions.values().cloned().collect(),
        evaluations: Vec::new(),
        violations: Vec::new(),
        tickets: Vec::new(),
        incidents: Vec::new(),
        diagnoses: BTreeMap::new(),
        executions: Vec::new(),
        verifications: BTreeMap::new(),
        autonomy,
        killed: false,
        trouble: Vec::new(),
    }
}
