//! Acting: once, under the policy, and verified.

use operator_core::policy::Autonomy;
use operator_core::store::{KillScope, Store};
use operator_core::{Execution, ExecutionState, Principal, TicketState};
use operator_protocols::{ActionClass, Holds};

use super::world::{Behaviour, Bench, World};

async fn broken(world: World) -> Bench {
    let mut bench = Bench::new(world, Autonomy::Auto).await;
    bench.cycles(3).await;
    bench.subject.world().broken = true;
    bench
}

fn states(executions: &[Execution]) -> Vec<(&str, ExecutionState)> {
    executions.iter().map(|execution| (execution.proposal.action.as_str(), execution.state)).collect()
}

#[tokio::test]
async fn a_confirmed_cause_is_repaired_once_verified_and_resolved() {
    let mut bench = broken(World::default()).await;
    bench.cycles(1).await;
    assert!(bench.subject.world().effects.is_empty(), "one look does not confirm a cause");
    bench.cycles(1).await;
    assert_eq!(bench.subject.world().effects.len(), 1);
    assert_eq!(bench.ticket().await.state, TicketState::Verifying);
    bench.cycles(6).await;
    assert_eq!(bench.ticket().await.state, TicketState::Resolved);
    assert_eq!(bench.subject.world().effects.len(), 1);
    let kinds: Vec<_> = bench.audit().await.into_iter().map(|event| event.kind).collect();
    let order = [
        "ticket.opened",
        "diagnosis.made",
        "action.proposed",
        "action.claimed",
        "action.finished",
        "verification.ended",
    ];
    let places: Vec<_> = order.iter().map(|kind| kinds.iter().position(|k| k == kind).expect(kind)).collect();
    assert!(places.is_sorted(), "{kinds:?}");
}

#[tokio::test]
async fn what_does_not_help_is_not_tried_twice_in_a_row_and_then_a_person_is_called() {
    let mut bench = broken(World { behaviour: Behaviour::WorksInVain, ..World::default() }).await;
    bench.cycles(60).await;
    let executions = bench.executions().await;
    for pair in executions.windows(2) {
        assert_ne!(pair[0].proposal.action, pair[1].proposal.action);
    }
    assert!(executions.len() <= 4, "{}", executions.len());
    assert_eq!(bench.ticket().await.state, TicketState::NeedsHuman);
}

#[tokio::test]
async fn a_target_that_refuses_leaves_a_failed_action_and_the_next_candidate_is_tried() {
    let mut bench = broken(World { behaviour: Behaviour::Refuses, ..World::default() }).await;
    bench.cycles(2).await;
    assert_eq!(states(&bench.executions().await), [("mend", ExecutionState::Failed)]);
    bench.subject.world().behaviour = Behaviour::Works;
    bench.cycles(8).await;
    assert_eq!(
        states(&bench.executions().await),
        [("mend", ExecutionState::Failed), ("replace", ExecutionState::Done)]
    );
    assert_eq!(bench.ticket().await.state, TicketState::Resolved);
}

#[tokio::test]
async fn an_answer_that_is_lost_does_not_double_the_effect() {
    for class in [ActionClass::Keyed, ActionClass::Cas, ActionClass::Query] {
        let mut bench = broken(World { behaviour: Behaviour::AnswerLost, class, ..World::default() }).await;
        bench.cycles(8).await;
        assert_eq!(bench.subject.world().effects.len(), 1, "{class:?}");
        assert_eq!(states(&bench.executions().await), [("mend", ExecutionState::Done)], "{class:?}");
        assert_eq!(bench.ticket().await.state, TicketState::Resolved, "{class:?}");
    }
}

#[tokio::test]
async fn a_request_that_is_lost_is_sent_again_only_where_a_repeat_is_harmless() {
    for (class, arrivals) in [(ActionClass::Keyed, 3), (ActionClass::Cas, 3), (ActionClass::Query, 1)] {
        let mut bench = broken(World { behaviour: Behaviour::RequestLost, class, ..World::default() }).await;
        bench.cycles(30).await;
        assert_eq!(bench.subject.world().arrived.len(), arrivals, "{class:?}");
        assert_eq!(states(&bench.executions().await), [("mend", ExecutionState::Unsettled)], "{class:?}");
        assert_eq!(bench.ticket().await.state, TicketState::NeedsHuman, "{class:?}");
    }
}

#[tokio::test]
async fn a_blind_action_is_never_automatic() {
    let mut bench = broken(World { class: ActionClass::Blind, ..World::default() }).await;
    bench.cycles(5).await;
    assert_eq!(states(&bench.executions().await), [("mend", ExecutionState::AwaitingApproval)]);
}

#[tokio::test]
async fn a_target_that_cannot_be_reached_is_tried_a_few_times_and_counts_as_failed() {
    let mut bench = broken(World { behaviour: Behaviour::Unreachable, ..World::default() }).await;
    bench.cycles(4).await;
    let executions = bench.executions().await;
    assert_eq!(states(&executions)[0], ("mend", ExecutionState::Failed));
    assert_eq!(executions[0].attempt, 3);
}

#[tokio::test]
async fn a_guard_that_does_not_hold_lets_nothing_be_proposed() {
    let mut bench = broken(World { guard: Holds::No("the last one".to_owned()), ..World::default() }).await;
    bench.cycles(5).await;
    assert!(bench.executions().await.is_empty());
    let ticket = bench.ticket().await;
    assert!(ticket.state_reason.contains("the last one"), "{}", ticket.state_reason);
}

#[tokio::test]
async fn after_the_kill_switch_nothing_is_sent() {
    let mut bench = broken(World::default()).await;
    let by = Bench::person("ann", operator_core::Role::Admin);
    bench.store.engage_kill_switch(KillScope::Global, &by, "test", bench.now()).await.expect("engaged");
    bench.cycles(10).await;
    assert!(bench.subject.world().arrived.is_empty());
    bench.store.release_kill_switch(KillScope::Global, &by, "test", bench.now()).await.expect("released");
    bench.cycles(8).await;
    assert_eq!(bench.subject.world().effects.len(), 1);
    assert_eq!(bench.ticket().await.state, TicketState::Resolved);
}

#[tokio::test]
async fn what_breaks_because_of_an_action_calls_a_person() {
    let mut bench = broken(World { breaks_other: true, ..World::default() }).await;
    bench.cycles(4).await;
    let tickets = bench.tickets().await;
    let first = tickets.iter().find(|ticket| ticket.on == super::world::worker()).expect("the first ticket");
    assert_eq!(first.state, TicketState::NeedsHuman, "{tickets:#?}");
    assert!(first.state_reason.contains("helper"), "{}", first.state_reason);
}

#[tokio::test]
async fn the_operator_itself_may_not_command() {
    let mut bench = broken(World::default()).await;
    let command = operator_core::Command::SetMode { mode: "auto".to_owned(), reason: String::new() };
    let at = bench.now();
    assert!(bench.engine().command(&Principal::operator(), command, at).await.is_err());
}
