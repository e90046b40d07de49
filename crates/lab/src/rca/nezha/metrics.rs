//! What was measured: a reading a minute of each pod, and, where the data has them, of each call.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use operator_protocols::{Locus, SignalRole, Worse};

use super::super::case::{Meaning, SUBJECT};
use super::super::rows::{self, Table, number};

/// Everything measured in one folder, by minute.
#[derive(Default)]
pub(super) struct Metrics {
    pub(super) minutes: BTreeMap<String, Vec<(Locus, Meaning, f64)>>,
    pub(super) services: BTreeSet<String>,
    /// Who calls whom, where the data says it.
    pub(super) calls: BTreeSet<(String, String)>,
}

impl Metrics {
    pub(super) fn read(folder: &Path) -> Self {
        let mut metrics = Self::default();
        for file in rows::files(folder) {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if let Some(pod) = name.strip_suffix("_metric.csv.gz") {
                let service = service_of_pod(pod);
                metrics.services.insert(service.clone());
                metrics.take(&rows::table_or_nothing(&file), |column| {
                    Some((Locus::component(SUBJECT, &service), of_pod(column)?))
                });
            } else if name.starts_with("dependency") {
                for row in rows::table_or_nothing(&file).rows {
                    if let (Some(from), Some(to)) = (row.first(), row.get(1)) {
                        metrics.calls.insert((from.clone(), to.clone()));
                    }
                }
            } else if name.starts_with("source_50") {
                metrics.take(&rows::table_or_nothing(&file), |column| {
                    let (from, to) = column.split_once('_')?;
                    let meaning = latency("latency seen by the caller p50");
                    Some((Locus::edge(SUBJECT, from, to), meaning))
                });
            }
        }
        metrics
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

    /// Whoever is called by nobody is where users come in; where it is not recorded who calls whom, nobody knows.
    pub(super) fn entrance(&self) -> Option<&String> {
        let called: BTreeSet<&String> = self.calls.iter().map(|(_, to)| to).collect();
        self.calls.iter().map(|(from, _)| from).find(|from| !called.contains(from))
    }
}

/// `orders-f5756978c-k8vqf` is a pod of `orders`.
pub(super) fn service_of_pod(pod: &str) -> String {
    let mut parts: Vec<&str> = pod.split('-').collect();
    parts.truncate(parts.len().saturating_sub(2).max(1));
    parts.join("-")
}

fn latency(name: &str) -> Meaning {
    Meaning { name: name.to_owned(), role: SignalRole::Latency, unit: "s", worse: Worse::Higher, scale: 1.0 }
}

fn of_pod(column: &str) -> Option<Meaning> {
    let (role, unit, worse) = match column {
        "CpuUsageRate(%)" | "MemoryUsageRate(%)" => (SignalRole::Saturation, "%", Worse::Higher),
        "MemoryUsage(Mi)" => (SignalRole::Saturation, "MiB", Worse::Higher),
        "SyscallRead" | "SyscallWrite" => (SignalRole::Other, "1", Worse::Neither),
        "NetworkReceiveBytes" | "NetworkTransmitBytes" => (SignalRole::Traffic, "bytes/s", Worse::Neither),
        "PodServerLatencyP90(s)" | "PodServerLatencyP95(s)" | "PodServerLatencyP99(s)" => {
            (SignalRole::Latency, "s", Worse::Higher)
        }
        "PodWorkload(Ops)" => (SignalRole::Traffic, "1/s", Worse::Neither),
        _ => return None,
    };
    Some(Meaning { name: column.to_owned(), role, unit, worse, scale: 1.0 })
}
