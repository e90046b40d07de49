//! Rows to fill a store with, as small as they can be and right.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_protocols::{
    ActionClass, Does, FaultClass, Finding, Guard, Holds, Locus, Risk, Severity, Timestamp, Value,
};
use operator_reasoner::{Confidence, Diagnosis, Hypothesis};
use serde_json::json;

use crate::store::{BudgetCharge, ClaimGate, CycleCommit, Finish};

pub use crate::store::contract::steps::{bring_to, contents, granted, owned, stored};
use crate::{
    Approval, AuditEvent, Decision, Execution, ExecutionState, Identity, Incident, MetricSnapshot, Principal, Proposal,
    Role, Ticket, TicketState, Verification, VerificationOutcome, Violation,
};

/// The subject of every sample.
pub const SUBJECT: &str = "eu-shop";

/// The policy's revision in every sample.
pub const POLICY: &str = "policy-1";

/// The instant at which everything happens that has no other.
pub const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// `minutes` after [`NOW`]; before it, where negative.
pub const fn minutes(minutes: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + minutes * 60_000)
}

/// Somebody who may approve, known by a token.
pub fn approver(name: &str) -> Principal {
    Principal { name: name.to_owned(), role: Role::Approver, identity: Identity::Token }
}

/// Somebody who may do everything, known by the local socket.
pub fn admin() -> Principal {
    Principal { name: "ada".to_owned(), role: Role::Admin, identity: Identity::Peer { uid: 1000 } }
}

/// The `n`th worker.
pub fn worker(n: u32) -> Locus {
    Locus::component(SUBJECT, format!("w{n}"))
}

/// An event by the loop.
pub fn event(kind: &str, reference: &str) -> AuditEvent {
    AuditEvent::by_operator(NOW, kind, reference, json!({ "ratio": 0.1 + 0.2, "text": "\u{1}\"é" }))
}

/// The `n`th incident, of the `n`th ticket.
pub fn incident(n: u32) -> Incident {
    Incident {
        id: format!("{SUBJECT}-I{n}"),
        subject: SUBJECT.to_owned(),
        opened_at: minutes(i64::from(n)),
        closed_at: None,
        tickets: vec![format!("{SUBJECT}-T{n}")],
        diagnosis: None,
        confirmations: 0,
        tried: vec!["mend@w1".to_owned()],
    }
}

/// The `n`th ticket, open, on the `n`th worker, of the `n`th incident.
pub fn ticket(n: u32) -> Ticket {
    let mut finding = Finding::new("too many errors", 0.1 + 0.2, 0.05);
    finding.persists = Some(Duration::from_millis(1500));
    Ticket {
        id: format!("{SUBJECT}-T{n}"),
        subject: SUBJECT.to_owned(),
        invariant: "errors".to_owned(),
        on: worker(n),
        severity: Severity::Critical,
        state: TicketState::Open,
        state_reason: "just noticed".to_owned(),
        finding,
        first_seen: minutes(-1),
        last_seen: NOW,
        opened_at: minutes(i64::from(n)),
        resolved_at: None,
        occurrences: 1,
        snapshot: vec![MetricSnapshot {
            on: worker(n),
            signal: "error_ratio".to_owned(),
            value: 1.0 / 3.0,
            unit: "ratio".to_owned(),
        }],
        incident: format!("{SUBJECT}-I{n}"),
        hold: false,
        acknowledged_by: None,
        cleared: false,
    }
}

/// The `n`th violation, of the `n`th ticket.
pub fn violation(n: u32) -> Violation {
    let Ticket { id, subject, invariant, on, severity, finding, first_seen, last_seen, .. } = ticket(n);
    Violation { subject, invariant, on, severity, finding, first_seen, last_seen, ok_since: None, ticket: Some(id) }
}

/// A diagnosis of the `n`th incident.
pub fn diagnosis(n: u32) -> Diagnosis {
    Diagnosis {
        subject: SUBJECT.to_owned(),
        incident: format!("{SUBJECT}-I{n}"),
        diagnoser: "scripted".to_owned(),
        diagnoser_version: "1".to_owned(),
        made_at: NOW,
        timeline: Vec::new(),
        affected: vec![worker(n)],
        readings: Vec::new(),
        primary: Hypothesis {
            class: FaultClass::ComponentDown,
            locus: worker(n),
            statement: "the worker is down".to_owned(),
            probability: 0.9,
            score: 1.1,
            supporting: Vec::new(),
            contradicting: Vec::new(),
        },
        confidence: Confidence { word: "high".to_owned(), probability: 0.9 },
        alternatives: Vec::new(),
        severity: Severity::Critical,
        recommended_action: "mend it".to_owned(),
        commands: Vec::new(),
        risks: Vec::new(),
        recommended_actions: Vec::new(),
        missing: Vec::new(),
    }
}

/// The `n`th execution: new, approved by the policy, aimed at the `n`th worker, for no incident.
pub fn execution(n: u32) -> Execution {
    let proposal = Proposal {
        id: format!("{SUBJECT}-A{n}-0123456789ab"),
        subject: SUBJECT.to_owned(),
        incident: None,
        tickets: vec![format!("{SUBJECT}-T{n}")],
        diagnosis: None,
        action: "mend".to_owned(),
        class: ActionClass::Keyed,
        risk: Risk::Low,
        remedies: FaultClass::ComponentDown,
        does: Does::Cures,
        target: worker(n),
        params: BTreeMap::from([("share".to_owned(), Value::Float(0.1 + 0.2))]),
        guard: Guard { holds: Holds::Yes, incarnation: Some("7".to_owned()), facts: BTreeMap::new(), as_of: NOW },
        observation_hash: "0".repeat(64),
        policy_revision: POLICY.to_owned(),
        blast_radius: vec![worker(n)],
        requested_by: "operator".to_owned(),
        created_at: minutes(i64::from(n)),
        expires_at: minutes(15),
        undo_of: None,
        rules: Vec::new(),
    };
    bound(Execution {
        bind_hash: String::new(),
        proposal,
        state: ExecutionState::Approved,
        state_reason: "the policy allows it".to_owned(),
        quorum: 0,
        approvals_revision: 0,
        attempt: 0,
        epoch: 0,
        send_by: None,
        deadline: None,
        updated_at: NOW,
        done_at: None,
        version: 1,
    })
}

/// The execution with the hash of what it carries out now.
pub fn bound(mut execution: Execution) -> Execution {
    execution.bind_hash = execution.proposal.bind_hash();
    execution
}

/// A decision on `execution`, good for 15 minutes.
pub fn decision(execution: &Execution, by: &Principal, decision: Decision) -> Approval {
    Approval {
        intent: execution.proposal.id.clone(),
        approver: by.clone(),
        bind_hash: execution.bind_hash.clone(),
        decision,
        reason: "it looks right".to_owned(),
        at: NOW,
        expires_at: minutes(15),
    }
}

/// What became of `execution`.
pub fn verification(execution: &Execution) -> Verification {
    Verification {
        intent: execution.proposal.id.clone(),
        tickets: execution.proposal.tickets.clone(),
        began_at: NOW,
        ended_at: minutes(1),
        outcome: VerificationOutcome::Cleared,
        evidence: vec!["errors are back to normal".to_owned()],
    }
}

/// A commit that changes nothing yet.
pub fn commit() -> CycleCommit {
    CycleCommit { subject: SUBJECT.to_owned(), ..CycleCommit::default() }
}

/// A commit of the `n`th incident with its ticket and violation.
pub fn noticed(n: u32) -> CycleCommit {
    CycleCommit {
        violations: vec![violation(n)],
        tickets: vec![ticket(n)],
        incidents: vec![incident(n)],
        audit: vec![event("ticket.opened", &ticket(n).id)],
        ..commit()
    }
}

/// A commit of executions.
pub fn proposed(executions: &[Execution]) -> CycleCommit {
    CycleCommit { executions: executions.to_vec(), ..commit() }
}

/// A gate at which `execution` is granted.
pub fn gate(execution: &Execution, epoch: u64) -> ClaimGate {
    ClaimGate {
        intent: execution.proposal.id.clone(),
        subject: SUBJECT.to_owned(),
        epoch,
        now: NOW,
        bind_hash: execution.bind_hash.clone(),
        policy_revision: POLICY.to_owned(),
        approvers: vec!["ada".to_owned(), "bo".to_owned(), "cy".to_owned()],
        charges: vec![BudgetCharge { scope: "overall".to_owned(), window: Duration::from_secs(3600), cap: 10_000 }],
        max_in_flight: 10_000,
        max_attempts: 3,
        send_by: minutes(1),
        audit: event("action.claimed", &execution.proposal.id),
    }
}

/// The outcome `to` of a claim of `execution` that is in state `from`.
pub fn outcome(execution: &Execution, epoch: u64, from: ExecutionState, to: ExecutionState) -> Finish {
    Finish {
        intent: execution.proposal.id.clone(),
        attempt: 1,
        epoch,
        from,
        to,
        reason: format!("it is {to} now"),
        deadline: None,
        response_sha256: Some("f".repeat(64)),
        now: minutes(1),
        audit: event("action.finished", &execution.proposal.id),
    }
}
