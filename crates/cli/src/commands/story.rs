//! Everything that the store has of one incident: what `incidents show` and `tickets show` tell.

use operator_core::store::sqlite::SqliteStore;
use operator_core::store::{ExecutionFilter, Store as _, TicketFilter};
use operator_core::{Execution, Incident, Ticket};
use operator_reasoner::{Background, Deliberation, Diagnosis};
use serde::Serialize;

use crate::commands::{actions, tickets};
use crate::exit::Failure;
use crate::output::Output;

/// An incident with everything that belongs to it.
#[derive(Debug, Serialize)]
pub(super) struct Story {
    pub incident: Incident,
    pub tickets: Vec<Ticket>,
    pub diagnoses: Vec<Numbered>,
    pub executions: Vec<Execution>,
}

/// A diagnosis, with its id and how it was reached.
#[derive(Debug, Serialize)]
pub(super) struct Numbered {
    pub id: String,
    pub diagnosis: Diagnosis,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliberation: Option<Deliberation>,
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
        let numbered = |(id, diagnosis)| Numbered { id, diagnosis, deliberation: None };
        Ok(Self { diagnoses: diagnoses.into_iter().map(numbered).collect(), tickets, executions, incident })
    }

    /// The latest diagnosis.
    pub fn latest(&self) -> Option<&Numbered> {
        self.diagnoses.last()
    }

    /// The whole as a page for people.
    pub fn page(&self, output: &Output) -> String {
        let incident = &self.incident;
        let state = match incident.closed_at {
            Some(at) => format!("closed {}", output.when(at)),
            None => "open".to_owned(),
        };
        let mut page = String::new();
        for numbered in &self.diagnoses {
            let background = Background { deliberation: numbered.deliberation.as_ref(), ..Background::default() };
            page.push_str(&numbered.diagnosis.to_markdown_with(background));
            page.push('\n');
        }
        if self.diagnoses.is_empty() {
            page.push_str(&format!("# Incident {}\n\nIt is not explained yet.\n\n", incident.id));
        }
        let opened = output.when(incident.opened_at);
        page.push_str(&format!("## Tickets\n\nThe incident was opened {opened}; {state}.\n\n"));
        page.push_str(&fenced(&tickets::rows(output, &self.tickets)));
        if !self.executions.is_empty() {
            page.push_str("\n## Actions\n\n");
            page.push_str(&fenced(&actions::rows(output, &self.executions)));
        }
        page
    }
}

/// A block of text that Markdown leaves as it is.
pub(super) fn fenced(text: &str) -> String {
    format!("```text\n{}\n```\n", text.trim_end().replace("```", "'''"))
}
