//! The kill switch.

use std::path::PathBuf;
use std::sync::Arc;

use crate::ExecutionState::{Approved, Dispatched, Done, Running, Unknown, Unsettled};
use crate::store::contract::outcome::{ensure, ensure_eq, ensure_err};
use crate::store::contract::sample::{
    NOW, SUBJECT, admin, bring_to, contents, execution, gate, granted, minutes, owned, proposed, stored,
};
use crate::store::contract::{Broken, Fixture, Outcome};
use crate::store::sqlite::kill_switch::{engage_by_file, file_path, release_by_file};
use crate::store::{ClaimError, KillScope, KillState, Refusal, Store, StoreError};
use crate::{Actor, Execution};

fn subject(name: &str) -> KillScope {
    KillScope::Subject(name.to_owned())
}

async fn stopped(store: &dyn Store, epoch: u64, execution: &Execution) -> Result<KillScope, Broken> {
    let before = contents(store).await?;
    let result = store.claim(gate(execution, epoch)).await;
    let scope =
        ensure_err!(result, ClaimError::Refused(Refusal::KillSwitch { scope }) => scope, "a claim while engaged");
    ensure_eq_contents(store, before).await?;
    Ok(scope)
}

async fn ensure_eq_contents(store: &dyn Store, before: Vec<String>) -> Outcome {
    ensure_eq!(contents(store).await?, before, "what is stored");
    Ok(())
}

pub(super) async fn nothing_within_its_scope_is_claimed_while_it_is_engaged(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let waiting = bring_to(&*store, epoch, &execution(1), Approved).await?;
    let unknown = bring_to(&*store, epoch, &execution(2), Unknown).await?;
    for scope in [KillScope::Global, subject(SUBJECT)] {
        let engaged = store.engage_kill_switch(scope.clone(), &admin(), "stop", NOW).await?;
        ensure!(engaged.row_written, "{engaged:?}");
        ensure_eq!(engaged.scope, scope, "the scope acknowledged");
        ensure_eq!(stopped(&*store, epoch, &waiting).await?, scope, "what stops it");
        ensure_eq!(stopped(&*store, epoch, &unknown).await?, scope, "what stops a repeat");
        // What is not a claim goes on: outcomes and cycles are written.
        store.commit_cycle(epoch, proposed(&[])).await?;
        store.release_kill_switch(scope, &admin(), "it was a test", NOW).await?;
    }
    for scope in [subject("us-shop"), subject("eu"), subject("")] {
        store.engage_kill_switch(scope, &admin(), "stop the other", NOW).await?;
    }
    granted(store.claim(gate(&waiting, epoch)).await)?;
    granted(store.claim(gate(&unknown, epoch)).await)?;
    Ok(())
}

pub(super) async fn the_acknowledgement_says_what_is_in_flight(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    for (n, state) in [(1, Dispatched), (2, Done), (3, Running), (4, Approved), (5, Unknown), (6, Unsettled)] {
        bring_to(&*store, epoch, &execution(n), state).await?;
    }
    let ids = |ns: &[u32]| ns.iter().map(|n| execution(*n).proposal.id).collect::<Vec<_>>();
    for (scope, expected) in [
        (KillScope::Global, ids(&[1, 3, 5, 6])),
        (subject(SUBJECT), ids(&[1, 3, 5, 6])),
        (subject("us-shop"), ids(&[])),
    ] {
        let engaged = store.engage_kill_switch(scope.clone(), &admin(), "stop", NOW).await?;
        ensure_eq!(engaged.in_flight, expected, "in flight within {scope}");
    }
    Ok(())
}

pub(super) async fn it_is_said_who_engaged_it_and_why(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, _) = owned(&fixture).await?;
    ensure_eq!(store.kill_switch().await?, vec![], "before anything");
    store.engage_kill_switch(KillScope::Global, &admin(), "stop", NOW).await?;
    store.engage_kill_switch(KillScope::Global, &admin(), "stop again", minutes(1)).await?;
    store.engage_kill_switch(subject(SUBJECT), &admin(), "here too", minutes(2)).await?;
    store.release_kill_switch(subject(SUBJECT), &admin(), "mended", minutes(3)).await?;
    let state = |scope, engaged, reason: &str, at, generation| KillState {
        scope,
        engaged,
        by_file: engaged && fixture.state_dir().is_some(),
        by: "ada".to_owned(),
        reason: reason.to_owned(),
        at,
        generation,
    };
    let expected = vec![
        state(KillScope::Global, true, "stop again", minutes(1), 2),
        state(subject(SUBJECT), false, "mended", minutes(3), 2),
    ];
    ensure_eq!(store.kill_switch().await?, expected, "the switches");
    let rows = store.audit(1, 10).await?;
    let kinds: Vec<_> = rows.iter().map(|row| row.event.kind.as_str()).collect();
    let engaged = "kill_switch.engaged";
    ensure_eq!(kinds, [engaged, engaged, engaged, "kill_switch.released"], "the audit rows");
    ensure_eq!(rows[0].event.actor, Actor::Principal(admin()), "who it was");
    ensure_eq!(rows[3].event.body["reason"], "mended", "why it was released");
    Ok(())
}

pub(super) async fn releasing_it_needs_a_reason(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let waiting = bring_to(&*store, epoch, &execution(1), Approved).await?;
    store.engage_kill_switch(KillScope::Global, &admin(), "", NOW).await?;
    for reason in ["", "  \n"] {
        let result = store.release_kill_switch(KillScope::Global, &admin(), reason, NOW).await;
        ensure!(matches!(result, Err(StoreError::Conflict { .. })), "{reason:?}: {result:?}");
        stopped(&*store, epoch, &waiting).await?;
    }
    Ok(())
}

pub(super) async fn it_outlives_the_process(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let waiting = bring_to(&*store, epoch, &execution(1), Approved).await?;
    store.engage_kill_switch(subject(SUBJECT), &admin(), "stop", NOW).await?;
    drop(store);
    let (store, epoch) = owned(&fixture).await?;
    if let Some(dir) = fixture.state_dir() {
        // The row alone, too.
        ensure!(release_by_file(dir, &subject(SUBJECT))?, "there was a file");
    }
    ensure_eq!(stopped(&*store, epoch, &waiting).await?, subject(SUBJECT), "what stops it");
    Ok(())
}

pub(super) async fn a_file_alone_engages_it(fixture: Arc<dyn Fixture>) -> Outcome {
    let Some(dir) = fixture.state_dir().map(PathBuf::from) else { return Ok(()) };
    let (store, epoch) = owned(&fixture).await?;
    let waiting = bring_to(&*store, epoch, &execution(1), Approved).await?;
    let rows = store.audit(1, 100).await?;
    for scope in [KillScope::Global, subject(SUBJECT)] {
        engage_by_file(&dir, &scope, "bo", "stop", minutes(1))?;
        ensure_eq!(stopped(&*store, epoch, &waiting).await?, scope, "what stops it");
        let states = store.kill_switch().await?;
        let by = |state: &KillState| (state.scope.clone(), state.engaged, state.by_file, state.by.clone(), state.at);
        let expected = vec![(scope.clone(), true, true, "bo".to_owned(), minutes(1))];
        ensure_eq!(states.iter().map(by).collect::<Vec<_>>(), expected, "the switches");
        ensure!(release_by_file(&dir, &scope)?, "there was a file");

        std::fs::write(file_path(&dir, &scope), "")?;
        ensure_eq!(stopped(&*store, epoch, &waiting).await?, scope, "what stops it, made by hand");
        std::fs::remove_file(file_path(&dir, &scope))?;
    }
    // Releasing takes the file away too, and a file of another subject stops nothing here.
    engage_by_file(&dir, &KillScope::Global, "bo", "stop", NOW)?;
    store.release_kill_switch(KillScope::Global, &admin(), "mended", NOW).await?;
    engage_by_file(&dir, &subject("us-shop"), "bo", "stop", NOW)?;
    granted(store.claim(gate(&waiting, epoch)).await)?;
    ensure!(rows.is_empty(), "the rows before: {rows:?}");
    Ok(())
}

/// Claims race with whoever engages the switch, by command and by file. What was acknowledged holds: an intent that was
/// not claimed by then never is.
pub(super) async fn no_claim_commits_after_the_acknowledgement(fixture: Arc<dyn Fixture>) -> Outcome {
    const ROUNDS: u32 = 60;
    let (store, epoch) = owned(&fixture).await?;
    let reader = fixture.open().await?;
    let all: Vec<_> = (1..=ROUNDS).map(execution).collect();
    store.commit_cycle(epoch, proposed(&all)).await?;
    let mut won = 0;
    for (round, execution) in all.iter().enumerate() {
        let scope = if round % 2 == 0 { KillScope::Global } else { subject(SUBJECT) };
        let claim = {
            let (store, gate) = (Arc::clone(&store), gate(execution, epoch));
            tokio::spawn(async move { store.claim(gate).await })
        };
        for _ in 0..round % 5 {
            tokio::task::yield_now().await;
        }
        let dir = fixture.state_dir().filter(|_| round % 4 < 2).map(PathBuf::from);
        let listed = match &dir {
            Some(dir) => {
                let (dir, scope) = (dir.clone(), scope.clone());
                let engage = move || engage_by_file(&dir, &scope, "bo", "stop", NOW);
                tokio::task::spawn_blocking(engage).await??;
                None
            }
            None => Some(store.engage_kill_switch(scope.clone(), &admin(), "stop", NOW).await?.in_flight),
        };
        let acknowledged = stored(&*reader, &execution.proposal.id).await?.state;
        let granted = claim.await?.is_ok();
        won += u32::from(granted);
        let at_last = stored(&*reader, &execution.proposal.id).await?.state;
        ensure_eq!(at_last, acknowledged, "round {round}: the state, and as it was when the kill was acknowledged");
        ensure_eq!(granted, at_last == Dispatched, "round {round}: what the claimer was told");
        if let Some(listed) = listed {
            let named = listed.contains(&execution.proposal.id);
            ensure_eq!(named, granted, "round {round}: whether the acknowledgement names it as in flight");
        }
        store.release_kill_switch(scope, &admin(), "next round", NOW).await?;
    }
    ensure!(won < ROUNDS, "every claim was faster than the switch: nothing was tried");
    Ok(())
}
