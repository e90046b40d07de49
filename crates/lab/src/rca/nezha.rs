//! Nezha (Yu et al., FSE 2023): two shops of microservices, a reading a minute, faults injected at known times.
//!
//! Metrics only. The past of a case is what was recorded before its injection, other injections included: that is what an
//! operator has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use operator_protocols::{Locus, Observation, Signal, SignalRole, Timestamp, Worse};
use serde::Deserialize;

use super::case::{Case, Meaning, SUBJECT, component, dependency};
use super::rows::{self, Table, number};
use super::{Half, RcaError};

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
/// Readings before it that are the healthy past.
const PAST: usize = 240;

/// Everything recorded in one folder, by minute.
struct Recorded {
    minutes: BTreeMap<String, Vec<(Locus, Meaning, f64)>>,
    services: BTreeSet<String>,
    calls: BTreeSet<(String, String)>,
    entrance: Option<String>,
}

pub(super) fn read(folder: &Path, text: &str) -> Result<Vec<Case>, RcaError> {
    let path = folder.join("manifest.json");
    let manifest: Manifest = serde_json::from_str(text).map_err(|error| RcaError::wrong(&path, error))?;
    let mut recorded: BTreeMap<&str, Recorded> = BTreeMap::new();
    for case in &manifest.cases {
        if !recorded.contains_key(case.dir.as_str()) {
            recorded.insert(&case.dir, Recorded::read(&folder.join(&case.dir).join("metric"))?);
        }
    }
    manifest.cases.iter().map(|entry| case(entry, &recorded[entry.dir.as_str()], &path)).collect()
}

fn case(entry: &CaseEntry, recorded: &Recorded, path: &Path) -> Result<Case, RcaError> {
    let injected = entry.inject_time.get(..16).ok_or_else(|| {
        RcaError::wrong(
            path,
            format!("case {}: inject_time: YYYY-MM-DD HH:MM:SS, not {:?}", entry.id, entry.inject_time),
        )
    })?;
    let minutes: Vec<_> = recorded.minutes.iter().collect();
    // The reading of the minute of the injection was mostly taken before it.
    let first = minutes.partition_point(|(minute, _)| minute.as_str() <= injected);
    let components: Vec<_> = recorded.services.iter().map(|name| component(name)).collect();
    let dependencies: Vec<_> = recorded.calls.iter().map(|(from, to)| dependency(from, to)).collect();
    let mut observations = Vec::new();
    let mut alerted_at = None;
    for (n, (_, readings)) in minutes.iter().enumerate().take(first + MINUTES).skip(first.saturating_sub(PAST)) {
        let at = Timestamp::from_millis(i64::try_from(n + 1).unwrap_or(i64::MAX).saturating_mul(60_000));
        let mut observation = Observation::new(at);
        observation.components.clone_from(&components);
        observation.dependencies.clone_from(&dependencies);
        observation.signals =
            readings.iter().map(|(on, meaning, value)| meaning.signal(on.clone(), *value, at)).collect::<Vec<Signal>>();
        if n >= first && alerted_at.is_none() {
            alerted_at = Some(at);
        }
        observations.push(Arc::new(observation));
    }
    let entrance = recorded.entrance.clone().unwrap_or_default();
    Ok(Case {
        id: entry.id.clone(),
        part: entry.system.clone(),
        half: Half::Tune,
        observations,
        target: Locus::component(SUBJECT, entrance),
        alert: "latency".to_owned(),
        alerted_at: alerted_at.unwrap_or(Timestamp::from_millis(0)),
        truth: entry.root_cause_service.clone(),
    })
}

impl Recorded {
    fn read(folder: &Path) -> Result<Self, RcaError> {
        let mut recorded =
            Self { minutes: BTreeMap::new(), services: BTreeSet::new(), calls: BTreeSet::new(), entrance: None };
        let entries = std::fs::read_dir(folder).map_err(RcaError::unreadable(folder))?;
        let mut files: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        files.sort();
        for file in files {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if let Some(pod) = name.strip_suffix("_metric.csv.gz") {
                let service = service_of_pod(pod);
                recorded.services.insert(service.clone());
                recorded
                    .take(&rows::table(&file)?, |column| Some((Locus::component(SUBJECT, &service), of_pod(column)?)));
            } else if name.starts_with("dependency") {
                for row in rows::table(&file)?.rows {
                    if let (Some(from), Some(to)) = (row.first(), row.get(1)) {
                        recorded.calls.insert((from.clone(), to.clone()));
                    }
                }
            } else if name.starts_with("source_50") {
                recorded.take(&rows::table(&file)?, |column| {
                    let (from, to) = column.split_once('_')?;
                    let meaning = latency("latency seen by the caller p50");
                    Some((Locus::edge(SUBJECT, from, to), meaning))
                });
            }
        }
        // Whoever is called by nobody is where users come in.
        let called: BTreeSet<&String> = recorded.calls.iter().map(|(_, to)| to).collect();
        recorded.entrance = recorded
            .calls
            .iter()
            .map(|(from, _)| from)
            .find(|from| !called.contains(from))
            .or_else(|| recorded.services.iter().find(|name| name.contains("gateway") || name.contains("frontend")))
            .cloned();
        Ok(recorded)
    }

    fn take(&mut self, table: &Table, meaning: impl Fn(&str) -> Option<(Locus, Meaning)>) {
        let Some(time) = table.column("Time").or_else(|| table.column("time")) else { return };
        let columns: Vec<_> = table
            .columns
            .iter()
            .enumerate()
            .filter_map(|(place, column)| meaning(column).map(|(on, meaning)| (place, on, meaning)))
            .collect();
        for row in &table.rows {
            let Some(minute) = row.get(time).and_then(|time| time.get(..16)) else { continue };
            let readings = self.minutes.entry(minute.to_owned()).or_default();
            for (place, on, meaning) in &columns {
                if let Some(value) = number(row.get(*place)) {
                    readings.push((on.clone(), meaning.clone(), value));
                }
            }
        }
    }
}

/// `ts-food-service-f5756978c-k8vqf` is a pod of `ts-food-service`.
fn service_of_pod(pod: &str) -> String {
    let mut parts: Vec<&str> = pod.split('-').collect();
    parts.truncate(parts.len().saturating_sub(2).max(1));
    parts.join("-")
}

fn latency(name: &str) -> Meaning {
    Meaning { name: name.to_owned(), role: SignalRole::Latency, unit: "s", worse: Worse::Higher, scale: 1.0 }
}

fn of_pod(column: &str) -> Option<Meaning> {
    let (role, unit, worse) = match column {
        "CpuUsage(m)" => (SignalRole::Saturation, "m", Worse::Higher),
        "CpuUsageRate(%)" | "MemoryUsageRate(%)" => (SignalRole::Saturation, "%", Worse::Higher),
        "MemoryUsage(Mi)" => (SignalRole::Saturation, "MiB", Worse::Higher),
        "SyscallRead" | "SyscallWrite" => (SignalRole::Other, "1", Worse::Neither),
        "NetworkReceiveBytes" | "NetworkTransmitBytes" => (SignalRole::Traffic, "bytes/s", Worse::Neither),
        "PodServerLatencyP90(s)" | "PodServerLatencyP95(s)" | "PodServerLatencyP99(s)" => {
            (SignalRole::Latency, "s", Worse::Higher)
        }
        "PodClientLatencyP90(s)" | "PodClientLatencyP95(s)" | "PodClientLatencyP99(s)" => {
            (SignalRole::Latency, "s", Worse::Higher)
        }
        "PodWorkload(Ops)" => (SignalRole::Traffic, "1/s", Worse::Neither),
        _ => return None,
    };
    Some(Meaning { name: column.to_owned(), role, unit, worse, scale: 1.0 })
}
