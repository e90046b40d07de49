//! What was recorded is what a replay sees; a loop that does something else is told where.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use operator_core::Command;
use operator_core::recorder::{
    Call, EndReason, Header, Record, Recorder, RecorderSettings, Recording, RecordingSubject, Step,
};
use operator_core::store::{KillScope, Snapshot};
use operator_protocols::example::Workshop;
use operator_protocols::{
    ActionDefinition, ActionRequest, BoxFuture, Descriptor, Effect, ExecutionToken, Guard, Holds, Locus, Observation,
    PROTOCOL_VERSION, ProbeAnswer, ProbeDefinition, ProbeRequest, START_COMPONENT, Sent, Subject, Timestamp,
    Unavailable,
};

use crate::recorder_loop::{MiniLoop, ann, replayed, second, shop};

fn recorder() -> Arc<Recorder> {
    Arc::new(Recorder::start(RecorderSettings::default()).expect("a recorder"))
}

/// A morning in the workshop: a worker falls over twice, somebody asks for something, and it is unplugged for a while.
async fn record_a_morning(path: &Path) -> Vec<String> {
    let (workshop, recorder) = (Workshop::new(3), recorder());
    recorder.record_to(path).expect("a file");
    let mut mini = MiniLoop::recorded(shop(&workshop), recorder.clone());
    for n in 0..40 {
        match n {
            5 | 20 => workshop.stop_worker("worker-2"),
            8 => workshop.set_dispatch_rate(0),
            9 => mini.command(second(5 * n), ann(), Command::Acknowledge { ticket: "shop-T1".into() }),
            12 => workshop.set_dispatch_rate(15),
            30 => workshop.unplug(),
            33 => workshop.plug_in(),
            _ => {}
        }
        mini.tick(second(5 * n)).await;
    }
    recorder.close().await;
    let stats = recorder.stats();
    assert_eq!((stats.files, stats.lost, stats.errors), (1, 0, 0));
    mini.story
}

#[tokio::test]
async fn the_same_loop_over_a_recording_does_the_same_to_the_letter() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("morning.jsonl");
    let story = record_a_morning(&path).await;
    let recording = Recording::read(&path).expect("a recording");
    assert_eq!(recording.end(), Some(EndReason::Stopped));
    assert_eq!(recording.unfinished(), 0);
    let sent = recording.records().filter(|(_, record)| matches!(record, Record::Sent { sent: Sent::Done(_), .. }));
    assert_eq!(sent.count(), 2, "both times the worker was started");
    let replay = recording.replay();
    let subject = replay.subject.clone();
    assert_eq!(replayed(replay).await, story);
    assert_eq!(subject.divergences(), []);
}

#[tokio::test]
async fn a_loop_that_does_something_else_is_told_the_line_and_nothing_is_made_up_for_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("morning.jsonl");
    record_a_morning(&path).await;
    let lines: Vec<String> = std::fs::read_to_string(&path).expect("text").lines().map(str::to_owned).collect();
    let replay = Recording::read(&path).expect("a recording").replay();
    let (subject, mut plan) = (replay.subject, replay.plan);

    // The first cycle: another question than the recorded one.
    assert_eq!(plan.next(), Some(Step::Tick { at: second(0) }));
    let target = Locus::component("shop", "worker-1");
    let request =
        ActionRequest { intent: "shop-A9".into(), action: START_COMPONENT.into(), target, params: Default::default() };
    let guard = subject.guard(&request, second(0)).await;
    assert!(matches!(guard.holds, Holds::Unknown(_)), "{guard:?}");
    let token = ExecutionToken::new("shop-A9", 1, 1, second(1), Duration::from_secs(1));
    assert!(matches!(subject.execute(&request, &guard, &token).await, Sent::NotSent(_)));
    assert!(matches!(subject.effect(&request, second(0)).await, Effect::Unknown(_)));
    // The recorded question is still there to be asked.
    let seen = subject.observe(second(0)).await;
    assert_eq!(seen.unavailable, []);
    // The second: the question of another time, and then nothing.
    assert_eq!(plan.next(), Some(Step::Tick { at: second(5) }));
    let seen = subject.observe(second(6)).await;
    assert_eq!((seen.at, seen.unavailable.len()), (second(6), 1));
    assert_eq!(plan.next(), Some(Step::Tick { at: second(10) }));

    let divergences = subject.divergences();
    let lines_and_doings: Vec<_> = divergences
        .iter()
        .map(|divergence| (divergence.line, divergence.expected.as_str(), divergence.got.as_str()))
        .collect();
    let asked = "guard at 0ms of shop-A9 (start_component on component:worker-1)";
    let sent = "attempt 1 of shop-A9 (start_component on component:worker-1)";
    let effect = "effect at 0ms of shop-A9 (start_component on component:worker-1)";
    let first = "probe oldest_jobs at 0ms of nothing";
    assert_eq!(
        lines_and_doings,
        [
            (3, "observe at 0ms", asked),
            (3, "observe at 0ms", sent),
            (3, "observe at 0ms", effect),
            (4, first, "nothing more within this step"),
            (6, "observe at 5000ms", "observe at 6000ms"),
            (6, "observe at 5000ms and 1 more", "nothing more within this step"),
        ]
    );
    for (line, expected) in [(3, "observation"), (4, "probe"), (6, "observation")] {
        assert!(lines[line - 1].starts_with(&format!("{{\"record\":\"{expected}\"")), "line {line}");
    }
    // To the end, and beyond it.
    assert!(plan.by_ref().count() > 30);
    let after = subject.observe(second(999)).await;
    assert_eq!(after.unavailable.len(), 1);
    let last = subject.divergences().pop().expect("one more");
    assert_eq!((last.line, last.expected.as_str()), (lines.len(), "nothing: the recording ends"));
    assert_eq!(plan.next(), None);
}

/// Answers as told, or never.
struct Scripted {
    hangs: bool,
}

impl Subject for Scripted {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            protocol_version: PROTOCOL_VERSION,
            subject: "s".into(),
            kind: "scripted".into(),
            description: String::new(),
            destinations: Vec::new(),
            observe_deadline: Duration::from_millis(20),
        }
    }

    fn observe(&self, at: Timestamp) -> BoxFuture<'_, Observation> {
        if self.hangs { Box::pin(std::future::pending()) } else { Box::pin(std::future::ready(Observation::new(at))) }
    }

    fn actions(&self) -> Vec<ActionDefinition> {
        Vec::new()
    }

    fn guard<'a>(&'a self, _: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Guard> {
        let guard = Guard { holds: Holds::Yes, incarnation: None, facts: Default::default(), as_of: at };
        Box::pin(std::future::ready(guard))
    }

    fn execute<'a>(&'a self, _: &'a ActionRequest, _: &'a Guard, _: &'a ExecutionToken) -> BoxFuture<'a, Sent> {
        Box::pin(std::future::ready(Sent::Unknown("no answer".into())))
    }

    fn effect<'a>(&'a self, _: &'a ActionRequest, _: Timestamp) -> BoxFuture<'a, Effect> {
        Box::pin(std::future::ready(Effect::UnderWay { progress: Some(f64::NAN) }))
    }

    fn probes(&self) -> Vec<ProbeDefinition> {
        Vec::new()
    }

    fn probe<'a>(&'a self, _: &'a ProbeRequest, at: Timestamp) -> BoxFuture<'a, ProbeAnswer> {
        Box::pin(std::future::ready(ProbeAnswer { as_of: at, answer: Err(Unavailable::new("it", "no")) }))
    }

    fn history(&self, from: Timestamp, _: Timestamp) -> BoxFuture<'_, Result<Vec<Observation>, Unavailable>> {
        Box::pin(std::future::ready(Ok(vec![Observation::new(from)])))
    }
}

#[tokio::test]
async fn a_question_nobody_waited_for_is_given_up_on_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let (path, recorder) = (directory.path().join("hung.jsonl"), recorder());
    recorder.record_to(&path).expect("a file");
    let subject = RecordingSubject::new(Arc::new(Scripted { hangs: true }) as Arc<dyn Subject>, recorder.clone());
    recorder
        .checkpoint(Header::new(&subject, "0", serde_json::Value::Null, Snapshot::default(), second(1)), Vec::new());
    recorder.append(&Record::Tick { at: second(1) });
    let limit = subject.descriptor().observe_deadline;
    assert!(tokio::time::timeout(limit, subject.observe(second(1))).await.is_err());
    recorder.close().await;

    let recording = Recording::read(&path).expect("a recording");
    let abandoned = Record::Abandoned { call: Call::Observe { at: second(1) } };
    assert_eq!(recording.records().map(|(_, record)| record).last(), Some(&abandoned));
    let mut replay = recording.replay();
    replay.plan.next();
    assert!(tokio::time::timeout(limit, replay.subject.observe(second(1))).await.is_err());
    assert_eq!(replay.plan.next(), None);
    assert_eq!(replay.subject.diverged(), 0);
}

#[tokio::test]
async fn every_kind_of_answer_and_step_comes_back_as_the_loop_saw_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let (path, recorder) = (directory.path().join("all.jsonl"), recorder());
    recorder.record_to(&path).expect("a file");
    let subject = RecordingSubject::new(Arc::new(Scripted { hangs: false }) as Arc<dyn Subject>, recorder.clone());
    recorder
        .checkpoint(Header::new(&subject, "0", serde_json::Value::Null, Snapshot::default(), second(1)), Vec::new());
    let request = ActionRequest {
        intent: "s-A1".into(),
        action: "wait".into(),
        target: Locus::Nothing,
        params: [("much".to_owned(), 1_i64.into())].into(),
    };
    let probe = ProbeRequest { probe: "p".into(), target: Locus::Nothing, params: Default::default() };
    let token = ExecutionToken::new("s-A1", 2, 1, second(9), Duration::from_secs(1));

    async fn ask(
        subject: &dyn Subject,
        request: &ActionRequest,
        probe: &ProbeRequest,
        token: &ExecutionToken,
    ) -> Vec<String> {
        let guard = subject.guard(request, second(2)).await;
        vec![
            format!("{guard:?}"),
            format!("{:?}", subject.execute(request, &guard, token).await),
            format!("{:?}", subject.effect(request, second(2)).await),
            format!("{:?}", subject.probe(probe, second(2)).await),
        ]
    }

    let before = subject.history(second(0), second(1)).await;
    let scope = KillScope::Subject("s".into());
    let reason = "drill".to_owned();
    recorder.append(&Record::KillSwitch { at: second(2), principal: ann(), scope, engaged: true, reason });
    let then = ask(&subject, &request, &probe, &token).await;
    recorder.close().await;

    let mut replay = Recording::read(&path).expect("a recording").replay();
    assert_eq!(replay.subject.history(second(0), second(1)).await, before);
    assert!(matches!(replay.plan.next(), Some(Step::KillSwitch { engaged: true, .. })));
    let again = ask(replay.subject.as_ref(), &request, &probe, &token).await;
    assert_eq!(again, then);
    assert!(then[2].contains("progress: None"), "what JSON has no word for was replaced before anybody saw it");
    assert_eq!(replay.plan.next(), None);
    assert_eq!(replay.subject.divergences(), []);
}
