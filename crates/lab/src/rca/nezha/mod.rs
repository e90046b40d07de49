//! Nezha (Yu et al., FSE 2023): two shops of microservices, a reading a minute, faults injected at known times; of one
//! of them also logs and traces, of the minutes around each injection.
//!
//! Where there are metrics only, the past of a case is what was recorded before its injection, other injections
//! included: that is what an operator has. Logs were kept of no such past: there, the minutes before the injections of
//! all cases of a folder are the healthy past of each.

mod clock;
mod logs;
mod metrics;
mod traces;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use operator_protocols::{Component, Dependency, Id, Locus, LogLine, Observation, Signal, Timestamp};
use serde::Deserialize;

use self::clock::Instant;
use self::logs::Line;
use self::metrics::Metrics;
use super::case::{Case, SUBJECT, component, dependency};
use super::{Half, RcaError, rows};

#[derive(Deserialize)]
struct Manifest {
    cases: Vec<CaseEntry>,
}

#[derive(Deserialize)]
struct CaseEntry {
    id: String,
    system: String,
    dir: String,
    inject_time: String,
    root_cause_service: Option<String>,
}

/// Readings from the injection on that are looked at: faults last about three minutes.
const MINUTES: usize = 4;
/// Readings before it that are the past.
const PAST: usize = 240;
/// Minutes of logs from the injection on, its own included.
const LOG_MINUTES: i64 = 3;
/// The most cases of a folder whose minutes before the injection are the healthy past.
const PAST_CASES: usize = 60;
/// Readings before an injection that are the healthy past.
const READINGS: usize = 3;
/// The least of them that are enough for a past; else it is the past of what was measured.
const ENOUGH: usize = 10;
/// A minute, in milliseconds.
const MINUTE: i64 = 60_000;

/// What was recorded in one folder.
struct Recorded {
    metrics: Metrics,
    components: Vec<Component>,
    dependencies: Vec<Dependency>,
    /// Where there are logs: the healthy past of every case, a minute for each.
    healthy: Vec<Arc<Observation>>,
}

pub(super) fn read(folder: &Path, text: &str) -> Result<Vec<Case>, RcaError> {
    let path = folder.join("manifest.json");
    let manifest: Manifest = serde_json::from_str(text).map_err(|error| RcaError::wrong(&path, error))?;
    let mut by_folder: BTreeMap<&str, Vec<(&CaseEntry, Instant)>> = BTreeMap::new();
    for entry in &manifest.cases {
        let injected = Instant::parse(&entry.inject_time).ok_or_else(|| {
            let why = format!("case {}: inject_time: YYYY-MM-DD HH:MM:SS, not {:?}", entry.id, entry.inject_time);
            RcaError::wrong(&path, why)
        })?;
        by_folder.entry(&entry.dir).or_default().push((entry, injected));
    }
    let mut cases = BTreeMap::new();
    for (dir, entries) in by_folder {
        let dir = folder.join(dir);
        let recorded = Recorded::read(&dir, &entries);
        for (entry, injected) in entries {
            cases.insert(entry.id.clone(), recorded.case(&dir, entry, injected));
        }
    }
    // In the order of the manifest.
    Ok(manifest.cases.iter().filter_map(|entry| cases.remove(&entry.id)).collect())
}

impl Recorded {
    fn read(dir: &Path, entries: &[(&CaseEntry, Instant)]) -> Self {
        let metrics = Metrics::read(&dir.join("metric"));
        let mut calls = BTreeSet::new();
        if dir.join("trace").is_dir() {
            for (_, injected) in entries.iter().take(PAST_CASES) {
                for minute in 0..LOG_MINUTES {
                    let file = format!("{}_trace.csv.gz", injected.file_of_minute(minute));
                    calls.extend(traces::read(&dir.join("trace").join(file)).calls);
                }
            }
        }
        let mut names = metrics.services.clone();
        names.extend(calls.iter().flat_map(|(from, to)| [from.clone(), to.clone()]));
        calls.extend(metrics.calls.iter().cloned());
        let mut recorded = Self {
            components: names.iter().map(|name| component(name)).collect(),
            dependencies: calls.iter().map(|(from, to)| dependency(from, to)).collect(),
            healthy: Vec::new(),
            metrics,
        };
        if dir.join("log").is_dir() {
            recorded.healthy = recorded.healthy_past(dir, entries);
        }
        recorded
    }

    /// The minute before each injection, and the minutes in which nothing was injected at all.
    fn healthy_past(&self, dir: &Path, entries: &[(&CaseEntry, Instant)]) -> Vec<Arc<Observation>> {
        let mut past = Vec::new();
        let mut at = 0;
        for file in rows::files(&dir.join("faultfree_log")) {
            at += MINUTE;
            let mut observation = self.observation(at, None);
            let lines = logs::read(&file);
            let last = lines.iter().map(|line| line.nanos).max().unwrap_or(0);
            observation.logs = lines.iter().map(|line| written(line, at - since(last, line.nanos))).collect();
            past.push(Arc::new(observation));
        }
        for (entry, injected) in entries.iter().take(PAST_CASES) {
            // The reading of the minute of the injection was mostly taken before it.
            let minute = entry.inject_time.get(..16).unwrap_or_default();
            let readings: Vec<_> = self.metrics.minutes.range(..=minute.to_owned()).rev().take(READINGS).collect();
            for (_, readings) in readings.iter().skip(1).rev() {
                at += MINUTE;
                past.push(Arc::new(self.observation(at, Some(readings))));
            }
            at += MINUTE;
            let mut observation = self.observation(at, readings.first().map(|(_, readings)| *readings));
            let lines = lines(dir, *injected, 0);
            observation.logs = lines
                .iter()
                .map(|line| (line, injected.until_nanos(line.nanos)))
                .filter(|(_, until)| *until < 0)
                .map(|(line, until)| written(line, at - (-until).min(MINUTE - 1)))
                .collect();
            past.push(Arc::new(observation));
        }
        past
    }

    fn case(&self, dir: &Path, entry: &CaseEntry, injected: Instant) -> Case {
        let minutes: Vec<_> = self.metrics.minutes.iter().collect();
        let minute = entry.inject_time.get(..16).unwrap_or_default();
        let first = minutes.partition_point(|(known, _)| known.as_str() <= minute);
        let mut observations = Vec::new();
        let enough = self.healthy.len() >= ENOUGH;
        if !enough {
            for (n, (_, readings)) in minutes.iter().enumerate().take(first).skip(first.saturating_sub(PAST)) {
                let at = i64::try_from(n + 1).unwrap_or(i64::MAX).saturating_mul(MINUTE);
                observations.push(Arc::new(self.observation(at, Some(readings))));
            }
        }
        if enough {
            observations.extend(self.healthy.iter().cloned());
        }
        let last = observations.last().map_or(0, |last| last.at.as_millis());
        let mut present: Vec<Observation> = (1..)
            .zip(minutes.iter().skip(first).take(MINUTES))
            .map(|(n, (_, readings))| self.observation(last + n * MINUTE, Some(readings)))
            .collect();
        // Without logs, the trouble is seen with the first reading after the injection.
        let mut alerted_at = present.first().map_or(last, |first| first.at.as_millis());
        if !self.healthy.is_empty() {
            let mut written_since = Vec::new();
            for minute in 0..LOG_MINUTES {
                written_since.extend(lines(dir, injected, minute));
            }
            if present.is_empty() {
                present.extend((1..=LOG_MINUTES).map(|n| self.observation(last + n * MINUTE, None)));
            }
            alerted_at = last + MINUTE / 2;
            for line in written_since {
                let after = injected.until_nanos(line.nanos);
                if after < 0 {
                    continue;
                }
                let line = written(&line, alerted_at.saturating_add(after));
                let place = present.iter().position(|observation| observation.at >= line.at);
                let place = place.unwrap_or(present.len().saturating_sub(1));
                if let Some(observation) = present.get_mut(place) {
                    observation.logs.push(line);
                }
            }
        }
        observations.extend(present.into_iter().map(Arc::new));
        Case {
            id: entry.id.clone(),
            part: entry.system.clone(),
            half: Half::Tune,
            observations,
            target: self
                .metrics
                .entrance()
                .map_or(Locus::Nothing, |entrance| Locus::component(SUBJECT, entrance.clone())),
            alert: "latency".to_owned(),
            alerted_at: Timestamp::from_millis(alerted_at),
            truth: entry.root_cause_service.clone(),
        }
    }

    fn observation(&self, at: i64, readings: Option<&Vec<(Locus, super::case::Meaning, f64)>>) -> Observation {
        let at = Timestamp::from_millis(at);
        let mut observation = Observation::new(at);
        observation.components.clone_from(&self.components);
        observation.dependencies.clone_from(&self.dependencies);
        observation.signals = readings
            .into_iter()
            .flatten()
            .map(|(on, meaning, value)| meaning.signal(on.clone(), *value, at))
            .collect::<Vec<Signal>>();
        observation
    }
}

/// What was written and traced in the minute so many after an injection, oldest first.
fn lines(dir: &Path, injected: Instant, later: i64) -> Vec<Line> {
    let minute = injected.file_of_minute(later);
    let mut lines = traces::read(&dir.join("trace").join(format!("{minute}_trace.csv.gz"))).lines;
    lines.extend(logs::read(&dir.join("log").join(format!("{minute}_log.csv.gz"))));
    lines.sort_by_key(|line| line.nanos);
    lines
}

/// Milliseconds from `then` to `now`, both in nanoseconds, at most a minute.
fn since(now: i64, then: i64) -> i64 {
    (now.saturating_sub(then) / 1_000_000).clamp(0, MINUTE - 1)
}

fn written(line: &Line, at: i64) -> LogLine {
    LogLine {
        at: Timestamp::from_millis(at),
        component: Id::new(SUBJECT, line.service.clone()),
        level: line.level,
        message: line.message.clone(),
    }
}
