//! The simulated shop as whoever runs it holds it.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use operator_protocols::shop::{COMPONENTS, KIND, Shop};
use operator_protocols::{BoxFuture, Clock, Driver, SubjectConfig, Timestamp, Value};

use super::driver::{ShopProcesses, status};
use super::fault::Fault;
use crate::environment::{
    Cleared, Environment, EnvironmentStatus, FaultDescription, FaultRequest, Injected, ProcessAt, WorkloadSample,
    WorkloadSpec,
};
use crate::error::LabError;
use crate::folder;
use crate::journal::Journal;
use crate::pace::Pace;
use crate::process::ProcessReport;
use crate::virtual_clock::VirtualClock;

/// The name of the subject instance.
pub(super) const SUBJECT: &str = "shop";
/// When time passes by itself, it passes in steps of so much real time.
const STEP: Duration = Duration::from_millis(50);
/// Time that passes by itself may be late by so much before whoever waits for it gives up.
const PATIENCE: Duration = Duration::from_secs(30);
/// A shop in which time passes only when asked opens at this instant: whatever is recorded of it repeats.
const BEGINNING: i64 = 1_790_000_000_000;
const SAMPLES_KEPT: usize = 600;

/// A simulated shop. Clones are handles on the same one.
#[derive(Debug, Clone)]
pub struct ShopEnvironment {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) shop: Shop,
    published: String,
    clock: Arc<VirtualClock>,
    pace: Pace,
    samples: Mutex<Samples>,
    pub(super) journal: Mutex<Journal<Fault>>,
    /// Held as long as the environment lives, so that no other runs in its folder.
    _lock: File,
}

/// What the load met so far, by the second.
#[derive(Debug, Default)]
struct Samples {
    began: i64,
    before: (u64, u64),
    kept: VecDeque<WorkloadSample>,
}

impl Inner {
    pub(super) fn journal(&self) -> MutexGuard<'_, Journal<Fault>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn samples(&self) -> MutexGuard<'_, Samples> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets time pass up to an instant, second by second.
    fn pass(&self, until: i64) {
        let mut now = self.clock.now().as_millis();
        while now < until {
            now = until.min((now / 1_000 + 1) * 1_000);
            self.shop.step(Timestamp::from_millis(now));
            if now % 1_000 == 0 {
                self.sample(now);
            }
            self.clock.set(now);
        }
    }

    fn sample(&self, now: i64) {
        let after = self.shop.shoppers();
        let (p50, p99) = self.shop.shopper_times().unwrap_or_default();
        let mut samples = self.samples();
        let (granted, errors) = (after.0 - samples.before.0, after.1 - samples.before.1);
        samples.before = after;
        let second = u64::try_from((now - samples.began) / 1_000).unwrap_or(0);
        samples.kept.push_back(WorkloadSample {
            second,
            sent: granted + errors,
            granted,
            refused: 0,
            errors,
            degraded: 0,
            p50_ms: p50 * 1e3,
            p99_ms: p99 * 1e3,
        });
        if samples.kept.len() > SAMPLES_KEPT {
            samples.kept.pop_front();
        }
    }
}

impl ShopEnvironment {
    /// Opens it. Faults that an earlier one in the same folder left behind ended with it; they are crossed out, and the
    /// answer says which they were.
    ///
    /// # Errors
    /// When the speed is wrong or the folder is in use.
    pub fn start(folder: &Path, seed: u64, pace: Pace) -> Result<(Self, Cleared), LabError> {
        if let Pace::Times(speed) = pace
            && !(0.1..=1_000.0).contains(&speed)
        {
            return Err(LabError::invalid("speed", format!("0.1 to 1000 times real time, not {speed}")));
        }
        let folder = folder::private(folder)?;
        let lock = folder::lock(&folder)?;
        let mut journal = Journal::<Fault>::open(folder.join("undo.jsonl"))?;
        let mut cleared = Cleared::default();
        for entry in journal.open_entries().to_vec() {
            journal.done(entry.number)?;
            cleared.undone.push(entry.what);
        }
        let began = match pace {
            Pace::Asked => BEGINNING,
            Pace::Times(_) => operator_core::SystemClock.now().as_millis(),
        };
        let shop = Shop::new(seed);
        shop.set_rate(0.0);
        shop.step(Timestamp::from_millis(began));
        let inner = Arc::new(Inner {
            published: shop.publish(),
            shop,
            clock: Arc::new(VirtualClock::at(began)),
            pace,
            samples: Mutex::new(Samples { began, ..Samples::default() }),
            journal: Mutex::new(journal),
            _lock: lock,
        });
        if let Pace::Times(speed) = pace {
            tokio::spawn(pass_by_itself(Arc::downgrade(&inner), speed, began));
        }
        Ok((Self { inner }, cleared))
    }

    /// The shop itself.
    pub fn shop(&self) -> &Shop {
        &self.inner.shop
    }
}

/// Time passes by itself until the last handle is gone.
async fn pass_by_itself(inner: Weak<Inner>, speed: f64, began: i64) {
    let real = Instant::now();
    let mut steps = tokio::time::interval(STEP);
    steps.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        steps.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        let until = began + (real.elapsed().as_secs_f64() * 1_000.0 * speed) as i64;
        if tokio::task::spawn_blocking(move || inner.pass(until)).await.is_err() {
            return;
        }
    }
}

impl Environment for ShopEnvironment {
    fn subject_config(&self) -> SubjectConfig {
        let settings = BTreeMap::from([("shop".to_owned(), Value::from(&*self.inner.published))]);
        SubjectConfig { name: SUBJECT.to_owned(), kind: KIND.to_owned(), settings }
    }

    fn driver(&self) -> Arc<dyn Driver> {
        Arc::new(ShopProcesses(self.inner.shop.clone()))
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
            let Pace::Times(speed) = self.inner.pace else {
                let inner = Arc::clone(&self.inner);
                let passed = tokio::task::spawn_blocking(move || inner.pass(until.as_millis())).await;
                return passed.map_err(|error| LabError::asked("let time pass", error));
            };
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
        })
    }

    fn status(&self) -> EnvironmentStatus {
        let process = |name: &&str| {
            let status = status(&self.inner.shop.process(name)?);
            let name = (*name).to_owned();
            let report = ProcessReport { name, pid: None, status, paused: false, declared: true };
            Some(ProcessAt { report, address: None })
        };
        EnvironmentStatus {
            subject: SUBJECT.to_owned(),
            kind: KIND.to_owned(),
            processes: COMPONENTS.iter().filter_map(process).collect(),
            links: Vec::new(),
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
            super::scenario::check_workload(spec)?;
            self.inner.shop.set_rate(f64::from(spec.rate));
            let before = self.inner.shop.shoppers();
            let began = self.inner.clock.now().as_millis();
            *self.inner.samples() = Samples { began, before, kept: VecDeque::new() };
            Ok(())
        })
    }

    fn stop_workload(&self) -> BoxFuture<'_, Result<(), LabError>> {
        Box::pin(async move {
            self.inner.shop.set_rate(0.0);
            Ok(())
        })
    }

    fn workload_samples(&self) -> Vec<WorkloadSample> {
        self.inner.samples().kept.iter().copied().collect()
    }

    fn shut_down(&self) -> BoxFuture<'_, Result<(), LabError>> {
        // The shop ends with the last handle to it.
        Box::pin(async { Ok(()) })
    }
}
