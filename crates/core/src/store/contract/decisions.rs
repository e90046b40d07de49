//! People's decisions.

use std::sync::Arc;

use crate::ExecutionState::{Approved, AwaitingApproval};
use crate::store::StoreError;
use crate::store::contract::outcome::{ensure, ensure_eq, ensure_err};
use crate::store::contract::sample::{admin, approver, bring_to, contents, decision, event, execution, owned, stored};
use crate::store::contract::{Fixture, Outcome};
use crate::{Decision, ExecutionState, Principal, Role};

pub(super) async fn a_decision_is_kept_and_counted(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let before = bring_to(&*store, epoch, &execution(1), AwaitingApproval).await?;
    let decisions = [
        decision(&before, &approver("bo"), Decision::Approve),
        decision(&before, &admin(), Decision::Reject),
        decision(&before, &approver("bo"), Decision::Reject),
    ];
    for (made, approval) in (1..).zip(&decisions) {
        let row = event("action.decided", &before.proposal.id);
        store.decide(epoch, approval.clone(), row.clone()).await?;
        let after = stored(&*store, &before.proposal.id).await?;
        ensure_eq!(after.approvals_revision, made, "the decisions' count");
        ensure_eq!(after.version, before.version + made, "the version");
        ensure_eq!(after.state, AwaitingApproval, "the state, which is not the store's to change");
        ensure_eq!(store.audit(made, 10).await?.len(), 1, "audit rows from the {made}th on");
        ensure_eq!(store.audit(made, 1).await?[0].event, row, "the audit row");
    }
    ensure_eq!(store.approvals(&before.proposal.id).await?, decisions, "the decisions, oldest first");
    ensure_eq!(store.approvals("another").await?, [], "the decisions on another intent");
    Ok(())
}

pub(super) async fn a_decision_that_nothing_waits_for_is_refused(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let mut all = Vec::new();
    for (n, &state) in (1..).zip(ExecutionState::ALL) {
        all.push(bring_to(&*store, epoch, &execution(n), state).await?);
    }
    let before = contents(&*store).await?;
    for execution in all.iter().filter(|execution| !matches!(execution.state, AwaitingApproval | Approved)) {
        for what in [Decision::Approve, Decision::Reject] {
            let made = decision(execution, &admin(), what);
            let result = store.decide(epoch, made, event("action.decided", "x")).await;
            let why = ensure_err!(result, StoreError::Conflict { why, .. } => why, "{}", execution.state);
            ensure!(why.contains(execution.state.name()), "it should say the state: {why}");
        }
    }
    let awaiting = all.iter().find(|execution| execution.state == AwaitingApproval);
    let good = decision(awaiting.unwrap_or(&all[0]), &admin(), Decision::Approve);
    let mut other_hash = good.clone();
    other_hash.bind_hash = "0".repeat(64);
    let mut nothing = good.clone();
    nothing.intent = "eu-shop-A99".to_owned();
    for (what, made) in [("another hash", other_hash), ("no such intent", nothing)] {
        let result = store.decide(epoch, made, event("action.decided", "x")).await;
        ensure!(matches!(result, Err(StoreError::Conflict { .. })), "{what}: {result:?}");
    }
    ensure_eq!(contents(&*store).await?, before, "what is stored");
    store.decide(epoch, good, event("action.decided", "x")).await?;
    Ok(())
}

pub(super) async fn a_decision_by_who_may_not_decide_is_refused(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let waiting = bring_to(&*store, epoch, &execution(1), AwaitingApproval).await?;
    let before = contents(&*store).await?;
    let with = |role| Principal { role, ..approver("bo") };
    let operator = Principal { role: Role::Admin, ..Principal::operator() };
    for by in [with(Role::Viewer), with(Role::Operator), operator] {
        for what in [Decision::Approve, Decision::Reject] {
            let result = store.decide(epoch, decision(&waiting, &by, what), event("action.decided", "x")).await;
            ensure!(matches!(result, Err(StoreError::Conflict { .. })), "{by:?}: {result:?}");
        }
    }
    ensure_eq!(contents(&*store).await?, before, "what is stored");
    store.decide(epoch, decision(&waiting, &with(Role::Approver), Decision::Approve), event("x", "x")).await?;
    Ok(())
}
