//! The faults, as what they do to the causes, and what a checker would report of them.

use std::collections::BTreeSet;

use operator_protocols::{DiscrepancyKind, Event, EventId, EventKind, FaultClass, Finding, Locus, Severity, Timestamp};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::accounts::{account, of_all};
use super::{SUBJECT, Shape, World, api, hop, item, price_change, store};

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    CallerDown,
    StoreDown,
    CallerSlow,
    StoreSlow,
    /// The store answers its own reads as ever, and every caller waits.
    StoreSlowHidden,
    /// Every caller waits for the store, which answers what it and the links are measured by as ever.
    StoreSlowUnseen,
    /// Calls to the store fail, for every caller.
    StoreFailing,
    LinkDown,
    LinkSlow,
    StateDivergence,
    ConfigDivergence,
    ExternalMutation,
    DataLoss,
    CapacityExhaustion,
    BadChangeOfItem,
    /// A deployment to one caller makes it slow.
    BadDeploy,
    LoadSurge,
    /// Nothing, and nothing is violated.
    Nothing,
    /// Nothing, but an invariant is violated for no reason that can be seen.
    Spurious,
    /// One caller, one store, one slow link, and nothing else is measured.
    Symmetric,
}

impl Fault {
    pub const ALL: [Self; 20] = [
        Self::CallerDown,
        Self::StoreDown,
        Self::CallerSlow,
        Self::StoreSlow,
        Self::StoreSlowHidden,
        Self::StoreSlowUnseen,
        Self::StoreFailing,
        Self::LinkDown,
        Self::LinkSlow,
        Self::StateDivergence,
        Self::ConfigDivergence,
        Self::ExternalMutation,
        Self::DataLoss,
        Self::CapacityExhaustion,
        Self::BadChangeOfItem,
        Self::BadDeploy,
        Self::LoadSurge,
        Self::Nothing,
        Self::Spurious,
        Self::Symmetric,
    ];
}

/// A fault while it acts.
#[derive(Debug, Clone)]
pub struct Acting {
    pub fault: Option<Fault>,
    pub truth: Vec<(FaultClass, Locus)>,
    pub load: f64,
    pub slower: f64,
    pub down: BTreeSet<Locus>,
    pub cut: BTreeSet<Locus>,
    pub degraded: BTreeSet<Locus>,
    pub events: Vec<Event>,
    pub hidden: bool,
    pub unseen: bool,
    pub restarted: bool,
    pub full: Option<f64>,
    target: usize,
    delayed: Option<(Locus, f64)>,
    failing: f64,
    violated: bool,
}

impl Acting {
    pub fn none() -> Self {
        Self {
            fault: None,
            truth: Vec::new(),
            load: 1.0,
            slower: 1.0,
            down: BTreeSet::new(),
            cut: BTreeSet::new(),
            degraded: BTreeSet::new(),
            events: Vec::new(),
            hidden: false,
            unseen: false,
            restarted: false,
            full: None,
            target: 1,
            delayed: None,
            failing: 0.0,
            violated: true,
        }
    }

    pub fn delay(&self, on: &Locus) -> f64 {
        self.delayed.as_ref().filter(|(at, _)| at == on).map_or(0.0, |(_, by)| *by)
    }

    pub fn failing(&self, _link: &Locus) -> f64 {
        self.failing
    }

    pub fn of(fault: Fault, rng: &mut ChaCha8Rng, shape: &Shape) -> Self {
        use FaultClass as F;
        let mut acting = Self { fault: Some(fault), target: rng.random_range(1..=shape.callers), ..Self::none() };
        let target = acting.target;
        let by = 0.015 * rng.random_range(1.0_f64..3.4).exp2().powi(2);
        acting.truth = match fault {
            Fault::CallerDown => {
                acting.down.insert(api(target));
                vec![(F::ComponentDown, api(target))]
            }
            Fault::StoreDown => {
                acting.down.insert(store());
                vec![(F::ComponentDown, store())]
            }
            Fault::CallerSlow | Fault::BadDeploy => {
                acting.delayed = Some((api(target), by));
                if fault == Fault::BadDeploy {
                    vec![(F::BadChange, Locus::Change(EventId::new(SUBJECT, "deploy-7")))]
                } else {
                    vec![(F::ComponentSlow, api(target))]
                }
            }
            Fault::StoreSlow | Fault::StoreSlowHidden | Fault::StoreSlowUnseen => {
                acting.delayed = Some((store(), by));
                acting.hidden = fault != Fault::StoreSlow;
                acting.unseen = fault == Fault::StoreSlowUnseen;
                vec![(F::ComponentSlow, store())]
            }
            Fault::StoreFailing => {
                acting.failing = rng.random_range(0.2..0.9);
                acting.degraded.extend((1..=shape.callers).map(api));
                vec![(F::ComponentSlow, store())]
            }
            Fault::LinkDown => {
                acting.cut.insert(hop(target));
                vec![(F::LinkDown, hop(target))]
            }
            Fault::LinkSlow => {
                acting.delayed = Some((hop(target), by));
                vec![(F::LinkSlow, hop(target))]
            }
            Fault::Symmetric => {
                acting.delayed = Some((hop(1), by));
                vec![(F::Unknown, Locus::Nothing)]
            }
            Fault::StateDivergence => vec![(F::StateDivergence, api(target))],
            Fault::ConfigDivergence => vec![(F::ConfigDivergence, api(target))],
            Fault::ExternalMutation => vec![(F::ExternalMutation, item(target))],
            Fault::DataLoss => {
                acting.restarted = true;
                vec![(F::DataLoss, store())]
            }
            Fault::CapacityExhaustion => {
                acting.full = Some(rng.random_range(0.95..1.0));
                vec![(F::CapacityExhaustion, store())]
            }
            Fault::BadChangeOfItem => vec![(F::BadChange, Locus::Change(EventId::new(SUBJECT, "price-9")))],
            Fault::LoadSurge => {
                acting.load = rng.random_range(2.0..5.0);
                acting.slower = rng.random_range(3.0..10.0);
                acting.violated = rng.random_bool(0.7);
                vec![(F::LoadSurge, Locus::Nothing), (F::NoFault, Locus::Nothing)]
            }
            Fault::Nothing => vec![(F::NoFault, Locus::Nothing), (F::Unknown, Locus::Nothing)],
            Fault::Spurious => vec![(F::NoFault, Locus::Nothing), (F::Unknown, Locus::Nothing)],
        };
        acting
    }

    /// What a checker that judges this system would report.
    pub fn report(&self, world: &mut World) {
        let Some(fault) = self.fault else { return };
        let (target, callers) = (self.target, world.shape.callers);
        let peers = u32::try_from(callers).unwrap();
        let latency = || Finding::new("requests take too long", 0.4, 0.1);
        let degraded = || Finding::new("it works without the store", 1.0, 0.0);
        match fault {
            Fault::CallerDown => {
                world.violate("down", api(target), Severity::Critical, Finding::new("no answer", 1.0, 0.0));
            }
            Fault::StoreDown => {
                world.violate("down", store(), Severity::Critical, Finding::new("no answer", 1.0, 0.0));
                for n in 1..=callers {
                    world.violate("degraded", api(n), Severity::Warning, degraded());
                }
            }
            Fault::CallerSlow | Fault::LinkSlow | Fault::Symmetric | Fault::Spurious => {
                world.violate("latency", api(target), Severity::Warning, latency());
            }
            Fault::BadDeploy => {
                world.violate("latency", api(target), Severity::Warning, latency());
                let at = Timestamp::from_millis(world.onset.as_millis() - world.rng.random_range(0..40_000));
                world.happened(&Event {
                    id: EventId::new(SUBJECT, "deploy-7"),
                    at,
                    on: api(target),
                    kind: EventKind::Deploy,
                    change: None,
                    message: "version 7".into(),
                });
            }
            Fault::StoreSlow | Fault::StoreSlowHidden | Fault::StoreSlowUnseen => {
                for n in 1..=callers {
                    world.violate("latency", api(n), Severity::Warning, latency());
                }
            }
            Fault::StoreFailing => {
                for n in 1..=callers {
                    world.violate("degraded", api(n), Severity::Warning, degraded());
                }
            }
            Fault::LinkDown => {
                world.violate("degraded", api(target), Severity::Warning, degraded());
                if world.rng.random_bool(0.5) {
                    world.violate("down", hop(target), Severity::Critical, Finding::new("no way through", 1.0, 0.0));
                }
            }
            Fault::StateDivergence => {
                for n in 1..=world.rng.random_range(1..4) {
                    let mut finding = Finding::new("what was sold and what was booked differ", 50.0, 5.0);
                    finding.discrepancies =
                        vec![account(DiscrepancyKind::Missing, item(n), Some(api(target)), store(), peers - 1, peers)];
                    world.violate("drift", item(n), Severity::Warning, finding);
                }
            }
            Fault::ConfigDivergence => {
                let mut finding = Finding::new("settings differ", 1.0, 0.0);
                let setting = Locus::entity(SUBJECT, "setting", "window");
                let other = api(if target == 1 { 2 } else { 1 });
                finding.discrepancies =
                    vec![account(DiscrepancyKind::Differs, setting, Some(api(target)), other, peers - 1, peers)];
                world.violate("config", api(target), Severity::Warning, finding);
            }
            Fault::ExternalMutation => {
                let mut finding = Finding::new("more is booked than was sold", 70.0, 5.0);
                finding.discrepancies =
                    vec![account(DiscrepancyKind::Unclaimed, item(target), None, store(), peers, peers)];
                world.violate("drift", item(target), Severity::Warning, finding);
            }
            Fault::DataLoss | Fault::CapacityExhaustion => {
                for n in 1..=world.rng.random_range(2..5) {
                    let mut finding = Finding::new("what was sold and what was booked differ", 50.0, 5.0);
                    finding.discrepancies = of_all(&item(n), callers);
                    world.violate("drift", item(n), Severity::Warning, finding);
                }
            }
            Fault::BadChangeOfItem => {
                let change = price_change("price-9", item(target), world.onset);
                let mut finding = Finding::new("the price jumped tenfold", 10.0, 5.0);
                finding.involves = vec![Locus::Change(change.id.clone())];
                world.happened(&change);
                world.violate("jump", item(target), Severity::Warning, finding);
            }
            Fault::LoadSurge => {
                if self.violated {
                    for n in 1..=callers {
                        world.violate("latency", api(n), Severity::Warning, latency());
                    }
                }
            }
            Fault::Nothing => {}
        }
    }
}
