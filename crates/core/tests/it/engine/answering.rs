//! An answer from outside: what the loop takes of it, what it waits for, and what it never believes.

use std::time::Duration;

use operator_core::agent::CaseFile;
use operator_core::engine::AgentSettings;
use operator_core::policy::Autonomy;
use operator_core::{Command, CommandError, ExecutionState, Principal, TicketState};
use operator_protocols::{FaultClass, Locus};
use operator_reasoner::{
    Answer, Deliberation, Diagnosis, EvidenceId, EvidenceRef, Exchange, Outcome, RecommendedAction, Usage, Verdict,
};

use super::world::{Bench, SUBJECT, World, helper, worker};

pub const INCIDENT: &str = "shop-I1";
const PATIENCE: Duration = Duration::from_secs(60);

/// A loop that waits for an agent, whose own diagnoser is not firm, with something broken.
pub async fn waiting_bench(autonomy: Autonomy, patience: Duration) -> Bench {
    let mut bench = Bench::new(World::default(), autonomy).await;
    bench.settings.agent = Some(AgentSettings { patience });
    bench.kill_and_start().await;
    {
        let mut script = bench.diagnoser.script();
        script.probability = 0.7;
        script.others = vec![(FaultClass::ComponentSlow, helper(), 0.2)];
    }
    bench.cycles(2).await;
    bench.subject.world().broken = true;
    bench.cycles(3).await;
    bench
}

pub fn deliberation() -> Deliberation {
    Deliberation {
        provider: "openai-compatible".to_owned(),
        model: "small".to_owned(),
        prompt_version: "1".to_owned(),
        prompt_hash: "0".repeat(64),
        parameters: serde_json::json!({ "temperature": 0 }),
        outcome: Outcome::Accepted,
        faults: Vec::new(),
        verdicts: vec![Verdict {
            rank: 1,
            keeps: true,
            evidence: vec![EvidenceId::nth(1)],
            because: "seen".to_owned(),
        }],
        dissent: None,
        exchanges: vec![Exchange {
            turn: 1,
            request: "{\"asked\":1}".to_owned(),
            response: "{\"answered\":1}".to_owned(),
            request_hash: "1".repeat(64),
            status: Some(200),
            error: None,
            took_ms: 12,
            usage: Usage { input_tokens: 10, output_tokens: 5, calls: 1, ..Usage::default() },
        }],
        usage: Usage { input_tokens: 10, output_tokens: 5, calls: 1, ..Usage::default() },
    }
}

/// An answer that names this cause, cites the first item, is very sure, and recommends what nobody offers.
pub fn answer(case: &CaseFile, class: FaultClass, locus: Locus) -> Answer {
    let mut diagnosis: Diagnosis = case.reasoned.clone();
    diagnosis.diagnoser = "llm:small".to_owned();
    diagnosis.primary.class = class;
    diagnosis.primary.locus = locus;
    diagnosis.primary.statement = "as I see it".to_owned();
    diagnosis.primary.probability = 1.0;
    diagnosis.primary.supporting =
        vec![EvidenceRef { id: EvidenceId::nth(1), because: "it says so".to_owned(), weight: 99.0 }];
    diagnosis.confidence.probability = 1.0;
    diagnosis.commands = vec!["rm -rf /".to_owned()];
    diagnosis.recommended_actions = vec![RecommendedAction {
        action: "mend".to_owned(),
        target: helper(),
        params: Default::default(),
        remedies: class,
        does: operator_protocols::Does::Cures,
        risk: operator_protocols::Risk::Low,
        because: Vec::new(),
    }];
    Answer { diagnosis, deliberation: Some(deliberation()) }
}

pub async fn submit(bench: &mut Bench, question: &str, answer: Answer) -> Result<String, CommandError> {
    let command =
        Command::Answer { incident: INCIDENT.to_owned(), question: question.to_owned(), answer: Box::new(answer) };
    let at = bench.now();
    bench.engine().command(&Principal::agent(), command, at).await
}

fn case(bench: &mut Bench) -> CaseFile {
    bench.engine().case(INCIDENT).expect("it is asked about")
}

fn shown(bench: &mut Bench) -> Diagnosis {
    bench.engine().view().borrow().diagnoses[INCIDENT].clone()
}

async fn kinds(bench: &Bench) -> Vec<String> {
    bench.audit().await.into_iter().map(|event| event.kind).filter(|kind| kind.starts_with("diagnosis.")).collect()
}

#[tokio::test]
async fn nothing_is_done_before_an_answer_stands_and_then_it_is() {
    let mut bench = waiting_bench(Autonomy::Auto, PATIENCE).await;
    bench.cycles(3).await;
    let ticket = bench.ticket().await;
    assert!(ticket.state_reason.starts_with("waits for the agent's answer until "), "{}", ticket.state_reason);
    assert!(bench.executions().await.is_empty());
    let case = case(&mut bench);
    assert!(case.open);
    submit(&mut bench, &case.question, answer(&case, FaultClass::ComponentDown, worker())).await.expect("taken");
    let diagnosis = shown(&mut bench);
    assert_eq!((diagnosis.diagnoser.as_str(), diagnosis.primary.statement.as_str()), ("llm:small", "as I see it"));
    assert_eq!(diagnosis.primary.probability, 0.7, "the reasoner's, not the model's");
    assert_eq!(diagnosis.confidence.probability, 0.7);
    assert_eq!(diagnosis.commands, case.reasoned.commands);
    assert_eq!(diagnosis.recommended_actions.len(), case.reasoned.recommended_actions.len());
    assert!(diagnosis.recommended_actions.iter().all(|one| one.target == worker()), "recomputed");
    bench.cycles(6).await;
    assert_eq!(bench.subject.world().effects.len(), 1);
    assert_eq!(bench.ticket().await.state, TicketState::Resolved);
    assert!(kinds(&bench).await.contains(&"diagnosis.deliberated".to_owned()));
}

#[tokio::test]
async fn what_a_model_said_is_in_the_audit_and_shown_without_the_bodies() {
    let mut bench = waiting_bench(Autonomy::Observe, PATIENCE).await;
    let case = case(&mut bench);
    submit(&mut bench, &case.question, answer(&case, FaultClass::ComponentDown, worker())).await.expect("taken");
    let events = bench.audit().await;
    let event = events.iter().find(|event| event.kind == "diagnosis.deliberated").expect("audited");
    assert_eq!(event.body["deliberation"]["exchanges"][0]["response"], "{\"answered\":1}");
    assert_eq!(event.body["deliberation"]["prompt_hash"], "0".repeat(64));
    let view = bench.engine().view().borrow().clone();
    assert_eq!(view.deliberations[INCIDENT].usage.input_tokens, 10);
    assert_eq!(view.deliberations[INCIDENT].exchanges[0].response, "");
}

#[tokio::test]
async fn when_the_patience_is_over_the_reasoner_stands_and_a_late_answer_is_still_read() {
    let mut bench = waiting_bench(Autonomy::Observe, Duration::from_secs(20)).await;
    let case = case(&mut bench);
    bench.cycles(4).await;
    assert!(kinds(&bench).await.contains(&"diagnosis.fallback".to_owned()));
    assert!(!bench.ticket().await.state_reason.contains("agent"));
    assert!(!bench.engine().case(INCIDENT).expect("still there").open);
    submit(&mut bench, &case.question, answer(&case, FaultClass::ComponentDown, worker())).await.expect("late, taken");
    assert_eq!(shown(&mut bench).diagnoser, "llm:small");

    let mut acting = waiting_bench(Autonomy::Auto, Duration::from_secs(20)).await;
    acting.cycles(8).await;
    assert_eq!(acting.subject.world().effects.len(), 1, "nobody answered, and it was mended");
}

#[tokio::test]
async fn a_cause_that_only_the_answer_names_is_a_persons_to_decide_whatever_the_policy() {
    for (probability_needed, locus) in [(0.0, helper()), (0.1, helper()), (0.0, worker())] {
        let mut bench = waiting_bench(Autonomy::Auto, PATIENCE).await;
        bench.subject.world().remedy = FaultClass::ComponentSlow;
        bench.settings.policy.minimum_probability = probability_needed;
        bench.kill_and_start().await;
        bench.cycles(2).await;
        let case = case(&mut bench);
        let told = submit(&mut bench, &case.question, answer(&case, FaultClass::ComponentSlow, locus.clone()))
            .await
            .expect("ok");
        assert!(told.contains("a person decides"), "{told}");
        bench.cycles(8).await;
        assert!(bench.subject.world().arrived.is_empty(), "{locus}");
        let waiting = bench.executions().await;
        assert!(waiting.iter().all(|one| one.state == ExecutionState::AwaitingApproval), "{waiting:#?}");
        assert_eq!(waiting.is_empty(), locus == helper(), "nothing can be aimed at the helper");
        let expected = if locus == helper() { 0.2 } else { 0.0 };
        assert_eq!(shown(&mut bench).primary.probability, expected);
    }
}

#[tokio::test]
async fn an_answer_that_abstains_is_a_veto_unless_the_reasoner_is_firm() {
    let mut bench = waiting_bench(Autonomy::Auto, PATIENCE).await;
    let asked = case(&mut bench);
    submit(&mut bench, &asked.question, answer(&asked, FaultClass::Unknown, worker())).await.expect("taken");
    bench.cycles(6).await;
    assert!(bench.subject.world().arrived.is_empty());
    let diagnosis = shown(&mut bench);
    assert!(diagnosis.abstained());
    assert_eq!(diagnosis.alternatives[0].hypothesis.locus, worker(), "what the reasoner holds is told");

    let mut firm = waiting_bench(Autonomy::Auto, Duration::from_secs(3600)).await;
    firm.diagnoser.script().probability = 0.95;
    firm.cycles(8).await;
    let asked = case(&mut firm);
    submit(&mut firm, &asked.question, answer(&asked, FaultClass::Unknown, worker())).await.expect("taken");
    let view = firm.engine().view().borrow().clone();
    assert_eq!(view.diagnoses[INCIDENT].diagnoser, "scripted");
    assert!(view.deliberations[INCIDENT].dissent.as_ref().is_some_and(|one| one.contains("as I see it")));
    firm.cycles(6).await;
    assert_eq!(firm.subject.world().effects.len(), 1, "the firm explanation is acted on");
}

#[tokio::test]
async fn a_stale_answer_is_asked_anew_three_times_at_most() {
    let mut bench = waiting_bench(Autonomy::Observe, PATIENCE).await;
    let first = case(&mut bench);
    submit(&mut bench, &first.question, answer(&first, FaultClass::ComponentDown, worker())).await.expect("taken");
    let classes = [FaultClass::ComponentSlow, FaultClass::DataLoss, FaultClass::ClockSkew, FaultClass::LoadSurge];
    let mut questions = vec![first.question.clone()];
    for class in classes {
        bench.diagnoser.script().class = Some(class);
        // Another look comes when what is there is not confirmed, or after a while.
        bench.cycles(8).await;
        let now = case(&mut bench);
        let stale = submit(&mut bench, &first.question, answer(&now, class, worker())).await;
        assert!(stale.is_err_and(|error| error.to_string().contains("has moved")));
        assert_eq!(shown(&mut bench).diagnoser, "scripted", "the answer was about something else");
        if now.open {
            questions.push(now.question.clone());
        } else {
            let closed = submit(&mut bench, &now.question, answer(&now, class, worker())).await;
            assert!(closed.is_err(), "{closed:?}");
        }
    }
    questions.dedup();
    assert_eq!(questions.len(), 3);
}

#[tokio::test]
async fn what_is_forged_is_refused_and_audited_and_changes_nothing() {
    let mut bench = waiting_bench(Autonomy::Auto, Duration::from_secs(3600)).await;
    let asked = case(&mut bench);
    let honest = || answer(&asked, FaultClass::ComponentDown, worker());
    let before = shown(&mut bench);
    let mut forged: Vec<(&str, Answer)> = Vec::new();
    let mut change = |why: &'static str, how: &dyn Fn(&mut Answer)| {
        let mut answer = honest();
        how(&mut answer);
        forged.push((why, answer));
    };
    change("is not in the evidence", &|one| one.diagnosis.primary.supporting[0].id = EvidenceId::nth(9_999));
    change("is not in the evidence", &|one| {
        one.deliberation.as_mut().expect("one").verdicts[0].evidence = vec![EvidenceId("E0".into())];
    });
    change("is not part of the evidence", &|one| one.diagnosis.primary.locus = Locus::component("other", "worker"));
    change("is not part of the evidence", &|one| one.diagnosis.primary.locus = Locus::component(SUBJECT, "nobody"));
    change("is not part of the evidence", &|one| one.diagnosis.primary.locus = Locus::Nothing);
    change("must cite evidence", &|one| {
        one.diagnosis.primary.class = FaultClass::DataLoss;
        one.diagnosis.primary.supporting.clear();
    });
    change("another subject or incident", &|one| one.diagnosis.incident = "shop-I7".into());
    change("another subject or incident", &|one| one.diagnosis.subject = "other".into());
    change("more than an answer may have", &|one| {
        one.deliberation.as_mut().expect("one").exchanges[0].response = "x".repeat(5_000_000);
    });
    let number = forged.len();
    for (why, answer) in forged {
        let refused = submit(&mut bench, &asked.question, answer).await.expect_err(why);
        assert!(refused.to_string().contains(why), "{refused}");
    }
    assert_eq!(shown(&mut bench), before);
    bench.cycles(1).await;
    assert_eq!(kinds(&bench).await.iter().filter(|kind| *kind == "diagnosis.refused").count(), number);
    let unknown =
        Command::Answer { incident: "shop-I9".into(), question: asked.question.clone(), answer: Box::new(honest()) };
    let at = bench.now();
    assert!(bench.engine().command(&Principal::agent(), unknown, at).await.is_err());
    bench.cycles(4).await;
    assert!(bench.subject.world().arrived.is_empty());
    assert!(case(&mut bench).open, "the question is open still");
}

#[tokio::test]
async fn the_agent_may_answer_and_nothing_else() {
    let mut bench = waiting_bench(Autonomy::Observe, PATIENCE).await;
    let at = bench.now();
    let ticket = bench.ticket().await.id;
    for command in [
        Command::Acknowledge { ticket: ticket.clone() },
        Command::Resolve { ticket, reason: "it is well".into() },
        Command::Diagnose { incident: INCIDENT.into() },
        Command::SetMode { mode: "auto".into(), reason: "trust me".into() },
    ] {
        let refused = bench.engine().command(&Principal::agent(), command, at).await;
        assert!(matches!(refused, Err(CommandError::Forbidden { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn texts_are_cut_and_numbers_that_are_none_are_harmless() {
    let mut bench = waiting_bench(Autonomy::Observe, PATIENCE).await;
    let asked = case(&mut bench);
    let mut one = answer(&asked, FaultClass::ComponentDown, worker());
    one.diagnosis.primary.statement = format!("\u{1b}[2J{}", "é".repeat(10_000));
    one.diagnosis.primary.probability = f64::NAN;
    one.diagnosis.primary.supporting[0].weight = f64::INFINITY;
    one.diagnosis.diagnoser = "llm:small\nreasoner".to_owned();
    submit(&mut bench, &asked.question, one).await.expect("taken");
    let diagnosis = shown(&mut bench);
    assert_eq!(diagnosis.primary.statement.chars().count(), 600);
    assert!(!diagnosis.primary.statement.contains('\u{1b}'));
    assert_eq!(diagnosis.diagnoser, "llm:small reasoner");
    assert_eq!(diagnosis.primary.supporting[0].weight, 0.0);
    let stored = operator_core::store::Store::diagnoses(bench.store.as_ref(), INCIDENT).await.expect("readable");
    assert_eq!(stored.last().map(|(_, one)| one.primary.statement.clone()), Some(diagnosis.primary.statement));
}
