//! A loop that dies at any moment loses nothing and does nothing twice.

use operator_core::policy::Autonomy;
use operator_core::{ExecutionState, TicketState};
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
