//! All of a commit, or nothing.

use std::sync::Arc;

use crate::ExecutionState::{Approved, Dispatched, Done};
use crate::store::contract::outcome::{ensure, ensure_eq, ensure_err};
use crate::store::contract::sample::{
    SUBJECT, bring_to, commit, contents, diagnosis, event, execution, incident, noticed, owned, ticket, verification,
    violation,
};
use crate::store::contract::{Broken, Fixture, Outcome};
use crate::store::{CycleCommit, StoreError};
use crate::{AuditEvent, TicketState};

type Spoil = fn(&mut CycleCommit);

/// What can be wrong with a commit that is right otherwise, and what the refusal must name.
const WRONG: &[(&str, &str, Spoil)] = &[
    ("a ticket's move that no table allows", "eu-shop-T1", |commit| {
        commit.tickets.push(crate::Ticket { state: TicketState::Verifying, ..ticket(1) });
    }),
    ("a ticket about something else than before", "eu-shop-T1", |commit| {
        commit.tickets.push(crate::Ticket { invariant: "latency".to_owned(), ..ticket(1) });
    }),
    ("a ticket of an incident that is not there", "not there", |commit| commit.tickets.push(ticket(8))),
    ("a second open ticket for one violation", "eu-shop-T9", |commit| {
        commit.tickets.push(crate::Ticket { id: format!("{SUBJECT}-T9"), ..ticket(2) });
    }),
    ("a diagnosis for the second time", "D1", |commit| commit.diagnoses.push(("D1".to_owned(), diagnosis(1)))),
    ("a diagnosis of an incident that is not there", "not there", |commit| {
        commit.diagnoses.push(("D9".to_owned(), diagnosis(9)));
    }),
    ("an execution that is done, once more", "eu-shop-A1-", |commit| {
        commit.executions.push(crate::Execution { state: Done, version: 4, ..execution(1) });
    }),
    ("an execution over a version that is not the stored one", "eu-shop-A2-", |commit| {
        commit.executions.push(crate::Execution { version: 3, ..execution(2) });
    }),
    ("an execution that was dispatched without a claim", "eu-shop-A2-", |commit| {
        commit.executions.push(crate::Execution { state: Dispatched, version: 2, ..execution(2) });
    }),
    ("an execution of an incident that is not there", "not there", |commit| {
        let mut orphan = execution(9);
        orphan.proposal.incident = Some(incident(9).id);
        commit.executions.push(orphan);
    }),
    ("a verification of an execution that is not there", "not there", |commit| {
        commit.verifications.push(verification(&execution(9)));
    }),
    ("a violation of another subject", "us-shop", |commit| {
        commit.violations.push(crate::Violation { subject: "us-shop".to_owned(), ..violation(3) });
    }),
    ("a ticket of another subject", "us-shop", |commit| {
        commit.tickets.push(crate::Ticket { subject: "us-shop".to_owned(), ..ticket(2) });
    }),
    ("an incident of another subject", "us-shop", |commit| {
        commit.incidents.push(crate::Incident { subject: "us-shop".to_owned(), ..incident(3) });
    }),
    ("an execution of another subject", "us-shop", |commit| {
        let mut foreign = execution(9);
        foreign.proposal.subject = "us-shop".to_owned();
        commit.executions.push(foreign);
    }),
];

pub(super) async fn a_commit_with_one_thing_wrong_writes_nothing(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let first = CycleCommit { diagnoses: vec![("D1".to_owned(), diagnosis(1))], ..noticed(1) };
    store.commit_cycle(epoch, first).await?;
    bring_to(&*store, epoch, &execution(1), Done).await?;
    bring_to(&*store, epoch, &execution(2), Approved).await?;
    let before = contents(&*store).await?;
    // Something of everything, so that whatever is written first would show.
    let right = || {
        let mut right = noticed(2);
        right.counters.tickets = 2;
        right.violations_over.push(violation(1).fingerprint());
        right.tickets.push(crate::Ticket { state: TicketState::Diagnosed, ..ticket(1) });
        right.diagnoses.push(("D2".to_owned(), diagnosis(2)));
        right.executions.push(execution(3));
        right.verifications.push(verification(&execution(1)));
        right
    };
    for (what, names, spoil) in WRONG {
        let mut wrong = right();
        // The ticket's own moves are judged from what is stored.
        if what.starts_with("a ticket") {
            wrong.tickets.retain(|ticket| ticket.id != "eu-shop-T1");
        }
        spoil(&mut wrong);
        let result = store.commit_cycle(epoch, wrong).await;
        let (row, why) = ensure_err!(result, StoreError::Conflict { what, why } => (what, why), "{what}");
        ensure!(format!("{row} {why}").contains(names), "{what}: it should say {names}: {row}: {why}");
        ensure_eq!(contents(&*store).await?, before, "what is stored after {what}");
    }
    store.commit_cycle(epoch, right()).await?;
    ensure!(contents(&*store).await? != before, "what was right all along is written");
    Ok(())
}

pub(super) async fn commits_at_the_same_time_do_not_mix(fixture: Arc<dyn Fixture>) -> Outcome {
    const MANY: u32 = 20;
    let (store, epoch) = owned(&fixture).await?;
    let tasks: Vec<_> = (1..=MANY)
        .map(|n| {
            let store = Arc::clone(&store);
            let rows = |part: &str| -> AuditEvent { event(part, &n.to_string()) };
            let audit = vec![rows("first"), rows("second"), rows("third")];
            tokio::spawn(async move { store.commit_cycle(epoch, CycleCommit { audit, ..commit() }).await })
        })
        .collect();
    for task in tasks {
        task.await.map_err(Broken::from)??;
    }
    let rows = store.audit(1, 1000).await?;
    ensure_eq!(rows.len(), 3 * MANY as usize, "audit rows");
    for three in rows.chunks(3) {
        let kinds: Vec<_> = three.iter().map(|row| row.event.kind.as_str()).collect();
        ensure_eq!(kinds, ["first", "second", "third"], "the rows of one commit");
        let one = three.iter().all(|row| row.event.reference == three[0].event.reference);
        ensure!(one, "rows of different commits stand between each other");
    }
    Ok(())
}
