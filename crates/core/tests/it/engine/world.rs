//! A scripted system: one worker that can break and be mended, and a target that can fail in every way there is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use operator_core::engine::{Engine, EngineParts, EngineSettings};
use operator_core::policy::{Autonomy, PolicySettings};
use operator_core::store::{ExecutionFilter, Store, TicketFilter, sqlite::SqliteStore};
use operator_core::{AuditEvent, Execution, Identity, Principal, Role, Ticket};
use operator_protocols::*;
use operator_reasoner::{
    Alternative, Answer, Confidence, DiagnoseError, Diagnoser, Diagnosis, Hypothesis, Inquiry, RecommendedAction,
};
use tempfile::TempDir;

pub const SUBJECT: &str = "shop";
pub const INTERVAL: Duration = Duration::from_secs(5);

/// What the target does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// It happens, and the target says so.
    Works,
    /// It happens, and does not help.
    WorksInVain,
    /// The target proves that it did nothing.
    Refuses,
    /// It cannot be reached.
    Unreachable,
    /// It happens, and the answer is lost.
    AnswerLost,
    /// The request is lost.
    RequestLost,
}

/// The scripted system's state.
#[derive(Debug)]
pub struct World {
    pub broken: bool,
    pub hidden: bool,
    pub other_broken: bool,
    pub breaks_other: bool,
    pub diverted: bool,
    pub flow: f64,
    pub behaviour: Behaviour,
    pub class: ActionClass,
    pub risk: Risk,
    pub remedy: FaultClass,
    pub guard: Holds,
    pub incarnation: u32,
    /// Effects, counted at the target: by intent.
    pub effects: Vec<String>,
    /// Every request that arrived.
    pub arrived: Vec<String>,
    pub panics: bool,
    pub hangs: bool,
    /// The checker's finding holds a number that is none.
    pub nonsense: bool,
    /// How many items are broken besides.
    pub storm: u32,
}

impl Default for World {
    fn default() -> Self {
        Self {
            broken: false,
            hidden: false,
            other_broken: false,
            breaks_other: false,
            diverted: false,
            flow: 100.0,
            behaviour: Behaviour::Works,
            class: ActionClass::Keyed,
            risk: Risk::Low,
            remedy: FaultClass::ComponentDown,
            guard: Holds::Yes,
            incarnation: 1,
            effects: Vec::new(),
            arrived: Vec::new(),
            panics: false,
            hangs: false,
            nonsense: false,
            storm: 0,
        }
    }
}

#[derive(Clone, Default)]
pub struct ScriptedSubject(pub Arc<Mutex<World>>);

impl ScriptedSubject {
    pub fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

pub fn worker() -> Locus {
    Locus::component(SUBJECT, "worker")
}

pub fn helper() -> Locus {
    Locus::component(SUBJECT, "helper")
}

fn definition(name: &str, world: &World, remedies: Vec<Remedy>, reversible_by: Option<&str>) -> ActionDefinition {
    ActionDefinition {
        name: name.to_owned(),
        description: format!("{name} the worker"),
        params: vec![ParamDefinition {
            name: "owner".to_owned(),
            description: "who did it".to_owned(),
            kind: ParamKind::Text { max_bytes: 100 },
            source: ParamSource::IntentId,
            default: None,
        }],
        targets: vec![TargetKind::Component { kinds: vec!["worker".to_owned()] }],
        risk: world.risk,
        class: world.class,
        reversible_by: reversible_by.map(str::to_owned),
        remedies,
        expected_effect: "it works again".to_owned(),
        settle_time: Duration::from_secs(10),
        limits: None,
    }
}

impl Subject for ScriptedSubject {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            protocol_version: PROTOCOL_VERSION,
            subject: SUBJECT.to_owned(),
            kind: "scripted".to_owned(),
            description: "a scripted system".to_owned(),
            destinations: Vec::new(),
            observe_deadline: Duration::from_millis(200),
        }
    }

    fn observe(&self, at: Timestamp) -> BoxFuture<'_, Observation> {
        Box::pin(async move {
            if self.world().hangs {
                std::future::pending::<()>().await;
            }
            let world = self.world();
            assert!(!world.panics, "scripted to panic");
            let mut now = Observation::new(at);
            if world.hidden {
                now.unavailable.push(Unavailable::new("the worker", "scripted to be hidden"));
                return now;
            }
            let component = |name: &str, kind: &str, broken: bool| Component {
                id: Id::new(SUBJECT, name),
                kind: kind.to_owned(),
                address: None,
                state: if broken { ComponentState::Down } else { ComponentState::Up },
                raw_state: String::new(),
                version: None,
                labels: BTreeMap::new(),
            };
            now.components.push(component("worker", "worker", world.broken));
            now.components.push(component("helper", "helper", world.other_broken));
            now.dependencies.push(Dependency {
                from: Id::new(SUBJECT, "worker"),
                to: Id::new(SUBJECT, "helper"),
                kind: "calls".to_owned(),
                state: DependencyState::Up,
            });
            now.details.insert("nonsense".to_owned(), Value::Bool(world.nonsense));
            now.details.insert("storm".to_owned(), world.storm.into());
            now.signals.push(Signal {
                on: worker(),
                name: "requests".to_owned(),
                role: SignalRole::Traffic,
                value: if world.diverted { 0.0 } else { world.flow },
                unit: "1/s".to_owned(),
                observed_at: at,
                kind: SignalKind::Gauge,
                worse: Worse::Neither,
            });
            now
        })
    }

    fn actions(&self) -> Vec<ActionDefinition> {
        let world = self.world();
        vec![
            definition("mend", &world, vec![Remedy::cures(world.remedy)], None),
            definition("replace", &world, vec![Remedy::cures(world.remedy)], None),
            definition("divert", &world, vec![Remedy::contains(world.remedy)], Some("rejoin")),
            definition("rejoin", &world, Vec::new(), Some("divert")),
        ]
    }

    fn guard<'a>(&'a self, _request: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Guard> {
        Box::pin(async move {
            let world = self.world();
            Guard {
                holds: world.guard.clone(),
                incarnation: Some(world.incarnation.to_string()),
                facts: BTreeMap::new(),
                as_of: at,
            }
        })
    }

    fn execute<'a>(
        &'a self,
        request: &'a ActionRequest,
        _guard: &'a Guard,
        token: &'a ExecutionToken,
    ) -> BoxFuture<'a, Sent> {
        Box::pin(async move {
            assert_eq!(token.intent(), request.intent);
            let mut world = self.world();
            if world.behaviour == Behaviour::Unreachable {
                return Sent::NotSent("connection refused".to_owned());
            }
            world.arrived.push(request.intent.clone());
            if world.behaviour == Behaviour::RequestLost {
                return Sent::Unknown("no answer".to_owned());
            }
            if world.behaviour == Behaviour::Refuses {
                return Sent::NoEffect("409: not now".to_owned());
            }
            let repeated = world.effects.contains(&request.intent);
            let knows_repeats = matches!(world.class, ActionClass::Keyed | ActionClass::Cas);
            if !(repeated && knows_repeats) {
                world.effects.push(request.intent.clone());
                let helps = world.behaviour != Behaviour::WorksInVain;
                match request.action.as_str() {
                    "mend" | "replace" if helps => world.broken = false,
                    "divert" => world.diverted = true,
                    "rejoin" => world.diverted = false,
                    _ => {}
                }
                if world.breaks_other {
                    world.other_broken = true;
                }
            }
            if world.behaviour == Behaviour::AnswerLost {
                // The answer to a repeat arrives.
                world.behaviour = Behaviour::Works;
                return Sent::Unknown("no answer".to_owned());
            }
            Sent::Done(Receipt::new(format!("{} done", request.action)))
        })
    }

    fn effect<'a>(&'a self, request: &'a ActionRequest, _at: Timestamp) -> BoxFuture<'a, Effect> {
        Box::pin(async move {
            let world = self.world();
            match world.class {
                // Only a target of this class shows whether it happened.
                ActionClass::Query if world.effects.contains(&request.intent) => Effect::Happened(Receipt::new("seen")),
                ActionClass::Blind => Effect::Unknown(Unavailable::new("the effect", "it cannot be seen")),
                _ => Effect::Absent,
            }
        })
    }

    fn probes(&self) -> Vec<ProbeDefinition> {
        Vec::new()
    }

    fn probe<'a>(&'a self, _request: &'a ProbeRequest, at: Timestamp) -> BoxFuture<'a, ProbeAnswer> {
        Box::pin(async move { ProbeAnswer { as_of: at, answer: Err(Unavailable::new("probe", "there is none")) } })
    }
}

/// Judges whether worker and helper are up.
pub struct ScriptedChecker(Vec<InvariantDefinition>);

impl ScriptedChecker {
    pub fn new(grace: Duration) -> Self {
        Self(vec![InvariantDefinition {
            name: "works".to_owned(),
            description: "It is up".to_owned(),
            severity: Severity::Critical,
            threshold: None,
            unit: "1".to_owned(),
            grace,
            clear_after: None,
            minimum_traffic: None,
        }])
    }
}

impl InvariantChecker for ScriptedChecker {
    fn invariants(&self) -> &[InvariantDefinition] {
        &self.0
    }

    fn lookback(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn check(&self, _past: &History, now: &Observation) -> Vec<Evaluation> {
        let judge = |on: Locus, name: &str| {
            let verdict = match now.component(&Id::new(SUBJECT, name)).map(|component| component.state) {
                Some(ComponentState::Down) => {
                    let nonsense = now.details.get("nonsense").and_then(Value::as_bool) == Some(true);
                    let measured = if nonsense { f64::NAN } else { 1.0 };
                    Verdict::Violated(Finding::new(format!("{name} is down"), measured, 0.0))
                }
                Some(_) => Verdict::Ok,
                None => Verdict::Unknown(Unavailable::new(name, "it was not seen")),
            };
            Evaluation::new("works", on, verdict)
        };
        let mut judged = vec![judge(worker(), "worker"), judge(helper(), "helper")];
        let storm = now.details.get("storm").and_then(Value::as_u64).unwrap_or(0);
        judged.extend((0..storm).map(|n| {
            let finding = Finding::new(format!("item {n} is broken"), 1.0, 0.0);
            Evaluation::new("works", Locus::entity(SUBJECT, "item", n.to_string()), Verdict::Violated(finding))
        }));
        judged
    }
}

/// Names the cause it is told to, and recommends the same actions in the same order.
#[derive(Clone)]
pub struct ScriptedDiagnoser {
    pub class: FaultClass,
    pub actions: Vec<(&'static str, Does)>,
    pub script: Arc<Mutex<Script>>,
}

/// What a scripted diagnoser says beside the cause.
#[derive(Debug, Clone)]
pub struct Script {
    /// Another class than it was made with.
    pub class: Option<FaultClass>,
    pub probability: f64,
    /// What else it considers, and how probable that is.
    pub others: Vec<(FaultClass, Locus, f64)>,
}

impl Default for Script {
    fn default() -> Self {
        Self { class: None, probability: 0.9, others: Vec::new() }
    }
}

impl ScriptedDiagnoser {
    pub fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// An explanation without evidence.
pub fn hypothesis(class: FaultClass, locus: Locus, probability: f64) -> Hypothesis {
    Hypothesis {
        class,
        locus,
        statement: "the worker is broken".to_owned(),
        probability,
        score: 5.0,
        supporting: Vec::new(),
        contradicting: Vec::new(),
    }
}

impl Diagnoser for ScriptedDiagnoser {
    fn name(&self) -> &str {
        "scripted"
    }

    fn diagnose<'a>(&'a self, inquiry: Inquiry<'a>) -> BoxFuture<'a, Result<Answer, DiagnoseError>> {
        let Inquiry { pack, actions, .. } = inquiry;
        let Script { class, probability, others } = self.script().clone();
        let class = class.unwrap_or(self.class);
        let alternatives = others
            .into_iter()
            .map(|(class, locus, probability)| Alternative {
                hypothesis: hypothesis(class, locus, probability),
                conclusion: "less probable".to_owned(),
            })
            .collect();
        let recommended = self
            .actions
            .iter()
            .filter(|(name, _)| actions.iter().any(|action| action.name == *name))
            .map(|(name, does)| RecommendedAction {
                action: (*name).to_owned(),
                target: worker(),
                params: BTreeMap::new(),
                remedies: class,
                does: *does,
                risk: Risk::Low,
                because: Vec::new(),
            })
            .collect();
        let diagnosis = Diagnosis {
            subject: pack.subject.clone(),
            incident: pack.incident.clone(),
            diagnoser: "scripted".to_owned(),
            diagnoser_version: "1".to_owned(),
            made_at: pack.built_at,
            timeline: Vec::new(),
            affected: vec![worker()],
            readings: Vec::new(),
            primary: hypothesis(class, worker(), probability),
            confidence: Confidence { word: "high".to_owned(), probability },
            alternatives,
            severity: Severity::Critical,
            recommended_action: "mend it".to_owned(),
            commands: Vec::new(),
            risks: Vec::new(),
            recommended_actions: recommended,
            missing: Vec::new(),
        };
        Box::pin(std::future::ready(Ok(diagnosis.into())))
    }
}

/// A loop over the scripted system, with the time it has come to.
pub struct Bench {
    pub subject: ScriptedSubject,
    pub engine: Option<Engine>,
    pub store: Arc<SqliteStore>,
    pub settings: EngineSettings,
    pub diagnoser: ScriptedDiagnoser,
    pub grace: Duration,
    pub second: i64,
    pub dir: Arc<TempDir>,
}

impl Bench {
    pub async fn new(world: World, autonomy: Autonomy) -> Self {
        let remedy = world.remedy;
        Self::with(world, autonomy, &[("mend", Does::Cures), ("replace", Does::Cures)], remedy).await
    }

    pub async fn with(world: World, autonomy: Autonomy, actions: &[(&'static str, Does)], class: FaultClass) -> Self {
        let dir = Arc::new(tempfile::tempdir().expect("a temporary directory"));
        let settings = EngineSettings {
            interval: INTERVAL,
            policy: PolicySettings::everything_at(autonomy),
            approvers: vec!["ann".to_owned(), "bob".to_owned()],
            ..EngineSettings::default()
        };
        let mut bench = Self {
            subject: ScriptedSubject(Arc::new(Mutex::new(world))),
            engine: None,
            store: Arc::new(SqliteStore::open(dir.path()).expect("a store")),
            settings,
            diagnoser: ScriptedDiagnoser { class, actions: actions.to_vec(), script: Arc::default() },
            grace: Duration::ZERO,
            second: 1_000_000,
            dir,
        };
        bench.start().await;
        bench
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.second * 1000)
    }

    pub async fn start(&mut self) {
        let lease = self.store.acquire_lease("test", self.now()).await.expect("the lease");
        let parts = EngineParts {
            subject: Arc::new(self.subject.clone()),
            checker: Box::new(ScriptedChecker::new(self.grace)),
            store: self.store.clone(),
            epoch: lease.epoch,
            diagnoser: Arc::new(self.diagnoser.clone()),
            settings: self.settings.clone(),
            recorder: None,
            past: None,
        };
        self.engine = Some(Engine::start(parts, self.now()).await.expect("the loop"));
    }

    /// Forgets the loop without any goodbye, as a kill does, and starts another over the same store.
    pub async fn kill_and_start(&mut self) {
        self.engine = None;
        let closed = Arc::new(SqliteStore::open_read_only(self.dir.path()).expect("a store to read"));
        drop(std::mem::replace(&mut self.store, closed));
        self.store = Arc::new(SqliteStore::open(self.dir.path()).expect("the store again"));
        self.start().await;
    }

    pub fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("a loop")
    }

    /// Runs cycles five seconds apart.
    pub async fn cycles(&mut self, n: usize) {
        for _ in 0..n {
            self.second += 5;
            let at = self.now();
            self.engine().tick(at).await;
        }
    }

    pub async fn tickets(&self) -> Vec<Ticket> {
        self.store.tickets(&TicketFilter::default()).await.expect("tickets")
    }

    pub async fn ticket(&self) -> Ticket {
        let tickets = self.tickets().await;
        assert_eq!(tickets.len(), 1, "{tickets:#?}");
        tickets.into_iter().next().expect("one")
    }

    /// Oldest first.
    pub async fn executions(&self) -> Vec<Execution> {
        let mut executions = self.store.executions(&ExecutionFilter::default()).await.expect("executions");
        executions.reverse();
        executions
    }

    /// The kinds of audit events about actions, in order.
    pub async fn audit(&self) -> Vec<AuditEvent> {
        self.store.audit(1, 10_000).await.expect("audit").into_iter().map(|row| row.event).collect()
    }

    pub fn person(name: &str, role: Role) -> Principal {
        Principal { name: name.to_owned(), role, identity: Identity::Token }
    }
}
