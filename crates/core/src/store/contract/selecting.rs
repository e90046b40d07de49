//! Reading for people.

use std::sync::Arc;

use crate::ExecutionState::{Approved, Done};
use crate::store::contract::outcome::ensure_eq;
use crate::store::contract::sample::{
    SUBJECT, bound, bring_to, commit, execution, incident, minutes, noticed, owned, ticket,
};
use crate::store::contract::{Broken, Fixture, Outcome};
use crate::store::{CycleCommit, ExecutionFilter, Store, TicketFilter};
use crate::{Ticket, TicketState};

async fn tickets(store: &dyn Store, filter: TicketFilter) -> Result<Vec<String>, Broken> {
    Ok(store.tickets(&filter).await?.into_iter().map(|ticket| ticket.id).collect())
}

async fn intents(store: &dyn Store, filter: ExecutionFilter) -> Result<Vec<String>, Broken> {
    Ok(store.executions(&filter).await?.into_iter().map(|execution| execution.proposal.id).collect())
}

pub(super) async fn a_short_name_is_enough_where_it_is_unique(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    for n in [1, 11] {
        store.commit_cycle(epoch, noticed(n)).await?;
        bring_to(&*store, epoch, &execution(n), Approved).await?;
    }
    for (id, found) in [
        ("T1", vec!["eu-shop-T1"]),
        ("shop-T1", vec!["eu-shop-T1"]),
        ("eu-shop-T1", vec!["eu-shop-T1"]),
        ("T11", vec!["eu-shop-T11"]),
        ("1", vec![]),
        ("T", vec![]),
        ("%", vec![]),
        ("T_", vec![]),
        ("", vec![]),
    ] {
        let filter = TicketFilter { id: Some(id.to_owned()), ..TicketFilter::default() };
        ensure_eq!(tickets(&*store, filter).await?, found, "the tickets called {id:?}");
    }
    let (first, second) = (execution(1).proposal.id, execution(11).proposal.id);
    for (id, found) in [
        ("A1", vec![&first]),
        ("eu-shop-A1", vec![&first]),
        ("A1-0123456789ab", vec![&first]),
        (first.as_str(), vec![&first]),
        ("A11", vec![&second]),
        ("0123456789ab", vec![&second, &first]),
        ("A", vec![]),
        ("0123", vec![]),
        ("%", vec![]),
    ] {
        let filter = ExecutionFilter { id: Some(id.to_owned()), ..ExecutionFilter::default() };
        let expected: Vec<_> = found.into_iter().cloned().collect();
        ensure_eq!(intents(&*store, filter).await?, expected, "the intents called {id:?}");
    }
    Ok(())
}

pub(super) async fn the_newest_come_first_and_no_more_than_asked_for(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    for n in [2, 3, 1] {
        store.commit_cycle(epoch, noticed(n)).await?;
        bring_to(&*store, epoch, &execution(n), Approved).await?;
    }
    let first = |limit| TicketFilter { limit, ..TicketFilter::default() };
    ensure_eq!(tickets(&*store, first(0)).await?, ["eu-shop-T3", "eu-shop-T2", "eu-shop-T1"], "the tickets");
    ensure_eq!(tickets(&*store, first(2)).await?, ["eu-shop-T3", "eu-shop-T2"], "two tickets");
    let ids: Vec<_> = store.incidents(None, 2).await?.into_iter().map(|incident| incident.id).collect();
    ensure_eq!(ids, ["eu-shop-I3", "eu-shop-I2"], "two incidents");
    let filter = ExecutionFilter { limit: 1, ..ExecutionFilter::default() };
    ensure_eq!(intents(&*store, filter).await?, [execution(3).proposal.id], "one intent");
    let seqs: Vec<_> = store.audit(2, 2).await?.into_iter().map(|row| row.seq).collect();
    ensure_eq!(seqs, [2, 3], "two audit rows from the second on");
    Ok(())
}

pub(super) async fn a_filter_leaves_out_what_it_says(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let resolved = Ticket { state: TicketState::Resolved, resolved_at: Some(minutes(0)), ..ticket(1) };
    store.commit_cycle(epoch, CycleCommit { tickets: vec![resolved], ..noticed(1) }).await?;
    store.commit_cycle(epoch, noticed(2)).await?;
    let mut foreign = noticed(3);
    foreign.subject = "us-shop".to_owned();
    for subject in
        [&mut foreign.tickets[0].subject, &mut foreign.incidents[0].subject, &mut foreign.violations[0].subject]
    {
        "us-shop".clone_into(subject);
    }
    store.commit_cycle(epoch, foreign).await?;
    let some = || TicketFilter::default();
    let found = tickets(&*store, TicketFilter { subject: Some(SUBJECT.to_owned()), ..some() }).await?;
    ensure_eq!(found, ["eu-shop-T2", "eu-shop-T1"], "the tickets of one subject");
    let found = tickets(&*store, TicketFilter { open_only: true, ..some() }).await?;
    ensure_eq!(found, ["eu-shop-T3", "eu-shop-T2"], "the open tickets");
    let found = tickets(&*store, TicketFilter { incident: Some(incident(1).id), ..some() }).await?;
    ensure_eq!(found, ["eu-shop-T1"], "the tickets of one incident");
    let of_one = store.incidents(Some(SUBJECT), 0).await?.len();
    ensure_eq!((of_one, store.incidents(None, 0).await?.len()), (2, 3), "the incidents of one subject and of all");

    let mut of_incident = execution(1);
    of_incident.proposal.incident = Some(incident(1).id);
    bring_to(&*store, epoch, &bound(of_incident), Done).await?;
    bring_to(&*store, epoch, &execution(2), Approved).await?;
    let some = || ExecutionFilter::default();
    let found = intents(&*store, ExecutionFilter { incident: Some(incident(1).id), ..some() }).await?;
    ensure_eq!(found, [execution(1).proposal.id], "the intents of one incident");
    let found = intents(&*store, ExecutionFilter { active_only: true, ..some() }).await?;
    ensure_eq!(found, [execution(2).proposal.id], "the active intents");
    let found = intents(&*store, ExecutionFilter { subject: Some("us-shop".to_owned()), ..some() }).await?;
    ensure_eq!(found, [""; 0], "the intents of another subject");
    store.commit_cycle(epoch, commit()).await?;
    Ok(())
}
