//! What must hold of a workshop: every worker runs, and no job waits long.

use std::time::Duration;

use crate::{
    ComponentState, Evaluation, Finding, History, Id, InvariantChecker, InvariantDefinition, Locus, Observation,
    Severity, Unavailable, Verdict,
};

/// A reading older than that says nothing about the present.
const STALE_AFTER: Duration = Duration::from_secs(15);
/// Fifty times what a job waits in a healthy workshop: a tick of a tenth of a second.
const LONGEST_WAIT_S: f64 = 5.0;

pub(super) struct WorkshopChecker {
    subject: String,
    /// The declared workers: one that is not seen is unknown, not forgotten.
    workers: Vec<String>,
    invariants: Vec<InvariantDefinition>,
}

impl WorkshopChecker {
    pub(super) fn new(subject: String, workers: Vec<String>) -> Self {
        let worker_stopped = InvariantDefinition {
            name: "worker_stopped".to_owned(),
            description: "Every declared worker runs".to_owned(),
            severity: Severity::Critical,
            threshold: None,
            unit: "1".to_owned(),
            grace: Duration::ZERO,
            clear_after: None,
            minimum_traffic: None,
        };
        let jobs_wait = InvariantDefinition {
            name: "jobs_wait".to_owned(),
            description: "No job waits in the queue for longer than the threshold".to_owned(),
            severity: Severity::Warning,
            threshold: Some(LONGEST_WAIT_S),
            unit: "s".to_owned(),
            grace: Duration::from_secs(5),
            clear_after: None,
            minimum_traffic: None,
        };
        Self { subject, workers, invariants: vec![worker_stopped, jobs_wait] }
    }

    fn worker_stopped(&self, worker: &str, now: &Observation) -> Verdict {
        let id = Id::new(&*self.subject, worker);
        match now.component(&id).map(|component| component.state) {
            Some(ComponentState::Up | ComponentState::Degraded) => Verdict::Ok,
            Some(ComponentState::Down) => Verdict::Violated(Finding::new(format!("{worker} does not run"), 1.0, 0.0)),
            Some(ComponentState::Unknown) | None => Verdict::Unknown(missing(&format!("state of {worker}"), now)),
        }
    }

    fn jobs_wait(&self, queue: &Locus, now: &Observation) -> Verdict {
        match now.signal(queue, "oldest_wait") {
            Some(reading) if now.at.since(reading.observed_at) > STALE_AFTER => {
                Verdict::Unknown(Unavailable::new("oldest_wait of queue", "the last reading is stale"))
            }
            Some(reading) if reading.value > LONGEST_WAIT_S => {
                let message = format!("the oldest job has waited {:.1} s", reading.value);
                let mut finding = Finding::new(message, reading.value, LONGEST_WAIT_S);
                finding.involves.push(Locus::component(&*self.subject, "dispatcher"));
                Verdict::Violated(finding)
            }
            Some(reading) if reading.value.is_finite() => Verdict::Ok,
            _ => Verdict::Unknown(missing("oldest_wait of queue", now)),
        }
    }
}

impl InvariantChecker for WorkshopChecker {
    fn invariants(&self) -> &[InvariantDefinition] {
        &self.invariants
    }

    fn lookback(&self) -> Duration {
        Duration::ZERO
    }

    fn check(&self, _past: &History, now: &Observation) -> Vec<Evaluation> {
        let workers = self.workers.iter().map(|worker| {
            let on = Locus::component(&*self.subject, &**worker);
            Evaluation::new("worker_stopped", on, self.worker_stopped(worker, now))
        });
        let queue = Locus::component(&*self.subject, "queue");
        let waits = self.jobs_wait(&queue, now);
        workers.chain([Evaluation::new("jobs_wait", queue, waits)]).collect()
    }
}

/// `what` is not in the observation; why, if the observation says so.
fn missing(what: &str, now: &Observation) -> Unavailable {
    let why = now.unavailable.first().map_or_else(|| "the observation does not say".to_owned(), ToString::to_string);
    Unavailable::new(what, why)
}
