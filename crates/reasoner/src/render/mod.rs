//! A diagnosis as people read it: Markdown, in the order in which it is needed at night. Programs read its JSON, which
//! is its serialised form.

mod by_hand;
mod deliberation;
mod escape;
mod evidence;
mod page;
mod sparkline;

use std::fmt::Write as _;

use operator_protocols::{Does, Locus, ProbeDefinition};

use self::escape::{code, inline};
use self::page::{SHOWN, bullets, capital, citation, ids, list, percent, title};
use crate::text::{quantity, rfc3339};
use crate::{Deliberation, Diagnosis, EvidencePack, EvidenceRef, Point};

/// How many citations for and against an alternative are told.
const CITATIONS: usize = 3;

/// Gives the values of a signal, oldest first; none if it is not known.
pub type SeriesOf<'a> = dyn Fn(&Locus, &str) -> Vec<Point> + 'a;

/// What a page may tell beyond the diagnosis itself. Whatever is not known is left out.
#[derive(Clone, Copy, Default)]
pub struct Background<'a> {
    /// The evidence that the diagnosis cites.
    pub pack: Option<&'a EvidencePack>,
    /// How the answer was reached, where a model took part.
    pub deliberation: Option<&'a Deliberation>,
    /// What the numbers did.
    pub series: Option<&'a SeriesOf<'a>>,
    /// The questions that the subject answers.
    pub probes: &'a [ProbeDefinition],
}

impl Diagnosis {
    /// The diagnosis as Markdown. Whatever came from outside is escaped and bounded: it renders as text.
    pub fn to_markdown(&self) -> String {
        self.to_markdown_with(Background::default())
    }

    /// The same, with every piece of evidence that it cites, in full.
    pub fn to_markdown_with_evidence(&self, pack: &EvidencePack) -> String {
        self.to_markdown_with(Background { pack: Some(pack), ..Background::default() })
    }

    /// The same, with all that is known around it.
    pub fn to_markdown_with(&self, background: Background<'_>) -> String {
        let mut page = String::new();
        self.head(&mut page);
        self.happened(&mut page);
        self.reasons(&mut page);
        self.ruled_out(&mut page);
        if let Some(pack) = background.pack {
            evidence::cited(&mut page, self, pack, background.series);
        }
        self.numbers(&mut page);
        self.remedy(&mut page);
        list(&mut page, "To check it by hand", by_hand::commands(self, background.probes).into_iter());
        list(&mut page, "Risks", self.risks.iter().map(|text| inline(text)));
        if let Some(pack) = background.pack {
            evidence::past(&mut page, pack);
        }
        list(&mut page, "What is missing", self.missing.iter().map(|text| inline(text)));
        deliberation::who(&mut page, self, background.deliberation);
        page
    }

    /// The ids of all evidence that the diagnosis cites.
    pub fn cited(&self) -> std::collections::BTreeSet<crate::EvidenceId> {
        let hypotheses = std::iter::once(&self.primary).chain(self.alternatives.iter().map(|one| &one.hypothesis));
        hypotheses
            .flat_map(|hypothesis| hypothesis.supporting.iter().chain(&hypothesis.contradicting))
            .chain(self.recommended_actions.iter().flat_map(|action| &action.because))
            .map(|reference| reference.id.clone())
            .chain(self.timeline.iter().map(|entry| entry.evidence.clone()))
            .chain(self.readings.iter().map(|reading| reading.evidence.clone()))
            .collect()
    }

    fn head(&self, page: &mut String) {
        let (incident, subject) = (inline(&self.incident), inline(&self.subject));
        let _ = writeln!(page, "# Incident {incident} of {subject}: {}\n", title(&self.primary));
        let _ = writeln!(page, "**{}.**\n", inline(&capital(&self.primary.statement)));
        let _ = writeln!(page, "**Do first:** {}\n", inline(&self.recommended_action));
        let _ = writeln!(
            page,
            "Confidence {} ({}), severity {}. Diagnosed by {} {} at {}.",
            inline(&self.confidence.word),
            percent(self.confidence.probability),
            self.severity,
            inline(&self.diagnoser),
            inline(&self.diagnoser_version),
            rfc3339(self.made_at),
        );
        if !self.affected.is_empty() {
            let names: Vec<_> = self.affected.iter().take(SHOWN).map(|locus| inline(&locus.to_string())).collect();
            let more = self.affected.len().saturating_sub(SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let _ = writeln!(page, "\nAffected: {}{more}.", names.join(", "));
        }
    }

    fn happened(&self, page: &mut String) {
        list(
            page,
            "What happened",
            self.timeline.iter().map(|entry| {
                format!("{} **{}** {}", rfc3339(entry.at), inline(&entry.evidence.0), inline(&entry.text))
            }),
        );
    }

    fn reasons(&self, page: &mut String) {
        let supporting = self.primary.supporting.iter().map(|one| citation("for", one));
        let contradicting = self.primary.contradicting.iter().map(|one| citation("against", one));
        list(page, "Why", supporting.chain(contradicting));
    }

    fn ruled_out(&self, page: &mut String) {
        let told = |name: &str, list: &[EvidenceRef]| {
            let entries: Vec<_> = list
                .iter()
                .take(CITATIONS)
                .map(|one| format!("{} {} ({:+.1})", inline(&one.id.0), inline(&one.because), one.weight))
                .collect();
            let entries = if entries.is_empty() { "nothing".to_owned() } else { entries.join("; ") };
            let more = list.len().saturating_sub(CITATIONS);
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            format!("\n  - {name}: {entries}{more}")
        };
        list(
            page,
            "What else was considered",
            self.alternatives.iter().map(|one| {
                format!(
                    "**{}**, {}: {}{}{}",
                    title(&one.hypothesis),
                    percent(one.hypothesis.probability),
                    inline(&one.conclusion),
                    told("for", &one.hypothesis.supporting),
                    told("against", &one.hypothesis.contradicting),
                )
            }),
        );
    }

    fn numbers(&self, page: &mut String) {
        if self.readings.is_empty() {
            return;
        }
        page.push_str("\n## Numbers\n\n| evidence | on | what | measured | against |\n|---|---|---|---|---|\n");
        for one in self.readings.iter().take(SHOWN) {
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} | {} |",
                inline(&one.evidence.0),
                inline(&one.on.to_string()),
                inline(&one.name),
                inline(&quantity(one.value, &one.unit)),
                inline(&quantity(one.reference, &one.unit)),
            );
        }
    }

    fn remedy(&self, page: &mut String) {
        if self.recommended_actions.is_empty() {
            return;
        }
        let _ = writeln!(page, "\n## What can be done\n");
        let mut lines = Vec::new();
        for one in &self.recommended_actions {
            let does = match one.does {
                Does::Cures => "cures",
                Does::Contains => "contains",
            };
            let params: Vec<_> = one.params.iter().map(|(key, value)| code(&format!("{key}={value}"))).collect();
            let with = if params.is_empty() { String::new() } else { format!(" with {}", params.join(", ")) };
            lines.push(format!(
                "{} on {}{with}: {does}, risk {}, because of {}",
                code(&one.action),
                inline(&one.target.to_string()),
                one.risk,
                ids(&one.because).unwrap_or_else(|| "the hypothesis".to_owned()),
            ));
        }
        bullets(page, lines);
    }
}
