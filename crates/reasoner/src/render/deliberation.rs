//! Who diagnosed: the reasoner alone, or a model and what the checks made of its answer.

use std::fmt::Write as _;
use std::time::Duration;

use super::escape::{code, inline};
use super::page::{bullets, counted};
use crate::{Deliberation, Diagnosis, Outcome, Usage};

/// How much of a hash tells one prompt from another.
const HASH: usize = 12;

pub(super) fn who(page: &mut String, diagnosis: &Diagnosis, deliberation: Option<&Deliberation>) {
    let _ = writeln!(page, "\n## Who says so\n");
    let Some(deliberation) = deliberation else {
        let _ = writeln!(page, "{} {}.", inline(&diagnosis.diagnoser), inline(&diagnosis.diagnoser_version));
        return;
    };
    let took: u64 = deliberation.exchanges.iter().map(|one| one.took_ms).fold(0, u64::saturating_add);
    let hash: String = deliberation.prompt_hash.chars().take(HASH).collect();
    let _ = writeln!(
        page,
        "The model {} ({}, prompt {} {}) was asked: {}.",
        code(&deliberation.model),
        inline(&deliberation.provider),
        inline(&deliberation.prompt_version),
        code(&hash),
        inline(&deliberation.outcome.to_string()),
    );
    let _ = writeln!(page, "It took {} and {:.1} s.", deliberation.usage, Duration::from_millis(took).as_secs_f64());
    if matches!(deliberation.outcome, Outcome::FallenBack { .. }) {
        let _ = writeln!(page, "The explanation above is the embedded reasoner's.");
    }
    if let Some(dissent) = &deliberation.dissent {
        let _ = writeln!(page, "\n**It saw it otherwise:** {}", inline(dissent));
    }
    if !deliberation.faults.is_empty() {
        page.push_str("\nWhat the checks found wrong with its answers:\n\n");
        bullets(page, deliberation.faults.iter().map(|fault| inline(fault)).collect());
    }
    if !deliberation.verdicts.is_empty() {
        page.push_str("\nWhat it made of the reasoner's ranking:\n\n");
        let verdict = |one: &crate::Verdict| {
            let on: Vec<_> = one.evidence.iter().take(5).map(|id| inline(&id.0)).collect();
            let on = if on.is_empty() { String::new() } else { format!(" on {}", on.join(", ")) };
            format!("{} no. {}{on}: {}", if one.keeps { "keeps" } else { "rejects" }, one.rank, inline(&one.because))
        };
        bullets(page, deliberation.verdicts.iter().map(verdict).collect());
    }
}

/// For people: `accepted`, `repaired`, or why it fell back.
impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accepted => f.write_str("its answer passed every check"),
            Self::Repaired => f.write_str("its answer passed every check after one repair"),
            Self::FallenBack { why } => write!(f, "fell back to the reasoner: {why}"),
        }
    }
}

/// For people: `3 calls, 1200 tokens in (800 cached), 150 out, $0.0042`.
impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {} in", counted(self.calls.into(), "call"), counted(self.input_tokens, "token"))?;
        if self.cached_tokens > 0 {
            write!(f, " ({} cached)", self.cached_tokens)?;
        }
        write!(f, ", {} out, ", self.output_tokens)?;
        match self.cost_micro_usd {
            0 => f.write_str("no cost"),
            // Exact: whole dollars and the millionths beyond them.
            micro => write!(f, "${}.{:04}", micro / 1_000_000, micro % 1_000_000 / 100),
        }
    }
}
