//! A diagnosis as people read it: Markdown. Programs read its JSON, which is its serialised form.

mod escape;

use std::fmt::Write as _;

use operator_protocols::{Does, FaultClass, Locus, Timestamp};

use self::escape::{code, inline};
use crate::text::quantity;
use crate::{Diagnosis, EvidencePack, EvidenceRef, Hypothesis};

/// How many entries of each list are shown.
const SHOWN: usize = 30;

impl Diagnosis {
    /// The diagnosis as Markdown. Whatever came from outside is escaped and bounded: it renders as text.
    pub fn to_markdown(&self) -> String {
        let mut page = String::new();
        self.head(&mut page);
        self.happened(&mut page);
        self.reasons(&mut page);
        self.ruled_out(&mut page);
        self.numbers(&mut page);
        self.remedy(&mut page);
        list(&mut page, "What is missing", self.missing.iter().map(|text| inline(text)));
        page
    }

    /// The same, followed by every piece of evidence that it cites, in full.
    pub fn to_markdown_with_evidence(&self, pack: &EvidencePack) -> String {
        let mut page = self.to_markdown();
        let cited = self.cited();
        let items = pack.items.iter().filter(|item| cited.contains(&item.id));
        list(
            &mut page,
            "Evidence",
            items.map(|item| format!("**{}** {}: {}", inline(&item.id.0), time(item.at), inline(&item.statement))),
        );
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
        let _ = writeln!(
            page,
            "# Incident {} of {}: {}\n",
            inline(&self.incident),
            inline(&self.subject),
            title(&self.primary)
        );
        let _ = writeln!(page, "**{}.**\n", inline(&capital(&self.primary.statement)));
        let _ = writeln!(
            page,
            "Confidence {} ({}), severity {}. Diagnosed by {} {} at {}.",
            inline(&self.confidence.word),
            percent(self.confidence.probability),
            self.severity,
            inline(&self.diagnoser),
            inline(&self.diagnoser_version),
            time(self.made_at),
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
            self.timeline
                .iter()
                .map(|entry| format!("{} **{}** {}", time(entry.at), inline(&entry.evidence.0), inline(&entry.text))),
        );
    }

    fn reasons(&self, page: &mut String) {
        let supporting = self.primary.supporting.iter().map(|one| citation("for", one));
        let contradicting = self.primary.contradicting.iter().map(|one| citation("against", one));
        list(page, "Why", supporting.chain(contradicting));
    }

    fn ruled_out(&self, page: &mut String) {
        list(
            page,
            "What else was considered",
            self.alternatives.iter().map(|one| {
                let ids = |list: &[EvidenceRef]| {
                    let ids: Vec<_> = list.iter().take(5).map(|one| inline(&one.id.0)).collect();
                    if ids.is_empty() { "nothing".to_owned() } else { ids.join(", ") }
                };
                format!(
                    "**{}**, {}: {}. For: {}. Against: {}.",
                    title(&one.hypothesis),
                    percent(one.hypothesis.probability),
                    inline(&one.conclusion),
                    ids(&one.hypothesis.supporting),
                    ids(&one.hypothesis.contradicting),
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
        let _ = writeln!(page, "\n## What to do\n\n{}", inline(&self.recommended_action));
        for (n, one) in self.recommended_actions.iter().take(SHOWN).enumerate() {
            let does = match one.does {
                Does::Cures => "cures",
                Does::Contains => "contains",
            };
            let params: Vec<_> = one.params.iter().map(|(key, value)| code(&format!("{key}={value}"))).collect();
            let with = if params.is_empty() { String::new() } else { format!(" with {}", params.join(", ")) };
            let because: Vec<_> = one.because.iter().take(5).map(|one| inline(&one.id.0)).collect();
            let _ = writeln!(
                page,
                "{}{}. {} on {}{with}: {does}, risk {}, because of {}",
                if n == 0 { "\n" } else { "" },
                n + 1,
                code(&one.action),
                inline(&one.target.to_string()),
                one.risk,
                if because.is_empty() { "the hypothesis".to_owned() } else { because.join(", ") },
            );
        }
        if !self.commands.is_empty() {
            page.push_str("\nTo look and to act by hand:\n\n");
            for command in self.commands.iter().take(SHOWN) {
                let _ = writeln!(page, "    {}", crate::text::bounded(command, 200));
            }
        }
        list(page, "Risks", self.risks.iter().map(|text| inline(text)));
    }
}

fn list(page: &mut String, heading: &str, entries: impl Iterator<Item = String>) {
    let entries: Vec<String> = entries.collect();
    if entries.is_empty() {
        return;
    }
    let _ = writeln!(page, "\n## {heading}\n");
    for entry in entries.iter().take(SHOWN) {
        let _ = writeln!(page, "- {entry}");
    }
    if entries.len() > SHOWN {
        let _ = writeln!(page, "- … and {} more", entries.len() - SHOWN);
    }
}

fn citation(direction: &str, one: &EvidenceRef) -> String {
    format!("**{}** {direction}: {} ({:+.1})", inline(&one.id.0), inline(&one.because), one.weight)
}

fn title(hypothesis: &Hypothesis) -> String {
    match (hypothesis.class, &hypothesis.locus) {
        (FaultClass::Unknown, _) => "not decided".to_owned(),
        (class, Locus::Nothing) => class.to_string(),
        (class, locus) => format!("{class} on {}", inline(&locus.to_string())),
    }
}

fn percent(probability: f64) -> String {
    format!("{:.0}%", probability.clamp(0.0, 1.0) * 100.0)
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    // A name keeps its own spelling: only our own sentences begin with a small word.
    match chars.next() {
        Some(first) if ["the ", "somebody ", "more ", "nothing "].iter().any(|word| text.starts_with(word)) => {
            first.to_uppercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// RFC 3339 in UTC, to the second; milliseconds since the epoch for what lies beyond the calendar.
fn time(at: Timestamp) -> String {
    let second = at.as_millis().div_euclid(1000);
    jiff::Timestamp::from_second(second).map_or_else(|_| at.to_string(), |time| time.to_string())
}
