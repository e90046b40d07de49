//! What the running operator knows of an incident beyond the store: the evidence, what its numbers did, and what the
//! subject can be asked.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_core::Incident;
use operator_core::agent::{CaseFile, Office};
use operator_protocols::Locus;
use operator_reasoner::{Background, Deliberation, Diagnosis, Point};

use crate::app::App;
use crate::commands::agent;

/// How many series are worth asking for.
const SERIES: usize = 40;
/// How long all of it may take: a page without sparklines is better than none.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// What is known beyond the store.
#[derive(Debug)]
pub(super) struct Live {
    /// The case.
    pub file: CaseFile,
    series: BTreeMap<(Locus, String), Vec<Point>>,
}

impl Live {
    /// What `office` knows of an incident, if it is one that is asked about.
    async fn of(office: &dyn Office, incident: &str) -> Option<Self> {
        tokio::time::timeout(TIME_LIMIT, Self::read(office, incident)).await.ok()?
    }

    /// What the running operator knows of an incident, if one runs and the incident is open.
    pub async fn of_app(app: &App, incident: &Incident) -> Option<Self> {
        if incident.closed_at.is_some() {
            return None;
        }
        let office = agent::office(app, &app.config().ok()?, &incident.subject).ok()?;
        Self::of(office.as_ref(), &incident.id).await
    }

    async fn read(office: &dyn Office, incident: &str) -> Option<Self> {
        let file = office.case(incident).await.ok()?;
        Some(Self::with_series(office, file).await)
    }

    /// A case with what its numbers did.
    pub async fn with_series(office: &dyn Office, file: CaseFile) -> Self {
        let look = office.look(&file);
        let mut series = BTreeMap::new();
        let signals = file.pack.items.iter().filter_map(|item| Some((item.on.clone(), item.kind.signal()?.to_owned())));
        for key in signals.collect::<std::collections::BTreeSet<_>>().into_iter().take(SERIES) {
            // Without it there is no sparkline.
            if let Ok(points) = look.series(&key.0, &key.1).await {
                series.insert(key, points);
            }
        }
        Self { file, series }
    }

    /// Whether a diagnosis is of this evidence.
    pub fn is_of(&self, diagnosis: &Diagnosis) -> bool {
        diagnosis.made_at == self.file.pack.built_at
    }

    /// The page of a diagnosis with all of it; without the evidence, where the diagnosis is of other evidence.
    pub fn page(&self, diagnosis: &Diagnosis, deliberation: Option<&Deliberation>) -> String {
        let known =
            |on: &Locus, signal: &str| self.series.get(&(on.clone(), signal.to_owned())).cloned().unwrap_or_default();
        diagnosis.to_markdown_with(Background {
            pack: self.is_of(diagnosis).then_some(&self.file.pack),
            deliberation,
            series: Some(&known),
            probes: &self.file.probes,
        })
    }
}
