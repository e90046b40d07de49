//! A containment keeps the effects in bounds, and is taken back when the cause is gone.

use std::time::Duration;

use operator_core::policy::Autonomy;
use operator_core::{ExecutionState, TicketState};
use operator_protocols::{Does, FaultClass};

use super::world::{Bench, World, helper};

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

#[tokio::test]
async fn a_ticket_that_joins_after_the_containment_was_sent_waits_for_what_comes_of_it() {
    let world = World { remedy: FaultClass::ComponentSlow, ..World::default() };
    let mut bench = Bench::with(world, Autonomy::Auto, &[("divert", Does::Contains)], FaultClass::ComponentSlow).await;
    bench.grace = Duration::from_secs(20);
    bench.kill_and_start().await;
    bench.cycles(5).await;
    bench.subject.world().broken = true;
    bench.cycles(2).await;
    // Suffers from the same since before anything was done, and outlives its own grace only after that.
    bench.subject.world().other_broken = true;
    bench.cycles(4).await;
    assert!(bench.subject.world().diverted);
    bench.cycles(12).await;
    let tickets = bench.tickets().await;
    assert_eq!(tickets.len(), 2, "{tickets:#?}");
    assert!(tickets.iter().all(|ticket| ticket.state != TicketState::NeedsHuman), "{tickets:#?}");
    let late = tickets.iter().find(|ticket| ticket.on == helper()).expect("of the helper");
    assert!(late.state_reason.contains("is being watched"), "{}", late.state_reason);
    assert_eq!(bench.executions().await.len(), 1, "it is not sent twice");
    bench.subject.world().broken = false;
    bench.subject.world().other_broken = false;
    bench.cycles(14).await;
    let tickets = bench.tickets().await;
    assert!(tickets.iter().all(|ticket| ticket.state == TicketState::Resolved), "{tickets:#?}");
}
