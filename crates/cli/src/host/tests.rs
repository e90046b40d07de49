//! Several loops in one process: none delays another, and what belongs to one stays with it.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use operator_core::agent::{AgentLimits, AgentProgress, CaseStage};
use operator_core::engine::EngineSettings;
use operator_core::policy::{Autonomy, PolicySettings};
use operator_core::store::{ExecutionFilter, Store as _, TicketFilter};
use operator_core::{Command, Identity, Principal, Role, SubjectView, TicketState};
use operator_protocols::example::Workshop;
use operator_protocols::{
    ActionDefinition, ActionRequest, BoxFuture, Descriptor, Effect, ExecutionToken, Guard, Observation, ProbeAnswer,
    ProbeDefinition, ProbeRequest, Sent, Subject, Timestamp, Unavailable,
};
use operator_reasoner::{Answer, Deliberation, DiagnoseError, Diagnoser, Inquiry, Outcome, Usage};
use tokio::sync::watch;

use super::{AgentPlan, Host, Pace, Plan, Watched};

const PATIENCE: Duration = Duration::from_secs(30);

fn watched(name: &str, workshop: &Workshop) -> Watched {
    let (subject, checker) = workshop.subject(name);
    let settings = EngineSettings {
        interval: Duration::from_millis(100),
        policy: PolicySettings { confirmations: 1, ..PolicySettings::everything_at(Autonomy::Auto) },
        ..EngineSettings::default()
    };
    Watched { subject: subject.into(), checker, settings }
}

async fn host(state: &tempfile::TempDir, subjects: Vec<Watched>) -> Host {
    host_with(state, subjects, None).await
}

async fn host_with(state: &tempfile::TempDir, subjects: Vec<Watched>, agent: Option<AgentPlan>) -> Host {
    let plan = Plan {
        state_dir: state.path().to_owned(),
        subjects,
        pace: Pace::default(),
        principals: Default::default(),
        record_to: None,
        deaf_if_need_be: true,
        agent,
    };
    Host::start(plan).await.expect("the loops start")
}

async fn until(view: &mut watch::Receiver<Arc<SubjectView>>, right: impl Fn(&SubjectView) -> bool) {
    let waited = tokio::time::timeout(PATIENCE, view.wait_for(|view| right(view))).await.is_ok_and(|seen| seen.is_ok());
    assert!(waited, "it did not come to it: {:#?}", view.borrow().tickets);
}

/// A subject that never says anything of its past, and of its present never either.
struct Hung(Box<dyn Subject>);

impl Subject for Hung {
    fn descriptor(&self) -> Descriptor {
        self.0.descriptor()
    }

    fn observe(&self, _at: Timestamp) -> BoxFuture<'_, Observation> {
        Box::pin(pending())
    }

    fn actions(&self) -> Vec<ActionDefinition> {
        self.0.actions()
    }

    fn guard<'a>(&'a self, _request: &'a ActionRequest, _at: Timestamp) -> BoxFuture<'a, Guard> {
        Box::pin(pending())
    }

    fn execute<'a>(&'a self, _: &'a ActionRequest, _: &'a Guard, _: &'a ExecutionToken) -> BoxFuture<'a, Sent> {
        Box::pin(pending())
    }

    fn effect<'a>(&'a self, _request: &'a ActionRequest, _at: Timestamp) -> BoxFuture<'a, Effect> {
        Box::pin(pending())
    }

    fn probes(&self) -> Vec<ProbeDefinition> {
        self.0.probes()
    }

    fn probe<'a>(&'a self, _request: &'a ProbeRequest, _at: Timestamp) -> BoxFuture<'a, ProbeAnswer> {
        Box::pin(pending())
    }

    fn history(&self, _from: Timestamp, _to: Timestamp) -> BoxFuture<'_, Result<Vec<Observation>, Unavailable>> {
        Box::pin(pending())
    }
}

#[tokio::test]
async fn a_subject_that_hangs_delays_no_other_neither_at_the_start_nor_later() {
    let state = tempfile::tempdir().expect("a folder");
    let (shop, stuck) = (Workshop::new(2), Workshop::new(2));
    let (subject, checker) = stuck.subject("stuck");
    let settings = watched("stuck", &stuck).settings;
    let hung = Watched { subject: Arc::new(Hung(subject)), checker, settings };
    let host = host(&state, vec![hung, watched("shop", &shop)]).await;
    let mut well = host.loops[1].view.clone();
    until(&mut well, |view| view.cycle >= 3).await;
    assert_eq!(host.loops[0].view.borrow().cycle, 0, "it is still asked for its past");

    shop.stop_worker("worker-1");
    let mended = |view: &SubjectView| view.tickets.iter().any(|ticket| ticket.state == TicketState::Resolved);
    until(&mut well, mended).await;
    assert_eq!(shop.commands_obeyed(), 1);
    assert_eq!(stuck.commands_obeyed(), 0);
    assert!(host.loops[0].view.borrow().tickets.is_empty());
    host.stop().await;
}

#[tokio::test]
async fn two_subjects_of_one_kind_with_components_of_one_name_are_kept_apart() {
    let state = tempfile::tempdir().expect("a folder");
    let shops = [("east", Workshop::new(2)), ("west", Workshop::new(2))];
    let started = || shops.iter().map(|(name, workshop)| watched(name, workshop)).collect::<Vec<_>>();
    let host_of_both = host(&state, started()).await;
    let [mut east, mut west] = [0, 1].map(|i: usize| host_of_both.loops[i].view.clone());
    for view in [&mut east, &mut west] {
        until(view, |view| view.cycle >= 2).await;
    }
    let ana = Principal { name: "ana".into(), role: Role::Admin, identity: Identity::Peer { uid: 0 } };
    let observe = Command::SetMode { mode: "observe".into(), reason: "test".into() };
    host_of_both.loops[1].command(ana, observe).await.expect("the mode is set");

    for (_, shop) in &shops {
        shop.stop_worker("worker-1");
    }
    let mended = |view: &SubjectView| view.tickets.iter().any(|ticket| ticket.state == TicketState::Resolved);
    until(&mut east, mended).await;
    until(&mut west, |view| view.tickets.iter().any(|ticket| ticket.state == TicketState::Diagnosed)).await;
    assert_eq!(shops[0].1.commands_obeyed(), 1, "what may be done in one");
    assert_eq!(shops[1].1.commands_obeyed(), 0, "may not be done in the other");
    let ids = |view: &SubjectView| view.tickets.iter().map(|ticket| ticket.id.clone()).collect::<Vec<_>>();
    assert_eq!((ids(&east.borrow()), ids(&west.borrow())), (vec!["east-T1".into()], vec!["west-T1".into()]));
    host_of_both.stop().await;

    // Another process goes on with both.
    let again = host(&state, started()).await;
    let tickets = again.store().tickets(&TicketFilter::default()).await.expect("tickets");
    assert_eq!(tickets.len(), 2, "{tickets:#?}");
    let sent = again.store().executions(&ExecutionFilter::default()).await.expect("executions");
    let sent: Vec<_> = sent.iter().filter(|one| one.attempt > 0).map(|one| one.proposal.subject.as_str()).collect();
    assert_eq!(sent, ["east"]);
    let mut west = again.loops[1].view.clone();
    until(&mut west, |view| view.tickets.iter().any(|ticket| ticket.id == "west-T1")).await;
    again.stop().await;
}

/// A model that agrees with the reasoner, or never answers.
struct Model {
    answers: bool,
}

impl Diagnoser for Model {
    fn name(&self) -> &str {
        "llm:test"
    }

    fn diagnose<'a>(&'a self, inquiry: Inquiry<'a>) -> BoxFuture<'a, Result<Answer, DiagnoseError>> {
        Box::pin(async move {
            if !self.answers {
                pending::<()>().await;
            }
            let mut diagnosis = inquiry.reasoned.cloned().expect("the reasoner was asked first");
            diagnosis.diagnoser = "llm:test".into();
            let deliberation = Deliberation {
                provider: "openai-compatible".into(),
                model: "test".into(),
                prompt_version: "1".into(),
                prompt_hash: "00".into(),
                parameters: serde_json::Value::Null,
                outcome: Outcome::Accepted,
                faults: Vec::new(),
                verdicts: Vec::new(),
                dissent: None,
                exchanges: Vec::new(),
                usage: Usage { input_tokens: 10, calls: 1, ..Usage::default() },
            };
            Ok(Answer { diagnosis, deliberation: Some(deliberation) })
        })
    }
}

fn agent(answers: bool, patience: Duration) -> Option<AgentPlan> {
    let limits = AgentLimits { case_limit: PATIENCE, ..AgentLimits::default() };
    Some(AgentPlan { diagnoser: Some(Arc::new(Model { answers })), limits, patience })
}

#[tokio::test]
async fn an_agent_in_the_process_answers_and_its_answer_is_acted_on() {
    let state = tempfile::tempdir().expect("a folder");
    let shop = Workshop::new(2);
    let host = host_with(&state, vec![watched("shop", &shop)], agent(true, PATIENCE)).await;
    let mut view = host.loops[0].view.clone();
    until(&mut view, |view| view.cycle >= 2).await;
    shop.stop_worker("worker-1");
    let mended = |view: &SubjectView| view.tickets.iter().any(|ticket| ticket.state == TicketState::Resolved);
    until(&mut view, mended).await;
    let seen = view.borrow().clone();
    let incident = &seen.tickets[0].incident;
    assert_eq!(seen.diagnoses[incident].diagnoser, "llm:test");
    assert_eq!(seen.deliberations[incident].outcome, Outcome::Accepted);
    assert_eq!(host.agent().expect("an agent").answered, 1);
    host.stop().await;
}

#[tokio::test]
async fn a_model_that_never_answers_holds_up_nothing_longer_than_patience() {
    let state = tempfile::tempdir().expect("a folder");
    let shop = Workshop::new(2);
    let host = host_with(&state, vec![watched("shop", &shop)], agent(false, Duration::from_millis(600))).await;
    let mut view = host.loops[0].view.clone();
    until(&mut view, |view| view.cycle >= 2).await;
    shop.stop_worker("worker-1");
    until(&mut view, |view| view.tickets.iter().any(|ticket| ticket.state_reason.contains("waits for the agent")))
        .await;
    let thinking = |progress: &AgentProgress| progress.cases.values().any(|case| case.stage == CaseStage::Thinking);
    assert!(thinking(&host.agent().expect("an agent")), "the screen can show that it is asked");
    let mended = |view: &SubjectView| view.tickets.iter().any(|ticket| ticket.state == TicketState::Resolved);
    until(&mut view, mended).await;
    assert!(view.borrow().diagnoses.values().all(|one| one.diagnoser == "reasoner"));
    // Asked still, it is dropped with the process.
    let stopped = tokio::time::timeout(PATIENCE, host.stop()).await;
    assert!(stopped.is_ok(), "it ends although the model does not answer");
}
