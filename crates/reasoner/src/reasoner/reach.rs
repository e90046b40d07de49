//! How far a fault is felt: its own place, then whoever depends on it, as far as they suffer. Trouble does not jump over
//! a component that is well.

use std::collections::{BTreeMap, VecDeque};

use operator_protocols::{Id, Locus};

use super::case::Case;
use super::symptom::{Nature, Symptom};
use crate::parameters::{GIVES_UP, PER_HOP};

/// The place of a fault and everything that feels it.
#[derive(Debug)]
pub(crate) struct Reach<'p> {
    /// Hops from the fault, by component.
    depth: BTreeMap<&'p Id, u32>,
    /// The component at fault.
    component: Option<&'p Id>,
    /// The link at fault.
    edge: Option<(&'p Id, &'p Id)>,
    /// Whether the component at fault answers all it is asked: then it makes nobody fail, but for those who give up.
    answers_all: bool,
}

impl<'p> Reach<'p> {
    /// Of a fault in a component.
    pub fn of_component(case: &Case<'p>, id: &'p Id) -> Self {
        let answers_all = case.facts(&Locus::Component(id.clone())).answers_all();
        Self { depth: spread(case, [id], 0), component: Some(id), edge: None, answers_all }
    }

    /// Of the same trouble in several components.
    pub fn of_components(case: &Case<'p>, ids: impl IntoIterator<Item = &'p Id>) -> Self {
        Self { depth: spread(case, ids, 0), ..Self::nowhere() }
    }

    /// Of a fault in a link: its caller feels it, and whoever depends on the caller.
    pub fn of_edge(case: &Case<'p>, from: &'p Id, to: &'p Id) -> Self {
        Self { depth: spread(case, [from], 1), component: None, edge: Some((from, to)), answers_all: false }
    }

    /// Of a fault that has no place in the dependency graph.
    pub fn nowhere() -> Self {
        Self { depth: BTreeMap::new(), component: None, edge: None, answers_all: false }
    }

    /// Whether a locus feels it.
    pub fn covers(&self, locus: &Locus) -> bool {
        match locus {
            Locus::Component(id) => self.depth.contains_key(id),
            Locus::Edge(from, to) => {
                self.edge == Some((from, to))
                    || self.component == Some(to)
                    || self.component == Some(from)
                    || (self.depth.contains_key(from) && self.depth.contains_key(to))
            }
            _ => false,
        }
    }

    fn hop(&self, id: &Id) -> Option<f64> {
        // Depths are small: the graph is as deep as a system's layers.
        self.depth.get(id).map(|depth| PER_HOP.powi(i32::try_from(*depth).unwrap_or(i32::MAX)))
    }

    /// How well a fault here that slows or stops things explains a symptom, from 0 to 1, and how. `stops` is whether
    /// the fault stops rather than slows.
    pub fn explains(&self, symptom: &Symptom<'_>, stops: bool) -> (f64, &'static str) {
        match (&symptom.on, symptom.nature) {
            (Locus::Component(id), Nature::Performance | Nature::Silent) => match self.hop(id) {
                Some(hop) if self.component == Some(id) => (hop, "the symptom is at this place"),
                Some(hop) if self.answers_all && symptom.fails() => {
                    (GIVES_UP * hop, "it fails, and this place answers all it is asked")
                }
                Some(hop) => (hop, "it depends on this place"),
                None => (0.0, UNEXPLAINED),
            },
            (Locus::Component(id), Nature::Down) => match self.hop(id) {
                Some(hop) if self.component == Some(id) => {
                    (if stops { hop } else { 0.3 }, "the symptom is at this place")
                }
                Some(hop) => (0.5 * hop, "it depends on this place and may have stopped with it"),
                // That another component is down is seen, not inferred: it needs no explanation by the same cause.
                None => (0.45, "a second failure, independent of this one"),
            },
            (Locus::Edge(from, to), Nature::Performance | Nature::Cut | Nature::Silent) => {
                let cut = symptom.nature != Nature::Performance;
                if self.edge == Some((from, to)) {
                    (if cut && !stops { 0.3 } else { 1.0 }, "the symptom is on this link")
                } else if self.component == Some(to) {
                    (1.0, "its callers feel it on this link")
                } else if self.component == Some(from) {
                    (if cut && !stops { 0.3 } else { 0.9 }, "it measures this link itself, late")
                } else if let (Some(_), Some(hop)) = (self.hop(from), self.hop(to)) {
                    (hop, "both ends depend on this place")
                } else {
                    (0.0, UNEXPLAINED)
                }
            }
            (_, Nature::Outcome) => {
                if symptom.implicates.is_empty() {
                    (0.5, "nothing says where this comes from")
                } else if symptom.implicates.iter().any(|locus| self.covers(locus)) {
                    (0.9, "the finding names a place that feels it")
                } else {
                    (0.1, "the finding names other things")
                }
            }
            _ => (0.0, UNEXPLAINED),
        }
    }
}

/// What is said of a symptom that a hypothesis leaves alone.
pub(crate) const UNEXPLAINED: &str = "it would remain unexplained";

/// Breadth-first over the callers that suffer.
fn spread<'p>(case: &Case<'p>, starts: impl IntoIterator<Item = &'p Id>, depth: u32) -> BTreeMap<&'p Id, u32> {
    let mut depths: BTreeMap<&Id, u32> = starts.into_iter().map(|id| (id, depth)).collect();
    let mut queue: VecDeque<&Id> = depths.keys().copied().collect();
    while let Some(id) = queue.pop_front() {
        let next = depths.get(id).copied().unwrap_or(depth).saturating_add(1);
        for caller in case.callers_of(id) {
            let feels = case.suffers(&Locus::Component(caller.clone()))
                || case.suffers(&Locus::Edge(caller.clone(), id.clone()));
            if feels && !depths.contains_key(caller) {
                depths.insert(caller, next);
                queue.push_back(caller);
            }
        }
    }
    depths
}
