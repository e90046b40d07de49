//! A containment keeps the effects in bounds, and is taken back when the cause is gone.

use operator_core::policy::Autonomy;
use operator_core::{ExecutionState, TicketState};
use operator_protocols::{Does, FaultClass};

use super::world::{Bench, World};

#[tokio::test]
async fn it_is_contained_and_undone_when_the_cause_is_gone() {
    let world = World { remedy: FaultClass::ComponentSlow, ..World::default() };
    let mut bench = Bench::with(world, Autonomy::Auto, &[("divert", Does::Contains)], FaultClass::ComponentSlow).await;
    bench.cycles(5).await;
    bench.subject.world().broken = true;
    bench.cycles(6).await;
    assert!(bench.subject.world().diverted);
    assert_eq!(bench.ticket().await.state, TicketState::Contained);
    bench.cycles(10).await;
    assert_eq!(bench.ticket().await.state, TicketState::Contained, "the cause is still there");
    bench.subject.world().broken = false;
    bench.cycles(12).await;
    assert!(!bench.subject.world().diverted, "it was taken back");
    assert_eq!(bench.ticket().await.state, TicketState::Resolved);
    let executions = bench.executions().await;
    assert_eq!(executions.len(), 2);
    assert_eq!(executions[1].proposal.undo_of.as_ref(), Some(&executions[0].proposal.id));
    assert!(executions.iter().all(|execution| execution.state == ExecutionState::Done));
}
