//! The tables of moves, held against what is stored.

use std::sync::Arc;

use crate::ExecutionState::{Approved, Dispatched, Done, Running, Unknown};
use crate::store::contract::outcome::{ensure, ensure_eq, ensure_err};
use crate::store::contract::sample::{
    NOW, admin, bound, bring_to, commit, decision, event, execution, gate, minutes, noticed, outcome, owned, proposed,
    stored, ticket, worker,
};
use crate::store::contract::{Fixture, Outcome};
use crate::store::{ClaimError, CycleCommit, Finished, Refusal, StoreError};
use crate::{Decision, Execution, ExecutionState, Ticket, TicketState};

pub(super) async fn a_ticket_moves_only_as_its_table_says(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let mut n = 0;
    for &from in TicketState::ALL {
        for &to in TicketState::ALL {
            n += 1;
            let first = Ticket { state: from, ..ticket(n) };
            store.commit_cycle(epoch, CycleCommit { tickets: vec![first.clone()], ..noticed(n) }).await?;
            let moved = Ticket { state: to, ..first };
            let result = store.commit_cycle(epoch, CycleCommit { tickets: vec![moved], ..commit() }).await;
            if from == to || from.may_become(to) {
                ensure!(result.is_ok(), "{from} to {to} is allowed: {result:?}");
                continue;
            }
            let why = ensure_err!(result, StoreError::Conflict { why, .. } => why, "{from} to {to} is not allowed");
            ensure_eq!(why, format!("{from} cannot become {to}"), "why");
        }
    }
    Ok(())
}

pub(super) async fn an_execution_moves_only_as_its_table_says(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let mut n = 0;
    for &from in ExecutionState::ALL {
        for &to in ExecutionState::ALL {
            n += 1;
            let before = bring_to(&*store, epoch, &execution(n), from).await?;
            let moved = Execution { state: to, version: before.version + 1, ..before.clone() };
            let result = store.commit_cycle(epoch, proposed(&[moved])).await;
            let claimed = from != to && to == Dispatched;
            if !from.terminal() && !claimed && (from == to || from.may_become(to)) {
                ensure!(result.is_ok(), "{from} to {to} is allowed: {result:?}");
                ensure_eq!(stored(&*store, &before.proposal.id).await?.state, to, "the state after {from}");
                continue;
            }
            let why = ensure_err!(result, StoreError::Conflict { why, .. } => why, "{from} to {to} is not allowed");
            ensure!(why.contains(from.name()), "{from} to {to}: it should say where it is: {why}");
            ensure_eq!(stored(&*store, &before.proposal.id).await?, before, "the execution after {from} to {to}");
        }
    }
    Ok(())
}

pub(super) async fn what_is_final_never_changes(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let finals = ExecutionState::ALL.iter().copied().filter(|state| state.terminal());
    for (n, state) in (1..).zip(finals) {
        let before = bring_to(&*store, epoch, &execution(n), state).await?;
        for next in [state, Approved, Done] {
            let moved = Execution { state: next, version: before.version + 1, ..before.clone() };
            let result = store.commit_cycle(epoch, proposed(&[moved])).await;
            ensure!(matches!(result, Err(StoreError::Conflict { .. })), "{state} to {next}: {result:?}");
        }
        let approval = decision(&before, &admin(), Decision::Approve);
        let result = store.decide(epoch, approval, event("action.approved", "x")).await;
        ensure!(matches!(result, Err(StoreError::Conflict { .. })), "a decision on what is {state}: {result:?}");
        let result = store.claim(gate(&before, epoch)).await;
        let refused = matches!(&result, Err(ClaimError::Refused(Refusal::State(at))) if *at == state);
        ensure!(refused, "a claim of what is {state}: {result:?}");
        let late = store.finish(outcome(&before, epoch, Dispatched, Done)).await?;
        ensure!(matches!(late, Finished::Stale { .. }), "an outcome of what is {state}: {late:?}");
        ensure_eq!(stored(&*store, &before.proposal.id).await?, before, "what is {state}");
    }
    Ok(())
}

pub(super) async fn a_new_execution_has_not_been_sent(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let first = execution(1);
    let mut wrong = vec![
        Execution { version: 0, ..first.clone() },
        Execution { version: 2, ..first.clone() },
        Execution { attempt: 1, ..first.clone() },
        Execution { approvals_revision: 1, ..first.clone() },
        Execution { bind_hash: "0".repeat(64), ..first.clone() },
    ];
    let sent =
        ExecutionState::ALL.iter().filter(|state| state.holds_slot() || matches!(state.name(), "done" | "failed"));
    wrong.extend(sent.map(|state| Execution { state: *state, ..first.clone() }));
    for execution in wrong {
        let result = store.commit_cycle(epoch, proposed(std::slice::from_ref(&execution))).await;
        ensure!(matches!(result, Err(StoreError::Conflict { .. })), "{execution:?}: {result:?}");
    }
    store.commit_cycle(epoch, proposed(&[first])).await?;
    Ok(())
}

pub(super) async fn a_changed_execution_is_one_version_on_and_carries_out_the_same(
    fixture: Arc<dyn Fixture>,
) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let first = Execution { quorum: 2, ..execution(1) };
    store.commit_cycle(epoch, proposed(std::slice::from_ref(&first))).await?;
    let next = Execution { version: 2, state_reason: "still".to_owned(), ..first.clone() };
    let mut elsewhere = next.clone();
    elsewhere.proposal.target = worker(2);
    let mut longer = next.clone();
    longer.proposal.expires_at = minutes(60);
    let wrong = [
        ("the same version", Execution { version: 1, ..next.clone() }),
        ("a version left out", Execution { version: 3, ..next.clone() }),
        ("another target", elsewhere.clone()),
        ("another target, and its hash", bound(elsewhere)),
        ("more time", longer),
        ("another hash", Execution { bind_hash: "0".repeat(64), ..next.clone() }),
        ("an attempt more", Execution { attempt: 1, ..next.clone() }),
        ("a decision more", Execution { approvals_revision: 1, ..next.clone() }),
        ("an epoch that is not the lease's", Execution { epoch: epoch + 1, ..next.clone() }),
        ("fewer approvals", Execution { quorum: 1, ..next.clone() }),
    ];
    for (what, execution) in wrong {
        let result = store.commit_cycle(epoch, proposed(&[execution])).await;
        ensure!(matches!(result, Err(StoreError::Conflict { .. })), "{what}: {result:?}");
        ensure_eq!(stored(&*store, &first.proposal.id).await?, first, "the execution after {what}");
    }
    // Steps of one cycle may stand in one commit, in order.
    let after = Execution { version: 3, state: ExecutionState::Cancelled, ..next.clone() };
    store.commit_cycle(epoch, proposed(&[next, after.clone()])).await?;
    ensure_eq!(stored(&*store, &first.proposal.id).await?, after, "the execution after two steps");
    Ok(())
}

pub(super) async fn whoever_takes_over_makes_what_is_in_flight_its_own(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, old) = owned(&fixture).await?;
    let dispatched = bring_to(&*store, old, &execution(1), Dispatched).await?;
    let running = bring_to(&*store, old, &execution(2), Running).await?;
    let epoch = store.acquire_lease("next", NOW).await?.epoch;
    let adopt =
        |execution: &Execution, state| Execution { state, epoch, version: execution.version + 1, ..execution.clone() };
    store.commit_cycle(epoch, proposed(&[adopt(&dispatched, Unknown), adopt(&running, Running)])).await?;
    for (adopted, from) in [(dispatched, Unknown), (running, Running)] {
        let finished = store.finish(outcome(&adopted, epoch, from, Done)).await?;
        ensure!(matches!(finished, Finished::Applied { .. }), "the outcome of what was {from}: {finished:?}");
    }
    Ok(())
}
