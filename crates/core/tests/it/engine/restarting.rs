//! A loop that dies at any moment loses nothing and does nothing twice.

use operator_core::policy::Autonomy;
use operator_core::store::{Finish, Finished, Store};
use operator_core::{AuditEvent, ExecutionState, TicketState};
use operator_protocols::ActionClass;

use super::world::{Behaviour, Bench, World};

#[tokio::test]
async fn a_ticket_survives_and_is_repaired_after_the_restart() {
    let mut bench = Bench::new(World::default(), Autonomy::Auto).await;
    bench.cycles(3).await;
    bench.subject.world().broken = true;
    bench.cycles(1).await;
    bench.kill_and_start().await;
    bench.cycles(10).await;
    let ticket = bench.ticket().await;
    assert_eq!(ticket.state, TicketState::Resolved, "{ticket:#?}");
    assert_eq!(bench.subject.world().effects.len(), 1);
}

#[tokio::test]
async fn an_unknown_outcome_is_reconciled_after_the_restart_without_a_second_effect() {
    for class in [ActionClass::Keyed, ActionClass::Cas, ActionClass::Query] {
        let mut bench =
            Bench::new(World { behaviour: Behaviour::AnswerLost, class, ..World::default() }, Autonomy::Auto).await;
        bench.cycles(3).await;
        bench.subject.world().broken = true;
        bench.cycles(2).await;
        assert_eq!(bench.executions().await[0].state, ExecutionState::Unknown, "{class:?}");
        bench.kill_and_start().await;
        bench.cycles(8).await;
        assert_eq!(bench.subject.world().effects.len(), 1, "{class:?}");
        assert_eq!(bench.executions().await[0].state, ExecutionState::Done, "{class:?}");
        assert_eq!(bench.ticket().await.state, TicketState::Resolved, "{class:?}");
    }
}

/// Found by killing the real binary: an outcome is one write and what it means for the tickets the next, and a process
/// that ended between the two left a ticket behind that nobody looked after.
#[tokio::test]
async fn an_outcome_written_last_before_the_end_still_moves_its_ticket() {
    for to in [ExecutionState::Done, ExecutionState::Unsettled] {
        let mut bench =
            Bench::new(World { behaviour: Behaviour::AnswerLost, ..World::default() }, Autonomy::Auto).await;
        bench.cycles(3).await;
        bench.subject.world().broken = true;
        bench.cycles(2).await;
        let unknown = bench.executions().await.remove(0);
        assert_eq!((unknown.state, bench.ticket().await.state), (ExecutionState::Unknown, TicketState::Acting));
        let audit =
            AuditEvent::by_operator(bench.now(), "action.reconciled", &unknown.proposal.id, serde_json::json!({}));
        let finish = Finish {
            intent: unknown.proposal.id.clone(),
            attempt: unknown.attempt,
            epoch: unknown.epoch,
            from: unknown.state,
            to,
            reason: "found out".to_owned(),
            deadline: None,
            response_sha256: None,
            now: bench.now(),
            audit,
        };
        let finished = bench.store.finish(finish).await.expect("written");
        assert!(matches!(finished, Finished::Applied { .. }), "{finished:?}");
        bench.kill_and_start().await;
        bench.cycles(8).await;
        let ticket = bench.ticket().await;
        assert_eq!(ticket.state, TicketState::Resolved, "{to}: {ticket:#?}");
        assert_eq!(bench.subject.world().effects.len(), 1, "{to}");
    }
}
