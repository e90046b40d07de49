//! How an incident is explained, in a few lines of text: what `tickets show` and `agent diagnose` print. The whole is
//! Markdown.

use std::fmt::Write as _;
use std::time::Duration;

use operator_core::Execution;
use operator_protocols::Does;
use operator_reasoner::{Deliberation, Diagnosis, EvidenceRef};

/// How many citations, alternatives and gaps are worth a line.
const LINES: usize = 5;

/// The explanation and what is done about it.
pub(super) fn explanation(
    diagnosis: &Diagnosis,
    deliberation: Option<&Deliberation>,
    executions: &[Execution],
) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name:<12}{value}");
    };
    let primary = &diagnosis.primary;
    if diagnosis.abstained() {
        line("cause", &format!("not decided: {}", primary.statement));
    } else {
        let confidence = &diagnosis.confidence;
        line(
            "cause",
            &format!(
                "{} at {}, {:.0} % ({} confidence)",
                primary.class,
                primary.locus,
                confidence.probability * 100.0,
                confidence.word
            ),
        );
        line("", &primary.statement);
    }
    line("says", &format!("{} {}", diagnosis.diagnoser, diagnosis.diagnoser_version));
    if let Some(deliberation) = deliberation {
        for told in deliberated(deliberation) {
            line("", &told);
        }
    }
    for one in primary.supporting.iter().take(LINES) {
        line("for", &cited(diagnosis, one));
    }
    for one in primary.contradicting.iter().take(LINES) {
        line("against", &cited(diagnosis, one));
    }
    for one in diagnosis.alternatives.iter().take(LINES) {
        let other = &one.hypothesis;
        let verdict = if diagnosis.abstained() { "or" } else { "not" };
        let (class, at, percent) = (other.class, &other.locus, other.probability * 100.0);
        line(verdict, &format!("{class} at {at}, {percent:.0} %: {}", one.conclusion));
    }
    line("advice", &diagnosis.recommended_action);
    for one in executions {
        let proposal = &one.proposal;
        let does = match proposal.does {
            Does::Cures => "cures",
            Does::Contains => "contains",
        };
        line(
            "proposed",
            &format!(
                "{} → {}: {} ({} risk, {does} {}); {}",
                proposal.action, proposal.target, one.state, proposal.risk, proposal.remedies, proposal.id
            ),
        );
    }
    for missing in diagnosis.missing.iter().take(LINES) {
        line("missing", missing);
    }
    text
}

/// How a model came to its answer: what came of it, what it cost, and where it saw it otherwise.
pub(super) fn deliberated(deliberation: &Deliberation) -> Vec<String> {
    let took: u64 = deliberation.exchanges.iter().map(|one| one.took_ms).fold(0, u64::saturating_add);
    let mut told = vec![format!(
        "{} ({}): {}; {}, {:.1} s",
        deliberation.model,
        deliberation.provider,
        deliberation.outcome,
        deliberation.usage,
        Duration::from_millis(took).as_secs_f64()
    )];
    told.extend(deliberation.dissent.iter().map(|dissent| format!("it saw it otherwise: {dissent}")));
    told.extend(deliberation.faults.iter().take(LINES).map(|fault| format!("checked and wrong: {fault}")));
    told
}

/// What the evidence is, where the timeline says it, and why it was cited.
fn cited(diagnosis: &Diagnosis, cited: &EvidenceRef) -> String {
    let entry = diagnosis.timeline.iter().find(|entry| entry.evidence == cited.id);
    match entry {
        Some(entry) => format!("{} {}: {}", cited.id, cited.because, entry.text),
        None => format!("{} {}", cited.id, cited.because),
    }
}
