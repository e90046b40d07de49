//! Whether a chapter went as it should, held against what its scenario knows to be true.

use std::collections::BTreeSet;

use operator_core::store::Store;
use operator_core::{Execution, SubjectView, Ticket, TicketState, VerificationOutcome};
use operator_lab::scenario::{ActionVerdict, Scenario, Truth};
use operator_protocols::{FaultClass, Timestamp};
use serde::Serialize;

use super::Planned;
use super::director::after;
use crate::exit::Failure;
use crate::narrate::Tone;

/// Whether a chapter went as it should.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ChapterVerdict {
    chapter: usize,
    scenario: String,
    title: String,
    checks: Vec<Check>,
}

/// One thing that should be so.
#[derive(Debug, Clone, Serialize)]
struct Check {
    what: &'static str,
    ok: bool,
    found: String,
}

impl ChapterVerdict {
    /// Whether everything is as it should be.
    pub(super) fn right(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }

    /// The verdict in a few words.
    pub(super) fn headline(&self) -> String {
        // How it ended says more than what went wrong first.
        match self.checks.iter().rfind(|check| !check.ok) {
            None => "detected, explained, mended and verified".to_owned(),
            Some(check) => format!("{}: {}", check.what, check.found),
        }
    }

    /// A line a check.
    pub(super) fn lines(&self) -> Vec<(Tone, String)> {
        let of = |check: &Check| {
            let (tone, word) =
                if check.ok { (Tone::Good, "as it should be") } else { (Tone::Bad, "NOT as it should be") };
            (tone, format!("{word}: {}: {}", check.what, check.found))
        };
        self.checks.iter().map(of).collect()
    }
}

/// One line a chapter.
pub(super) fn sum(verdicts: &[ChapterVerdict]) -> String {
    let line = |verdict: &ChapterVerdict| {
        let word = if verdict.right() { "ok" } else { "FAILED" };
        format!("{word:<7} {} {} ({}): {}", verdict.chapter, verdict.title, verdict.scenario, verdict.headline())
    };
    verdicts.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Everything, for somebody whose screen is gone.
pub(super) fn page(verdicts: &[ChapterVerdict]) -> String {
    let mut page = String::new();
    for verdict in verdicts {
        page.push_str(&sum(std::slice::from_ref(verdict)));
        page.push('\n');
        for (tone, line) in verdict.lines() {
            page.push_str(&format!("  {} {line}\n", tone.glyph()));
        }
    }
    page
}

/// The component that the scenario's truth names, if it names one.
pub(super) fn component(scenario: &Scenario) -> Option<String> {
    let loci = scenario.truth.hypotheses.iter().map(|truth| truth.locus.as_str());
    loci.filter_map(|locus| locus.strip_prefix("component:")).next().map(str::to_owned)
}

/// Judges what the loop shows, with what the store keeps.
pub(super) async fn judge(
    planned: &Planned,
    view: &SubjectView,
    before: &BTreeSet<String>,
    fault_at: Timestamp,
    store: &dyn Store,
) -> Result<ChapterVerdict, Failure> {
    let truth = &planned.scenario.truth;
    let tickets: Vec<&Ticket> = view.tickets.iter().filter(|ticket| !before.contains(&ticket.id)).collect();
    let incidents: BTreeSet<&str> = tickets.iter().map(|ticket| ticket.incident.as_str()).collect();
    let sent: Vec<&Execution> = view
        .executions
        .iter()
        // What takes a containment back is no action of its own.
        .filter(|execution| execution.attempt > 0 && execution.proposal.undo_of.is_none())
        .filter(|execution| execution.proposal.incident.as_deref().is_some_and(|id| incidents.contains(id)))
        .collect();
    let diagnosed = diagnosed(view, &incidents, &sent, store).await?;
    let checks = vec![
        detection(truth, &tickets, fault_at),
        explanation(truth, diagnosed),
        action(truth, &sent),
        sent_once(&sent, store).await?,
        verified(view, &sent, &tickets),
        resolved(&tickets, fault_at),
    ];
    let title = planned.scenario.title.clone();
    Ok(ChapterVerdict { chapter: planned.number, scenario: planned.scenario.id.clone(), title, checks })
}

/// One of the expected violations is seen. What else comes of the fault may be seen earlier.
fn detection(truth: &Truth, tickets: &[&Ticket], fault_at: Timestamp) -> Check {
    let what = "a ticket is opened";
    let first = |expected: bool| {
        let of = tickets.iter().filter(|ticket| !expected || truth.invariants.contains(&ticket.invariant));
        of.min_by_key(|ticket| ticket.opened_at)
    };
    let told = |one: &Ticket| format!("{} {} on {}, {}", one.id, one.invariant, one.on, after(fault_at, one.opened_at));
    match (first(true), first(false)) {
        (Some(one), _) => Check { what, ok: true, found: told(one) },
        (None, Some(one)) => {
            Check { what, ok: false, found: format!("{}; expected {}", told(one), truth.invariants.join(" or ")) }
        }
        (None, None) => Check { what, ok: false, found: "none was".to_owned() },
    }
}

/// What was found to be the cause: that on which the first action rests, or else the latest.
async fn diagnosed(
    view: &SubjectView,
    incidents: &BTreeSet<&str>,
    sent: &[&Execution],
    store: &dyn Store,
) -> Result<Option<(FaultClass, String, f64)>, Failure> {
    let of = |diagnosis: &operator_reasoner::Diagnosis| {
        let primary = &diagnosis.primary;
        (primary.class, primary.locus.to_text(), diagnosis.confidence.probability)
    };
    if let Some(proposal) = sent.first().map(|execution| &execution.proposal)
        && let (Some(incident), Some(id)) = (&proposal.incident, &proposal.diagnosis)
    {
        let kept = store.diagnoses(incident).await?;
        if let Some((_, diagnosis)) = kept.iter().find(|(kept, _)| kept == id) {
            return Ok(Some(of(diagnosis)));
        }
    }
    Ok(incidents.iter().find_map(|incident| view.diagnoses.get(*incident)).map(of))
}

fn explanation(truth: &Truth, diagnosed: Option<(FaultClass, String, f64)>) -> Check {
    let what = "the cause is named";
    let Some((class, locus, probability)) = diagnosed else {
        return Check { what, ok: false, found: "there is no diagnosis".to_owned() };
    };
    let verdict = truth.judge_hypothesis(&locus, class);
    let found = format!("{class} at {locus}, {:.0} %", probability * 100.0);
    if verdict.locus && verdict.class {
        return Check { what, ok: true, found };
    }
    let right = truth
        .hypotheses
        .iter()
        .flat_map(|one| one.classes.iter().map(move |class| format!("{class} at {}", one.locus)));
    Check { what, ok: false, found: format!("{found}; it is {}", right.collect::<Vec<_>>().join(" or ")) }
}

fn action(truth: &Truth, sent: &[&Execution]) -> Check {
    let what = "the right action is taken";
    let name = |execution: &Execution| format!("{} on {}", execution.proposal.action, execution.proposal.target);
    let judge =
        |execution: &&Execution| truth.judge_action(&execution.proposal.action, &execution.proposal.target.to_text());
    let wrong: Vec<_> = sent.iter().filter(|one| judge(one) != ActionVerdict::Right).map(|one| name(one)).collect();
    match (sent.is_empty(), wrong.is_empty()) {
        (true, _) => Check { what, ok: false, found: "nothing was done".to_owned() },
        (false, false) => Check { what, ok: false, found: format!("not right: {}", wrong.join(", ")) },
        (false, true) => {
            let names: Vec<_> = sent.iter().map(|one| name(one)).collect();
            Check { what, ok: true, found: names.join(", ") }
        }
    }
}

async fn sent_once(sent: &[&Execution], store: &dyn Store) -> Result<Check, Failure> {
    let what = "it is done exactly once";
    let mut found = Vec::new();
    let mut done = 0;
    for execution in sent {
        let attempts = store.attempts(&execution.proposal.id).await?.len();
        let state = execution.state;
        done += u32::from(state == operator_core::ExecutionState::Done);
        found.push(format!(
            "{} {state} in {attempts} attempt{}: {}",
            execution.proposal.id,
            if attempts == 1 { "" } else { "s" },
            execution.state_reason
        ));
        if attempts != 1 {
            done += 1;
        }
    }
    let ok = sent.len() == 1 && done == 1;
    Ok(Check { what, ok, found: if found.is_empty() { "nothing was done".to_owned() } else { found.join("; ") } })
}

fn verified(view: &SubjectView, sent: &[&Execution], tickets: &[&Ticket]) -> Check {
    let what = "it is verified";
    let outcome = sent.last().and_then(|execution| view.verifications.get(&execution.proposal.id));
    let (ok, found) = match outcome.map(|verification| (&verification.outcome, &verification.evidence)) {
        None => (false, "it was not".to_owned()),
        Some((VerificationOutcome::Cleared, evidence)) => {
            (true, evidence.first().cloned().unwrap_or_else(|| "the violation is over".to_owned()))
        }
        Some((VerificationOutcome::Contained, _)) if tickets.iter().all(|one| one.state == TicketState::Resolved) => {
            (true, "the harm was contained until the cause was gone".to_owned())
        }
        Some((VerificationOutcome::Contained, _)) => (false, "it is only contained".to_owned()),
        Some((VerificationOutcome::NotCleared { .. }, _)) => (false, "it did not help".to_owned()),
        Some((VerificationOutcome::BrokeSomething { .. }, _)) => (false, "something else broke".to_owned()),
    };
    Check { what, ok, found }
}

fn resolved(tickets: &[&Ticket], fault_at: Timestamp) -> Check {
    let what = "everything is resolved";
    let open: Vec<_> = tickets.iter().filter(|ticket| ticket.state != TicketState::Resolved).collect();
    if !open.is_empty() {
        let found = open.iter().map(|ticket| format!("{} {}: {}", ticket.id, ticket.state, ticket.state_reason));
        return Check { what, ok: false, found: found.collect::<Vec<_>>().join("; ") };
    }
    match tickets.iter().filter_map(|ticket| ticket.resolved_at).max() {
        Some(last) => {
            Check { what, ok: true, found: format!("{} ticket(s), {}", tickets.len(), after(fault_at, last)) }
        }
        None => Check { what, ok: false, found: "there was no ticket".to_owned() },
    }
}
