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
    alert_row: usize,
    root_cause_service: Option<String>,
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
}

impl Shop {
    fn read(folder: &Path, scenario: &Scenario) -> Result<Self, RcaError> {
        let topology = rows::table(&folder.join(&scenario.topology))?;
        let calls = topology.rows.iter().filter_map(|row| Some((row.first()?.clone(), row.get(1)?.clone())));
        let normal = scenario.normal.as_ref().map(|file| rows::table(&folder.join(file))).transpose()?;
        Ok(Self { calls: calls.collect(), normal })
    }
}

fn manifest(folder: &Path, text: &str) -> Result<Manifest, RcaError> {
    serde_json::from_str(text).map_err(|error| RcaError::wrong(&folder.join("manifest.json"), error))
}

pub(super) fn read(folder: &Path, text: &str) -> Result<Vec<Case>, RcaError> {
    let manifest = manifest(folder, text)?;
    let mut shops = BTreeMap::new();
    for (name, scenario) in &manifest.scenarios {
        shops.insert(name.as_str(), Shop::read(folder, scenario)?);
    }
    let tables: Vec<Table> =
        manifest.cases.iter().map(|case| rows::table(&folder.join(&case.metrics))).collect::<Result<_, _>>()?;
    let mut cases = Vec::new();
    for (n, entry) in manifest.cases.iter().enumerate() {
        let shop = shops.get(entry.scenario.as_str()).ok_or_else(|| {
            let why = format!("case {}: there is no scenario {:?}", entry.id, entry.scenario);
            RcaError::wrong(&folder.join("manifest.json"), why)
        })?;
        // Without a healthy past of its own, what came before the alerts of the other cases is one.
        let past: Vec<(&Table, &[Vec<String>])> = match &shop.normal {
            Some(normal) => vec![(normal, normal.rows.as_slice())],
            None => manifest
                .cases
                .iter()
                .zip(&tables)
                .enumerate()
                .filter(|(other, (case, _))| *other != n && case.scenario == entry.scenario)
                .map(|(_, (case, table))| (table, &table.rows[..case.alert_row.min(table.rows.len())]))
                .collect(),
        };
        let present = (&tables[n], tables[n].rows.as_slice());
        let target = &entry.target;
        let step = manifest.step_s;
        cases.push(case(
            &entry.id,
            shop,
            &past,
            present,
            entry.alert_row,
            target,
            step,
            entry.root_cause_service.clone(),
        ));
    }
    Ok(cases)
}

pub(super) fn read_without_fault(folder: &Path, text: &str) -> Result<Vec<Case>, RcaError> {
    let manifest = manifest(folder, text)?;
    let mut cases = Vec::new();
    for (name, scenario) in &manifest.scenarios {
        let shop = Shop::read(folder, scenario)?;
        let Some(normal) = &shop.normal else { continue };
        let target = manifest.cases.iter().find(|case| &case.scenario == name).map(|case| case.target.clone());
        let Some(target) = target else { continue };
        let (past, rest) = normal.rows.split_at(normal.rows.len() / 2);
        for (n, slice) in rest.windows(ROWS).enumerate() {
            let id = format!("{name}-nothing-{n}");
            let truth = Some(String::new());
            let past = [(normal, past)];
            let mut case = case(&id, &shop, &past, (normal, slice), ALERT_ROW, &target, manifest.step_s, truth);
            case.part = NOTHING_WRONG.to_owned();
            cases.push(case);
        }
    }
    Ok(cases)
}

#[expect(clippy::too_many_arguments, reason = "the parts of a case come from different files")]
fn case(
    id: &str,
    shop: &Shop,
    past: &[(&Table, &[Vec<String>])],
    present: (&Table, &[Vec<String>]),
    alert_row: usize,
    target: &Target,
    step_s: i64,
    truth: Option<String>,
) -> Case {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for (table, _) in past.iter().chain([&present]) {
        names.extend(
            table.columns.iter().filter_map(|column| column.split('|').next().filter(|_| column.contains('|'))),
        );
    }
    names.extend(shop.calls.iter().flat_map(|(from, to)| [from.as_str(), to.as_str()]));
    let components: Vec<_> = names.iter().map(|name| component(name)).collect();
    let dependencies: Vec<_> = shop.calls.iter().map(|(from, to)| dependency(from, to)).collect();
    let mut observations = Vec::new();
    let mut alerted_at = Timestamp::from_millis(0);
    // The healthy past was recorded at another time; what counts is that it is before.
    for ((table, rows), now) in past.iter().map(|part| (part, false)).chain([(&present, true)]) {
        let columns = meanings(table);
        for (n, row) in rows.iter().enumerate() {
            let index = i64::try_from(observations.len()).unwrap_or(i64::MAX);
            let at = Timestamp::from_millis((index + 1).saturating_mul(step_s * 1_000));
            if now && n == alert_row {
                alerted_at = at;
            }
            let mut observation = Observation::new(at);
            observation.components.clone_from(&components);
            observation.dependencies.clone_from(&dependencies);
            for (column, node, meaning) in &columns {
                if let Some(value) = number(row.get(*column)) {
                    observation.signals.push(meaning.signal(Locus::component(SUBJECT, node), value, at));
                }
            }
            observations.push(Arc::new(observation));
        }
    }
    Case {
        id: id.to_owned(),
        part: target.metric.clone(),
        half: Half::Tune,
        observations,
        target: Locus::component(SUBJECT, &target.node),
        alert: target.metric.clone(),
        alerted_at,
        truth,
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
