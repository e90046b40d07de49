//! What checks do with a store again and again.

use std::sync::Arc;

use crate::store::contract::sample::{NOW, SUBJECT, gate, outcome, proposed};
use crate::store::contract::{Broken, Fixture};
use crate::store::{ClaimError, Claimed, ExecutionFilter, Finished, Store, TicketFilter};
use crate::{Execution, ExecutionState};

/// The execution of that id as stored.
///
/// # Errors
/// When it cannot be read, or is not there.
pub async fn stored(store: &dyn Store, id: &str) -> Result<Execution, Broken> {
    let filter = ExecutionFilter { id: Some(id.to_owned()), ..ExecutionFilter::default() };
    let found = store.executions(&filter).await?;
    found.into_iter().find(|execution| execution.proposal.id == id).ok_or_else(|| Broken(format!("{id} is not stored")))
}

/// Brings a new execution into `state` by the way that leads there.
///
/// # Errors
/// When the store does not go along.
pub async fn bring_to(
    store: &dyn Store,
    epoch: u64,
    execution: &Execution,
    state: ExecutionState,
) -> Result<Execution, Broken> {
    use ExecutionState::{
        Approved, AwaitingApproval, Cancelled, Dispatched, Expired, Proposed, SettledByHuman, Unsettled,
    };
    let mut first = execution.clone();
    if matches!(state, Proposed | AwaitingApproval | Approved | Cancelled | Expired) {
        first.state = state;
    }
    store.commit_cycle(epoch, proposed(&[first])).await?;
    if matches!(state, Proposed | AwaitingApproval | Approved | Cancelled | Expired) {
        return stored(store, &execution.proposal.id).await;
    }
    granted(store.claim(gate(execution, epoch)).await)?;
    let answer = if state == SettledByHuman { Unsettled } else { state };
    if answer != Dispatched {
        let finished = store.finish(outcome(execution, epoch, Dispatched, answer)).await?;
        if !matches!(finished, Finished::Applied { .. }) {
            return Err(Broken(format!("an outcome in time: {finished:?}")));
        }
    }
    if state == SettledByHuman {
        let mut settled = stored(store, &execution.proposal.id).await?;
        settled.state = SettledByHuman;
        settled.version += 1;
        store.commit_cycle(epoch, proposed(&[settled])).await?;
    }
    stored(store, &execution.proposal.id).await
}

/// A handle that owns the store, and its epoch.
///
/// # Errors
/// When the store cannot be opened or owned.
pub async fn owned(fixture: &Arc<dyn Fixture>) -> Result<(Arc<dyn Store>, u64), Broken> {
    let store = fixture.open().await?;
    let lease = store.acquire_lease("first", NOW).await?;
    Ok((store, lease.epoch))
}

/// Everything that can be read from a store, to be compared.
///
/// # Errors
/// When something cannot be read.
pub async fn contents(store: &dyn Store) -> Result<Vec<String>, Broken> {
    let mut all = vec![format!("{:?}", store.load(SUBJECT).await?)];
    all.extend(store.tickets(&TicketFilter::default()).await?.iter().map(|ticket| format!("{ticket:?}")));
    all.extend(store.incidents(None, 0).await?.iter().map(|incident| format!("{incident:?}")));
    for execution in store.executions(&ExecutionFilter::default()).await? {
        let id = &execution.proposal.id;
        let (attempts, approvals) = (store.attempts(id).await?, store.approvals(id).await?);
        all.push(format!("{execution:?} {attempts:?} {approvals:?} {:?}", store.verifications(id).await?));
    }
    all.push(format!("{:?}", store.kill_switch().await?));
    all.extend(store.audit(1, 10_000).await?.iter().map(|row| format!("{row:?}")));
    Ok(all)
}

/// A claim that must be granted.
///
/// # Errors
/// When it is not.
pub fn granted(claim: Result<Claimed, ClaimError>) -> Result<Claimed, Broken> {
    claim.map_err(|error| Broken(format!("a claim that nothing stands against: {error}")))
}
