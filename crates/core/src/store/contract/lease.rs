//! Who owns the store.

use std::sync::Arc;

use crate::Decision;
use crate::ExecutionState::{Approved, AwaitingApproval, Dispatched, Done};
use crate::store::contract::outcome::{ensure, ensure_eq, ensure_err};
use crate::store::contract::sample::{
    NOW, admin, bring_to, contents, decision, event, execution, gate, noticed, outcome, owned,
};
use crate::store::contract::{Fixture, Outcome};
use crate::store::{ClaimError, Finished, Refusal, StoreError};

pub(super) async fn the_epoch_grows_by_one_with_every_holder(fixture: Arc<dyn Fixture>) -> Outcome {
    for expected in 1..=3 {
        let (store, epoch) = owned(&fixture).await?;
        ensure_eq!(epoch, expected, "the epoch");
        drop(store);
    }
    let (store, _) = owned(&fixture).await?;
    ensure_eq!(store.acquire_lease("once more", NOW).await?.epoch, 5, "the epoch of one who takes it again");
    Ok(())
}

pub(super) async fn a_second_owner_is_refused_at_once_and_let_in_when_the_first_is_gone(
    fixture: Arc<dyn Fixture>,
) -> Outcome {
    let (first, epoch) = owned(&fixture).await?;
    let second = fixture.open().await?;
    for _ in 0..3 {
        let refused = second.acquire_lease("second", NOW).await;
        let path = ensure_err!(refused, StoreError::Locked { path } => path, "while the first owns it");
        ensure!(!path.is_empty(), "it should say where");
    }
    first.commit_cycle(epoch, noticed(1)).await?;
    bring_to(&*first, epoch, &execution(1), AwaitingApproval).await?;
    bring_to(&*first, epoch, &execution(2), Approved).await?;
    bring_to(&*first, epoch, &execution(3), Dispatched).await?;
    let before = contents(&*first).await?;
    // The right epoch alone gives no right.
    ensure!(second.commit_cycle(epoch, noticed(2)).await.is_err(), "a commit without owning");
    ensure!(second.claim(gate(&execution(2), epoch)).await.is_err(), "a claim without owning");
    let approval = decision(&execution(1), &admin(), Decision::Approve);
    ensure!(second.decide(epoch, approval, event("x", "x")).await.is_err(), "a decision without owning");
    let done = outcome(&execution(3), epoch, Dispatched, Done);
    ensure!(second.finish(done).await.is_err(), "an outcome without owning");
    ensure!(second.append_audit(event("x", "x")).await.is_err(), "an audit row without owning");
    ensure_eq!(contents(&*first).await?, before, "what is stored");
    drop(first);
    ensure_eq!(second.acquire_lease("second", NOW).await?.epoch, epoch + 1, "the epoch after the first is gone");
    Ok(())
}

pub(super) async fn an_old_epoch_changes_nothing(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, old) = owned(&fixture).await?;
    bring_to(&*store, old, &execution(1), AwaitingApproval).await?;
    bring_to(&*store, old, &execution(2), Approved).await?;
    bring_to(&*store, old, &execution(3), Dispatched).await?;
    let new = store.acquire_lease("next", NOW).await?.epoch;
    let before = contents(&*store).await?;

    for epoch in [old, new + 1] {
        let result = store.commit_cycle(epoch, noticed(1)).await;
        let (held, actual) =
            ensure_err!(result, StoreError::LostLease { held, actual } => (held, actual), "a commit in epoch {epoch}");
        ensure_eq!((held, actual), (epoch, new), "the epochs it names");
        let approval = decision(&execution(1), &admin(), Decision::Approve);
        let result = store.decide(epoch, approval, event("action.approved", "x")).await;
        ensure!(matches!(result, Err(StoreError::LostLease { .. })), "a decision in epoch {epoch}: {result:?}");
        let result = store.claim(gate(&execution(2), epoch)).await;
        let lost = matches!(result, Err(ClaimError::Refused(Refusal::LostLease { held, actual })) if held == epoch && actual == new);
        ensure!(lost, "a claim in epoch {epoch}: {result:?}");
    }
    ensure_eq!(contents(&*store).await?, before, "what is stored");

    let result = store.finish(outcome(&execution(3), old, Dispatched, Done)).await?;
    ensure!(matches!(result, Finished::Stale { .. }), "an outcome of epoch {old}: {result:?}");
    let after = contents(&*store).await?;
    ensure_eq!(after[..before.len()], before[..], "what is stored but the evidence");
    ensure_eq!(after.len(), before.len() + 1, "rows, with the evidence");
    Ok(())
}

pub(super) async fn who_does_not_own_the_store_can_read_it(fixture: Arc<dyn Fixture>) -> Outcome {
    let (owner, epoch) = owned(&fixture).await?;
    let reader = fixture.open().await?;
    for n in 1..=3 {
        owner.commit_cycle(epoch, noticed(n)).await?;
        bring_to(&*owner, epoch, &execution(n), Dispatched).await?;
        ensure_eq!(contents(&*reader).await?, contents(&*owner).await?, "what the other reads");
    }
    let expected = contents(&*owner).await?;
    drop(owner);
    ensure_eq!(contents(&*reader).await?, expected, "what it reads when the owner is gone");
    Ok(())
}

pub(super) async fn an_installation_keeps_its_id(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, _) = owned(&fixture).await?;
    let id = store.install_id().await?;
    ensure_eq!(id.len(), 12, "the length of {id}");
    ensure!(id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)), "{id}");
    ensure_eq!(store.install_id().await?, id, "the id asked for again");
    drop(store);
    let (store, _) = owned(&fixture).await?;
    ensure_eq!(store.install_id().await?, id, "the id after a restart");
    Ok(())
}
