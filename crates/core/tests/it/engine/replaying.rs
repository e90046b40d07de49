//! A recording of a loop runs to the same end, byte for byte.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use operator_core::canonical_json;
use operator_core::engine::{AgentSettings, Engine, EngineParts, ReplayReport, replay};
use operator_core::policy::Autonomy;
use operator_core::recorder::{Recorder, RecorderSettings, Recording};
use operator_core::store::{Store, sqlite::SqliteStore};
use operator_protocols::FaultClass;

use super::answering::{answer, submit};
use super::world::{Bench, ScriptedChecker, World, worker};

async fn replayed(path: &std::path::Path, bench: &Bench) -> ReplayReport {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Arc::new(SqliteStore::open(dir.path()).expect("a store"));
    let recording = Recording::read(path).expect("a recording");
    let checker = Box::new(ScriptedChecker::new(Duration::ZERO));
    replay(recording, checker, Arc::new(bench.diagnoser.clone()), store).await.expect("replayed")
}

/// Starts the loop anew over the same store, and records it.
async fn start_recorded(bench: &mut Bench) -> (PathBuf, Arc<Recorder>) {
    bench.engine = None;
    let path = bench.dir.path().join("run.jsonl");
    let recorder = Arc::new(Recorder::start(RecorderSettings::default()).expect("a recorder"));
    recorder.record_to(&path).expect("a file");
    let lease = bench.store.acquire_lease("again", bench.now()).await.expect("the lease");
    let parts = EngineParts {
        subject: Arc::new(bench.subject.clone()),
        checker: Box::new(ScriptedChecker::new(Duration::ZERO)),
        store: bench.store.clone(),
        epoch: lease.epoch,
        diagnoser: Arc::new(bench.diagnoser.clone()),
        settings: bench.settings.clone(),
        recorder: Some(recorder.clone()),
        past: None,
    };
    bench.engine = Some(Engine::start(parts, bench.now()).await.expect("the loop"));
    (path, recorder)
}

#[tokio::test]
async fn the_same_tickets_diagnoses_and_intents_come_out_twice() {
    let mut bench = Bench::new(World::default(), Autonomy::Auto).await;
    let (path, recorder) = start_recorded(&mut bench).await;
    bench.cycles(3).await;
    bench.subject.world().broken = true;
    bench.cycles(10).await;
    bench.engine = None;
    recorder.close().await;

    let (first, second) = (replayed(&path, &bench).await, replayed(&path, &bench).await);
    assert!(first.divergences.is_empty(), "{:#?}", first.divergences);
    assert_eq!(canonical_json(&first), canonical_json(&second));
    assert_eq!(first.tickets, bench.tickets().await);
    let mut executions = bench.executions().await;
    executions.reverse();
    assert_eq!(first.executions.len(), executions.len());
    assert_eq!(first.executions[0].proposal, executions[0].proposal);
    assert_eq!(bench.subject.world().effects.len(), 1, "a replay sends nothing");
}

/// Found with a recording of the real binary: what had been done before it began could not be written into the store of
/// the replay.
#[tokio::test]
async fn a_recording_that_begins_after_an_action_goes_on_from_what_was_there() {
    let mut bench = Bench::new(World::default(), Autonomy::Auto).await;
    bench.cycles(3).await;
    bench.subject.world().broken = true;
    bench.cycles(10).await;
    let (path, recorder) = start_recorded(&mut bench).await;
    bench.cycles(1).await;
    bench.subject.world().broken = true;
    bench.cycles(10).await;
    bench.engine = None;
    recorder.close().await;

    let report = replayed(&path, &bench).await;
    assert!(report.divergences.is_empty(), "{:#?}", report.divergences);
    assert_eq!(report.tickets, bench.tickets().await);
    assert_eq!(report.tickets[0].occurrences, 2, "{:#?}", report.tickets);
    let before: Vec<_> = bench.executions().await.into_iter().map(|execution| execution.proposal).collect();
    let after: Vec<_> = report.executions.iter().rev().map(|execution| execution.proposal.clone()).collect();
    assert_eq!((before.len(), before), (2, after));
}

fn of_diagnoses(events: &[operator_core::AuditEvent]) -> Vec<String> {
    events.iter().filter(|event| event.kind.starts_with("diagnosis.")).map(canonical_json).collect()
}

/// No model is part of a replay: there is nobody who could be asked.
#[tokio::test]
async fn an_answer_is_replayed_from_the_recording_to_the_same_diagnoses_and_audit() {
    let mut bench = Bench::new(World::default(), Autonomy::Auto).await;
    bench.settings.agent = Some(AgentSettings { patience: Duration::from_secs(600) });
    bench.diagnoser.script().probability = 0.7;
    let (path, recorder) = start_recorded(&mut bench).await;
    bench.cycles(3).await;
    bench.subject.world().broken = true;
    bench.cycles(4).await;
    // Another recording begins while the question is open.
    let midway = bench.dir.path().join("midway.jsonl");
    recorder.record_to(&midway).expect("a file");
    bench.cycles(1).await;
    let case = bench.engine().case("I1").expect("it is asked about");
    let forged = answer(&case, FaultClass::ComponentDown, operator_protocols::Locus::component("x", "y"));
    submit(&mut bench, &case.question, forged).await.expect_err("forged");
    submit(&mut bench, &case.question, answer(&case, FaultClass::ComponentDown, worker())).await.expect("taken");
    bench.cycles(10).await;
    bench.engine = None;
    recorder.close().await;
    assert_eq!(bench.subject.world().effects.len(), 1);

    let live = bench.store.diagnoses("shop-I1").await.expect("diagnoses");
    assert!(live.iter().any(|(_, diagnosis)| diagnosis.diagnoser == "llm:small"));
    let (first, second) = (replayed(&path, &bench).await, replayed(&path, &bench).await);
    assert!(first.divergences.is_empty(), "{:#?}", first.divergences);
    assert_eq!(canonical_json(&first), canonical_json(&second));
    assert_eq!(canonical_json(&first.diagnoses), canonical_json(&live));
    assert_eq!(of_diagnoses(&first.events), of_diagnoses(&bench.audit().await));
    assert_eq!(first.tickets, bench.tickets().await);

    let from_midway = replayed(&midway, &bench).await;
    assert!(from_midway.divergences.is_empty(), "{:#?}", from_midway.divergences);
    assert_eq!(from_midway.tickets, bench.tickets().await);
    assert_eq!(canonical_json(&from_midway.diagnoses.last()), canonical_json(&live.last()));
}
