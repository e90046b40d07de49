//! Outcomes.

use std::sync::Arc;

use crate::ExecutionState::{Approved, Dispatched, Done, Failed, Running, Unknown};
use crate::store::contract::outcome::{ensure, ensure_eq, ensure_err};
use crate::store::contract::sample::{bring_to, contents, event, execution, minutes, outcome, owned, stored};
use crate::store::contract::{Fixture, Outcome};
use crate::store::{Finish, Finished, StoreError};
use crate::{Actor, Attempt, AuditEvent, Execution, ExecutionState};

pub(super) async fn every_outcome_that_the_table_allows_is_written(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let mut n = 0;
    for from in [Dispatched, Running, Unknown] {
        for &to in from.next().iter().filter(|to| **to != Dispatched) {
            n += 1;
            let before = bring_to(&*store, epoch, &execution(n), from).await?;
            let first = store.audit(1, 10_000).await?.len();
            let finish = Finish { deadline: Some(minutes(9)), ..outcome(&before, epoch, from, to) };
            let finished = store.finish(finish.clone()).await?;
            ensure_eq!(finished, Finished::Applied { version: before.version + 1 }, "{from} to {to}");
            let expected = Execution {
                state: to,
                state_reason: format!("it is {to} now"),
                deadline: Some(minutes(9)),
                updated_at: minutes(1),
                done_at: (to == Done).then_some(minutes(1)),
                version: before.version + 1,
                ..before.clone()
            };
            ensure_eq!(stored(&*store, &before.proposal.id).await?, expected, "the execution, {from} to {to}");
            let attempts = store.attempts(&before.proposal.id).await?;
            let expected = Attempt {
                ended_at: (to != Running).then_some(minutes(1)),
                outcome: Some(to.name().to_owned()),
                response_sha256: Some("f".repeat(64)),
                ..attempts[0].clone()
            };
            ensure_eq!(attempts, vec![expected], "the attempt, {from} to {to}");
            let rows = store.audit(first as u64 + 1, 10).await?;
            ensure_eq!(rows.iter().map(|row| &row.event).collect::<Vec<_>>(), vec![&finish.audit], "the audit rows");
        }
    }
    Ok(())
}

pub(super) async fn what_comes_too_late_changes_nothing_and_is_kept_as_evidence(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let flying = bring_to(&*store, epoch, &execution(1), Dispatched).await?;
    let over = bring_to(&*store, epoch, &execution(2), Done).await?;
    let good = outcome(&flying, epoch, Dispatched, Done);
    let late = [
        ("an earlier attempt", Finish { attempt: 0, ..good.clone() }),
        ("an attempt that was not begun", Finish { attempt: 2, ..good.clone() }),
        ("another epoch", Finish { epoch: epoch + 1, ..good.clone() }),
        ("another state", Finish { from: Running, ..good.clone() }),
        ("no such intent", Finish { intent: "eu-shop-A99".to_owned(), ..good.clone() }),
        ("the same answer again", outcome(&over, epoch, Dispatched, Done)),
        ("a contradiction", outcome(&over, epoch, Dispatched, Failed)),
    ];
    for (what, finish) in late {
        let before = contents(&*store).await?;
        let rows = store.audit(1, 10_000).await?.len() as u64;
        let why = match store.finish(finish.clone()).await? {
            Finished::Stale { why } => why,
            applied => return Err(crate::store::contract::Broken(format!("{what}: {applied:?}"))),
        };
        let evidence = store.audit(rows + 1, 10).await?;
        ensure_eq!(evidence.len(), 1, "{what}: rows of evidence");
        let AuditEvent { at, actor, kind, reference, body } = &evidence[0].event;
        ensure_eq!((*at, actor, reference), (finish.now, &Actor::Operator, &finish.intent), "{what}: the evidence");
        ensure_eq!(kind, "action.late_outcome", "{what}: its kind");
        for (field, value) in [("why", why.as_str()), ("to", finish.to.name()), ("response_sha256", &"f".repeat(64))] {
            ensure_eq!(body[field], value, "{what}: {field} in the evidence");
        }
        let after = contents(&*store).await?;
        ensure_eq!(after[..before.len()], before[..], "{what}: what is stored but the evidence");
    }
    ensure_eq!(store.finish(good).await?, Finished::Applied { version: 3 }, "the outcome in time");
    Ok(())
}

pub(super) async fn an_outcome_that_the_table_does_not_allow_is_refused(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let mut n = 0;
    for from in [Approved, Dispatched, Running, Unknown] {
        n += 1;
        let before = bring_to(&*store, epoch, &execution(n), from).await?;
        for &to in ExecutionState::ALL.iter().filter(|to| !from.may_become(**to) || **to == Dispatched) {
            let rows = store.audit(1, 10_000).await?;
            let result = store.finish(outcome(&before, epoch, from, to)).await;
            let why = ensure_err!(result, StoreError::Conflict { why, .. } => why, "{from} to {to}");
            ensure!(why.contains(from.name()) && why.contains(to.name()), "it should say the move: {why}");
            ensure_eq!(stored(&*store, &before.proposal.id).await?, before, "the execution, {from} to {to}");
            ensure_eq!(store.audit(1, 10_000).await?, rows, "the audit rows, {from} to {to}");
        }
    }
    store.append_audit(event("x", "x")).await?;
    Ok(())
}
