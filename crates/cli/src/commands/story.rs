//! Everything that the store has of one incident: what `incidents show` and `tickets show` tell.

use std::collections::BTreeMap;

use operator_core::store::sqlite::SqliteStore;
use operator_core::store::{ExecutionFilter, Store as _, TicketFilter};
use operator_core::{Execution, Incident, Ticket};
use operator_reasoner::{Background, Deliberation, Diagnosis};
use serde::{Deserialize as _, Serialize};

use crate::commands::live::Live;
use crate::commands::{actions, tickets};
use crate::exit::Failure;
use crate::output::Output;

/// How many audit rows are read at once.
const PAGE: u32 = 1_000;

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
        let ids: Vec<&str> = diagnoses.iter().map(|(id, _)| id.as_str()).collect();
        let mut deliberations = deliberations(store, &ids).await?;
        let numbered = |(id, diagnosis)| Numbered { deliberation: deliberations.remove(&id), id, diagnosis };
        Ok(Self { diagnoses: diagnoses.into_iter().map(numbered).collect(), tickets, executions, incident })
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
            let deliberation = numbered.deliberation.as_ref();
            page.push_str(&match live {
                Some(live) => live.page(&numbered.diagnosis, deliberation),
                None => {
                    let background = Background { deliberation, ..Background::default() };
                    numbered.diagnosis.to_markdown_with(background)
                }
            });
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

/// How the diagnoses of these ids were reached: the audit has it, where a model took part.
async fn deliberations(store: &SqliteStore, ids: &[&str]) -> Result<BTreeMap<String, Deliberation>, Failure> {
    let (mut found, mut next) = (BTreeMap::new(), 1);
    while !ids.is_empty() {
        let page = store.audit(next, PAGE).await?;
        let Some(last) = page.last() else { break };
        next = last.seq + 1;
        let of_them = page
            .into_iter()
            .map(|row| row.event)
            .filter(|event| event.kind == "diagnosis.deliberated" && ids.contains(&event.reference.as_str()));
        for event in of_them {
            // A row of another version is left out: it is still in the audit.
            if let Some(Ok(one)) = event.body.get("deliberation").map(Deliberation::deserialize) {
                found.insert(event.reference, one);
            }
        }
    }
    Ok(found)
}

/// A block of text that Markdown leaves as it is.
pub(super) fn fenced(text: &str) -> String {
    format!("```text\n{}\n```\n", text.trim_end().replace("```", "'''"))
}
