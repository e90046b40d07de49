//! The audit chain as a store keeps it.

use std::sync::Arc;

use serde_json::json;

use crate::ExecutionState::{AwaitingApproval, Unsettled};
use crate::audit::{ChainHead, ChainStatus, verify};
use crate::store::contract::outcome::{ensure, ensure_eq};
use crate::store::contract::sample::{NOW, admin, bring_to, decision, event, execution, noticed, owned, proposed};
use crate::store::contract::{Fixture, Outcome};
use crate::store::{KillScope, Store};
use crate::{Actor, AuditEvent, Decision, Execution};

pub(super) async fn the_chain_has_no_gap_and_verifies(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let empty = store.verify_audit().await?;
    ensure!(matches!(&empty, ChainStatus::Intact { size: 0, .. }), "an empty chain: {empty:?}");
    store.commit_cycle(epoch, noticed(1)).await?;
    bring_to(&*store, epoch, &execution(1), Unsettled).await?;
    let waiting = bring_to(&*store, epoch, &execution(2), AwaitingApproval).await?;
    let approved = event("action.approved", "x");
    store.decide(epoch, decision(&waiting, &admin(), Decision::Approve), approved).await?;
    store.engage_kill_switch(KillScope::Global, &admin(), "stop", NOW).await?;
    store.release_kill_switch(KillScope::Global, &admin(), "mended", NOW).await?;
    store.append_audit(event("operator.stopped", "x")).await?;
    let before = intact(&*store).await?;
    ensure_eq!(before.seq, 7, "rows");
    drop(store);

    let (store, _) = owned(&fixture).await?;
    ensure_eq!(intact(&*store).await?, before, "the chain after a restart");
    store.append_audit(event("operator.started", "x")).await?;
    let after = intact(&*store).await?;
    ensure_eq!(after.seq, 8, "rows");
    let rows = store.audit(8, 1).await?;
    ensure_eq!(rows[0].prev, before.hash, "what the new row follows");
    Ok(())
}

/// The end of a chain that the store, and whoever reads its rows, finds intact.
async fn intact(store: &dyn Store) -> Result<ChainHead, crate::store::contract::Broken> {
    let rows = store.audit(1, 100_000).await?;
    let seqs: Vec<_> = rows.iter().map(|row| row.seq).collect();
    ensure_eq!(seqs, (1..=rows.len() as u64).collect::<Vec<_>>(), "the places");
    let last = rows.last().map(|row| ChainHead { seq: row.seq, hash: row.hash.clone() });
    let status = store.verify_audit().await?;
    let ChainStatus::Intact { size, head } = status.clone() else {
        return Err(crate::store::contract::Broken(format!("the chain is not intact: {status:?}")));
    };
    let end = ChainHead { seq: size, hash: head };
    ensure_eq!(Some(&end), last.as_ref(), "the chain's end");
    ensure_eq!(verify(&store.install_id().await?, rows, Some(&end)), status, "what the rows alone say");
    Ok(end)
}

pub(super) async fn rows_written_at_once_stand_in_one_chain(fixture: Arc<dyn Fixture>) -> Outcome {
    const MANY: u64 = 30;
    let (store, _) = owned(&fixture).await?;
    let tasks: Vec<_> = (0..MANY)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.append_audit(event("x", &n.to_string())).await })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    ensure_eq!(intact(&*store).await?.seq, MANY, "rows");
    Ok(())
}

pub(super) async fn an_event_reads_back_as_it_was_written(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, _) = owned(&fixture).await?;
    let odd = "\u{0}\u{1f}\"\\ é \u{2028} 🦀 ' OR 1=1; --";
    let events = [
        AuditEvent { actor: Actor::Principal(admin()), ..event(odd, odd) },
        AuditEvent { body: json!(null), ..event("", "") },
        AuditEvent {
            body: json!({ odd: [odd, 0.1 + 0.2, -0.0, 1e300, 5e-324, u64::MAX, i64::MIN, true] }),
            ..event("a", "b")
        },
        AuditEvent { body: json!(["x".repeat(100_000)]), ..event("a", "b") },
        AuditEvent { at: operator_protocols::Timestamp::from_millis(i64::MIN), ..event("a", "b") },
    ];
    for event in &events {
        store.append_audit(event.clone()).await?;
    }
    let read: Vec<_> = store.audit(1, 10).await?.into_iter().map(|row| row.event).collect();
    ensure_eq!(read, events, "the events");
    intact(&*store).await?;
    Ok(())
}

pub(super) async fn changes_and_their_rows_come_together(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    store.commit_cycle(epoch, noticed(1)).await?;
    let before = intact(&*store).await?;
    // A refused commit leaves no row, and no hole where its rows would have been.
    let mut wrong = noticed(2);
    wrong.executions.push(Execution { version: 5, ..execution(1) });
    ensure!(store.commit_cycle(epoch, wrong).await.is_err(), "a commit with something wrong");
    ensure_eq!(intact(&*store).await?, before, "the chain after a refused commit");
    let rows = (1..=3).map(|n| event("x", &n.to_string())).collect();
    store.commit_cycle(epoch, crate::store::CycleCommit { audit: rows, ..proposed(&[]) }).await?;
    ensure_eq!(intact(&*store).await?.seq, before.seq + 3, "rows");
    Ok(())
}
