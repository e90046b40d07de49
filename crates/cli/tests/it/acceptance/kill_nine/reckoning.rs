//! What is left when everything is over: every fault against its ticket, every effect at the target against its intent.

use std::collections::{BTreeMap, BTreeSet};

use operator_core::store::{ExecutionFilter, Store as _, TicketFilter};
use operator_core::{Execution, ExecutionState, Ticket, TicketState};

use super::super::cluster::{Cluster, redis_log};
use super::super::home::Home;
use super::super::redis_record::effects;
use super::Fault;

/// More rows than any run has.
const ALL: u32 = 100_000;
/// The actions whose effect is one more start of a node.
const STARTS: [&str; 2] = ["start_component", "restart_component"];
/// The action whose effect is a new generation of a key.
const RESET: &str = "reset_counter";

/// How many there were.
pub struct Counted {
    pub intents: u64,
    pub effects: u64,
}

/// Holds what is stored against what happened.
pub async fn reckon(home: &Home, cluster: Cluster, faults: &[Fault]) -> Counted {
    let store = home.store();
    let tickets = store.tickets(&TicketFilter { limit: ALL, ..TicketFilter::default() }).await.expect("tickets");
    every_fault_has_its_resolved_ticket(faults, &tickets);
    let executions = store.executions(&ExecutionFilter { limit: ALL, ..ExecutionFilter::default() }).await;
    let executions = executions.expect("executions");
    every_intent_is_settled(&executions);

    let nodes = cluster.environment.config().node_names();
    // Each was started once by the lab.
    let starts: BTreeMap<_, _> = nodes.iter().map(|node| (node, cluster.starts_of(node) - 1)).collect();
    for (node, starts) in &starts {
        let killed = faults.iter().filter(|fault| fault.on == format!("component:{node}")).count() as u64;
        let intents = done(&executions, &STARTS, &format!("component:{node}")).len() as u64;
        assert_eq!((*starts, intents), (killed, killed), "{node}: (starts, intents done) for so many kills");
    }

    let folder = cluster.end().await;
    let record = effects(&redis_log(folder.path()));
    let of_resets: Vec<_> = executions.iter().filter(|execution| is_done(execution, &[RESET])).collect();
    let intents: BTreeMap<_, _> = of_resets.iter().map(|execution| (execution.proposal.id.clone(), 1)).collect();
    assert_eq!(record.intents, intents, "each reset that is done is on record at the target once, and no other is");
    for (key, resets) in &record.resets {
        let intents = done(&executions, &[RESET], &format!("entity:key:{key}")).len() as u64;
        assert_eq!(*resets, intents, "{key}: new generations for so many resets done");
    }
    let resets: u64 = record.resets.values().sum();
    Counted {
        intents: executions.iter().filter(|execution| execution.state == ExecutionState::Done).count() as u64,
        effects: starts.values().sum::<u64>() + resets,
    }
}

fn every_fault_has_its_resolved_ticket(faults: &[Fault], tickets: &[Ticket]) {
    let mut taken = BTreeSet::new();
    for fault in faults {
        // Oldest first: what came later is of a later fault.
        let mut own = tickets.iter().rev().filter(|ticket| fault.is_of(ticket));
        let own = own.find(|ticket| taken.insert(ticket.id.clone()));
        let own = own.unwrap_or_else(|| panic!("{} at {} was lost: no ticket", fault.invariant, fault.on));
        assert_eq!(own.state, TicketState::Resolved, "{own:?}");
    }
    for other in tickets.iter().filter(|ticket| !taken.contains(&ticket.id)) {
        println!("a ticket of no fault: {} at {}: {}", other.invariant, other.on, other.finding.message);
        assert_eq!(other.state, TicketState::Resolved, "{other:?}");
    }
}

fn every_intent_is_settled(executions: &[Execution]) {
    for execution in executions {
        let (id, action) = (&execution.proposal.id, &execution.proposal.action);
        assert!(execution.state.terminal(), "{id}: {action} is left {}", execution.state);
        assert_ne!(execution.state, ExecutionState::SettledByHuman, "{id}: nobody was there");
        let counted = action == RESET || STARTS.contains(&action.as_str());
        assert!(counted || execution.attempt == 0, "{id}: the effects of {action} are not counted here");
    }
}

fn is_done(execution: &Execution, actions: &[&str]) -> bool {
    execution.state == ExecutionState::Done && actions.contains(&execution.proposal.action.as_str())
}

fn done<'a>(executions: &'a [Execution], actions: &[&str], on: &str) -> Vec<&'a Execution> {
    executions.iter().filter(|one| is_done(one, actions) && one.proposal.target.to_text() == on).collect()
}
