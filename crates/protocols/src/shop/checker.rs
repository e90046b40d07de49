//! What must hold of a shop: everything runs, shoppers are answered soon and well, jobs do not wait, and the parties'
//! accounts agree.

use std::time::Duration;

use super::account_checks;
use super::node::{COMPONENTS, FRONTS, PACKERS};
use crate::{
    ComponentState, Evaluation, Finding, History, Id, InvariantChecker, InvariantDefinition, Locus, Observation,
    Severity, SignalKind, Unavailable, Verdict,
};

/// A reading older than that says nothing about the present.
const STALE_AFTER: Duration = Duration::from_secs(30);
/// Over so long shares are taken, and accounts are held against each other.
pub(super) const PAST: Duration = Duration::from_secs(120);
const SHARES_OVER: Duration = Duration::from_secs(30);
/// Three times what a healthy shop takes.
const SLOW_S: f64 = 0.15;
/// Two of a hundred.
const FAILED: f64 = 0.02;
/// Three times how long a shopper may cancel.
const WAIT_S: f64 = 60.0;
const FULL: f64 = 0.9;
const THROWN_AWAY: f64 = 0.05;
/// What clocks that are set from one source never differ by.
const CLOCK_S: f64 = 2.0;
/// Fewer in the time that shares are taken over say nothing.
const FEW: f64 = 10.0;

pub(super) const LANE_ACCOUNTS: &str = "lane_accounts";
pub(super) const SALES_RECORDED: &str = "sales_recorded";
pub(super) const SAME_SETTINGS: &str = "same_settings";

pub(super) struct ShopChecker {
    subject: String,
    invariants: Vec<InvariantDefinition>,
}

impl ShopChecker {
    pub(super) fn new(subject: String, time_scale: f64) -> Self {
        use Severity::{Critical, Warning};
        let define =
            |name: &str, description: &str, severity, threshold: f64, unit: &str, grace_s: u64| InvariantDefinition {
                name: name.to_owned(),
                description: description.to_owned(),
                severity,
                threshold: Some(threshold),
                unit: unit.to_owned(),
                grace: Duration::from_secs(grace_s).mul_f64(time_scale),
                clear_after: None,
                minimum_traffic: None,
            };
        let mut invariants = vec![
            define("component_down", "Every component runs", Critical, 0.0, "1", 10),
            define("slow_answers", "95 of 100 shoppers are answered within the threshold", Warning, SLOW_S, "s", 20),
            define("failed_answers", "No larger share of shoppers gets an error", Critical, FAILED, "1", 10),
            define("jobs_wait", "No job waits for longer than the threshold", Warning, WAIT_S, "s", 10),
            define("disk_full", "The queue's disk is not full", Critical, FULL, "1", 10),
            define("thrown_away", "Packers pack what they take", Critical, THROWN_AWAY, "1", 10),
            define("clock_offset", "Every component has the right time", Warning, CLOCK_S, "s", 30),
            define(LANE_ACCOUNTS, "A lane holds what was put into it and not taken out", Critical, 3.0, "1", 10),
            define(SALES_RECORDED, "The catalog has recorded what was sold", Warning, 3.0, "1", 30),
            define(SAME_SETTINGS, "Every replica of orders runs with the same settings", Critical, 0.0, "1", 15),
        ];
        for shared in &mut invariants[1..3] {
            shared.minimum_traffic = Some(FEW / SHARES_OVER.as_secs_f64());
        }
        Self { subject, invariants }
    }

    fn locus(&self, name: &str) -> Locus {
        Locus::component(&*self.subject, name)
    }

    fn state(&self, name: &str, now: &Observation) -> Option<ComponentState> {
        now.component(&Id::new(&*self.subject, name)).map(|component| component.state)
    }

    fn component_down(&self, name: &str, now: &Observation) -> Verdict {
        match self.state(name, now) {
            Some(ComponentState::Up | ComponentState::Degraded) => Verdict::Ok,
            Some(ComponentState::Down) => Verdict::Violated(Finding::new(format!("{name} does not run"), 1.0, 0.0)),
            Some(ComponentState::Unknown) | None => Verdict::Unknown(missing(&format!("state of {name}"), now)),
        }
    }

    /// Judges a reading against a threshold. What does not run is somebody else's finding.
    fn reading(
        &self,
        component: &str,
        signal: &str,
        threshold: f64,
        now: &Observation,
        say: impl Fn(f64) -> String,
    ) -> Verdict {
        if self.state(component, now) == Some(ComponentState::Down) {
            return Verdict::Suppressed(format!("{component} does not run"));
        }
        match now.signal(&self.locus(component), signal) {
            Some(reading) if now.at.since(reading.observed_at) > STALE_AFTER => {
                Verdict::Unknown(Unavailable::new(format!("{signal} of {component}"), "the last reading is stale"))
            }
            Some(reading) if reading.value > threshold => {
                Verdict::Violated(Finding::new(say(reading.value), reading.value, threshold))
            }
            Some(reading) if reading.value.is_finite() => Verdict::Ok,
            _ => Verdict::Unknown(missing(&format!("{signal} of {component}"), now)),
        }
    }

    /// How much two counters of a component grew lately, if both are still the same counts.
    fn growth(&self, component: &str, counters: [&str; 2], past: &History, now: &Observation) -> Option<[f64; 2]> {
        let on = self.locus(component);
        let then = past.since(now.at.minus(SHARES_OVER)).next()?;
        let grown = |name: &str| {
            let (before, after) = (then.signal(&on, name)?, now.signal(&on, name)?);
            let SignalKind::Counter { since } = after.kind else { return None };
            // A new count began at nothing.
            let before = if before.kind == (SignalKind::Counter { since }) { before.value } else { 0.0 };
            Some((after.value - before).max(0.0)).filter(|grown| grown.is_finite())
        };
        Some([grown(counters[0])?, grown(counters[1])?])
    }

    /// Judges which share of what a component did went wrong.
    fn share(
        &self,
        component: &str,
        counters: [&str; 2],
        threshold: f64,
        past: &History,
        now: &Observation,
        what: &str,
    ) -> Verdict {
        match self.state(component, now) {
            Some(ComponentState::Down) => return Verdict::Suppressed(format!("{component} does not run")),
            Some(ComponentState::Up | ComponentState::Degraded) => {}
            _ => return Verdict::Unknown(missing(&format!("{} of {component}", counters[1]), now)),
        }
        if now.signal(&self.locus(component), counters[0]).is_none() {
            return Verdict::Unknown(missing(&format!("{} of {component}", counters[0]), now));
        }
        match self.growth(component, counters, past, now) {
            None => Verdict::Suppressed("not watched for long enough".to_owned()),
            Some([all, _]) if all < FEW => Verdict::Suppressed("idle".to_owned()),
            Some([all, wrong]) if wrong / all > threshold => {
                let message = format!("{wrong:.0} of {all:.0} {what} of {component} in half a minute");
                Verdict::Violated(Finding::new(message, wrong / all, threshold))
            }
            Some(_) => Verdict::Ok,
        }
    }

    fn answers(&self, past: &History, now: &Observation) -> Vec<Evaluation> {
        let mut found = Vec::new();
        for front in FRONTS {
            let requests = ["requests_total", "errors_total"];
            let idle = self.growth(front, requests, past, now).is_none_or(|[all, _]| all < FEW);
            let known = self.state(front, now) == Some(ComponentState::Up);
            let say = |value: f64| format!("95 of 100 answers of {front} take up to {:.0} ms", value * 1e3);
            let slow = match self.reading(front, "answer_time_p95", SLOW_S, now, say) {
                Verdict::Unknown(_) if known && idle => Verdict::Suppressed("idle".to_owned()),
                Verdict::Violated(_) if idle => Verdict::Suppressed("idle".to_owned()),
                verdict => verdict,
            };
            let failed = self.share(front, requests, FAILED, past, now, "answers were errors");
            found.push(Evaluation::new("slow_answers", self.locus(front), slow));
            found.push(Evaluation::new("failed_answers", self.locus(front), failed));
        }
        found
    }

    fn queue(&self, now: &Observation) -> [Evaluation; 2] {
        let wait = |value: f64| format!("the oldest job has waited {value:.0} s");
        let full = |value: f64| format!("{:.0} % of the queue's disk is used", value * 1e2);
        let judge = |name: &str, verdict| Evaluation::new(name, self.locus("queue"), verdict);
        [
            judge("jobs_wait", self.reading("queue", "oldest_wait", WAIT_S, now, wait)),
            judge("disk_full", self.reading("queue", "disk_used", FULL, now, full)),
        ]
    }
}

impl InvariantChecker for ShopChecker {
    fn invariants(&self) -> &[InvariantDefinition] {
        &self.invariants
    }

    fn lookback(&self) -> Duration {
        PAST
    }

    fn check(&self, past: &History, now: &Observation) -> Vec<Evaluation> {
        let mut found: Vec<_> = COMPONENTS
            .iter()
            .map(|name| Evaluation::new("component_down", self.locus(name), self.component_down(name, now)))
            .collect();
        found.extend(self.answers(past, now));
        found.extend(self.queue(now));
        for packer in PACKERS {
            let counters = ["jobs_total", "thrown_away_total"];
            let verdict = self.share(packer, counters, THROWN_AWAY, past, now, "jobs were thrown away");
            found.push(Evaluation::new("thrown_away", self.locus(packer), verdict));
        }
        for component in COMPONENTS {
            let say = |value: f64| format!("the clock of {component} is {value:.1} s off");
            let verdict = self.reading(component, "clock_offset", CLOCK_S, now, say);
            found.push(Evaluation::new("clock_offset", self.locus(component), verdict));
        }
        found.extend(account_checks::judge(&self.subject, past, now));
        found
    }
}

/// `what` is not in the observation; why, if the observation says so.
pub(super) fn missing(what: &str, now: &Observation) -> Unavailable {
    let why = now.unavailable.first().map_or_else(|| "the observation does not say".to_owned(), ToString::to_string);
    Unavailable::new(what, why)
}
