//! What a loop that starts is told.

use std::sync::Arc;
use std::time::Duration;

use crate::ExecutionState::{Approved, Cancelled, Dispatched, Done, Unknown, Unsettled};
use crate::store::contract::outcome::{ensure, ensure_eq};
use crate::store::contract::sample::{
    NOW, SUBJECT, bound, bring_to, commit, diagnosis, execution, gate, granted, incident, noticed, owned, stored,
    ticket, violation,
};
use crate::store::contract::{Fixture, Outcome};
use crate::store::{ClaimGate, CycleCommit, ExecutionFilter, Snapshot, Store, StoreError};
use crate::{Execution, Incident, Ticket, TicketState};

const HOUR: Duration = Duration::from_secs(3600);

pub(super) async fn what_is_over_is_not_loaded(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let resolved = |n, at| Ticket { state: TicketState::Resolved, resolved_at: Some(at), ..ticket(n) };
    let closed = |n| Incident { closed_at: Some(NOW), ..incident(n) };
    let just_within = NOW.minus(HOUR);
    let just_beyond = just_within.minus(Duration::from_millis(1));
    let mixed = CycleCommit {
        tickets: vec![ticket(1), resolved(2, just_within), resolved(3, just_beyond)],
        incidents: vec![incident(1), closed(2), closed(3), incident(4)],
        diagnoses: (1..=4).map(|n| (format!("D{n}"), diagnosis(n))).collect(),
        ..commit()
    };
    store.commit_cycle(epoch, mixed).await?;
    let of = |n: u32, incident: Option<u32>| -> Execution {
        let mut execution = execution(n);
        execution.proposal.incident = incident.map(|n| format!("{SUBJECT}-I{n}"));
        bound(execution)
    };
    let mut kept = Vec::new();
    for (n, incident, state, loaded) in [
        (1, None, Approved, true),
        (2, None, Unsettled, true),
        (3, None, Done, false),
        (4, Some(2), Cancelled, true),
        (5, Some(3), Done, false),
        (6, Some(3), Approved, true),
    ] {
        let execution = bring_to(&*store, epoch, &of(n, incident), state).await?;
        if loaded {
            kept.push(execution);
        }
    }
    drop(store);
    let (store, _) = owned(&fixture).await?;
    let Snapshot { tickets, incidents, diagnoses, executions, .. } = store.load(SUBJECT).await?;
    ensure_eq!(tickets, vec![ticket(1), resolved(2, just_within)], "the tickets");
    ensure_eq!(incidents, vec![incident(1), closed(2), incident(4)], "the incidents");
    let ids: Vec<_> = diagnoses.into_iter().map(|(id, _)| id).collect();
    ensure_eq!(ids, ["D1", "D2", "D4"], "the diagnoses");
    ensure_eq!(executions, kept, "the executions");
    Ok(())
}

pub(super) async fn the_latest_diagnosis_of_an_incident_is_loaded(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    store.commit_cycle(epoch, noticed(1)).await?;
    // Of one instant, and in an order that the ids as text do not have.
    for n in [8, 9, 10] {
        let diagnoses = vec![(format!("{SUBJECT}-D{n}"), diagnosis(1))];
        store.commit_cycle(epoch, CycleCommit { diagnoses, ..commit() }).await?;
    }
    let ids = |diagnoses: Vec<(String, _)>| diagnoses.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    ensure_eq!(ids(store.load(SUBJECT).await?.diagnoses), ["eu-shop-D10"], "the latest");
    let all = ids(store.diagnoses(&incident(1).id).await?);
    ensure_eq!(all, ["eu-shop-D8", "eu-shop-D9", "eu-shop-D10"], "all, oldest first");
    Ok(())
}

pub(super) async fn subjects_do_not_see_each_other(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let mut full = noticed(1);
    full.counters.tickets = 1;
    full.executions.push(execution(1));
    store.commit_cycle(epoch, full).await?;
    ensure_eq!(store.load("us-shop").await?, Snapshot::default(), "another subject's load");
    // The end of another subject's violation of the same name is not the end of this one.
    let over = CycleCommit {
        subject: "us-shop".to_owned(),
        violations_over: vec![violation(1).fingerprint()],
        ..CycleCommit::default()
    };
    store.commit_cycle(epoch, over).await?;
    ensure_eq!(store.load(SUBJECT).await?.violations, vec![violation(1)], "this subject's violations");
    ensure!(store.load("eu").await?.tickets.is_empty(), "a name that another begins with");
    // What is in flight there leaves the room here as it is.
    let mut foreign = execution(2);
    "us-shop".clone_into(&mut foreign.proposal.subject);
    let foreign = bound(foreign);
    let there =
        CycleCommit { subject: "us-shop".to_owned(), executions: vec![foreign.clone()], ..CycleCommit::default() };
    store.commit_cycle(epoch, there).await?;
    granted(store.claim(ClaimGate { subject: "us-shop".to_owned(), ..gate(&foreign, epoch) }).await)?;
    granted(store.claim(ClaimGate { max_in_flight: 1, ..gate(&execution(1), epoch) }).await)?;
    Ok(())
}

pub(super) async fn a_snapshot_is_taken_over_as_it_is_and_goes_on_from_there(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let mut full = noticed(1);
    full.counters.intents = 3;
    store.commit_cycle(epoch, full).await?;
    let mut last = execution(1);
    for (n, state) in [(2, Done), (3, Unsettled), (1, Dispatched)] {
        last = bring_to(&*store, epoch, &execution(n), state).await?;
    }
    let snapshot = Snapshot { executions: stored_executions(&*store).await?, ..store.load(SUBJECT).await? };

    let elsewhere = fixture.fresh();
    let (other, epoch) = owned(&elsewhere).await?;
    other.restore(epoch, SUBJECT, snapshot.clone()).await?;
    ensure_eq!(stored_executions(&*other).await?, snapshot.executions, "the executions");
    ensure_eq!(other.load(SUBJECT).await?.tickets, snapshot.tickets, "the tickets");
    ensure_eq!(other.load(SUBJECT).await?.counters, snapshot.counters, "the counters");
    // What was in flight is taken over like at any start.
    let adopted = Execution { state: Unknown, epoch, version: last.version + 1, ..last };
    other.commit_cycle(epoch, CycleCommit { executions: vec![adopted.clone()], ..commit() }).await?;
    ensure_eq!(stored(&*other, &adopted.proposal.id).await?, adopted, "the one that goes on");
    let again = other.restore(epoch, SUBJECT, snapshot).await;
    ensure!(matches!(again, Err(StoreError::Conflict { .. })), "a second time: {again:?}");
    Ok(())
}

/// Every execution, in the order of the snapshot.
async fn stored_executions(store: &dyn Store) -> Result<Vec<Execution>, StoreError> {
    let mut executions = store.executions(&ExecutionFilter::default()).await?;
    executions.reverse();
    Ok(executions)
}
