//! What a cycle writes.

use std::sync::Arc;

use crate::ExecutionState::{AwaitingApproval, Dispatched};
use crate::store::contract::outcome::{ensure, ensure_eq, ensure_err};
use crate::store::contract::sample::{
    SUBJECT, bring_to, commit, contents, diagnosis, event, execution, incident, minutes, noticed, owned, ticket,
    verification, violation, worker,
};
use crate::store::contract::{Fixture, Outcome};
use crate::store::{Counters, CycleCommit, Snapshot, StoreError, TicketFilter};
use crate::{Incident, TicketState};

pub(super) async fn what_was_committed_is_there_after_a_restart_to_the_last_bit(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let counters = Counters { tickets: 2, incidents: 2, diagnoses: 1, intents: 2 };
    let mut executions = vec![execution(1), execution(2)];
    executions[0].proposal.incident = Some(incident(1).id);
    executions[0].state = AwaitingApproval;
    executions[0].quorum = 2;
    executions[0].deadline = Some(minutes(3));
    executions[1].proposal.undo_of = Some(executions[0].proposal.id.clone());
    for execution in &mut executions {
        *execution = crate::store::contract::sample::bound(execution.clone());
    }
    // Numbers of which a sloppy reader loses the last bit.
    let mut odd = violation(3);
    odd.ticket = None;
    odd.finding.measured = 0.000_123_456_789_012_345_67;
    odd.finding.threshold = f64::MIN_POSITIVE / 3.0;
    odd.ok_since = Some(minutes(-1));
    let everything = CycleCommit {
        counters,
        violations: vec![violation(1), violation(2), odd.clone()],
        tickets: vec![ticket(1), ticket(2)],
        incidents: vec![incident(1), incident(2)],
        diagnoses: vec![("eu-shop-D1".to_owned(), diagnosis(1))],
        executions: executions.clone(),
        verifications: vec![verification(&executions[0])],
        audit: vec![event("a", "1"), event("b", "2")],
        ..commit()
    };
    store.commit_cycle(epoch, everything).await?;
    let written = contents(&*store).await?;
    drop(store);

    let (store, _) = owned(&fixture).await?;
    ensure_eq!(contents(&*store).await?, written, "what is there after a restart");
    let expected = Snapshot {
        counters,
        violations: vec![violation(1), violation(2), odd],
        tickets: vec![ticket(1), ticket(2)],
        incidents: vec![incident(1), incident(2)],
        diagnoses: vec![("eu-shop-D1".to_owned(), diagnosis(1))],
        executions: executions.clone(),
        ..Snapshot::default()
    };
    ensure_eq!(store.load(SUBJECT).await?, expected, "what is loaded");
    ensure_eq!(store.incident(&incident(2).id).await?, Some(incident(2)), "an incident by its id");
    ensure_eq!(store.incident("I2").await?, None, "an incident by what is not its id");
    let verified = store.verifications(&executions[0].proposal.id).await?;
    ensure_eq!(verified, vec![verification(&executions[0])], "the verifications");
    let events: Vec<_> = store.audit(1, 10).await?.into_iter().map(|row| row.event).collect();
    ensure_eq!(events, vec![event("a", "1"), event("b", "2")], "the audit rows");
    Ok(())
}

pub(super) async fn the_greatest_count_is_kept(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let counts =
        |[tickets, incidents, diagnoses, intents]: [u64; 4]| Counters { tickets, incidents, diagnoses, intents };
    for counters in [[5, 1, 7, 2], [3, 4, 6, 9], [0, 0, 0, 0]] {
        store.commit_cycle(epoch, CycleCommit { counters: counts(counters), ..commit() }).await?;
    }
    ensure_eq!(store.load(SUBJECT).await?.counters, counts([5, 4, 7, 9]), "the counts");
    Ok(())
}

pub(super) async fn one_violation_has_at_most_one_open_ticket(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    store.commit_cycle(epoch, noticed(1)).await?;
    let mut second = ticket(2);
    second.on = worker(1);
    let again = CycleCommit { tickets: vec![second.clone()], incidents: vec![incident(2)], ..commit() };
    for state in TicketState::ALL.iter().copied().filter(|state| *state != TicketState::Resolved) {
        second.state = state;
        let refused = CycleCommit { tickets: vec![second.clone()], ..again.clone() };
        let result = store.commit_cycle(epoch, refused).await;
        let why = ensure_err!(result, StoreError::Conflict { why, .. } => why, "a second ticket, {state}");
        ensure!(why.contains("eu-shop-T1"), "it should name the other: {why}");
    }
    // Another invariant on the same locus, and the same one elsewhere, are other violations.
    let mut other = ticket(2);
    (other.on, other.invariant) = (worker(1), "latency".to_owned());
    let mut elsewhere = ticket(3);
    elsewhere.incident = incident(2).id;
    store
        .commit_cycle(epoch, CycleCommit { tickets: vec![other, elsewhere], incidents: vec![incident(2)], ..commit() })
        .await?;
    Ok(())
}

pub(super) async fn a_resolved_ticket_can_be_opened_again(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    store.commit_cycle(epoch, noticed(1)).await?;
    let mut resolved = ticket(1);
    (resolved.state, resolved.resolved_at, resolved.cleared) = (TicketState::Resolved, Some(minutes(2)), true);
    let over = violation(1).fingerprint();
    let done = CycleCommit { tickets: vec![resolved.clone()], violations_over: vec![over], ..commit() };
    store.commit_cycle(epoch, done).await?;
    ensure_eq!(store.load(SUBJECT).await?.violations, vec![], "violations that are over");

    let mut again = ticket(1);
    again.occurrences = 2;
    store.commit_cycle(epoch, CycleCommit { tickets: vec![again.clone()], ..commit() }).await?;
    ensure_eq!(store.load(SUBJECT).await?.tickets, vec![again], "the ticket that came back");

    // Resolved, and meanwhile another ticket stands for the same: then it cannot come back beside it.
    store.commit_cycle(epoch, CycleCommit { tickets: vec![resolved], ..commit() }).await?;
    let mut other = ticket(2);
    other.on = worker(1);
    store.commit_cycle(epoch, CycleCommit { tickets: vec![other], incidents: vec![incident(2)], ..commit() }).await?;
    let beside = store.commit_cycle(epoch, CycleCommit { tickets: vec![ticket(1)], ..commit() }).await;
    ensure!(matches!(beside, Err(StoreError::Conflict { .. })), "two open tickets for one violation: {beside:?}");
    Ok(())
}

pub(super) async fn ten_thousand_tickets_are_one_commit(fixture: Arc<dyn Fixture>) -> Outcome {
    const MANY: u32 = 10_000;
    let (store, epoch) = owned(&fixture).await?;
    let storm = Incident { tickets: (1..=MANY).map(|n| ticket(n).id).collect(), ..incident(1) };
    let tickets = (1..=MANY).map(|n| {
        let mut ticket = ticket(n);
        ticket.incident.clone_from(&storm.id);
        ticket
    });
    let all = CycleCommit {
        violations: (1..=MANY).map(violation).collect(),
        tickets: tickets.collect(),
        incidents: vec![storm.clone()],
        audit: (1..=MANY).map(|n| event("ticket.opened", &ticket(n).id)).collect(),
        ..commit()
    };
    store.commit_cycle(epoch, all).await?;
    let loaded = store.load(SUBJECT).await?;
    ensure_eq!(loaded.tickets.len(), MANY as usize, "tickets");
    ensure_eq!(loaded.violations.len(), MANY as usize, "violations");
    let listed = store.tickets(&TicketFilter { limit: 2 * MANY, ..TicketFilter::default() }).await?;
    ensure_eq!(listed.len(), MANY as usize, "tickets listed");
    let last = store.audit(u64::from(MANY), 10).await?;
    ensure_eq!(last.len(), 1, "audit rows from the last on");
    Ok(())
}

pub(super) async fn what_could_not_be_read_back_is_not_written(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    bring_to(&*store, epoch, &execution(1), Dispatched).await?;
    let before = contents(&*store).await?;
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut spoiled = noticed(1);
        spoiled.tickets[0].finding.measured = bad;
        let result = store.commit_cycle(epoch, spoiled).await;
        let what = ensure_err!(result, StoreError::Conflict { what, .. } => what, "a ticket that measured {bad}");
        ensure!(what.contains("eu-shop-T1"), "it should name the ticket: {what}");
        let mut spoiled = noticed(1);
        spoiled.violations[0].finding.threshold = bad;
        let result = store.commit_cycle(epoch, spoiled).await;
        ensure!(matches!(result, Err(StoreError::Conflict { .. })), "a violation of {bad}: {result:?}");
        let mut spoiled = CycleCommit { diagnoses: vec![("D1".to_owned(), diagnosis(1))], ..noticed(1) };
        spoiled.diagnoses[0].1.primary.score = bad;
        let result = store.commit_cycle(epoch, spoiled).await;
        ensure!(matches!(result, Err(StoreError::Conflict { .. })), "a diagnosis scored {bad}: {result:?}");
    }
    ensure_eq!(contents(&*store).await?, before, "what is stored");
    store.commit_cycle(epoch, noticed(1)).await?;
    Ok(())
}
