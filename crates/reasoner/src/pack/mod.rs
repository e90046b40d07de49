//! Builds the evidence pack: what of everything known bears on the case. Pure and deterministic; bounded in size
//! whatever comes in.

mod details;
mod events;
mod facts;
mod flow;
mod healthy;
mod judge;
mod lines;
mod load;
mod logs;
mod peers;
pub(crate) mod robust;
mod series;
mod signals;
mod states;
mod steps;
mod window;

use std::collections::BTreeSet;

use operator_protocols::{Locus, Timestamp};

pub(crate) use self::flow::PER_REQUEST;
use self::peers::Groups;
use self::states::States;
use self::window::Window;
use crate::methods::{Method, Methods};
use crate::{EvidenceId, EvidenceItem, EvidenceKind, EvidencePack, PackInput, PastTicket, SignalTable};

/// An item that has no id yet.
#[derive(Debug)]
pub(crate) struct Draft {
    pub at: Timestamp,
    pub on: Locus,
    pub statement: String,
    pub kind: EvidenceKind,
}

impl EvidencePack {
    /// Collects the evidence on one incident. The same input gives the same pack to the byte, in whatever order the
    /// observations list their parts.
    pub fn build(input: &PackInput<'_>) -> Self {
        Self::build_for(input, &[])
    }

    /// The same, for an incident that consists of these tickets; violations of others, or of none, are context. With no
    /// ticket, or none that a violation carries, all violations are taken to be of the incident.
    pub fn build_for(input: &PackInput<'_>, tickets: &[String]) -> Self {
        Self::build_from(input, tickets, None, Methods::all())
    }

    /// The same, with signals of the past that are held as a table beside those of the history.
    pub fn build_over(input: &PackInput<'_>, tickets: &[String], table: Option<&SignalTable>) -> Self {
        Self::build_from(input, tickets, table, Methods::all())
    }

    /// The same with some methods only, to measure what the others pay.
    #[doc(hidden)]
    pub fn build_with(input: &PackInput<'_>, tickets: &[String], methods: Methods) -> Self {
        Self::build_from(input, tickets, None, methods)
    }

    fn build_from(input: &PackInput<'_>, tickets: &[String], table: Option<&SignalTable>, methods: Methods) -> Self {
        let tickets: BTreeSet<&String> =
            input.violations.iter().filter_map(|one| one.ticket.as_ref()).filter(|one| tickets.contains(one)).collect();
        let states = States::of(input.history);
        let window = Window::of(input, &tickets, &states);
        let series = series::collect_all(input.history, table);
        let groups = Groups::of_parts(states.components.values().copied(), states.dependencies.values().copied());
        let judged = judge::judge(&series, &groups, &window, methods);
        let silent = judge::silent(&series, &window);

        let mut drafts = facts::violations(input, &tickets);
        if methods.use_of(Method::Discrepancies) {
            drafts.extend(facts::discrepancies(input, &tickets));
        }
        drafts.extend(facts::component_states(&states, &window));
        drafts.extend(facts::incarnations(&states, &window));
        drafts.extend(facts::dependency_states(&states, &window));
        drafts.extend(signals::deviations(&judged));
        let steps = if methods.use_of(Method::RequestSteps) {
            steps::steps(input.history, &window)
        } else {
            steps::Steps::default()
        };
        drafts.extend(steps.drafts);
        drafts.extend(load::items(&judged, &states));
        drafts.extend(load::shares(&series, &window));
        drafts.extend(signals::saturated(&judged, &series, &window));
        if methods.use_of(Method::FlowConservation) {
            drafts.extend(flow::items(&judged, &states, &silent));
        }
        if methods.use_of(Method::Peers) {
            drafts.extend(peers::items(&judged, &groups));
        }
        drafts.extend(signals::silent(&silent));

        // The trouble began with its earliest robust sign; a sign before the healthy past ended would not be one.
        let onset = drafts
            .iter()
            .filter(|draft| is_a_sign(&draft.kind))
            .map(|draft| draft.at)
            .filter(|at| *at >= window.healthy_until)
            .min()
            .unwrap_or(window.start)
            .min(window.start);

        if methods.use_of(Method::Events) {
            drafts.extend(events::items(input, onset));
        }
        if methods.use_of(Method::LogTemplates) {
            drafts.extend(logs::items(input.history, onset, &window));
        }
        drafts.extend(details::items(input.history, &window));
        drafts.extend(facts::unavailable(input));
        drafts.extend(facts::similar(input));
        let healthy = healthy::items(input, &states, &judged, &steps.usual, &drafts, &window);
        drafts.extend(healthy);

        Self {
            subject: input.subject.to_owned(),
            incident: input.incident.to_owned(),
            built_at: input.now,
            from: input.history.iter().next().map_or(input.now, |first| first.at),
            observations: input.history.len(),
            onset,
            tickets: tickets.into_iter().cloned().collect(),
            items: drafts
                .into_iter()
                .enumerate()
                .map(|(n, draft)| EvidenceItem {
                    id: EvidenceId::nth(n + 1),
                    at: draft.at,
                    on: draft.on,
                    statement: draft.statement,
                    kind: draft.kind,
                })
                .collect(),
            components: states.components.into_values().cloned().collect(),
            dependencies: states.dependencies.into_values().cloned().collect(),
            invariants: facts::violated_invariants(input),
        }
    }
}

impl EvidencePack {
    /// The same with past tickets that looked alike, each an item of its own after all others.
    #[must_use]
    pub fn with_similar(mut self, similar: &[PastTicket]) -> Self {
        let drafts = facts::similar_to(similar, self.built_at);
        for draft in drafts {
            let id = EvidenceId::nth(self.items.len() + 1);
            let Draft { at, on, statement, kind } = draft;
            self.items.push(EvidenceItem { id, at, on, statement, kind });
        }
        self
    }
}

/// Whether an item shows that something is wrong since it is so.
fn is_a_sign(kind: &EvidenceKind) -> bool {
    match kind {
        EvidenceKind::Violation(_) => true,
        EvidenceKind::ComponentState { before, .. } => before.is_some(),
        EvidenceKind::DependencyState { before, .. } => before.is_some(),
        EvidenceKind::Deviation { deviation, worse, .. } => {
            *deviation > 0.0 && *worse != operator_protocols::Worse::Neither
        }
        _ => false,
    }
}
