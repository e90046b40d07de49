//! Load: the load generator under the supervisor, and what it tells every second.

use std::collections::VecDeque;
use std::sync::{MutexGuard, PoisonError};

use operator_protocols::Value;
use serde::Deserialize;

use super::environment::Inner;
use crate::environment::{WorkloadSample, WorkloadSpec};
use crate::error::LabError;
use crate::process::{LogTail, ProcessSpec};

/// The process that puts the system under load.
pub(super) const LOADGEN: &str = "loadgen";
/// The process that is one tenant asking too much.
pub(super) const BURST: &str = "loadgen-burst";
/// Ten minutes of seconds.
const KEPT_SAMPLES: usize = 600;
/// How the load generator is told that there is no end.
const NO_END: &str = "0s";
/// Its shapes of load.
const PATTERNS: [&str; 3] = ["steady", "burst", "hotkey"];
/// What else it may be told, as it names its flags.
const PARAMS: [&str; 7] = ["burst_factor", "burst_every", "burst_for", "cost", "hot_share", "limit", "window_ms"];

/// What is known of the load that runs.
#[derive(Debug)]
pub(super) struct RunningWorkload {
    lines: LogTail,
    samples: VecDeque<WorkloadSample>,
}

/// One line of the load generator.
#[derive(Deserialize)]
struct Second {
    event: String,
    elapsed_s: f64,
    sent: u64,
    allowed: u64,
    blocked: u64,
    errors: u64,
    degraded: u64,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
}

/// Declares the processes of load, so that they can be spoken of before they first run.
pub(super) fn declare(inner: &Inner) -> Result<(), LabError> {
    for name in [LOADGEN, BURST] {
        inner.supervisor.declare(ProcessSpec::new(name, &inner.programs.loadgen))?;
    }
    Ok(())
}

/// Checks what is asked of the load generator, which would only say it in its log.
pub(super) fn check(spec: &WorkloadSpec) -> Result<(), LabError> {
    if !PATTERNS.contains(&spec.pattern.as_str()) {
        let message = format!("one of {}, not {:?}", PATTERNS.join(", "), spec.pattern);
        return Err(LabError::invalid("workload.pattern", message));
    }
    if !(1..=100_000).contains(&spec.rate) {
        return Err(LabError::invalid("workload.rate", format!("1 to 100000 a second, not {}", spec.rate)));
    }
    if !(1..=1_000_000).contains(&spec.keys) {
        return Err(LabError::invalid("workload.keys", format!("1 to 1000000, not {}", spec.keys)));
    }
    if !(0.0..=10.0).contains(&spec.zipf) {
        return Err(LabError::invalid("workload.zipf", format!("0 to 10, not {}", spec.zipf)));
    }
    for (name, value) in &spec.params {
        if !PARAMS.contains(&name.as_str()) {
            let message = format!("there is no such parameter; there are {}", PARAMS.join(", "));
            return Err(LabError::invalid(format!("workload.params.{name}"), message));
        }
        if !matches!(value, Value::Int(_) | Value::Float(_) | Value::Text(_)) {
            return Err(LabError::invalid(format!("workload.params.{name}"), format!("a number or text, not {value}")));
        }
    }
    Ok(())
}

/// What the load generator is told of the load, but for where to send it and for how long.
pub(super) fn load_arguments(spec: &WorkloadSpec) -> Vec<String> {
    let mut args: Vec<String> = [
        ("--pattern", &spec.pattern),
        ("--rate", &spec.rate.to_string()),
        ("--keys", &spec.keys.to_string()),
        ("--zipf", &spec.zipf.to_string()),
        ("--seed", &spec.seed.to_string()),
    ]
    .into_iter()
    .flat_map(|(flag, value)| [flag.to_owned(), value.to_owned()])
    .collect();
    for (name, value) in &spec.params {
        args.push(format!("--{}", name.replace('_', "-")));
        args.push(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    args
}

fn arguments(targets: &str, spec: &WorkloadSpec) -> Vec<String> {
    let always = [("--targets", targets), ("--duration", NO_END), ("--stats-interval", "1s")];
    let always = always.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value.to_owned()]);
    always.chain(load_arguments(spec)).collect()
}

/// One second of load, if a line of the load generator is about one.
pub(super) fn sample(line: &str) -> Option<WorkloadSample> {
    let second: Second = serde_json::from_str(line).ok()?;
    (second.event == "second").then(|| WorkloadSample {
        // The first line is that of the first second; a negative time would be nonsense, and becomes 0.
        second: second.elapsed_s.round() as u64,
        sent: second.sent,
        granted: second.allowed,
        refused: second.blocked,
        errors: second.errors,
        degraded: second.degraded,
        p50_ms: second.p50_ms.unwrap_or(0.0),
        p99_ms: second.p99_ms.unwrap_or(0.0),
    })
}

impl Inner {
    fn workload(&self) -> MutexGuard<'_, Option<RunningWorkload>> {
        self.workload.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn targets(&self) -> String {
        let urls = self.places.node_addresses().map(|(_, address)| format!("http://{address}"));
        urls.collect::<Vec<_>>().join(",")
    }

    /// Puts the system under load, in place of any load before.
    pub(super) async fn begin_workload(&self, spec: &WorkloadSpec) -> Result<(), LabError> {
        check(spec)?;
        let process = ProcessSpec::new(LOADGEN, &self.programs.loadgen).args(arguments(&self.targets(), spec));
        self.supervisor.declare(process)?;
        self.supervisor.restart(LOADGEN).await?;
        let lines = self.supervisor.output_lines(LOADGEN)?;
        *self.workload() = Some(RunningWorkload { lines, samples: VecDeque::new() });
        Ok(())
    }

    /// Ends the load; what it met stays to be seen.
    pub(super) async fn end_workload(&self) -> Result<(), LabError> {
        self.supervisor.stop(LOADGEN).await?;
        Ok(())
    }

    /// What the load met so far, second by second.
    pub(super) fn samples(&self) -> Vec<WorkloadSample> {
        let mut workload = self.workload();
        let Some(workload) = &mut *workload else { return Vec::new() };
        // A log is read in bounded pieces: until nothing new comes, there is more.
        while let Ok(lines) = workload.lines.new_lines() {
            if lines.is_empty() {
                break;
            }
            workload.samples.extend(lines.iter().filter_map(|line| sample(line)));
            let surplus = workload.samples.len().saturating_sub(KEPT_SAMPLES);
            workload.samples.drain(..surplus);
        }
        workload.samples.iter().copied().collect()
    }

    /// Lets one tenant ask too much, besides the load that runs.
    pub(super) async fn begin_burst(&self, rate: u32, for_s: u32) -> Result<(), LabError> {
        let args = [
            ("--targets", self.targets()),
            ("--rate", rate.to_string()),
            ("--keys", "1".to_owned()),
            ("--key-prefix", "tenant-".to_owned()),
            ("--duration", format!("{for_s}s")),
        ];
        let args = args.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]);
        self.supervisor.declare(ProcessSpec::new(BURST, &self.programs.loadgen).args(args))?;
        self.supervisor.restart(BURST).await?;
        Ok(())
    }

    /// Ends the tenant's burst, if it has not ended by itself.
    pub(super) async fn end_burst(&self) -> Result<(), LabError> {
        self.supervisor.stop(BURST).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: &str) -> WorkloadSpec {
        serde_json::from_str(json).expect("a workload")
    }

    #[test]
    fn a_wrong_workload_says_what_is_wrong() {
        check(&spec(r#"{"rate":60,"params":{"window_ms":60000}}"#)).expect("right");
        for (json, expected) in [
            (r#"{"rate":60,"pattern":"ramp"}"#, "workload.pattern: one of steady, burst, hotkey"),
            (r#"{"rate":0}"#, "workload.rate: 1 to 100000"),
            (r#"{"rate":60,"zipf":-1.0}"#, "workload.zipf: 0 to 10"),
            (r#"{"rate":60,"params":{"windw_ms":1}}"#, "workload.params.windw_ms: there is no such parameter"),
            (r#"{"rate":60,"params":{"limit":[]}}"#, "workload.params.limit: a number or text"),
        ] {
            let error = check(&spec(json)).expect_err(json).to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_second_is_read_and_everything_else_passed_over() {
        let line = r#"{"event":"second","elapsed_s":2.001,"sent":60,"allowed":50,"blocked":8,"errors":2,"p50_ms":1.5,"p99_ms":null,"degraded":3}"#;
        let read = sample(line).expect("a second");
        assert_eq!((read.second, read.granted, read.refused, read.errors), (2, 50, 8, 2));
        assert_eq!((read.degraded, read.p50_ms, read.p99_ms), (3, 1.5, 0.0));
        assert_eq!(sample(&line.replace("second\"", "summary\"")), None);
        assert_eq!(sample("sending…"), None);
    }
}
