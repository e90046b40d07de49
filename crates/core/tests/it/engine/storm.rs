//! Everything breaks at once.

use std::time::Instant;

use operator_core::TicketState;
use operator_core::policy::Autonomy;
use operator_core::store::{Store, TicketFilter};

use super::world::{Bench, World};

const MANY: u32 = 10_000;

#[tokio::test]
async fn ten_thousand_findings_in_one_cycle_are_ten_thousand_tickets_of_one_incident() {
    let mut bench = Bench::new(World { storm: MANY, ..World::default() }, Autonomy::Observe).await;
    let begun = Instant::now();
    bench.cycles(1).await;
    println!("{MANY} findings in one cycle: {} ms", begun.elapsed().as_millis());
    let filter = TicketFilter { limit: 2 * MANY, ..TicketFilter::default() };
    let tickets = bench.store.tickets(&filter).await.expect("tickets");
    assert_eq!(tickets.len(), MANY as usize);
    assert!(tickets.iter().all(|ticket| ticket.incident == tickets[0].incident));
    assert!(tickets.iter().all(|ticket| ticket.state == TicketState::Diagnosed));
}
