//! The shop itself: its processes, its links, and what happens next.

use std::collections::{BTreeMap, VecDeque};

use super::accounts::Accounts;
use super::call::{Answer, Call};
use super::chance::Chance;
use super::lanes::Lanes;
use super::log::Log;
use super::meter::Meter;
use super::node::{COMPONENTS, FIRST_ORDERS, Node, ORDERS, PACKERS};
use super::traffic::Traffic;
use crate::{EventKind, Value};

pub(super) const MILLISECOND: i64 = 1_000;
pub(super) const SECOND: i64 = 1_000 * MILLISECOND;
/// A longer gap between two steps is cut to that, so that a leap of the clock cannot hold up whoever looks.
const LONGEST_GAP: i64 = 600 * SECOND;
const EVENTS_KEPT: usize = 64;
/// Shoppers a second, until somebody says otherwise.
const RATE: f64 = 30.0;

/// What is due at an instant.
#[derive(Debug, Clone, Copy)]
pub(super) enum Due {
    /// The next shopper comes.
    Shopper,
    /// A call gets to whom it was sent to.
    Arrives(u64),
    /// A process has done its own part of a call.
    Worked(u64),
    /// An answer gets back to the caller.
    Answered(u64, Answer),
    /// Whoever made a call waits no longer.
    GivenUp(u64),
    /// A packer, in that incarnation, looks for work.
    Looks(usize, u64),
    /// A packer, in that incarnation, has packed what it had in hand.
    Packed(usize, u64),
    /// A process, in that incarnation, is up.
    Booted(usize, u64),
    /// Once a second: sales are reported, drained replicas are tried.
    Second,
    /// From now on others use a machine: its work takes so many times as long.
    Hogged(usize, u32),
    /// Planned work goes on.
    Planned(super::process::Planned),
}

/// A link: what its caller measures, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub(super) struct Link {
    pub(super) meter: Meter,
    /// How many calls came out of it, as whoever is called counts since it started.
    pub(super) received: u64,
    /// How much longer a round trip takes, in microseconds.
    pub(super) delay: i64,
    pub(super) cut: bool,
}

/// Something that was done to the shop.
#[derive(Debug, Clone)]
pub(super) struct Happened {
    pub(super) id: String,
    pub(super) at: i64,
    pub(super) node: usize,
    pub(super) kind: EventKind,
    pub(super) change: Option<(&'static str, Value, Value)>,
    pub(super) message: String,
}

#[derive(Debug)]
pub(super) struct Model {
    /// Now, and when it opened, in microseconds since 1970; nothing moves before it has opened.
    pub(super) now: i64,
    pub(super) opened: Option<i64>,
    due: BTreeMap<(i64, u64), Due>,
    made: u64,
    pub(super) chance: Chance,
    pub(super) traffic: Traffic,
    pub(super) nodes: Vec<Node>,
    pub(super) links: BTreeMap<(usize, usize), Link>,
    pub(super) calls: BTreeMap<u64, Call>,
    pub(super) lanes: Lanes,
    pub(super) accounts: Accounts,
    /// Until when the fronts leave a replica of orders alone that refused.
    pub(super) shunned: [i64; ORDERS.len()],
    /// Whose turn it is.
    pub(super) turn: usize,
    pub(super) packed: [Meter; PACKERS.len()],
    pub(super) events: VecDeque<Happened>,
    pub(super) happened: u64,
    pub(super) log: Log,
    pub(super) plugged_in: bool,
    pub(super) commands_obeyed: u64,
    /// What shoppers got, and after how long.
    pub(super) shoppers: Meter,
}

impl Model {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            now: 0,
            opened: None,
            due: BTreeMap::new(),
            made: 0,
            chance: Chance::seeded(seed),
            traffic: Traffic { rate: RATE, surge: None },
            nodes: (0..COMPONENTS.len()).map(|index| Node::new(index, 0)).collect(),
            links: super::node::links().map(|(ends, _)| (ends, Link::default())).collect(),
            calls: BTreeMap::new(),
            lanes: Lanes::new(PACKERS.len()),
            accounts: Accounts::default(),
            shunned: [0; ORDERS.len()],
            turn: 0,
            packed: Default::default(),
            events: VecDeque::new(),
            happened: 0,
            log: Log::default(),
            plugged_in: true,
            commands_obeyed: 0,
            shoppers: Meter::default(),
        }
    }

    /// A number that was not given before.
    pub(super) fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// So much later, this is due.
    pub(super) fn after(&mut self, later: i64, what: Due) {
        let number = self.number();
        self.due.insert((self.now + later.max(0), number), what);
    }

    /// Lets time pass until `to`. Time that goes backwards changes nothing.
    pub(super) fn step(&mut self, to: i64) {
        if self.opened.is_none() {
            self.open(to);
        }
        if to - self.now > LONGEST_GAP {
            // What was due in the gap happens at its end.
            self.now = to - LONGEST_GAP;
        }
        while let Some(entry) = self.due.first_entry() {
            let (at, _) = *entry.key();
            if at > to {
                break;
            }
            let what = entry.remove();
            self.now = self.now.max(at);
            self.happen(what);
        }
        self.now = self.now.max(to);
    }

    fn open(&mut self, now: i64) {
        self.opened = Some(now);
        self.now = now;
        for node in &mut self.nodes {
            node.started = now;
            node.served = Meter::starting(now);
        }
        self.links.values_mut().for_each(|link| link.meter = Meter::starting(now));
        self.packed.iter_mut().for_each(|meter| *meter = Meter::starting(now));
        self.after(0, Due::Shopper);
        self.after(SECOND, Due::Second);
        for packer in 0..PACKERS.len() {
            self.after(10 * MILLISECOND, Due::Looks(packer, 1));
        }
    }

    fn happen(&mut self, what: Due) {
        match what {
            Due::Shopper => self.shopper(),
            Due::Arrives(call) => self.arrives(call),
            Due::Worked(call) => self.goes_on(call),
            Due::Answered(call, answer) => self.answered(call, answer),
            Due::GivenUp(call) => self.given_up(call),
            Due::Looks(packer, starts) => self.looks_for_work(packer, starts),
            Due::Packed(packer, starts) => self.has_packed(packer, starts),
            Due::Booted(node, starts) => self.booted(node, starts),
            Due::Hogged(node, times) => self.nodes[node].hogged = f64::from(times),
            Due::Second => self.second(),
            Due::Planned(step) => self.plan_goes_on(step),
        }
    }

    fn second(&mut self) {
        self.after(SECOND, Due::Second);
        for replica in 0..ORDERS.len() {
            let node = FIRST_ORDERS + replica;
            self.report_sales(replica);
            if self.nodes[node].drained {
                self.dry_run(node);
            }
        }
        let now = self.now;
        self.nodes.iter_mut().for_each(|node| node.served.forget(now));
        self.links.values_mut().for_each(|link| link.meter.forget(now));
        self.packed.iter_mut().for_each(|meter| meter.forget(now));
    }

    /// Notes that something was done to a process.
    pub(super) fn note(
        &mut self,
        what: &str,
        node: usize,
        kind: EventKind,
        change: Option<(&'static str, Value, Value)>,
        message: String,
    ) {
        self.happened += 1;
        let id = format!("{what}-{}", self.happened);
        self.events.push_back(Happened { id, at: self.now, node, kind, change, message });
        if self.events.len() > EVENTS_KEPT {
            self.events.pop_front();
        }
    }
}
