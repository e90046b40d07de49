//! A model of a TiKV cluster and its PD. It is not TiKV: no byte is stored, no message is sent. It keeps PD's timers and
//! rules and TiKV's as their sources state them, so that what breaks here shows itself when and where it would there.
//!
//! One tick is one [`Simulator::step`], in this order: planned work, members of PD, stores and elections, heartbeats,
//! what PD schedules, load, latencies, engines, the scrape.

mod chance;
mod heartbeat;
mod latency;
mod limits;
mod load;
mod member;
mod operator;
mod operators;
mod planned;
mod process;
mod raft;
mod region;
mod rule_checker;
mod scheduler;
mod scrape;
mod settings;
mod storage;
mod store;
mod targets;
pub(crate) mod timing;
mod writes;

pub(crate) use latency::threads;
pub(crate) use load::{Hot, Load};
pub(crate) use member::{Leadership, Member};
pub(crate) use operator::{Operator, Status};
pub(crate) use operators::Operators;
pub(crate) use planned::Planned;
pub(crate) use raft::pair;
pub(crate) use region::{Peer, Region, Regions};
pub(crate) use scheduler::{HOT_AFTER, Schedulers};
pub(crate) use scrape::{OF_MEMBERS, OF_STORES, Sample, Scrapes};
pub(crate) use settings::Settings;
pub(crate) use store::{Damage, Store};
pub(crate) use writes::Refusal;

use std::collections::{BTreeMap, VecDeque};

use chance::Chance;
use process::Process;

use super::config::TikvConfig;

/// At most so many requests are remembered.
const REQUESTS_KEPT: usize = 20_000;

/// A simulated cluster.
#[derive(Debug)]
pub(crate) struct Simulator {
    /// Now, in milliseconds since 1970: a multiple of [`timing::TICK`].
    pub(crate) now: i64,
    /// When it began.
    pub(crate) began: i64,
    /// The id of the cluster, above 2^53 as real ones are.
    pub(crate) cluster_id: u64,
    /// The members of PD.
    pub(crate) members: Vec<Member>,
    /// Which of them leads.
    pub(crate) leadership: Leadership,
    /// The stores.
    pub(crate) stores: Vec<Store>,
    /// The regions.
    pub(crate) regions: Regions,
    /// Links between stores that are cut, each with since when.
    pub(crate) cut_links: BTreeMap<(usize, usize), i64>,
    /// PD's settings.
    pub(crate) settings: Settings,
    /// PD's schedulers.
    pub(crate) schedulers: Schedulers,
    /// What PD moves.
    pub(crate) operators: Operators,
    /// How often PD found no store for a replica.
    pub(crate) no_target: u64,
    /// The load.
    pub(crate) load: Load,
    /// Planned work under way.
    pub(crate) planned: Option<Planned>,
    /// Whether Prometheus runs.
    pub(crate) prometheus_runs: bool,
    /// What Prometheus scraped.
    pub(crate) scrapes: Scrapes,
    /// What was asked of PD, latest last: method, path with query, who said they ask.
    pub(crate) requests: VecDeque<(String, String, Option<String>)>,
    chance: Chance,
}

impl Simulator {
    /// A cluster that has run well for an hour at `now`.
    pub(crate) fn new(config: &TikvConfig, now: i64) -> Self {
        let now = now - now.rem_euclid(timing::SCRAPE);
        let began = now - 3_600_000;
        let members = (1..=config.members).map(|number| Member {
            name: format!("pd-{number}"),
            id: 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(u64::from(number) + config.seed) | 1 << 60,
            url: format!("http://pd-{number}:2379"),
            process: Process::since(began),
            stopped: false,
            disk_hangs: false,
            fsync_delay: 0.0,
            clock_jumped: None,
            priority: 0,
        });
        let capacity = f64::from(config.capacity_gib) * 1024.0 * 1024.0 * 1024.0;
        let stores = (1..=u64::from(config.stores)).map(|id| {
            let labels = vec![("host".to_owned(), format!("host-{id}"))];
            let mut store = Store::serving(id, capacity, labels, began);
            store.record.last_heartbeat = now - (now - store.phase).rem_euclid(timing::STORE_HEARTBEAT);
            store
        });
        let mut simulator = Self {
            now,
            began,
            cluster_id: 7_400_000_000_000_000_000 + config.seed,
            members: members.collect(),
            leadership: Leadership::of(0, began),
            stores: stores.collect(),
            regions: Regions::spread(
                config.regions as usize,
                config.region_mib,
                config.replicas as usize,
                config.stores as usize,
                0,
            ),
            cut_links: BTreeMap::new(),
            settings: Settings::new(config),
            schedulers: Schedulers::new(&config.without_schedulers),
            operators: Operators::default(),
            no_target: 0,
            load: Load::default(),
            planned: None,
            prometheus_runs: true,
            scrapes: Scrapes::default(),
            requests: VecDeque::new(),
            chance: Chance::new(config.seed),
        };
        simulator.first_leader(config);
        for index in 0..simulator.stores.len() {
            simulator.first_heartbeat(index);
        }
        simulator
    }

    fn first_leader(&mut self, config: &TikvConfig) {
        let count = i64::try_from(self.members.len()).unwrap_or(1);
        let any = usize::try_from(self.chance.between(0, count)).unwrap_or(0);
        let leader = self.member_by_name(&config.pd_leader).unwrap_or(any);
        self.leadership = Leadership::of(leader, self.began);
    }

    fn first_heartbeat(&mut self, index: usize) {
        let used = self.used(index);
        let store = &mut self.stores[index];
        store.record.reported = true;
        store.record.capacity = store.capacity;
        store.record.used = used;
        store.record.available = store.capacity - used;
    }

    /// Moves on to `at`, tick by tick.
    pub(crate) fn advance_to(&mut self, at: i64) {
        while self.now + timing::TICK <= at {
            self.step();
        }
    }

    /// One tick.
    pub(crate) fn step(&mut self) {
        self.now += timing::TICK;
        self.step_planned();
        self.step_members();
        self.step_stores();
        self.step_heartbeats();
        self.step_scheduling();
        self.step_load();
        self.step_latencies();
        self.step_storage();
        self.step_scrape();
    }

    /// A store by its id.
    pub(crate) fn store_by_id(&self, id: u64) -> Option<usize> {
        self.stores.iter().position(|store| store.id == id && store.joined)
    }

    /// A member by its name.
    pub(crate) fn member_by_name(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| member.name == name)
    }

    /// A factor near 1: measurements are never quite the same.
    pub(crate) fn jitter(&self, what: u64, spread: f64) -> f64 {
        self.chance.jitter(what, self.now, spread)
    }

    /// Remembers what was asked.
    pub(crate) fn note_request(&mut self, method: &str, path: String, caller: Option<String>) {
        if self.requests.len() == REQUESTS_KEPT {
            self.requests.pop_front();
        }
        self.requests.push_back((method.to_owned(), path, caller));
    }
}
