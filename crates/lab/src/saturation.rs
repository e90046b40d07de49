//! How much load an environment sustains, measured by raising it step by step.

use std::time::Duration;

use serde::Serialize;

use crate::environment::{Environment, WorkloadSample, WorkloadSpec};
use crate::error::LabError;

/// The first rate that is tried, requests a second.
const FIRST_RATE: u32 = 200;
/// The highest rate that is tried.
const LAST_RATE: u32 = 50_000;
/// How long each rate is held.
const STEP: Duration = Duration::from_secs(8);
/// The seconds of a step that are not counted: the load generator begins with new connections.
const SETTLING: usize = 2;
/// The share of what was to be sent that must be answered without an error.
const ANSWERED: f64 = 0.95;
/// The 99th percentile of the answers' times may be at most this, in milliseconds.
const P99_MS: f64 = 100.0;

/// One rate and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Requests a second that were asked for.
    pub rate: u32,
    /// Requests a second that were answered without an error.
    pub answered: f64,
    /// The median, over the seconds of the step, of the 99th percentile of the answers' times, in milliseconds.
    pub p99_ms: f64,
    /// How many answers in all were given without the coordination that the system promises.
    pub degraded: u64,
    /// Whether that is sustained.
    pub sustained: bool,
}

impl Step {
    /// What the seconds in which `rate` was asked for come to.
    fn of(rate: u32, seconds: &[WorkloadSample]) -> Self {
        let answered = seconds.iter().map(|second| second.granted + second.refused).sum::<u64>() as f64
            / seconds.len().max(1) as f64;
        let mut p99: Vec<_> = seconds.iter().map(|second| second.p99_ms).collect();
        p99.sort_by(f64::total_cmp);
        let p99_ms = p99.get(p99.len() / 2).copied().unwrap_or(f64::MAX);
        let degraded = seconds.iter().map(|second| second.degraded).sum();
        let sustained = answered >= f64::from(rate) * ANSWERED && p99_ms <= P99_MS && degraded == 0;
        Self { rate, answered, p99_ms, degraded, sustained }
    }
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Saturation {
    /// Every rate that was tried, in order.
    pub steps: Vec<Step>,
    /// The highest that was sustained, requests a second.
    pub sustained_rate: u32,
}

/// Raises the rate by half from step to step until it is not sustained: less than 95 % answered, a 99th percentile above
/// 100 ms, or answers without coordination.
///
/// # Errors
/// When the load cannot be started.
pub async fn measure(environment: &dyn Environment, load: &WorkloadSpec) -> Result<Saturation, LabError> {
    let mut measured = Saturation { steps: Vec::new(), sustained_rate: 0 };
    let mut rate = FIRST_RATE;
    while rate <= LAST_RATE {
        environment.start_workload(&WorkloadSpec { rate, ..load.clone() }).await?;
        tokio::time::sleep(STEP).await;
        let samples = environment.workload_samples();
        environment.stop_workload().await?;
        let step = Step::of(rate, samples.get(SETTLING..).unwrap_or_default());
        let sustained = step.sustained;
        measured.steps.push(step);
        if !sustained {
            break;
        }
        measured.sustained_rate = rate;
        rate += rate / 2;
    }
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(answered: u64, p99_ms: f64, degraded: u64) -> WorkloadSample {
        WorkloadSample {
            second: 3,
            sent: 100,
            granted: answered / 2,
            refused: answered - answered / 2,
            errors: 100 - answered,
            degraded,
            p50_ms: 1.0,
            p99_ms,
        }
    }

    #[test]
    fn a_rate_is_sustained_when_nearly_all_is_answered_soon_and_with_coordination() {
        let sustained = |seconds: &[WorkloadSample]| Step::of(100, seconds).sustained;
        assert!(sustained(&[second(95, 100.0, 0), second(95, 20.0, 0)]));
        assert!(!sustained(&[second(95, 20.0, 0), second(94, 20.0, 0)]), "too few answers");
        assert!(!sustained(&[second(100, 100.1, 0)]), "too late");
        assert!(sustained(&[second(100, 10.0, 0), second(100, 900.0, 0), second(100, 10.0, 0)]), "one slow second");
        assert!(!sustained(&[second(100, 10.0, 0), second(100, 10.0, 1)]), "an answer without coordination");
        assert!(!sustained(&[]), "nothing was seen");
    }
}
