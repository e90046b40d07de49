//! Everything that the store has of one incident: what `incidents show` and `tickets show` tell.

use operator_core::store::sqlite::SqliteStore;
use operator_core::store::{ExecutionFilter, Store as _, TicketFilter};
use operator_core::{Execution, Incident, Mark, MarkVerdict, Ticket};
use operator_reasoner::{Background, Deliberation, Diagnosis, EvidencePack};
use serde::Serialize;

use crate::commands::live::Live;
use crate::commands::{actions, tickets};
use crate::exit::Failure;
use crate::output::Output;

/// How many marks of a subject are looked through.
const MARKS: u32 = 10_000;

/// An incident with everything that belongs to it.
#[derive(Debug, Serialize)]
pub(super) struct Story {
    pub incident: Incident,
    pub tickets: Vec<Ticket>,
    pub diagnoses: Vec<Numbered>,
    pub executions: Vec<Execution>,
    /// What a person said of the explanation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
}

/// A diagnosis, with its id and how it was reached.
#[derive(Debug, Serialize)]
pub(super) struct Numbered {
    pub id: String,
    pub diagnosis: Diagnosis,
    /// Of every answer that was taken while it stood, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deliberations: Vec<Deliberation>,
    /// What it rests on.
    #[serde(skip)]
    pub evidence: Option<EvidencePack>,
}

impl Numbered {
    /// How it was reached, where a model took part.
    pub fn deliberation(&self) -> Option<&Deliberation> {
        self.deliberations.last()
    }
}

impl Story {
    /// Reads it: every diagnosis, or only the latest.
    pub async fn read(store: &SqliteStore, incident: Incident, every: bool) -> Result<Self, Failure> {
        let of = Some(incident.id.clone());
        let mut diagnoses = store.diagnoses(&incident.id).await?;
        if !every {
            diagnoses.drain(..diagnoses.len().saturating_sub(1));
        }
        let mut tickets = store.tickets(&TicketFilter { incident: of.clone(), ..TicketFilter::default() }).await?;
        let mut executions = store.executions(&ExecutionFilter { incident: of, ..ExecutionFilter::default() }).await?;
        // The store gives the newest first; a story is told from its beginning.
        tickets.reverse();
        executions.reverse();
        let mut numbered = Vec::new();
        for (id, diagnosis) in diagnoses {
            let deliberations = store.deliberations(&id).await?;
            let evidence = store.evidence(&id).await?;
            numbered.push(Numbered { id, diagnosis, deliberations, evidence });
        }
        let marks = store.marks(Some(&incident.subject), MARKS).await?;
        let mark = marks.into_iter().find(|mark| mark.incident == incident.id);
        Ok(Self { diagnoses: numbered, tickets, executions, mark, incident })
    }

    /// The latest diagnosis.
    pub fn latest(&self) -> Option<&Numbered> {
        self.diagnoses.last()
    }

    /// The whole as a page for people.
    pub fn page(&self, output: &Output, live: Option<&Live>) -> String {
        let incident = &self.incident;
        let state = match incident.closed_at {
            Some(at) => format!("closed {}", output.when(at)),
            None => "open".to_owned(),
        };
        let mut page = String::new();
        for numbered in &self.diagnoses {
            let deliberation = numbered.deliberation();
            // What the running operator knows says more than what was kept, where it is of the same evidence.
            let live = live.filter(|live| live.is_of(&numbered.diagnosis));
            page.push_str(&match live {
                Some(live) => live.page(&numbered.diagnosis, deliberation),
                None => numbered.diagnosis.to_markdown_with(Background {
                    pack: numbered.evidence.as_ref(),
                    deliberation,
                    ..Background::default()
                }),
            });
            page.push('\n');
        }
        if self.diagnoses.is_empty() {
            page.push_str(&format!("# Incident {}\n\nIt is not explained yet.\n\n", incident.id));
        }
        let opened = output.when(incident.opened_at);
        page.push_str(&format!("## Tickets\n\nThe incident was opened {opened}; {state}.\n\n"));
        page.push_str(&fenced(&tickets::rows(output, &self.tickets)));
        if let Some(mark) = &self.mark {
            page.push_str(&format!("\n## What a person said of it\n\n{}\n", fenced(&said(mark))));
        }
        if !self.executions.is_empty() {
            page.push_str("\n## Actions\n\n");
            page.push_str(&fenced(&actions::rows(output, &self.executions)));
        }
        page
    }
}

/// What a person said of an explanation, in a line.
pub(super) fn said(mark: &Mark) -> String {
    let word = match mark.verdict {
        MarkVerdict::Right => "right",
        MarkVerdict::Wrong => "wrong",
        MarkVerdict::Withdrawn => "nothing any more",
    };
    let cause = mark.cause.as_ref().map(|(class, locus)| format!(", it was {class} at {locus}")).unwrap_or_default();
    let note = if mark.note.is_empty() { String::new() } else { format!(": {}", mark.note) };
    format!("{} ({}): {word}{cause}{note}; {}", mark.diagnosis, mark.diagnoser, mark.by.name)
}

/// A block of text that Markdown leaves as it is.
pub(super) fn fenced(text: &str) -> String {
    format!("```text\n{}\n```\n", text.trim_end().replace("```", "'''"))
}
