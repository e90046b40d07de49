//! The evidence that a diagnosis cites, with what its numbers did, and what is known of past trouble that looked alike.

use std::fmt::Write as _;

use super::SeriesOf;
use super::escape::{code, inline};
use super::page::list;
use super::sparkline::sparkline;
use crate::text::rfc3339;
use crate::{Diagnosis, EvidenceItem, EvidenceKind, EvidencePack};

impl EvidenceKind {
    /// The signal that it is about, if it is about one that has values.
    pub fn signal(&self) -> Option<&str> {
        match self {
            Self::Deviation { signal, .. }
            | Self::Saturated { signal, .. }
            | Self::SelfExcess { signal, .. }
            | Self::Share { signal, .. }
            | Self::Peers { signal, .. } => Some(signal),
            _ => None,
        }
    }
}

pub(super) fn cited(page: &mut String, diagnosis: &Diagnosis, pack: &EvidencePack, series: Option<&SeriesOf<'_>>) {
    let cited = diagnosis.cited();
    let drawn = |item: &EvidenceItem| {
        let points = series?(&item.on, item.kind.signal()?);
        sparkline(&points, pack.from, pack.built_at, pack.onset)
    };
    let entry = |item: &EvidenceItem| {
        let mut entry = format!("**{}** {}: {}", inline(&item.id.0), rfc3339(item.at), inline(&item.statement));
        if let Some(line) = drawn(item) {
            let _ = write!(entry, "\n  {}", code(&line));
        }
        entry
    };
    list(page, "Evidence", pack.items.iter().filter(|item| cited.contains(&item.id)).map(entry));
}

pub(super) fn past(page: &mut String, pack: &EvidencePack) {
    let told = |item: &EvidenceItem| {
        let EvidenceKind::SimilarTicket(past) = &item.kind else { return None };
        let cause = match &past.cause {
            Some((class, locus)) => format!("{class} on {}", inline(&locus.to_string())),
            None => "its cause was not found".to_owned(),
        };
        let fixed = match &past.fixed_by {
            Some(action) => format!("fixed by {}", code(action)),
            None => "nothing the operator did fixed it".to_owned(),
        };
        Some(format!(
            "**{}** {}, {} on {}: {cause}; {fixed}",
            inline(&item.id.0),
            inline(&past.ticket),
            inline(&past.invariant),
            inline(&past.on.to_string()),
        ))
    };
    list(page, "What looked alike before", pack.items.iter().filter_map(told));
}
