//! What every part of the page is made of: lists, times, and how a hypothesis and a citation are written.

use std::fmt::Write as _;

use operator_protocols::{FaultClass, Locus};

use super::escape::inline;
use crate::{EvidenceRef, Hypothesis};

/// How many entries of each list are shown.
pub(super) const SHOWN: usize = 30;

/// A heading with a list below it; nothing, if the list is empty.
pub(super) fn list(page: &mut String, heading: &str, entries: impl Iterator<Item = String>) {
    let entries: Vec<String> = entries.collect();
    if entries.is_empty() {
        return;
    }
    let _ = writeln!(page, "\n## {heading}\n");
    bullets(page, entries);
}

/// A list, cut to a bound.
pub(super) fn bullets(page: &mut String, entries: Vec<String>) {
    let more = entries.len().saturating_sub(SHOWN);
    for entry in entries.into_iter().take(SHOWN) {
        let _ = writeln!(page, "- {entry}");
    }
    if more > 0 {
        let _ = writeln!(page, "- … and {more} more");
    }
}

/// `**E3** for: calls take longer (+4.5)`.
pub(super) fn citation(direction: &str, one: &EvidenceRef) -> String {
    format!("**{}** {direction}: {} ({:+.1})", inline(&one.id.0), inline(&one.because), one.weight)
}

/// The cause in few words.
pub(super) fn title(hypothesis: &Hypothesis) -> String {
    match (hypothesis.class, &hypothesis.locus) {
        (FaultClass::Unknown, _) => "not decided".to_owned(),
        (class, Locus::Nothing) => class.to_string(),
        (class, locus) => format!("{class} on {}", inline(&locus.to_string())),
    }
}

/// The first few ids of citations.
pub(super) fn ids(list: &[EvidenceRef]) -> Option<String> {
    let ids: Vec<_> = list.iter().take(5).map(|one| inline(&one.id.0)).collect();
    (!ids.is_empty()).then(|| ids.join(", "))
}

/// A probability as people say it.
pub(super) fn percent(probability: f64) -> String {
    format!("{:.0}%", probability.clamp(0.0, 1.0) * 100.0)
}

/// `count` of what is called `noun`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A sentence of ours begins with a capital.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    // A name keeps its own spelling: only our own sentences begin with a small word.
    match chars.next() {
        Some(first) if ["the ", "somebody ", "more ", "nothing "].iter().any(|word| text.starts_with(word)) => {
            first.to_uppercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}
