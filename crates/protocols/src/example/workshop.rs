//! The system itself: a queue, a dispatcher and workers, moved in steps of a tenth of a second.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::status::{Refused, SettingChange, Status, Unplugged, WorkerStatus};
use crate::Timestamp;

const TICK: Duration = Duration::from_millis(100);
/// A job costs ten credits; a rate of so many jobs a second earns as many credits a tick.
const JOB: u32 = 10;
const ARRIVALS_PER_SECOND: u32 = 10;
const DISPATCH_PER_SECOND: u32 = 20;
const WORK_PER_SECOND: u32 = 8;
/// Jobs beyond that many waiting are turned away, so that a stuck queue cannot eat the memory.
const QUEUE_CAPACITY: usize = 10_000;
/// A longer gap between two steps is cut to that, so that a leap of the clock cannot hold up whoever looks.
const LONGEST_GAP: Duration = Duration::from_secs(600);
/// How many changes of the setting are remembered.
const CHANGES_KEPT: usize = 32;

/// A running workshop. Clones are handles on the same one.
#[derive(Debug, Clone)]
pub struct Workshop {
    floor: Arc<Mutex<Floor>>,
}

#[derive(Debug)]
struct Floor {
    opened: Option<Timestamp>,
    now: Timestamp,
    plugged_in: bool,
    queue: VecDeque<Timestamp>,
    arrival_credit: u32,
    arrived: u64,
    dispatch_rate: u32,
    dispatch_credit: u32,
    changes: VecDeque<SettingChange>,
    changes_made: u64,
    workers: Vec<Worker>,
    commands_obeyed: u64,
}

#[derive(Debug)]
struct Worker {
    credit: u32,
    status: WorkerStatus,
}

impl Workshop {
    /// A workshop with `workers` workers, `worker-1` and on. It opens at the first step.
    pub fn new(workers: u8) -> Self {
        let worker = |number| Worker {
            credit: 0,
            status: WorkerStatus {
                name: format!("worker-{number}"),
                running: true,
                starts: 1,
                started: Timestamp::default(),
                finished: 0,
                handed: 0,
            },
        };
        let floor = Floor {
            opened: None,
            now: Timestamp::default(),
            plugged_in: true,
            queue: VecDeque::new(),
            arrival_credit: 0,
            arrived: 0,
            dispatch_rate: DISPATCH_PER_SECOND,
            dispatch_credit: 0,
            changes: VecDeque::new(),
            changes_made: 0,
            workers: (1..=workers).map(worker).collect(),
            commands_obeyed: 0,
        };
        Self { floor: Arc::new(Mutex::new(floor)) }
    }

    /// Lets the time pass until `to`: jobs arrive, are handed out and done. Time that goes backwards changes nothing.
    pub fn step(&self, to: Timestamp) {
        self.lock().step(to);
    }

    /// Reads the status board.
    ///
    /// # Errors
    /// When the workshop is unplugged.
    pub fn look(&self) -> Result<Status, Unplugged> {
        let floor = self.lock();
        if floor.plugged_in { Ok(floor.status()) } else { Err(Unplugged) }
    }

    /// Starts the worker `name`, which was started `starts` times and does not run.
    ///
    /// # Errors
    /// When the workshop is unplugged, or `name`, `starts` or the worker's state is not so; nothing was changed.
    pub fn start_worker(&self, name: &str, starts: u64) -> Result<(), Refused> {
        let mut floor = self.lock();
        let now = floor.now;
        let worker = floor.answering()?.worker(name)?;
        if worker.running || worker.starts != starts {
            let state = if worker.running { "running" } else { "stopped" };
            return Err(Refused::Precondition(format!("{name} is {state} after {} starts", worker.starts)));
        }
        *worker = WorkerStatus { running: true, starts: starts + 1, started: now, finished: 0, ..worker.clone() };
        floor.commands_obeyed += 1;
        Ok(())
    }

    /// Stops the worker `name`, if there is one.
    pub fn stop_worker(&self, name: &str) {
        if let Ok(worker) = self.lock().worker(name) {
            worker.running = false;
        }
    }

    /// Sets how many jobs a second are handed out at most, whatever it was.
    pub fn set_dispatch_rate(&self, per_second: u32) {
        self.lock().set_dispatch_rate(per_second);
    }

    /// Sets how many jobs a second are handed out at most, if it is `expected` now.
    ///
    /// # Errors
    /// When the workshop is unplugged, or the rate is another; nothing was changed.
    pub fn change_dispatch_rate(&self, expected: u32, per_second: u32) -> Result<(), Refused> {
        let mut floor = self.lock();
        let actual = floor.answering()?.dispatch_rate;
        if actual != expected {
            return Err(Refused::Precondition(format!("the dispatch rate is {actual}, not {expected}")));
        }
        floor.set_dispatch_rate(per_second);
        floor.commands_obeyed += 1;
        Ok(())
    }

    /// From now on nothing answers, though work goes on.
    pub fn unplug(&self) {
        self.lock().plugged_in = false;
    }

    /// It answers again.
    pub fn plug_in(&self) {
        self.lock().plugged_in = true;
    }

    /// The names of the workers.
    pub fn worker_names(&self) -> Vec<String> {
        self.lock().workers.iter().map(|worker| worker.status.name.clone()).collect()
    }

    /// How many commands were obeyed: what looking must never change.
    pub fn commands_obeyed(&self) -> u64 {
        self.lock().commands_obeyed
    }

    fn lock(&self) -> MutexGuard<'_, Floor> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Floor {
    fn answering(&mut self) -> Result<&mut Self, Refused> {
        if self.plugged_in { Ok(self) } else { Err(Refused::Unplugged) }
    }

    fn worker(&mut self, name: &str) -> Result<&mut WorkerStatus, Refused> {
        let worker = self.workers.iter_mut().map(|worker| &mut worker.status).find(|status| status.name == name);
        worker.ok_or_else(|| Refused::Precondition(format!("there is no worker {name:?}")))
    }

    fn set_dispatch_rate(&mut self, after: u32) {
        let before = std::mem::replace(&mut self.dispatch_rate, after);
        self.changes_made += 1;
        self.changes.push_back(SettingChange { number: self.changes_made, at: self.now, before, after });
        if self.changes.len() > CHANGES_KEPT {
            self.changes.pop_front();
        }
    }

    fn step(&mut self, to: Timestamp) {
        if self.opened.is_none() {
            self.opened = Some(to);
            self.now = to;
            self.workers.iter_mut().for_each(|worker| worker.status.started = to);
        }
        self.now = self.now.max(to.minus(LONGEST_GAP));
        for _ in 0..to.since(self.now).as_millis() / TICK.as_millis() {
            self.now = self.now.plus(TICK);
            self.tick();
        }
    }

    fn tick(&mut self) {
        self.arrival_credit += ARRIVALS_PER_SECOND;
        while self.arrival_credit >= JOB {
            self.arrival_credit -= JOB;
            self.arrived += 1;
            if self.queue.len() < QUEUE_CAPACITY {
                self.queue.push_back(self.now);
            }
        }
        self.dispatch_credit = earn(self.dispatch_credit, self.dispatch_rate);
        for worker in self.workers.iter_mut().filter(|worker| worker.status.running) {
            worker.credit = earn(worker.credit, WORK_PER_SECOND);
        }
        while self.dispatch_credit >= JOB && !self.queue.is_empty() {
            let idle = self.workers.iter_mut().filter(|worker| worker.status.running && worker.credit >= JOB);
            let Some(worker) = idle.min_by_key(|worker| worker.status.handed) else { break };
            worker.credit -= JOB;
            worker.status.handed += 1;
            worker.status.finished += 1;
            self.dispatch_credit -= JOB;
            self.queue.pop_front();
        }
    }

    fn status(&self) -> Status {
        Status {
            opened: self.opened.unwrap_or(self.now),
            backlog: self.queue.len() as u64,
            waits: self.queue.iter().take(20).map(|&arrived| self.now.since(arrived)).collect(),
            arrived: self.arrived,
            dispatch_rate: self.dispatch_rate,
            changes: self.changes.iter().copied().collect(),
            workers: self.workers.iter().map(|worker| worker.status.clone()).collect(),
        }
    }
}

/// A tick's earnings. What is not spent is kept for one more job only: nobody works ahead.
fn earn(credit: u32, rate: u32) -> u32 {
    credit.saturating_add(rate).min(rate.saturating_add(JOB))
}
