//! The claim: one transaction in which every condition is looked at and the intent becomes `dispatched`.

use rusqlite::{OptionalExtension, Transaction, params};

use operator_protocols::Timestamp;

use crate::store::sqlite::rows::to_int;
use crate::store::sqlite::trouble::Trouble;
use crate::store::sqlite::writer::WriterState;
use crate::store::sqlite::{audit_log, decide, intent, kill_switch, lease, slot, switch_row};
use crate::store::{BudgetCharge, ClaimGate, Claimed, Refusal, StoreError};
use crate::{Execution, ExecutionState};

/// Claims, or says which condition does not hold. The kill switch's lock is held from the look at it to the commit.
pub(super) fn claim(writer: &mut WriterState, gate: &ClaimGate) -> Result<Claimed, Trouble> {
    writer.owned()?;
    let state_dir = writer.state_dir().to_owned();
    let mut guard = None;
    let result = writer.transaction(|transaction| {
        // Taken within the transaction, so that waiting for the database holds nobody off.
        guard = Some(kill_switch::begin_claim(&state_dir)?);
        check_lease(transaction, gate)?;
        if let Some(scope) = kill_switch::stops(&state_dir, &gate.subject) {
            return Err(Refusal::KillSwitch { scope }.into());
        }
        if let Some(scope) = switch_row::stops(transaction, &gate.subject)? {
            return Err(Refusal::KillSwitch { scope }.into());
        }
        let execution = check_intent(transaction, gate)?;
        check_decisions(transaction, gate, &execution)?;
        check_room(transaction, gate, &execution)?;
        charge_budgets(transaction, &gate.charges, gate.now)?;
        dispatch(transaction, gate, execution)
    });
    // After the commit, not before.
    drop(guard);
    result
}

fn check_lease(transaction: &Transaction<'_>, gate: &ClaimGate) -> Result<(), Trouble> {
    match lease::check_epoch(transaction, gate.epoch) {
        Err(Trouble::Store(StoreError::LostLease { held, actual })) => Err(Refusal::LostLease { held, actual }.into()),
        other => other,
    }
}

fn check_intent(transaction: &Transaction<'_>, gate: &ClaimGate) -> Result<Execution, Trouble> {
    let execution = intent::find(transaction, &gate.intent)?
        .filter(|execution| execution.proposal.subject == gate.subject)
        .ok_or_else(|| Refusal::NoSuchIntent(format!("{} of {}", gate.intent, gate.subject)))?;
    let proposal = &execution.proposal;
    if !execution.state.may_become(ExecutionState::Dispatched) {
        return Err(Refusal::State(execution.state).into());
    }
    if execution.attempt >= gate.max_attempts {
        return Err(Refusal::Attempts(execution.attempt).into());
    }
    // What is stored beside the proposal is not trusted to be its hash: that is computed again.
    let computed = proposal.bind_hash();
    for actual in [&execution.bind_hash, &computed] {
        if *actual != gate.bind_hash {
            return Err(Refusal::Hash { expected: gate.bind_hash.clone(), actual: actual.clone() }.into());
        }
    }
    if gate.now >= proposal.expires_at {
        return Err(Refusal::Expired(proposal.expires_at).into());
    }
    if proposal.policy_revision != gate.policy_revision {
        let (expected, actual) = (proposal.policy_revision.clone(), gate.policy_revision.clone());
        return Err(Refusal::Policy { expected, actual }.into());
    }
    Ok(execution)
}

fn check_decisions(transaction: &Transaction<'_>, gate: &ClaimGate, execution: &Execution) -> Result<(), Trouble> {
    let decisions = decide::read(transaction, &gate.intent)?;
    let requester = (execution.quorum >= 2).then_some(execution.proposal.requested_by.as_str());
    let tally = decide::tally(&decisions, &gate.approvers, &execution.bind_hash, requester, gate.now);
    if let Some(name) = tally.rejected_by {
        return Err(Refusal::Rejected(name).into());
    }
    if tally.approve < execution.quorum {
        return Err(Refusal::Quorum { have: tally.approve, need: execution.quorum }.into());
    }
    Ok(())
}

fn check_room(transaction: &Transaction<'_>, gate: &ClaimGate, execution: &Execution) -> Result<(), Trouble> {
    let in_flight = slot::in_flight(transaction, &gate.subject, &gate.intent)?;
    if in_flight >= i64::from(gate.max_in_flight) {
        let in_flight = u32::try_from(in_flight).unwrap_or(u32::MAX);
        return Err(Refusal::InFlight { in_flight, cap: gate.max_in_flight }.into());
    }
    match slot::holder(transaction, &execution.proposal.slot(), &gate.intent)? {
        Some(holder) => Err(Refusal::Slot { holder }.into()),
        None => Ok(()),
    }
}

fn charge_budgets(transaction: &Transaction<'_>, charges: &[BudgetCharge], now: Timestamp) -> Result<(), Trouble> {
    // Windows long past count for nothing; one more is kept, for a clock that steps back a little.
    transaction.execute("DELETE FROM budget WHERE win_ms + 2 * window_ms < ?1", [now.as_millis()])?;
    for charge in charges {
        let window = i64::try_from(charge.window.as_millis()).unwrap_or(i64::MAX).max(1);
        let begin = now.as_millis() - now.as_millis().rem_euclid(window);
        let key = params![charge.scope, window, begin];
        let used: Option<i64> = transaction
            .query_row("SELECT used FROM budget WHERE scope = ?1 AND window_ms = ?2 AND win_ms = ?3", key, |row| {
                row.get(0)
            })
            .optional()?;
        let used = used.unwrap_or(0) + 1;
        if used > i64::from(charge.cap) {
            let BudgetCharge { scope, window, cap } = charge.clone();
            return Err(Refusal::Budget { scope, cap, window }.into());
        }
        transaction.execute(
            "INSERT INTO budget (scope, window_ms, win_ms, used, cap) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (scope, window_ms, win_ms) DO UPDATE SET used = excluded.used, cap = excluded.cap",
            params![charge.scope, window, begin, used, charge.cap],
        )?;
    }
    Ok(())
}

fn dispatch(transaction: &Transaction<'_>, gate: &ClaimGate, mut execution: Execution) -> Result<Claimed, Trouble> {
    execution.state = ExecutionState::Dispatched;
    execution.state_reason = "claimed".to_owned();
    execution.attempt += 1;
    execution.epoch = gate.epoch;
    execution.send_by = Some(gate.send_by);
    execution.deadline = None;
    execution.updated_at = gate.now;
    execution.version += 1;
    intent::update(transaction, &execution)?;
    transaction.execute(
        "INSERT INTO attempt (intent_id, attempt, epoch, began_ms) VALUES (?1, ?2, ?3, ?4)",
        params![gate.intent, execution.attempt, to_int(gate.epoch), gate.now.as_millis()],
    )?;
    audit_log::append(transaction, std::slice::from_ref(&gate.audit))?;
    Ok(Claimed { attempt: execution.attempt, version: execution.version })
}
