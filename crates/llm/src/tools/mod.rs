//! The looks a model may take: a closed set of read-only tools, whose arguments are checked against what is known of
//! this case, and whose answers are bounded data.

mod arguments;
mod looks;

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{Locus, ParamDefinition, ParamKind};
use operator_reasoner::{EvidenceKind, Investigation, bounded};
use serde_json::{Value as Json, json};

use crate::bounds::is_modest;
use crate::case::Case;
use crate::provider::ToolDefinition;
use crate::schema::{self, object, one_of};

/// The tool that ends an investigation.
pub(crate) const SUBMIT: &str = "submit_diagnosis";
/// The most events or lines of one look.
pub(crate) const LINES: i64 = 20;
/// The longest text to search for.
const SEARCHED: usize = 80;
/// The most probes on offer.
const PROBES: usize = 24;

/// The tools of one case.
pub(crate) struct Tools<'a> {
    case: &'a Case<'a>,
    investigation: &'a dyn Investigation,
    /// The signals that the evidence names, by where they are.
    signals: BTreeMap<&'a Locus, BTreeSet<&'a str>>,
    definitions: Vec<ToolDefinition>,
}

impl<'a> Tools<'a> {
    /// What can be asked in this case.
    pub fn of(case: &'a Case<'a>, investigation: &'a dyn Investigation) -> Self {
        let mut signals: BTreeMap<&Locus, BTreeSet<&str>> = BTreeMap::new();
        for item in &case.pack.items {
            if let Some(signal) = signal_of(&item.kind) {
                signals.entry(&item.on).or_default().insert(signal);
            }
        }
        let mut tools = Self { case, investigation, signals, definitions: Vec::new() };
        tools.definitions = tools.define();
        tools
    }

    /// The tools on offer, the same in every turn.
    pub fn definitions(&self) -> &[ToolDefinition] {
        &self.definitions
    }

    /// Whether there is a tool of that name.
    pub fn offers(&self, name: &str) -> bool {
        self.definitions.iter().any(|tool| tool.name == name)
    }

    /// Takes one look.
    ///
    /// # Errors
    /// Says what is wrong with the call and what would be right, or why nothing can be seen.
    pub async fn look(&self, name: &str, arguments: &Json) -> Result<Json, String> {
        if !self.offers(name) {
            let names: Vec<&str> = self.definitions.iter().map(|tool| tool.name.as_str()).collect();
            return Err(format!("there is no such tool; there are {}", names.join(", ")));
        }
        if !is_modest(arguments) {
            return Err("the arguments are too large".to_owned());
        }
        match name {
            "get_series" => self.series(arguments).await,
            "get_component" => self.component(arguments),
            "list_events" => self.events(arguments).await,
            "search_logs" => self.logs(arguments).await,
            "probe" => self.probe(arguments).await,
            "similar_tickets" => Ok(self.similar()),
            _ => Err("this tool takes no look".to_owned()),
        }
    }

    fn define(&self) -> Vec<ToolDefinition> {
        let tool = |name: &str, description: &str, schema: Json| ToolDefinition {
            name: name.to_owned(),
            description: description.to_owned(),
            schema,
        };
        let count = || json!({"type": "integer", "minimum": 1, "maximum": LINES});
        let mut tools = Vec::new();
        if !self.signals.is_empty() {
            tools.push(tool(
                "get_series",
                "How a signal ran over time at one place: its summary and some of its values.",
                object(&[
                    ("on", one_of(self.with_signals().iter().map(String::as_str))),
                    ("signal", one_of(self.names())),
                ]),
            ));
        }
        tools.push(tool(
            "get_component",
            "What is known of one component: its state, labels, who it calls and who calls it, and the evidence on it.",
            object(&[("component", one_of(self.components().iter().map(String::as_str)))]),
        ));
        tools.push(tool("list_events", "What happened lately, the newest last.", object(&[("limit", count())])));
        tools.push(tool(
            "search_logs",
            "Log lines that contain a text, in any case; the newest last. An empty component means all of them.",
            object(&[
                ("component", one_of(self.components().iter().map(String::as_str).chain([""]))),
                ("containing", schema::text(SEARCHED)),
                ("limit", count()),
            ]),
        ));
        if !self.investigation.probes().is_empty() {
            tools.push(self.probe_tool());
        }
        if self.case.pack.items.iter().any(|item| matches!(item.kind, EvidenceKind::SimilarTicket(_))) {
            tools.push(tool("similar_tickets", "Past tickets that looked alike, and what fixed them.", object(&[])));
        }
        tools.push(tool(SUBMIT, "Ends the investigation with your answer.", schema::answer(self.case)));
        tools
    }

    fn probe_tool(&self) -> ToolDefinition {
        let probes = || self.investigation.probes().iter().take(PROBES);
        let described: Vec<String> = probes()
            .map(|probe| {
                let params: Vec<String> = probe.params.iter().map(described).collect();
                format!("{}({}): {}", bounded(&probe.name, 60), params.join(", "), bounded(&probe.description, 200))
            })
            .collect();
        // Parameters differ from probe to probe: what each takes is in the description, and checked.
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["probe", "target", "params"],
            "properties": {
                "probe": one_of(probes().map(|probe| probe.name.as_str())),
                "target": one_of(self.case.places.names().iter().map(String::as_str)),
                "params": {"type": "object"},
            },
        });
        ToolDefinition {
            name: "probe".to_owned(),
            description: format!("Asks the system itself, read-only. Probes: {}", described.join("; ")),
            schema,
        }
    }

    /// The names of places that have signals.
    fn with_signals(&self) -> Vec<String> {
        let places = self.case.places.names().iter();
        places
            .filter(|name| self.case.places.locus(name).is_some_and(|on| self.signals.contains_key(on)))
            .cloned()
            .collect()
    }

    fn names(&self) -> BTreeSet<&'a str> {
        self.signals.values().flatten().copied().collect()
    }

    fn components(&self) -> Vec<String> {
        let places = self.case.places.names().iter();
        let is_component = |name: &&String| matches!(self.case.places.locus(name), Some(Locus::Component(_)));
        places.filter(is_component).cloned().collect()
    }
}

fn signal_of(kind: &EvidenceKind) -> Option<&str> {
    match kind {
        EvidenceKind::Deviation { signal, .. }
        | EvidenceKind::Saturated { signal, .. }
        | EvidenceKind::SelfExcess { signal, .. }
        | EvidenceKind::Share { signal, .. }
        | EvidenceKind::Peers { signal, .. } => Some(signal),
        EvidenceKind::Silent { sample, .. } => Some(sample),
        _ => None,
    }
}

fn described(param: &ParamDefinition) -> String {
    let kind = match &param.kind {
        ParamKind::OneOf { values } => format!("one of {}", bounded(&values.join("|"), 120)),
        kind => kind.expectation(),
    };
    let optional = if param.default.is_some() { ", optional" } else { "" };
    format!("{}: {kind}{optional}", bounded(&param.name, 60))
}
