//! One process of the shop: what it works with, and how fast.

use std::collections::VecDeque;

use super::meter::Meter;

/// The fronts.
pub const FRONTS: [&str; 2] = ["front-1", "front-2"];
/// The replicas that take orders.
pub const ORDERS: [&str; 3] = ["orders-1", "orders-2", "orders-3"];
/// The packers.
pub const PACKERS: [&str; 3] = ["packer-1", "packer-2", "packer-3"];
/// Every component.
pub const COMPONENTS: [&str; 10] =
    ["front-1", "front-2", "orders-1", "orders-2", "orders-3", "catalog", "queue", "packer-1", "packer-2", "packer-3"];
pub(super) const FIRST_ORDERS: usize = 2;
pub(super) const CATALOG: usize = 5;
pub(super) const QUEUE: usize = 6;
pub(super) const FIRST_PACKER: usize = 7;

/// What every replica of orders should charge.
pub(super) const DECLARED_VAT: u32 = 20;
/// How many entries the catalog keeps at hand, as declared.
pub(super) const DECLARED_CACHE: u32 = 10_000;
/// How many entries there are to be looked up.
const ENTRIES: u32 = 8_000;
/// What a lookup costs that has to go to the disk, in microseconds.
const FROM_DISK: f64 = 90_000.0;
pub(super) const DECLARED_VERSION: &str = "1.4.0";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Front,
    Orders,
    Catalog,
    Queue,
    Packer,
}

impl Kind {
    pub(super) fn of(node: usize) -> Self {
        match node {
            0..FIRST_ORDERS => Self::Front,
            FIRST_ORDERS..CATALOG => Self::Orders,
            CATALOG => Self::Catalog,
            QUEUE => Self::Queue,
            _ => Self::Packer,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::Orders => "orders",
            Self::Catalog => "catalog",
            Self::Queue => "queue",
            Self::Packer => "packer",
        }
    }

    /// How many requests are worked on at once.
    const fn slots(self) -> usize {
        match self {
            Self::Front => 24,
            Self::Orders => 8,
            Self::Catalog | Self::Queue => 4,
            Self::Packer => 1,
        }
    }

    /// What one request costs its own processor, in microseconds.
    const fn work(self) -> f64 {
        match self {
            Self::Front => 5_000.0,
            Self::Orders => 18_000.0,
            Self::Catalog => 4_000.0,
            Self::Queue => 2_000.0,
            Self::Packer => 120_000.0,
        }
    }
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) index: usize,
    pub(super) kind: Kind,
    pub(super) running: bool,
    pub(super) starts: u64,
    /// When it was started last, in microseconds.
    pub(super) started: i64,
    pub(super) slots: usize,
    pub(super) busy: usize,
    pub(super) waiting: VecDeque<u64>,
    /// As it measures what it answered itself.
    pub(super) served: Meter,
    /// Others use its machine: its own work takes so many times as long.
    pub(super) hogged: f64,
    pub(super) version: String,
    /// What this version's work takes, against the declared one.
    pub(super) version_cost: f64,
    /// How far its clock is ahead, in microseconds.
    pub(super) clock_ahead: i64,
    /// Its status cannot be read, though it works.
    pub(super) hidden: bool,
    /// The fronts send no orders there.
    pub(super) drained: bool,
    pub(super) vat: u32,
    pub(super) cache_entries: u32,
    /// Whether what it sold is reported to the catalog.
    pub(super) reports_sales: bool,
}

impl Node {
    pub(super) fn new(index: usize, now: i64) -> Self {
        let kind = Kind::of(index);
        Self {
            index,
            kind,
            running: true,
            starts: 1,
            started: now,
            slots: kind.slots(),
            busy: 0,
            waiting: VecDeque::new(),
            served: Meter::starting(now),
            hogged: 1.0,
            version: DECLARED_VERSION.to_owned(),
            version_cost: 1.0,
            clock_ahead: 0,
            hidden: false,
            drained: false,
            vat: DECLARED_VAT,
            cache_entries: DECLARED_CACHE,
            reports_sales: true,
        }
    }

    pub(super) fn name(&self) -> &'static str {
        COMPONENTS.get(self.index).copied().unwrap_or_default()
    }

    pub(super) fn incarnation(&self) -> String {
        format!("start-{}", self.starts)
    }

    /// What its own part of a request takes, in microseconds; `chance` is from 0 to below 1, twice.
    pub(super) fn work(&self, chance: f64, miss: f64) -> i64 {
        let mut work = self.kind.work() * (0.5 + chance) * self.version_cost;
        let kept = f64::from(self.cache_entries.min(ENTRIES)) / f64::from(ENTRIES);
        if self.kind == Kind::Catalog && miss >= kept {
            work += FROM_DISK;
        }
        (work * self.hogged) as i64
    }
}

pub(super) fn index_of(name: &str) -> Option<usize> {
    COMPONENTS.iter().position(|component| *component == name)
}

/// Every link: who calls whom, and what for.
pub(super) fn links() -> impl Iterator<Item = ((usize, usize), &'static str)> {
    let fronts = 0..FRONTS.len();
    let orders = FIRST_ORDERS..CATALOG;
    let places = fronts
        .clone()
        .flat_map(|front| (FIRST_ORDERS..CATALOG).map(move |replica| ((front, replica), "places orders with")));
    let looks_up = fronts.chain(orders.clone()).map(|caller| ((caller, CATALOG), "looks up in"));
    let puts = orders.map(|replica| ((replica, QUEUE), "puts jobs into"));
    let takes = (FIRST_PACKER..COMPONENTS.len()).map(|packer| ((packer, QUEUE), "takes jobs from"));
    places.chain(looks_up).chain(puts).chain(takes)
}
