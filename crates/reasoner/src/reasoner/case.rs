//! The pack, indexed for reasoning: what is known of each locus, who calls whom, and what asks for an explanation.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{
    Component, ComponentState, DependencyState, Event, EventId, Id, Locus, SignalRole, Timestamp, Worse,
};

use super::accounts::Accounts;
use super::load;
use super::reach::Reach;
use super::symptom::{self, Nature, Symptom};
use crate::methods::{Method, Methods};
use crate::pack::PER_REQUEST;
use crate::{EvidenceItem, EvidenceKind, EvidencePack, PastTicket, ViolationFact};

/// A signal that left its baseline.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deviation<'p> {
    pub item: &'p EvidenceItem,
    pub signal: &'p str,
    pub role: SignalRole,
    pub unit: &'p str,
    pub worse: Worse,
    pub baseline: f64,
    pub value: f64,
    pub deviation: f64,
}

impl Deviation<'_> {
    /// Whether the signal is about a clock: by its name, for want of a role.
    pub fn is_about_a_clock(&self) -> bool {
        self.role == SignalRole::Other
            && self.signal.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "clock")
    }
}

/// What is known of one locus.
#[derive(Debug, Default)]
pub(crate) struct Facts<'p> {
    pub state: Option<(ComponentState, &'p EvidenceItem)>,
    pub link: Option<(DependencyState, &'p EvidenceItem)>,
    pub incarnation: Option<&'p EvidenceItem>,
    pub deviations: Vec<Deviation<'p>>,
    pub saturated: Option<&'p EvidenceItem>,
    /// The item that says that it makes up much of the traffic of a component.
    pub dominates: Option<&'p EvidenceItem>,
    /// (share of its excess that is its own, whether requests were counted, item)
    pub own_share: Option<(f64, bool, &'p EvidenceItem)>,
    /// (whether it is known to answer or carry, roles at their baseline, item)
    pub healthy: Option<(bool, &'p [SignalRole], &'p EvidenceItem)>,
    pub violations: Vec<(&'p ViolationFact, &'p EvidenceItem)>,
    pub silent: Option<&'p EvidenceItem>,
    pub logs: Vec<&'p EvidenceItem>,
    /// The item that says how it stands among its peers, where it is the only one that deviates.
    pub alone: Option<&'p EvidenceItem>,
}

impl<'p> Facts<'p> {
    /// The deviations of a role in the bad direction.
    pub fn bad(&self, role: SignalRole) -> impl Iterator<Item = &Deviation<'p>> {
        self.deviations.iter().filter(move |one| one.role == role && one.deviation > 0.0)
    }

    /// Whether what fails there is measured.
    pub fn is_measured(&self) -> bool {
        [SignalRole::Availability, SignalRole::Errors]
            .iter()
            .any(|role| self.fine(*role).is_some() || self.bad(*role).next().is_some())
    }

    /// Whether it is seen to answer all that it is asked: what fails there is measured, and at its baseline.
    pub fn answers_all(&self) -> bool {
        let failing = [SignalRole::Availability, SignalRole::Errors];
        failing.iter().any(|role| self.fine(*role).is_some())
            && failing.iter().all(|role| self.bad(*role).next().is_none())
    }

    /// The item that shows a signal of the role at its baseline.
    pub fn fine(&self, role: SignalRole) -> Option<&'p EvidenceItem> {
        self.healthy.filter(|(_, roles, _)| roles.contains(&role)).map(|(_, _, item)| item)
    }
}

/// The pack, indexed.
#[derive(Debug)]
pub(crate) struct Case<'p> {
    pub pack: &'p EvidencePack,
    /// Whether that calls fail is told from that they are late.
    pub failing_or_late: bool,
    pub components: BTreeMap<&'p Id, &'p Component>,
    ids: BTreeSet<&'p Id>,
    pub callers: BTreeMap<&'p Id, BTreeSet<&'p Id>>,
    pub callees: BTreeMap<&'p Id, BTreeSet<&'p Id>>,
    pub facts: BTreeMap<&'p Locus, Facts<'p>>,
    pub symptoms: Vec<Symptom<'p>>,
    /// The places in `symptoms` of what is wrong at a locus.
    pub at: BTreeMap<Locus, Vec<usize>>,
    pub accounts: Accounts<'p>,
    /// What happened, by event; whether the operator did it itself.
    pub events: BTreeMap<&'p EventId, (&'p Event, bool, &'p EvidenceItem)>,
    pub unavailable: Vec<&'p EvidenceItem>,
    pub similar: Vec<(&'p PastTicket, &'p EvidenceItem)>,
    pub violations: Vec<(&'p ViolationFact, &'p EvidenceItem)>,
    /// The components that a surge fills.
    pub overfull: BTreeSet<&'p Id>,
    /// An item that says that an invariant holds.
    pub holds: Option<&'p EvidenceItem>,
}

static NOTHING_KNOWN: Facts<'static> = Facts {
    state: None,
    link: None,
    incarnation: None,
    deviations: Vec::new(),
    saturated: None,
    dominates: None,
    own_share: None,
    healthy: None,
    violations: Vec::new(),
    silent: None,
    logs: Vec::new(),
    alone: None,
};

impl<'p> Case<'p> {
    pub fn of(pack: &'p EvidencePack, methods: Methods) -> Self {
        let mut case = Self {
            pack,
            failing_or_late: methods.use_of(Method::FailingOrLate),
            components: pack.components.iter().map(|component| (&component.id, component)).collect(),
            ids: pack.components.iter().map(|component| &component.id).collect(),
            callers: BTreeMap::new(),
            callees: BTreeMap::new(),
            facts: BTreeMap::new(),
            symptoms: Vec::new(),
            at: BTreeMap::new(),
            accounts: Accounts::of(pack),
            events: BTreeMap::new(),
            unavailable: Vec::new(),
            similar: Vec::new(),
            violations: Vec::new(),
            overfull: BTreeSet::new(),
            holds: None,
        };
        let graph: &[_] = if methods.use_of(Method::GraphShape) { &pack.dependencies } else { &[] };
        for dependency in graph {
            case.callers.entry(&dependency.to).or_default().insert(&dependency.from);
            case.callees.entry(&dependency.from).or_default().insert(&dependency.to);
            case.ids.extend([&dependency.from, &dependency.to]);
        }
        for item in &pack.items {
            case.ids.extend(item.on.components());
            case.learn(item);
        }
        case.symptoms = symptom::symptoms(&case);
        for (n, symptom) in case.symptoms.iter().enumerate() {
            case.at.entry(symptom.on.clone()).or_default().push(n);
        }
        case.overfull = load::overfull(&case);
        case
    }

    fn learn(&mut self, item: &'p EvidenceItem) {
        match &item.kind {
            EvidenceKind::Violation(violation) => {
                self.violations.push((violation, item));
                self.facts.entry(&item.on).or_default().violations.push((violation, item));
            }
            EvidenceKind::ComponentState { now, .. } => {
                self.facts.entry(&item.on).or_default().state = Some((*now, item));
            }
            EvidenceKind::DependencyState { now, .. } => {
                let link = &mut self.facts.entry(&item.on).or_default().link;
                // Several links between the same two: the one that carries nothing counts.
                if link.is_none_or(|(before, _)| before != DependencyState::Down) {
                    *link = Some((*now, item));
                }
            }
            EvidenceKind::Incarnation { .. } => self.facts.entry(&item.on).or_default().incarnation = Some(item),
            EvidenceKind::Deviation { signal, role, unit, worse, baseline, value, deviation } => {
                self.facts.entry(&item.on).or_default().deviations.push(Deviation {
                    item,
                    signal,
                    role: *role,
                    unit,
                    worse: *worse,
                    baseline: *baseline,
                    value: *value,
                    deviation: *deviation,
                });
            }
            EvidenceKind::Saturated { .. } => {
                self.facts.entry(&item.on).or_default().saturated.get_or_insert(item);
            }
            EvidenceKind::Share { .. } => {
                self.facts.entry(&item.on).or_default().dominates.get_or_insert(item);
            }
            EvidenceKind::SelfExcess { total, own, unit, .. } => {
                let share = if *total > 0.0 { (own / total).clamp(0.0, 1.0) } else { 0.0 };
                self.facts.entry(&item.on).or_default().own_share.get_or_insert((share, unit != PER_REQUEST, item));
            }
            EvidenceKind::Silent { .. } => self.facts.entry(&item.on).or_default().silent = Some(item),
            EvidenceKind::Peers { deviating: 1, peers, .. } if *peers >= 3 => {
                self.facts.entry(&item.on).or_default().alone.get_or_insert(item);
            }
            EvidenceKind::Event(event) => {
                self.events.insert(&event.id, (event, false, item));
            }
            EvidenceKind::OwnAction(event) => {
                self.events.insert(&event.id, (event, true, item));
            }
            EvidenceKind::LogTemplate { .. } => self.facts.entry(&item.on).or_default().logs.push(item),
            EvidenceKind::Unavailable { .. } => self.unavailable.push(item),
            EvidenceKind::SimilarTicket(past) => self.similar.push((past, item)),
            EvidenceKind::Healthy { severity: Some(_), .. } => {
                self.holds.get_or_insert(item);
            }
            EvidenceKind::Healthy { up, roles, .. } => {
                self.facts.entry(&item.on).or_default().healthy = Some((*up, roles, item));
            }
            EvidenceKind::Discrepancy { .. } | EvidenceKind::Peers { .. } | EvidenceKind::DetailChange { .. } => {}
        }
    }

    /// What is known of a locus.
    pub fn facts(&self, locus: &Locus) -> &Facts<'p> {
        self.facts.get(locus).unwrap_or(&NOTHING_KNOWN)
    }

    /// What is wrong at a locus.
    pub fn symptoms_at(&self, locus: &Locus) -> impl Iterator<Item = &Symptom<'p>> {
        self.at.get(locus).into_iter().flatten().filter_map(|n| self.symptoms.get(*n))
    }

    /// Whether anything is wrong at a locus.
    pub fn suffers(&self, locus: &Locus) -> bool {
        self.at.contains_key(locus)
    }

    /// The pack's own copy of a name.
    pub fn id(&self, id: &Id) -> Option<&'p Id> {
        self.ids.get(id).copied()
    }

    /// How far a fault at a locus is felt.
    pub fn reach(&self, locus: &Locus) -> Reach<'p> {
        match locus {
            Locus::Component(id) => self.id(id).map_or_else(Reach::nowhere, |id| Reach::of_component(self, id)),
            Locus::Edge(from, to) => match (self.id(from), self.id(to)) {
                (Some(from), Some(to)) => Reach::of_edge(self, from, to),
                _ => Reach::nowhere(),
            },
            _ => Reach::nowhere(),
        }
    }

    /// Whether more is asked of everything.
    pub fn surge(&self) -> bool {
        self.symptoms_at(&Locus::Nothing).any(|symptom| symptom.nature == Nature::Surge)
    }

    /// The state of a component as last seen.
    pub fn state(&self, id: &Id) -> Option<ComponentState> {
        self.components.get(id).map(|component| component.state)
    }

    /// Who calls a component.
    pub fn callers_of(&self, id: &Id) -> impl Iterator<Item = &'p Id> + '_ {
        self.callers.get(id).into_iter().flatten().copied()
    }

    /// Whom a component calls.
    pub fn callees_of(&self, id: &Id) -> impl Iterator<Item = &'p Id> + '_ {
        self.callees.get(id).into_iter().flatten().copied()
    }

    /// When the trouble at a locus began.
    pub fn began(&self, locus: &Locus) -> Option<Timestamp> {
        self.symptoms_at(locus).map(|symptom| symptom.at).min()
    }
}
