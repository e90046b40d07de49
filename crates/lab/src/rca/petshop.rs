//! PetShop (Hardt et al., CLeaR 2024): a shop of microservices in the cloud, five-minute averages, the call graph given.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use operator_protocols::{Locus, Observation, SignalRole, Timestamp, Worse};
use serde::Deserialize;

use super::case::{Case, Meaning, SUBJECT, component, dependency};
use super::rows::{self, Table, number};
use super::{Half, RcaError};

#[derive(Deserialize)]
struct Manifest {
    #[serde(default = "five_minutes")]
    step_s: i64,
    scenarios: BTreeMap<String, Scenario>,
    cases: Vec<CaseEntry>,
}

fn five_minutes() -> i64 {
    300
}

#[derive(Deserialize)]
struct Scenario {
    topology: String,
    normal: Option<String>,
}

#[derive(Deserialize)]
struct CaseEntry {
    id: String,
    scenario: String,
    metrics: String,
    target: Target,
    #[serde(default = "third_row")]
    alert_row: usize,
    root_cause_service: Option<String>,
}

fn third_row() -> usize {
    ALERT_ROW
}

#[derive(Deserialize, Clone)]
struct Target {
    node: String,
    metric: String,
}

/// A case without a fault has as many rows as one with a fault.
const ROWS: usize = 5;
/// Of which the alert is in this one.
const ALERT_ROW: usize = 2;
/// The part to which cases without a fault belong.
const NOTHING_WRONG: &str = "nothing wrong";

struct Shop {
    calls: Vec<(String, String)>,
    normal: Option<Table>,
    /// What `normal` says, as it would have been seen; shared by the cases.
    healthy: Vec<Arc<Observation>>,
    step_s: i64,
}

impl Shop {
    fn read(folder: &Path, scenario: &Scenario, step_s: i64) -> Self {
        let topology = rows::table_or_nothing(&folder.join(&scenario.topology));
        let calls = topology.rows.iter().filter_map(|row| Some((row.first()?.clone(), row.get(1)?.clone())));
        let normal = scenario.normal.as_ref().map(|file| rows::table_or_nothing(&folder.join(file)));
        let mut shop = Self { calls: calls.collect(), normal, healthy: Vec::new(), step_s };
        if let Some(normal) = &shop.normal {
            shop.healthy = shop.seen(normal, &normal.rows, 0);
        }
        shop
    }

    /// Some rows as they would have been seen, after `before` others.
    fn seen(&self, table: &Table, rows: &[Vec<String>], before: usize) -> Vec<Arc<Observation>> {
        let with_node = table.columns.iter().filter(|column| column.contains('|'));
        let mut names: BTreeSet<&str> = with_node.filter_map(|column| column.split('|').next()).collect();
        names.extend(self.calls.iter().flat_map(|(from, to)| [from.as_str(), to.as_str()]));
        let components: Vec<_> = names.iter().map(|name| component(name)).collect();
        let dependencies: Vec<_> = self.calls.iter().map(|(from, to)| dependency(from, to)).collect();
        let columns = meanings(table);
        let observe = |(n, row): (usize, &Vec<String>)| {
            let at = self.at(before + n);
            let mut observation = Observation::new(at);
            observation.components.clone_from(&components);
            observation.dependencies.clone_from(&dependencies);
            for (column, node, meaning) in &columns {
                if let Some(value) = number(row.get(*column)) {
                    observation.signals.push(meaning.signal(Locus::component(SUBJECT, node), value, at));
                }
            }
            Arc::new(observation)
        };
        rows.iter().enumerate().map(observe).collect()
    }

    /// When the row after so many others was seen.
    fn at(&self, before: usize) -> Timestamp {
        let index = i64::try_from(before).unwrap_or(i64::MAX).saturating_add(1);
        Timestamp::from_millis(index.saturating_mul(self.step_s.saturating_mul(1_000)))
    }
}

fn manifest(folder: &Path, text: &str) -> Result<Manifest, RcaError> {
    serde_json::from_str(text).map_err(|error| RcaError::wrong(&folder.join("manifest.json"), error))
}

pub(super) fn read(folder: &Path, text: &str) -> Result<Vec<Case>, RcaError> {
    let manifest = manifest(folder, text)?;
    let mut shops = BTreeMap::new();
    for (name, scenario) in &manifest.scenarios {
        shops.insert(name.as_str(), Shop::read(folder, scenario, manifest.step_s));
    }
    let tables: Vec<Table> =
        manifest.cases.iter().map(|case| rows::table_or_nothing(&folder.join(&case.metrics))).collect();
    let mut cases = Vec::new();
    for (n, entry) in manifest.cases.iter().enumerate() {
        let shop = shops.get(entry.scenario.as_str()).ok_or_else(|| {
            let why = format!("case {}: there is no scenario {:?}", entry.id, entry.scenario);
            RcaError::wrong(&folder.join("manifest.json"), why)
        })?;
        let mut past = shop.healthy.clone();
        if shop.normal.is_none() {
            // Without a healthy past of its own, what came before the alerts of the other cases is one.
            for (other, (case, table)) in manifest.cases.iter().zip(&tables).enumerate() {
                if other != n && case.scenario == entry.scenario {
                    let rows = &table.rows[..case.alert_row.min(table.rows.len())];
                    past.extend(shop.seen(table, rows, past.len()));
                }
            }
        }
        let present = (&tables[n], tables[n].rows.as_slice());
        let mut case = case(&entry.id, shop, past, present, entry.alert_row, &entry.target);
        case.truth.clone_from(&entry.root_cause_service);
        cases.push(case);
    }
    Ok(cases)
}

pub(super) fn read_without_fault(folder: &Path, text: &str) -> Result<Vec<Case>, RcaError> {
    let manifest = manifest(folder, text)?;
    let mut cases = Vec::new();
    for (name, scenario) in &manifest.scenarios {
        let shop = Shop::read(folder, scenario, manifest.step_s);
        let Some(normal) = &shop.normal else { continue };
        let target = manifest.cases.iter().find(|case| &case.scenario == name).map(|case| &case.target);
        let Some(target) = target else { continue };
        let half = normal.rows.len() / 2;
        for (n, slice) in normal.rows[half..].windows(ROWS).enumerate() {
            let id = format!("{name}-nothing-{n}");
            let past = shop.healthy[..half].to_vec();
            let mut case = case(&id, &shop, past, (normal, slice), ALERT_ROW, target);
            NOTHING_WRONG.clone_into(&mut case.part);
            case.truth = Some(String::new());
            cases.push(case);
        }
    }
    Ok(cases)
}

/// A case whose truth is not known. The healthy past was recorded at another time; what counts is that it is before.
fn case(
    id: &str,
    shop: &Shop,
    past: Vec<Arc<Observation>>,
    (table, rows): (&Table, &[Vec<String>]),
    alert_row: usize,
    target: &Target,
) -> Case {
    let before = past.len();
    let mut observations = past;
    observations.extend(shop.seen(table, rows, before));
    Case {
        id: id.to_owned(),
        part: target.metric.clone(),
        half: Half::Tune,
        observations,
        target: Locus::component(SUBJECT, &target.node),
        alert: target.metric.clone(),
        // Where the row of the alert is missing, the trouble is after all that is known.
        alerted_at: shop.at(before + alert_row.min(rows.len())),
        truth: None,
    }
}

/// What each column stands for: its place, its node, its meaning.
fn meanings(table: &Table) -> Vec<(usize, String, Meaning)> {
    let mut meanings = Vec::new();
    for (place, column) in table.columns.iter().enumerate() {
        let mut parts = column.rsplitn(3, '|');
        let (Some(stat), Some(metric), Some(node)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let name = format!("{metric} {}", stat.to_lowercase());
        let meaning = match metric {
            "latency" => Meaning { name, role: SignalRole::Latency, unit: "s", worse: Worse::Higher, scale: 1.0 },
            // A sum over five minutes.
            "requests" => {
                Meaning { name, role: SignalRole::Traffic, unit: "1/s", worse: Worse::Neither, scale: 1.0 / 300.0 }
            }
            "availability" => {
                Meaning { name, role: SignalRole::Availability, unit: "%", worse: Worse::Lower, scale: 1.0 }
            }
            _ => continue,
        };
        meanings.push((place, node.to_owned(), meaning));
    }
    meanings
}
