//! The loop in time: a cycle every interval, commands in between, a clean end.

use std::sync::Arc;
use std::time::Duration;

use operator_protocols::{Clock, ProbeAnswer, ProbeRequest, Subject};
use operator_reasoner::Remembered;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::{Desk, Engine};
use crate::agent::{CaseFile, Query, QueryReply};
use crate::{AuditEvent, Command, CommandError, Principal, SubjectView};

/// How many commands may wait for the cycle to end.
const COMMANDS_WAITING: usize = 64;

type Answer = oneshot::Sender<Result<String, CommandError>>;

/// A running loop, as others reach it.
#[derive(Clone)]
pub struct EngineHandle {
    /// The subject instance.
    pub subject: String,
    /// What the loop shows, anew after every cycle.
    pub view: watch::Receiver<Arc<SubjectView>>,
    /// Every audit event, as it becomes durable.
    pub events: broadcast::Sender<AuditEvent>,
    commands: mpsc::Sender<(Principal, Command, Answer)>,
    pub(crate) desk: watch::Receiver<Arc<Desk>>,
    subject_itself: Arc<dyn Subject>,
    clock: Arc<dyn Clock>,
}

impl EngineHandle {
    /// Has `command` carried out between two cycles. Gives what to tell who asked.
    ///
    /// # Errors
    /// When it may not be, or cannot be.
    pub async fn command(&self, who: Principal, command: Command) -> Result<String, CommandError> {
        let stopped = || CommandError::refused("the loop is stopping".to_owned());
        let (answer, answered) = oneshot::channel();
        self.commands.send((who, command, answer)).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    /// One incident as it is put to a diagnoser, as of the last cycle.
    ///
    /// # Errors
    /// When no such incident is open and asked about.
    pub fn case(&self, incident: &str) -> Result<CaseFile, CommandError> {
        self.desk.borrow().case(incident)
    }

    /// Asks the subject one of its own questions: no cycle waits for it, and it is not recorded.
    pub async fn probe(&self, request: &ProbeRequest) -> ProbeAnswer {
        self.subject_itself.probe(request, self.clock.now()).await
    }

    /// Answers what changes nothing, between whatever the loop is doing. It is not recorded.
    ///
    /// # Errors
    /// When no such incident is open and asked about.
    pub async fn query(&self, query: Query) -> Result<QueryReply, CommandError> {
        let past = || Remembered::new(self.desk.borrow().history.clone());
        Ok(match query {
            Query::Cases {} => QueryReply::Cases { cases: self.desk.borrow().open_cases() },
            Query::Case { incident } => QueryReply::Case { file: Box::new(self.case(&incident)?) },
            Query::Series { on, signal } => QueryReply::Series { points: past().series(&on, &signal) },
            Query::Events { limit } => QueryReply::Events { events: Ok(past().events(limit)) },
            Query::Logs { search } => QueryReply::Logs { lines: Ok(past().logs(&search)) },
            Query::Probe { request } => QueryReply::Probe { answer: self.probe(&request).await },
        })
    }
}

/// Runs `engine` until `shutdown` becomes true; the cycle under way is finished. A cycle that takes longer than the
/// interval delays the next one; none is made up for.
pub fn spawn(engine: Engine, clock: Arc<dyn Clock>, shutdown: watch::Receiver<bool>) -> (EngineHandle, JoinHandle<()>) {
    let pace = engine.settings.interval;
    spawn_at_pace(engine, clock, pace, shutdown)
}

/// [`spawn`] with a cycle every `pace` of real time: a simulated system whose `clock` runs faster than the real one is
/// looked at every interval of its own time.
pub fn spawn_at_pace(
    mut engine: Engine,
    clock: Arc<dyn Clock>,
    pace: Duration,
    mut shutdown: watch::Receiver<bool>,
) -> (EngineHandle, JoinHandle<()>) {
    let (commands, mut asked) = mpsc::channel::<(Principal, Command, Answer)>(COMMANDS_WAITING);
    let handle = EngineHandle {
        subject: engine.descriptor.subject.clone(),
        view: engine.view(),
        events: engine.events.clone(),
        commands,
        desk: engine.desk.subscribe(),
        subject_itself: Arc::clone(&engine.unrecorded),
        clock: Arc::clone(&clock),
    };
    let task = tokio::spawn(async move {
        tokio::select! {
            biased;
            // Nothing was done yet that would have to be finished.
            () = stopped(&mut shutdown) => return,
            () = engine.begin(clock.now()) => {}
        }
        // An interval of nothing at all would be a panic.
        let mut cycles = interval(pace.max(Duration::from_millis(1)));
        cycles.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut shutdown) => break,
                Some((who, command, answer)) = asked.recv() => {
                    // Whoever asked may have gone away.
                    let _ = answer.send(engine.command(&who, command, clock.now()).await);
                }
                _ = cycles.tick() => engine.tick(clock.now()).await,
            }
        }
    });
    (handle, task)
}

/// Waits until `shutdown` becomes true, or nobody is left who could say so.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    while !*shutdown.borrow_and_update() {
        if shutdown.changed().await.is_err() {
            return;
        }
    }
}
