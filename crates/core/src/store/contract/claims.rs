//! Claims that are granted, and how many at once.

use std::sync::Arc;
use std::time::Duration;

use crate::ExecutionState::{Dispatched, Unknown};
use crate::store::contract::outcome::{ensure, ensure_eq, ensure_err};
use crate::store::contract::sample::{
    NOW, admin, bound, bring_to, contents, decision, event, execution, gate, granted, minutes, outcome, owned,
    proposed, stored, worker,
};
use crate::store::contract::{Broken, Fixture, Outcome};
use crate::store::{BudgetCharge, ClaimError, ClaimGate, Claimed, Finish, Finished, Refusal, Store};
use crate::{Attempt, Decision, Execution};

pub(super) async fn a_claim_writes_the_attempt_and_the_audit_row_with_the_state(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let first = execution(1);
    store.commit_cycle(epoch, proposed(std::slice::from_ref(&first))).await?;
    let claimed = granted(store.claim(gate(&first, epoch)).await)?;
    ensure_eq!(claimed, Claimed { attempt: 1, version: 2 }, "what the claim says");
    let after = stored(&*store, &first.proposal.id).await?;
    let expected = Execution {
        state: Dispatched,
        state_reason: after.state_reason.clone(),
        attempt: 1,
        epoch,
        send_by: Some(minutes(1)),
        updated_at: NOW,
        version: 2,
        ..first.clone()
    };
    ensure_eq!(after, expected, "the execution");
    let attempt = Attempt {
        intent: first.proposal.id.clone(),
        attempt: 1,
        epoch,
        began_at: NOW,
        ended_at: None,
        outcome: None,
        response_sha256: None,
    };
    ensure_eq!(store.attempts(&first.proposal.id).await?, vec![attempt], "the attempts");
    let rows: Vec<_> = store.audit(1, 10).await?.into_iter().map(|row| row.event).collect();
    ensure_eq!(rows, vec![event("action.claimed", &first.proposal.id)], "the audit rows");
    Ok(())
}

/// Claims with all gates at once; how many were granted, and why the others were not.
async fn race(store: &Arc<dyn Store>, gates: Vec<ClaimGate>) -> Result<(usize, Vec<Refusal>), Broken> {
    let tasks: Vec<_> = gates
        .into_iter()
        .map(|gate| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.claim(gate).await })
        })
        .collect();
    let (mut count, mut refusals) = (0, Vec::new());
    for task in tasks {
        match task.await? {
            Ok(_) => count += 1,
            Err(ClaimError::Refused(refusal)) => refusals.push(refusal),
            Err(ClaimError::Store(error)) => return Err(error.into()),
        }
    }
    Ok((count, refusals))
}

pub(super) async fn of_many_claims_of_one_intent_one_is_granted(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    store.commit_cycle(epoch, proposed(&[execution(1)])).await?;
    let (count, refusals) = race(&store, (0..20).map(|_| gate(&execution(1), epoch)).collect()).await?;
    ensure_eq!(count, 1, "claims granted");
    ensure!(refusals.iter().all(|refusal| *refusal == Refusal::State(Dispatched)), "{refusals:?}");
    ensure_eq!(stored(&*store, &execution(1).proposal.id).await?.attempt, 1, "attempts");
    Ok(())
}

pub(super) async fn of_many_claims_on_one_target_one_is_granted(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let on_one: Vec<_> = (1..=20)
        .map(|n| {
            let mut execution = execution(n);
            execution.proposal.target = worker(1);
            bound(execution)
        })
        .collect();
    store.commit_cycle(epoch, proposed(&on_one)).await?;
    let (count, refusals) = race(&store, on_one.iter().map(|execution| gate(execution, epoch)).collect()).await?;
    ensure_eq!(count, 1, "claims granted");
    ensure!(refusals.iter().all(|refusal| matches!(refusal, Refusal::Slot { .. })), "{refusals:?}");
    Ok(())
}

pub(super) async fn a_budget_holds_against_many_claims_at_once(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let many: Vec<_> = (1..=20).map(execution).collect();
    store.commit_cycle(epoch, proposed(&many)).await?;
    let charge = |scope: &str, cap| BudgetCharge { scope: scope.to_owned(), window: Duration::from_secs(3600), cap };
    let gates = many.iter().map(|execution| ClaimGate {
        charges: vec![charge("subject:eu-shop", 100), charge("overall", 7)],
        ..gate(execution, epoch)
    });
    let (count, refusals) = race(&store, gates.collect()).await?;
    ensure_eq!(count, 7, "claims granted");
    let used_up = |refusal: &Refusal| matches!(refusal, Refusal::Budget { scope, cap: 7, .. } if scope == "overall");
    ensure!(refusals.iter().all(used_up), "{refusals:?}");
    // Those refused charged nothing: of the subject's budget seven are used, not twenty.
    let mut room = 0;
    for execution in &many {
        let gate = ClaimGate { charges: vec![charge("subject:eu-shop", 12)], ..gate(execution, epoch) };
        room += usize::from(store.claim(gate).await.is_ok());
    }
    ensure_eq!(room, 5, "claims for which the subject's budget had room");
    Ok(())
}

pub(super) async fn a_budget_is_new_in_the_next_window(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let many: Vec<_> = (1..=5).map(execution).collect();
    store.commit_cycle(epoch, proposed(&many)).await?;
    let window = Duration::from_secs(60);
    let charges = vec![BudgetCharge { scope: "overall".to_owned(), window, cap: 1 }];
    let begin = NOW.as_millis() / 60_000 * 60_000;
    // Windows begin at whole multiples of their length, whenever the first charge was.
    for (n, after_begin, room) in
        [(0, 59_999, true), (1, 0, false), (2, 60_000, true), (3, 119_999, false), (4, -1, true)]
    {
        let now = operator_protocols::Timestamp::from_millis(begin + after_begin);
        let gate = ClaimGate { charges: charges.clone(), now, ..gate(&many[n], epoch) };
        let result = store.claim(gate).await;
        ensure_eq!(result.is_ok(), room, "a claim {after_begin} ms after a window began");
        if let Err(error) = result {
            ensure!(matches!(error, ClaimError::Refused(Refusal::Budget { .. })), "{error}");
        }
    }
    Ok(())
}

pub(super) async fn an_unknown_outcome_is_claimed_again_until_the_attempts_are_used_up(
    fixture: Arc<dyn Fixture>,
) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let first = bring_to(&*store, epoch, &execution(1), Unknown).await?;
    for attempt in 2..=3 {
        let claimed = granted(store.claim(gate(&first, epoch)).await)?;
        ensure_eq!(claimed.attempt, attempt, "the attempt");
        ensure_eq!(stored(&*store, &first.proposal.id).await?.deadline, None, "the deadline of the attempt before");
        let unknown = Finish { attempt, ..outcome(&first, epoch, Dispatched, Unknown) };
        let finished = store.finish(unknown).await?;
        ensure!(matches!(finished, Finished::Applied { .. }), "{finished:?}");
    }
    let before = contents(&*store).await?;
    let refusal =
        ensure_err!(store.claim(gate(&first, epoch)).await, ClaimError::Refused(refusal) => refusal, "a fourth");
    ensure_eq!(refusal, Refusal::Attempts(3), "the refusal");
    ensure_eq!(contents(&*store).await?, before, "what is stored");
    ensure_eq!(store.attempts(&first.proposal.id).await?.len(), 3, "attempts");
    Ok(())
}

pub(super) async fn what_no_rule_holds_against_is_claimed_without_asking(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let approved = bring_to(&*store, epoch, &execution(1), crate::ExecutionState::Approved).await?;
    let alone = ClaimGate {
        approvers: Vec::new(),
        charges: Vec::new(),
        max_in_flight: 1,
        max_attempts: 1,
        ..gate(&approved, epoch)
    };
    granted(store.claim(alone).await)?;
    // One decision that says no still stops what would need no yes.
    let second = bring_to(&*store, epoch, &execution(2), crate::ExecutionState::Approved).await?;
    store.decide(epoch, decision(&second, &admin(), Decision::Reject), event("action.rejected", "x")).await?;
    let refused = store.claim(gate(&second, epoch)).await;
    ensure!(matches!(refused, Err(ClaimError::Refused(Refusal::Rejected(_)))), "{refused:?}");
    Ok(())
}
