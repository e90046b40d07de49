//! A loop small enough to read at a glance, over the example of the protocol: it starts every worker that is down.

use std::sync::Arc;
use std::time::Duration;

use operator_core::recorder::{Header, Record, Recorder, RecordingSubject, Replay, Step};
use operator_core::store::Snapshot;
use operator_core::{Command, Identity, Principal, Role};
use operator_protocols::example::Workshop;
use operator_protocols::{
    ActionRequest, ComponentState, Effect, ExecutionToken, Holds, Locus, Observation, ProbeRequest, START_COMPONENT,
    Sent, Subject, Timestamp,
};

const INTERVAL: Duration = Duration::from_secs(5);

pub fn second(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1000)
}

pub fn shop(workshop: &Workshop) -> Arc<dyn Subject> {
    workshop.subject("shop").0.into()
}

/// What the loop does, and everything it was told.
pub struct MiniLoop {
    subject: Arc<dyn Subject>,
    recorder: Option<Arc<Recorder>>,
    memory: Vec<Arc<Observation>>,
    intents: u64,
    pub story: Vec<String>,
}

impl MiniLoop {
    pub fn recorded(subject: Arc<dyn Subject>, recorder: Arc<Recorder>) -> Self {
        let subject = Arc::new(RecordingSubject::new(subject, recorder.clone()));
        Self { subject, recorder: Some(recorder), memory: Vec::new(), intents: 0, story: Vec::new() }
    }

    pub async fn tick(&mut self, at: Timestamp) {
        if let Some(recorder) = &self.recorder {
            if recorder.checkpoint_due(at) {
                let engine = serde_json::json!({ "intents": self.intents });
                let header = Header::new(self.subject.as_ref(), "0123456789ab", engine, Snapshot::default(), at);
                recorder.checkpoint(header, self.memory.clone());
            }
            recorder.append(&Record::Tick { at });
        }
        let seen = Arc::new(self.subject.observe(at).await);
        self.story.push(format!("{seen:?} after {}", self.memory.len()));
        self.memory.retain(|old| at.since(old.at) <= Duration::from_secs(30));
        self.memory.push(seen.clone());
        for component in seen.components.iter().filter(|component| component.state == ComponentState::Down) {
            self.start(Locus::Component(component.id.clone()), at).await;
        }
        let request = ProbeRequest { probe: "oldest_jobs".into(), target: Locus::Nothing, params: Default::default() };
        self.story.push(format!("{:?}", self.subject.probe(&request, at).await));
    }

    async fn start(&mut self, target: Locus, at: Timestamp) {
        self.intents += 1;
        let intent = format!("shop-A{}", self.intents);
        let request = ActionRequest {
            intent: intent.clone(),
            action: START_COMPONENT.into(),
            target,
            params: Default::default(),
        };
        let guard = self.subject.guard(&request, at).await;
        self.story.push(format!("{guard:?}"));
        if guard.holds == Holds::Yes {
            let token = ExecutionToken::new(intent, 1, 1, at.plus(INTERVAL), INTERVAL);
            let sent: Sent = self.subject.execute(&request, &guard, &token).await;
            let effect: Effect = self.subject.effect(&request, at).await;
            self.story.push(format!("{sent:?} {effect:?}"));
        }
    }

    pub fn command(&mut self, at: Timestamp, principal: Principal, command: Command) {
        self.story.push(format!("{principal:?} {command:?}"));
        if let Some(recorder) = &self.recorder {
            recorder.append(&Record::Command { at, principal, command });
        }
    }
}

pub fn ann() -> Principal {
    Principal { name: "ann".into(), role: Role::Operator, identity: Identity::Peer { uid: 1000 } }
}

/// Runs the same loop over a recording and returns its story.
pub async fn replayed(replay: Replay) -> Vec<String> {
    let from = replay.header.started_at;
    let intents = replay.header.engine["intents"].as_u64().expect("the loop's own settings");
    let subject: Arc<dyn Subject> = replay.subject.clone();
    let memory = subject.history(from.minus(Duration::from_secs(30)), from).await.expect("the past");
    let memory = memory.into_iter().map(Arc::new).collect();
    let mut mini = MiniLoop { subject, recorder: None, memory, intents, story: Vec::new() };
    for step in replay.plan {
        match step {
            Step::Tick { at } => mini.tick(at).await,
            Step::Command { at, principal, command } => mini.command(at, principal, command),
            Step::KillSwitch { .. } => unreachable!("nobody engaged it"),
        }
    }
    mini.story
}
