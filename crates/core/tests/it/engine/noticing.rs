//! What becomes a ticket, and what does not.

use std::time::Duration;

use operator_core::TicketState;
use operator_core::policy::Autonomy;

use super::world::{Bench, World, worker};

#[tokio::test]
async fn nothing_wrong_opens_nothing() {
    let mut bench = Bench::new(World::default(), Autonomy::Auto).await;
    bench.cycles(20).await;
    assert!(bench.tickets().await.is_empty());
    assert!(bench.subject.world().effects.is_empty());
}

#[tokio::test]
async fn what_breaks_is_told_explained_and_when_it_heals_resolved() {
    let mut bench = Bench::new(World::default(), Autonomy::Observe).await;
    bench.cycles(3).await;
    bench.subject.world().broken = true;
    bench.cycles(3).await;
    let ticket = bench.ticket().await;
    assert_eq!((ticket.on.clone(), ticket.state), (worker(), TicketState::Diagnosed));
    bench.subject.world().broken = false;
    bench.cycles(3).await;
    assert_eq!(bench.ticket().await.state, TicketState::Resolved);
    assert!(bench.subject.world().arrived.is_empty(), "observing sends nothing");
}

#[tokio::test]
async fn not_seeing_it_resolves_nothing_and_becomes_a_gap() {
    let mut bench = Bench::new(World::default(), Autonomy::Observe).await;
    bench.subject.world().broken = true;
    bench.cycles(2).await;
    bench.subject.world().hidden = true;
    bench.cycles(14).await;
    let tickets = bench.tickets().await;
    let works: Vec<_> = tickets.iter().filter(|ticket| ticket.invariant == "works").collect();
    assert_eq!(works.len(), 1);
    assert_ne!(works[0].state, TicketState::Resolved);
    assert!(tickets.iter().any(|ticket| ticket.invariant == "monitoring_gap"), "{tickets:#?}");
}

#[tokio::test]
async fn a_subject_that_hangs_or_panics_resolves_nothing_and_stops_nothing() {
    let mut bench = Bench::new(World::default(), Autonomy::Observe).await;
    bench.subject.world().broken = true;
    bench.cycles(2).await;
    bench.subject.world().hangs = true;
    bench.cycles(2).await;
    bench.subject.world().hangs = false;
    bench.subject.world().panics = true;
    bench.cycles(2).await;
    assert_ne!(bench.ticket().await.state, TicketState::Resolved);
    bench.subject.world().panics = false;
    bench.subject.world().broken = false;
    bench.cycles(4).await;
    assert_eq!(bench.ticket().await.state, TicketState::Resolved);
}

#[tokio::test]
async fn what_comes_back_soon_is_the_same_ticket_again() {
    let mut bench = Bench::new(World::default(), Autonomy::Observe).await;
    for _ in 0..3 {
        bench.subject.world().broken = true;
        bench.cycles(2).await;
        bench.subject.world().broken = false;
        bench.cycles(4).await;
    }
    let ticket = bench.ticket().await;
    assert_eq!((ticket.occurrences, ticket.state), (3, TicketState::Resolved));
}

#[tokio::test]
async fn what_breaks_together_is_one_incident() {
    let mut bench = Bench::new(World::default(), Autonomy::Observe).await;
    bench.subject.world().broken = true;
    bench.cycles(1).await;
    bench.subject.world().other_broken = true;
    bench.cycles(1).await;
    let tickets = bench.tickets().await;
    assert_eq!(tickets.len(), 2);
    assert_eq!(tickets[0].incident, tickets[1].incident);
}

#[tokio::test]
async fn time_that_goes_backwards_resolves_nothing() {
    let mut bench = Bench::new(World::default(), Autonomy::Observe).await;
    bench.subject.world().broken = true;
    bench.cycles(2).await;
    bench.second -= 1_000;
    bench.cycles(3).await;
    assert_ne!(bench.ticket().await.state, TicketState::Resolved);
}

#[tokio::test]
async fn grace_survives_a_restart() {
    let mut bench = Bench::new(World::default(), Autonomy::Observe).await;
    bench.grace = Duration::from_secs(30);
    bench.kill_and_start().await;
    bench.subject.world().broken = true;
    bench.cycles(4).await;
    assert!(bench.tickets().await.is_empty());
    bench.kill_and_start().await;
    bench.cycles(3).await;
    assert_eq!(bench.tickets().await.len(), 1, "the grace began before the restart");
}

#[tokio::test]
async fn a_finding_with_a_number_that_is_none_begins_and_ends_nothing() {
    let mut bench = Bench::new(World { nonsense: true, broken: true, ..World::default() }, Autonomy::Observe).await;
    bench.cycles(3).await;
    assert!(bench.tickets().await.is_empty());
    bench.subject.world().nonsense = false;
    bench.cycles(1).await;
    bench.subject.world().nonsense = true;
    bench.cycles(3).await;
    assert_ne!(bench.ticket().await.state, TicketState::Resolved);
}
