//! The simulated cluster as whoever runs it holds it.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use operator_protocols::{BoxFuture, Clock, Driver, SubjectConfig, Timestamp, Value};

use super::KIND;

use super::config::TikvConfig;
use super::driver::{SimulatedProcesses, Which};
use super::fault::Fault;

use super::servers::{Running, Servers};
use super::sim::{Simulator, timing};
use super::undo::Undo;
use crate::environment::{
    Cleared, Environment, EnvironmentStatus, FaultDescription, FaultRequest, Injected, Link, ProcessAt, WorkloadSample,
    WorkloadSpec,
};
use crate::error::LabError;
use crate::folder;
use crate::journal::Journal;
use crate::pace::Pace;
use crate::process::ProcessReport;
use crate::proxy::Behaviour;
use crate::virtual_clock::VirtualClock;

/// When time passes by itself, it passes in steps of so much real time.
const STEP: Duration = Duration::from_millis(50);
/// Time that passes by itself may be late by so much before whoever waits for it gives up.
const PATIENCE: Duration = Duration::from_secs(30);
/// A cluster in which time passes only when asked begins at this instant: whatever is recorded of it repeats.
const BEGINNING: i64 = 1_790_000_000_000;

/// A simulated TiKV cluster, seen through PD's and Prometheus's interfaces. It is not TiKV.
#[derive(Debug, Clone)]
pub struct TikvEnvironment {
    pub(super) inner: Arc<Inner>,
}

/// What a running environment consists of.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) config: TikvConfig,
    simulator: Arc<Mutex<Simulator>>,
    servers: Mutex<Servers>,
    clock: Arc<VirtualClock>,
    pace: Pace,
    pub(super) journal: Mutex<Journal<Undo>>,
    /// Held as long as the environment lives, so that no other runs in its folder.
    _lock: File,
}

impl Inner {
    /// The model.
    pub(super) fn simulator(&self) -> MutexGuard<'_, Simulator> {
        self.simulator.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn journal(&self) -> MutexGuard<'_, Journal<Undo>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn servers(&self) -> MutexGuard<'_, Servers> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts and ends servers, so that those run that run in the model.
    pub(super) fn serve(&self) -> Result<(), LabError> {
        let running = Running::of(&self.simulator());
        self.servers().follow(&self.simulator, &running)
    }

    /// Lets time pass up to an instant.
    pub(super) fn pass(&self, until: i64) -> Result<(), LabError> {
        loop {
            let (now, running) = {
                let mut simulator = self.simulator();
                // Not all at once, so that whoever asks meanwhile is answered meanwhile.
                let next = until.min(simulator.now + 20 * timing::TICK);
                simulator.advance_to(next);
                (simulator.now, Running::of(&simulator))
            };
            self.servers().follow(&self.simulator, &running)?;
            if now + timing::TICK > until {
                self.clock.set(until.max(now));
                return Ok(());
            }
            self.clock.set(now);
        }
    }
}

impl TikvEnvironment {
    /// Starts it. Faults that an earlier run in the same folder left behind ended with its model; they are crossed out,
    /// and the answer says which they were.
    ///
    /// # Errors
    /// When a setting is wrong, the folder is in use, or no port can be had.
    pub fn start(config: TikvConfig, pace: Pace) -> Result<(Self, Cleared), LabError> {
        config.check()?;
        if let Pace::Times(speed) = pace
            && !(0.1..=1_000.0).contains(&speed)
        {
            return Err(LabError::invalid("speed", format!("0.1 to 1000 times real time, not {speed}")));
        }
        let config = TikvConfig { folder: folder::private(&config.folder)?, ..config };
        let lock = folder::lock(&config.folder)?;
        let mut journal = Journal::<Undo>::open(config.folder.join("undo.jsonl"))?;
        let mut cleared = Cleared::default();
        for entry in journal.open_entries().to_vec() {
            journal.done(entry.number)?;
            cleared.undone.push(entry.what);
        }
        // What is watched in real time is not behind it by what making the model takes.
        let real = operator_core::SystemClock.now();
        let began = match pace {
            Pace::Asked => BEGINNING,
            Pace::Times(_) => real.as_millis(),
        };
        let mut simulator = Simulator::new(&config, began);
        let servers = Servers::reserve(config.members as usize)?;
        for index in 0..simulator.members.len() {
            simulator.members[index].url = servers.member_url(index);
        }
        let clock = Arc::new(VirtualClock::at(simulator.now));
        let simulator = Arc::new(Mutex::new(simulator));
        let (journal, servers) = (Mutex::new(journal), Mutex::new(servers));
        let inner = Arc::new(Inner { config, simulator, servers, clock, pace, journal, _lock: lock });
        inner.serve()?;
        if let Pace::Times(speed) = pace {
            tokio::spawn(pass_by_itself(Arc::downgrade(&inner), speed, real));
        }
        Ok((Self { inner }, cleared))
    }

    /// The settings it was started with.
    pub fn config(&self) -> &TikvConfig {
        &self.inner.config
    }

    /// Where the members of PD are asked.
    pub fn pd_urls(&self) -> Vec<String> {
        self.inner.simulator().members.iter().map(|member| member.url.clone()).collect()
    }

    /// Where Prometheus is asked.
    pub fn prometheus_url(&self) -> String {
        self.inner.servers().prometheus_url()
    }

    /// What was asked of PD so far, oldest first: the method, the path with its query, and who said that they ask.
    pub fn requests(&self) -> Vec<(String, String, Option<String>)> {
        self.inner.simulator().requests.iter().cloned().collect()
    }
}

/// Time passes by itself until the last handle is gone. It follows the machine's clock as whoever watches reads it: on
/// one that is set forward, or goes on after a pause, what did not notice would seem to have fallen silent for so long.
async fn pass_by_itself(inner: Weak<Inner>, speed: f64, real: Timestamp) {
    let mut steps = tokio::time::interval(STEP);
    steps.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let Some(began) = inner.upgrade().map(|inner| inner.clock.now().as_millis()) else { return };
    loop {
        steps.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        let elapsed = operator_core::SystemClock.now().since(real);
        let until = began + (elapsed.as_secs_f64() * 1_000.0 * speed) as i64;
        let passed = tokio::task::spawn_blocking(move || inner.pass(until)).await;
        if let Ok(Err(error)) = passed {
            tracing::warn!(%error, "the simulated cluster stands still");
            return;
        }
    }
}

impl Environment for TikvEnvironment {
    fn subject_config(&self) -> SubjectConfig {
        let urls = self.pd_urls().into_iter().map(Value::from).collect();
        SubjectConfig {
            name: self.inner.config.subject.clone(),
            kind: KIND.to_owned(),
            settings: BTreeMap::from([
                ("pd".to_owned(), Value::List(urls)),
                ("prometheus_url".to_owned(), Value::Text(self.prometheus_url())),
                // There are no processes of stores that could be asked.
                ("scrape_stores".to_owned(), Value::Bool(false)),
            ]),
        }
    }

    fn driver(&self) -> Arc<dyn Driver> {
        Arc::new(SimulatedProcesses(Arc::clone(&self.inner)))
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.inner.clock) as Arc<dyn Clock>
    }

    fn speed(&self) -> f64 {
        match self.inner.pace {
            Pace::Asked => f64::INFINITY,
            Pace::Times(speed) => speed,
        }
    }

    fn advance(&self, until: Timestamp) -> BoxFuture<'_, Result<(), LabError>> {
        Box::pin(async move {
            match self.inner.pace {
                Pace::Asked => {
                    let inner = Arc::clone(&self.inner);
                    let passed = tokio::task::spawn_blocking(move || inner.pass(until.as_millis())).await;
                    passed.map_err(|error| LabError::asked("let time pass", error))?
                }
                Pace::Times(speed) => {
                    let expected = until.since(self.inner.clock.now()).div_f64(speed);
                    let given_up = tokio::time::Instant::now() + 10 * expected + PATIENCE;
                    while self.inner.clock.now() < until {
                        if tokio::time::Instant::now() > given_up {
                            return Err(LabError::asked("wait for simulated time", "it does not pass"));
                        }
                        let left = until.since(self.inner.clock.now()).div_f64(speed);
                        tokio::time::sleep(left.clamp(Duration::from_millis(1), STEP)).await;
                    }
                    Ok(())
                }
            }
        })
    }

    fn status(&self) -> EnvironmentStatus {
        let simulator = self.inner.simulator();
        let members = simulator.members.iter().enumerate().map(|(index, member)| {
            (member.name.clone(), Which::Member(index), member.url.trim_start_matches("http://").to_owned())
        });
        let stores = simulator.stores.iter().enumerate().filter(|(_, store)| store.joined);
        let stores =
            stores.map(|(index, store)| (format!("store-{}", store.id), Which::Store(index), store.address.clone()));
        let processes = members.chain(stores).map(|(name, which, address)| {
            let paused = matches!(which, Which::Member(index) if simulator.members[index].stopped);
            let report =
                ProcessReport { name, pid: None, status: simulator.process_status(which), paused, declared: true };
            ProcessAt { report, address: Some(address) }
        });
        let component = |index: usize| format!("store-{}", simulator.stores[index].id);
        let links = simulator.cut_links.keys().map(|&(a, b)| Link {
            from: component(a),
            to: component(b),
            behaviour: Behaviour::Cut,
        });
        EnvironmentStatus {
            subject: self.inner.config.subject.clone(),
            kind: KIND.to_owned(),
            processes: processes.collect(),
            links: links.collect(),
            open_faults: self.inner.journal().open_entries().iter().map(|entry| entry.what.clone()).collect(),
        }
    }

    fn faults(&self) -> Vec<FaultDescription> {
        Fault::descriptions()
    }

    fn inject<'a>(&'a self, request: &'a FaultRequest) -> BoxFuture<'a, Result<Injected, LabError>> {
        Box::pin(async move { self.inner.inject(&Fault::parse(request)?) })
    }

    fn clear(&self) -> BoxFuture<'_, Result<Cleared, LabError>> {
        Box::pin(async move { self.inner.undo_all() })
    }

    fn start_workload<'a>(&'a self, spec: &'a WorkloadSpec) -> BoxFuture<'a, Result<(), LabError>> {
        Box::pin(async move {
            super::check_workload(spec)?;
            self.inner.simulator().start_load(spec);
            Ok(())
        })
    }

    fn stop_workload(&self) -> BoxFuture<'_, Result<(), LabError>> {
        Box::pin(async move {
            self.inner.simulator().stop_load();
            Ok(())
        })
    }

    fn workload_samples(&self) -> Vec<WorkloadSample> {
        self.inner.simulator().load_samples()
    }

    fn shut_down(&self) -> BoxFuture<'_, Result<(), LabError>> {
        // The model ends with the last handle to it; its servers with the model.
        Box::pin(async { Ok(()) })
    }
}
