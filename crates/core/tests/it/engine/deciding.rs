//! People: who may decide what, and that a decision is on exactly what was shown.

use operator_core::policy::Autonomy;
use operator_core::{Command, CommandError, Execution, ExecutionState, Role, TicketState};
use operator_protocols::Risk;

use super::world::{Bench, World};

async fn waiting(world: World) -> (Bench, Execution) {
    let mut bench = Bench::new(world, Autonomy::Approve).await;
    bench.subject.world().broken = true;
    bench.cycles(3).await;
    let executions = bench.executions().await;
    assert_eq!(executions.len(), 1);
    assert_eq!(executions[0].state, ExecutionState::AwaitingApproval);
    let execution = executions[0].clone();
    (bench, execution)
}

async fn decide(
    bench: &mut Bench,
    execution: &Execution,
    who: &str,
    role: Role,
    approve: bool,
) -> Result<String, CommandError> {
    let command = Command::Decide {
        intent: execution.proposal.id.clone(),
        bind_hash: execution.bind_hash.clone(),
        approve,
        reason: "as shown".to_owned(),
    };
    let at = bench.now();
    bench.engine().command(&Bench::person(who, role), command, at).await
}

#[tokio::test]
async fn what_waits_for_approval_is_not_sent_and_what_is_approved_is_sent_once() {
    let (mut bench, execution) = waiting(World::default()).await;
    bench.cycles(5).await;
    assert!(bench.subject.world().arrived.is_empty());
    decide(&mut bench, &execution, "ann", Role::Approver, true).await.expect("approved");
    bench.cycles(6).await;
    assert_eq!(bench.subject.world().effects.len(), 1);
    assert_eq!(bench.ticket().await.state, TicketState::Resolved);
}

#[tokio::test]
async fn a_person_without_the_right_cannot_decide() {
    let (mut bench, execution) = waiting(World::default()).await;
    assert!(decide(&mut bench, &execution, "ann", Role::Operator, true).await.is_err());
    assert!(decide(&mut bench, &execution, "mallory", Role::Approver, true).await.is_err());
    bench.cycles(3).await;
    assert!(bench.subject.world().arrived.is_empty());
}

#[tokio::test]
async fn a_decision_on_something_else_than_what_stands_does_not_count() {
    let (mut bench, execution) = waiting(World::default()).await;
    let other = Execution { bind_hash: "0".repeat(64), ..execution };
    assert!(decide(&mut bench, &other, "ann", Role::Approver, true).await.is_err());
    bench.cycles(3).await;
    assert!(bench.subject.world().arrived.is_empty());
}

#[tokio::test]
async fn high_risk_takes_two_different_people() {
    let (mut bench, execution) = waiting(World { risk: Risk::High, ..World::default() }).await;
    decide(&mut bench, &execution, "ann", Role::Approver, true).await.expect("counted");
    let again = decide(&mut bench, &execution, "ann", Role::Approver, true).await;
    bench.cycles(2).await;
    assert!(bench.subject.world().arrived.is_empty(), "{again:?}");
    decide(&mut bench, &execution, "bob", Role::Approver, true).await.expect("the second");
    bench.cycles(2).await;
    assert_eq!(bench.subject.world().effects.len(), 1);
}

#[tokio::test]
async fn a_rejection_ends_it_and_the_ticket_goes_on() {
    let (mut bench, execution) = waiting(World::default()).await;
    decide(&mut bench, &execution, "ann", Role::Approver, false).await.expect("rejected");
    let executions = bench.executions().await;
    assert_eq!(executions[0].state, ExecutionState::Cancelled);
    assert_ne!(bench.ticket().await.state, TicketState::Acting);
    assert!(bench.subject.world().arrived.is_empty());
}

#[tokio::test]
async fn nobody_deciding_in_time_expires_it() {
    let (mut bench, _) = waiting(World::default()).await;
    bench.second += 16 * 60;
    bench.cycles(1).await;
    assert_eq!(bench.executions().await[0].state, ExecutionState::Expired);
}

#[tokio::test]
async fn a_world_that_moved_after_the_proposal_is_not_acted_on() {
    let (mut bench, execution) = waiting(World::default()).await;
    decide(&mut bench, &execution, "ann", Role::Approver, true).await.expect("approved");
    bench.subject.world().incarnation += 1;
    bench.cycles(1).await;
    assert_eq!(bench.executions().await[0].state, ExecutionState::Expired);
    assert!(bench.subject.world().arrived.is_empty());
}

#[tokio::test]
async fn a_change_of_mode_voids_what_was_proposed_under_the_old_one() {
    let (mut bench, execution) = waiting(World::default()).await;
    let mode = Command::SetMode { mode: "observe".to_owned(), reason: "night".to_owned() };
    let at = bench.now();
    bench.engine().command(&Bench::person("ann", Role::Admin), mode, at).await.expect("set");
    // The decision itself may be refused or not: nothing may come of it.
    let _ = decide(&mut bench, &execution, "ann", Role::Approver, true).await;
    bench.cycles(3).await;
    assert!(bench.subject.world().arrived.is_empty());
}

#[tokio::test]
async fn what_heals_while_it_waits_is_called_off() {
    let (mut bench, _) = waiting(World::default()).await;
    bench.subject.world().broken = false;
    bench.cycles(5).await;
    assert_eq!(bench.executions().await[0].state, ExecutionState::Cancelled);
    assert_eq!(bench.ticket().await.state, TicketState::Resolved);
}
