//! A subject in the middle of an incident, for the tests of what is drawn.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use operator_core::agent::{AgentProgress, CaseProgress, CaseStage};
use operator_core::policy::Autonomy;
use operator_core::{
    Execution, ExecutionState, Incident, Proposal, RuleOutcome, RuleVerdict, SubjectView, Ticket, TicketState,
    Violation,
};
use operator_protocols::{
    ActionClass, Component, ComponentState, Dependency, DependencyState, Descriptor, Does, Evaluation, FaultClass,
    Finding, Guard, Holds, Id, InvariantDefinition, Locus, Observation, PROTOCOL_VERSION, Risk, Severity, Signal,
    SignalKind, SignalRole, Timestamp, Unavailable, Verdict, Worse,
};
use operator_reasoner::{
    Alternative, Confidence, Deliberation, Diagnosis, EvidenceId, EvidenceRef, Hypothesis, Outcome, Step, Usage,
};

use crate::narrate::{NarrationLine, Tone};
use crate::screen::{Beside, ChapterState, Palette, Phase, ScreenModel, WorkloadSecond};

pub(super) const SUBJECT: &str = "shop";

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1_000)
}

fn id(local: &str) -> Id {
    Id::new(SUBJECT, local)
}

pub(super) fn down() -> Locus {
    Locus::Component(id("worker-2"))
}

fn component(local: &str, state: ComponentState, raw: &str) -> Component {
    Component {
        id: id(local),
        kind: "worker".into(),
        address: None,
        state,
        raw_state: raw.into(),
        version: None,
        labels: BTreeMap::new(),
    }
}

fn signal(on: Locus, name: &str, role: SignalRole, value: f64, unit: &str) -> Signal {
    let (name, unit) = (name.to_owned(), unit.to_owned());
    Signal { on, name, role, value, unit, observed_at: at(0), kind: SignalKind::Gauge, worse: Worse::Higher }
}

pub(super) fn observation() -> Observation {
    let mut seen = Observation::new(at(60));
    seen.components = vec![
        component("worker-1", ComponentState::Up, "running"),
        component("worker-2", ComponentState::Down, "no answer"),
        component("worker-3", ComponentState::Degraded, "draining"),
        component("store", ComponentState::Up, "primary"),
    ];
    for (worker, state) in
        [("worker-1", DependencyState::Up), ("worker-2", DependencyState::Unknown), ("worker-3", DependencyState::Down)]
    {
        seen.dependencies.push(Dependency { from: id(worker), to: id("store"), kind: "keeps in".into(), state });
    }
    let one = Locus::Component(id("worker-1"));
    seen.signals = vec![
        signal(one.clone(), "p99", SignalRole::Latency, 0.0031, "s"),
        signal(one, "jobs", SignalRole::Traffic, 41.5, "1/s"),
        signal(Locus::Edge(id("worker-1"), id("store")), "round_trip", SignalRole::Latency, 0.00042, "s"),
        signal(Locus::Component(id("store")), "memory", SignalRole::Saturation, 0.43, "ratio"),
    ];
    seen.unavailable = vec![Unavailable::new("worker-2 counters", "connection refused")];
    seen
}

fn invariant(name: &str, severity: Severity, grace: u64) -> InvariantDefinition {
    InvariantDefinition {
        name: name.into(),
        description: String::new(),
        severity,
        threshold: None,
        unit: "1".into(),
        grace: Duration::from_secs(grace),
        clear_after: None,
        minimum_traffic: None,
    }
}

pub(super) fn finding(message: &str) -> Finding {
    Finding::new(message, 1.0, 0.0)
}

fn violation(invariant: &str, on: Locus, since: i64, ticket: Option<&str>) -> Violation {
    Violation {
        subject: SUBJECT.into(),
        invariant: invariant.into(),
        on,
        severity: Severity::Critical,
        finding: finding("it does not answer"),
        first_seen: at(since),
        last_seen: at(60),
        ok_since: None,
        ticket: ticket.map(str::to_owned),
    }
}

pub(super) fn ticket() -> Ticket {
    Ticket {
        id: "shop-T1".into(),
        subject: SUBJECT.into(),
        invariant: "worker_down".into(),
        on: down(),
        severity: Severity::Critical,
        state: TicketState::Acting,
        state_reason: "start_component is approved".into(),
        finding: finding("worker-2 does not answer"),
        first_seen: at(50),
        last_seen: at(60),
        opened_at: at(50),
        resolved_at: None,
        occurrences: 1,
        snapshot: Vec::new(),
        incident: "shop-I1".into(),
        hold: false,
        acknowledged_by: None,
        cleared: false,
    }
}

pub(super) fn incident() -> Incident {
    Incident {
        id: "shop-I1".into(),
        subject: SUBJECT.into(),
        opened_at: at(50),
        closed_at: None,
        tickets: vec!["shop-T1".into()],
        diagnosis: Some("shop-D1".into()),
        confirmations: 2,
        tried: Vec::new(),
    }
}

fn cited(id: &str, because: &str, weight: f64) -> EvidenceRef {
    EvidenceRef { id: EvidenceId(id.into()), because: because.into(), weight }
}

fn hypothesis(class: FaultClass, locus: Locus, probability: f64) -> Hypothesis {
    Hypothesis {
        class,
        locus,
        statement: "worker-2 does not run".into(),
        probability,
        score: 1.0,
        supporting: vec![
            cited("E1", "worker-2 does not answer since 22:14:10", 3.0),
            cited("E4", "the other workers answer as before", 1.0),
        ],
        contradicting: vec![cited("E7", "its link was slow before", -0.5)],
    }
}

pub(super) fn diagnosis() -> Diagnosis {
    Diagnosis {
        subject: SUBJECT.into(),
        incident: "shop-I1".into(),
        diagnoser: "reasoner".into(),
        diagnoser_version: "1".into(),
        made_at: at(55),
        timeline: Vec::new(),
        affected: vec![down()],
        readings: Vec::new(),
        primary: hypothesis(FaultClass::ComponentDown, down(), 0.94),
        confidence: Confidence { word: "high".into(), probability: 0.94 },
        alternatives: vec![Alternative {
            hypothesis: hypothesis(FaultClass::LinkDown, Locus::Edge(id("worker-2"), id("store")), 0.04),
            conclusion: "the store answers everybody else".into(),
        }],
        severity: Severity::Critical,
        recommended_action: "Start worker-2".into(),
        commands: Vec::new(),
        risks: Vec::new(),
        recommended_actions: Vec::new(),
        missing: vec!["the log of worker-2".into()],
    }
}

pub(super) fn execution(state: ExecutionState) -> Execution {
    let rule = |rule: &str, because: &str| RuleOutcome {
        rule: rule.into(),
        verdict: RuleVerdict::Allow,
        because: because.into(),
    };
    let guard = Guard { holds: Holds::Yes, incarnation: Some("start-3".into()), facts: BTreeMap::new(), as_of: at(55) };
    let proposal = Proposal {
        id: "shop-A1-0123456789ab".into(),
        subject: SUBJECT.into(),
        incident: Some("shop-I1".into()),
        tickets: vec!["shop-T1".into()],
        diagnosis: Some("shop-D1".into()),
        action: "start_component".into(),
        class: ActionClass::Cas,
        risk: Risk::Low,
        remedies: FaultClass::ComponentDown,
        does: Does::Cures,
        target: down(),
        params: BTreeMap::new(),
        guard,
        observation_hash: "00".into(),
        policy_revision: "r1".into(),
        blast_radius: vec![down()],
        requested_by: "operator".into(),
        created_at: at(56),
        expires_at: at(956),
        undo_of: None,
        rules: vec![rule("autonomy", "low risk is auto"), rule("fresh_data", "seen 1 s ago")],
    };
    Execution {
        bind_hash: proposal.bind_hash(),
        proposal,
        state,
        state_reason: "claimed".into(),
        quorum: 1,
        approvals_revision: 0,
        attempt: 1,
        epoch: 1,
        send_by: Some(at(70)),
        deadline: None,
        updated_at: at(57),
        done_at: None,
        version: 2,
    }
}

pub(super) fn view() -> SubjectView {
    let pending = Locus::entity(SUBJECT, "item", "orders");
    SubjectView {
        descriptor: Descriptor {
            protocol_version: PROTOCOL_VERSION,
            subject: SUBJECT.into(),
            kind: "workshop".into(),
            description: "a shop".into(),
            destinations: vec!["127.0.0.1:1".into()],
            observe_deadline: Duration::from_secs(1),
        },
        cycle: 42,
        at: at(60),
        observation: Some(Arc::new(observation())),
        invariants: vec![
            invariant("worker_down", Severity::Critical, 0),
            invariant("queue_growing", Severity::Warning, 30),
            invariant("slow_jobs", Severity::Warning, 60),
            invariant("store_full", Severity::Warning, 0),
        ],
        evaluations: vec![
            Evaluation::new("worker_down", down(), Verdict::Violated(finding("it does not answer"))),
            Evaluation::new("worker_down", Locus::Component(id("worker-1")), Verdict::Ok),
            Evaluation::new("queue_growing", pending.clone(), Verdict::Violated(finding("it grows"))),
            Evaluation::new("slow_jobs", Locus::Nothing, Verdict::Unknown(Unavailable::new("jobs", "no answer"))),
            Evaluation::new("store_full", Locus::Component(id("store")), Verdict::Ok),
        ],
        violations: vec![
            violation("worker_down", down(), 50, Some("shop-T1")),
            violation("queue_growing", pending, 45, None),
        ],
        tickets: vec![ticket()],
        incidents: vec![incident()],
        diagnoses: BTreeMap::from([("shop-I1".to_owned(), diagnosis())]),
        deliberations: BTreeMap::new(),
        executions: vec![execution(ExecutionState::Dispatched)],
        verifications: BTreeMap::new(),
        autonomy: [Autonomy::Auto, Autonomy::Auto, Autonomy::Approve],
        killed: false,
        trouble: Vec::new(),
    }
}

/// `run` over three subjects: one in the middle of an incident, one that is well, one that cannot be read.
pub(super) fn three() -> ScreenModel {
    let mut model = model();
    model.title = "run".into();
    model.chapter = None;
    model.beside = Beside::Tickets;
    let mut well = view();
    well.descriptor.subject = "shop-west".into();
    well.evaluations.retain(|evaluation| evaluation.verdict == Verdict::Ok);
    (well.violations, well.tickets, well.incidents) = (Vec::new(), Vec::new(), Vec::new());
    let mut human = view();
    human.descriptor.subject = "prod-queue".into();
    human.tickets[0].id = "prod-queue-T7".into();
    human.tickets[0].state = TicketState::NeedsHuman;
    model.views.extend([Arc::new(well), Arc::new(human)]);
    for line in &mut model.narration {
        line.subject = (line.tone != Tone::Chapter).then(|| SUBJECT.to_owned());
    }
    model.keys = [("Tab", "next subject"), ("1-3", "subject"), ("k", "kill switch"), ("q", "end")]
        .map(|(k, d)| (k.into(), d.into()))
        .into();
    model
}

pub(super) fn model() -> ScreenModel {
    let mut model = ScreenModel::new("demo shop", at(60), TimeZone::UTC, Palette::PLAIN);
    model.views = vec![Arc::new(view())];
    model.beside = Beside::Workload;
    for second in 0..50_u64 {
        let broken = second > 40;
        model.push_workload(WorkloadSecond {
            sent: 60,
            ok: if broken { 30 } else { 40 + second % 7 },
            refused: 10 + second % 5,
            errors: if broken { 20 } else { 0 },
            p99_ms: Some(3.2),
        });
    }
    model.push_narration(NarrationLine::new(at(40), Tone::Chapter, "Chapter 1: a worker is killed"));
    model.push_narration(NarrationLine::new(at(50), Tone::Bad, "DETECTED shop-T1: worker_down violated on worker-2"));
    model.push_narration(NarrationLine::new(at(55), Tone::Plain, "DIAGNOSIS ComponentDown at worker-2 (high, 94 %)"));
    model.push_narration(NarrationLine::new(at(57), Tone::Act, "shop-A1-0123456789ab claimed and sent (attempt 1)"));
    model.chapter = Some(ChapterState {
        title: "A worker is killed".into(),
        number: 1,
        of: 3,
        phase: Phase::Acting,
        prompt: "The operator starts it again; watch the agent panel.".into(),
    });
    model.keys = vec![("q".into(), "quit".into()), ("k".into(), "kill switch".into())];
    model
}

/// How a model came to an answer about the incident.
pub(super) fn deliberation(outcome: Outcome) -> Deliberation {
    Deliberation {
        provider: "anthropic".into(),
        model: "some-model".into(),
        prompt_version: "1".into(),
        prompt_hash: "00".into(),
        parameters: serde_json::Value::Null,
        outcome,
        faults: Vec::new(),
        verdicts: Vec::new(),
        dissent: None,
        exchanges: Vec::new(),
        usage: spent(),
    }
}

pub(super) fn spent() -> Usage {
    Usage { input_tokens: 3_400, cached_tokens: 1_200, output_tokens: 310, cost_micro_usd: 9_800, calls: 3 }
}

/// The agent in the middle of the incident.
pub(super) fn thinking() -> AgentProgress {
    let step = Step { turn: 3, turns: 12, text: "looks at jobs of worker-2".into(), usage: spent() };
    let case = CaseProgress { stage: CaseStage::Thinking, attempt: 1, step: Some(step), told: String::new() };
    AgentProgress { cases: BTreeMap::from([("shop-I1".to_owned(), case)]), ..AgentProgress::default() }
}
