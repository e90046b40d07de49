//! Running the loop over a recording: the same tickets, evidence, diagnoses and intents, byte for byte.

use std::sync::Arc;

use operator_protocols::{InvariantChecker, Subject};
use operator_reasoner::{Diagnoser, Diagnosis};
use serde::Serialize;

use super::{Engine, EngineParts, EngineSettings};
use crate::recorder::{Divergence, Recording, Step};
use crate::store::{ExecutionFilter, Store, StoreError, TicketFilter};
use crate::{AuditEvent, Execution, Incident, Ticket, Verification};

/// How many rows of each kind a report holds at most.
const MOST: u32 = 100_000;

/// What a replay came to.
#[derive(Debug, Clone, Serialize)]
pub struct ReplayReport {
    /// How many cycles were run.
    pub cycles: u64,
    /// The tickets, newest first.
    pub tickets: Vec<Ticket>,
    /// The incidents, newest first.
    pub incidents: Vec<Incident>,
    /// Their diagnoses, oldest first, with their ids.
    pub diagnoses: Vec<(String, Diagnosis)>,
    /// The executions, newest first.
    pub executions: Vec<Execution>,
    /// Their verifications, oldest first.
    pub verifications: Vec<Verification>,
    /// Everything that happened, in order. The chain's hashes are left out: they hold the name of the store.
    pub events: Vec<AuditEvent>,
    /// Where the loop went another way than the recorded one.
    pub divergences: Vec<Divergence>,
}

/// Why a recording cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Its settings cannot be read.
    #[error("the recording's settings cannot be read")]
    Settings(#[source] serde_json::Error),
    /// The store that the replay writes into fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Runs the loop over `recording`, in `store`, which must be empty.
///
/// # Errors
/// When the recording's settings cannot be read, or the store fails.
pub async fn replay(
    recording: Recording,
    checker: Box<dyn InvariantChecker>,
    diagnoser: Arc<dyn Diagnoser>,
    store: Arc<dyn Store>,
) -> Result<ReplayReport, ReplayError> {
    let replay = recording.replay();
    let settings: EngineSettings =
        serde_json::from_value(replay.header.engine.clone()).map_err(ReplayError::Settings)?;
    let started_at = replay.header.started_at;
    let epoch = store.acquire_lease("replay", started_at).await?.epoch;
    let snapshot = replay.header.snapshot.clone();
    store.restore(epoch, &replay.header.descriptor.subject, snapshot.clone()).await?;
    let subject: Arc<dyn Subject> = replay.subject.clone();
    let parts = EngineParts {
        subject,
        checker,
        store: Arc::clone(&store),
        epoch,
        diagnoser,
        settings,
        recorder: None,
        past: None,
    };
    // What it remembered from before its start belongs to where it starts from, whatever it asked its subject then.
    let mut engine = Engine::prepare_from(parts, &replay.header.install_id, snapshot, replay.past, started_at);
    engine.begin(started_at).await;
    for step in replay.plan {
        match step {
            Step::Tick { at } => engine.tick(at).await,
            Step::Command { at, principal, command } => {
                // What it answered then was told to whoever asked; here nobody did.
                let _ = engine.command(&principal, command, at).await;
            }
            Step::KillSwitch { at, principal, scope, engaged: true, reason } => {
                store.engage_kill_switch(scope, &principal, &reason, at).await?;
            }
            Step::KillSwitch { at, principal, scope, engaged: false, reason } => {
                store.release_kill_switch(scope, &principal, &reason, at).await?;
            }
        }
    }
    report(&engine, store.as_ref(), replay.subject.divergences()).await
}

async fn report(engine: &Engine, store: &dyn Store, divergences: Vec<Divergence>) -> Result<ReplayReport, ReplayError> {
    let tickets = store.tickets(&TicketFilter { limit: MOST, ..TicketFilter::default() }).await?;
    let incidents = store.incidents(None, MOST).await?;
    let mut diagnoses = Vec::new();
    for incident in &incidents {
        diagnoses.extend(store.diagnoses(&incident.id).await?);
    }
    let executions = store.executions(&ExecutionFilter { limit: MOST, ..ExecutionFilter::default() }).await?;
    let mut verifications = Vec::new();
    for execution in &executions {
        verifications.extend(store.verifications(&execution.proposal.id).await?);
    }
    let events = store.audit(1, MOST).await?.into_iter().map(|row| row.event).collect();
    Ok(ReplayReport {
        cycles: engine.cycle,
        tickets,
        incidents,
        diagnoses,
        executions,
        verifications,
        events,
        divergences,
    })
}
