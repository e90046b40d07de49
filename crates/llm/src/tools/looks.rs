//! The looks themselves. Whatever comes back is quoted data: cut, cleaned, and never an instruction.

use operator_protocols::{DependencyState, Locus, ProbeRequest, Value};
use operator_reasoner::{EvidenceKind, LogSearch, Point, bounded};
use serde_json::{Map, Value as Json, json};

use super::arguments::{Arguments, list};
use super::{LINES, SEARCHED, Tools};
use crate::bounds::LOOK_BYTES;
use crate::prompt::pack::{seconds, state};

/// How many values of a series are shown.
const POINTS: usize = 24;
/// The longest text within a look, in characters.
const TEXT: usize = 240;
/// The most members of a list or a map within a look.
const MEMBERS: usize = 24;
/// How deep the answer of a probe is shown.
const DEPTH: usize = 5;

impl Tools<'_> {
    pub(super) async fn series(&self, arguments: &Json) -> Result<Json, String> {
        let arguments = Arguments::of(arguments, &["on", "signal"])?;
        let places = self.with_signals();
        let expected = list(places.iter().map(String::as_str));
        let name = arguments.text("on", &expected)?;
        let signal = arguments.text("signal", &list(self.names()))?;
        let on = self.case.places.locus(name).filter(|on| self.signals.contains_key(on));
        let on = on.ok_or_else(|| format!("on: expected {expected}"))?;
        if !self.names().contains(signal) {
            let there = self.signals.get(on).into_iter().flatten().copied();
            return Err(format!("signal: expected {} there", list(there)));
        }
        let points = self.investigation.series(on, signal).await.map_err(|why| {
            let there = self.signals.get(on).into_iter().flatten().copied();
            format!("{}; known there: {}", bounded(&why.to_string(), TEXT), list(there))
        })?;
        Ok(self.summary(&points))
    }

    fn summary(&self, points: &[Point]) -> Json {
        let mut values: Vec<f64> = points.iter().map(|point| point.value).filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let before: Vec<f64> =
            points.iter().filter(|point| point.at < self.case.pack.onset).map(|point| point.value).collect();
        let step = points.len().div_ceil(POINTS).max(1);
        // The last value is always among those shown.
        let shown: Vec<Json> = points
            .iter()
            .rev()
            .step_by(step)
            .map(|point| json!([seconds(self.case.pack, point.at), rounded(point.value)]))
            .rev()
            .collect();
        json!({
            "values": points.len(),
            "least": values.first().copied().map(rounded),
            "median": values.get(values.len() / 2).copied().map(rounded),
            "greatest": values.last().copied().map(rounded),
            "values_before_onset": before.len(),
            "last": points.last().map(|point| rounded(point.value)),
            "t_and_value": shown,
        })
    }

    pub(super) fn component(&self, arguments: &Json) -> Result<Json, String> {
        let arguments = Arguments::of(arguments, &["component"])?;
        let names = self.components();
        let expected = list(names.iter().map(String::as_str));
        let name = arguments.text("component", &expected)?;
        let locus = self.case.places.locus(name);
        let component = match locus {
            Some(Locus::Component(id)) => self.case.pack.components.iter().find(|one| one.id == *id),
            _ => None,
        };
        let component = component.ok_or_else(|| format!("component: expected {expected}"))?;
        let links = |out: bool| -> Vec<Json> {
            let of_it = self
                .case
                .pack
                .dependencies
                .iter()
                .filter(|link| component.id == *if out { &link.from } else { &link.to });
            of_it
                .take(MEMBERS)
                .map(|link| {
                    let other = Locus::Component(if out { link.to.clone() } else { link.from.clone() });
                    let link_state = match link.state {
                        DependencyState::Up => "up",
                        DependencyState::Down => "down",
                        DependencyState::Unknown => "unknown",
                    };
                    json!({"name": self.case.places.name(&other), "link": link_state})
                })
                .collect()
        };
        let labels: Map<String, Json> = component
            .labels
            .iter()
            .take(MEMBERS)
            .map(|(key, value)| (bounded(key, 60), Json::from(bounded(value, TEXT))))
            .collect();
        let evidence: Vec<Json> = self
            .case
            .pack
            .items
            .iter()
            .filter(|item| Some(&item.on) == locus)
            .take(MEMBERS)
            .map(|item| json!({"id": item.id.0, "says": bounded(&item.statement, TEXT)}))
            .collect();
        Ok(json!({
            "name": name,
            "kind": bounded(&component.kind, 60),
            "state": state(component.state),
            "in_its_own_words": bounded(&component.raw_state, TEXT),
            "version": component.version.as_ref().map(|version| bounded(version, 60)),
            "labels": labels,
            "calls": links(true),
            "called_by": links(false),
            "evidence": evidence,
        }))
    }

    pub(super) async fn events(&self, arguments: &Json) -> Result<Json, String> {
        let limit = Arguments::of(arguments, &["limit"])?.count("limit", LINES)?;
        let events = self.investigation.events(limit).await.map_err(|why| bounded(&why.to_string(), TEXT))?;
        let newest = events.len().saturating_sub(limit);
        let shown: Vec<Json> = events
            .iter()
            .skip(newest)
            .map(|event| {
                let change = event.change.as_ref().map(|change| {
                    json!({
                        "field": bounded(&change.field, 80),
                        "before": plain(&change.before, 1),
                        "after": plain(&change.after, 1),
                    })
                });
                json!({
                    "t": seconds(self.case.pack, event.at),
                    "on": self.case.places.name(&event.on),
                    "id": bounded(&event.id.local, 80),
                    "kind": serde_json::to_value(event.kind).unwrap_or_default(),
                    "change": change,
                    "says": bounded(&event.message, TEXT),
                })
            })
            .collect();
        Ok(within(json!({"events": shown}), "events"))
    }

    pub(super) async fn logs(&self, arguments: &Json) -> Result<Json, String> {
        let arguments = Arguments::of(arguments, &["component", "containing", "limit"])?;
        let limit = arguments.count("limit", LINES)?;
        let containing = arguments.optional("containing")?;
        if containing.chars().count() > SEARCHED {
            return Err(format!("containing: expected at most {SEARCHED} characters"));
        }
        let names = self.components();
        let component = match arguments.optional("component")? {
            "" => None,
            name => match self.case.places.locus(name) {
                Some(Locus::Component(id)) => Some(id.clone()),
                _ => return Err(format!("component: expected {}", list(names.iter().map(String::as_str)))),
            },
        };
        let search = LogSearch { component, containing: containing.to_owned(), limit };
        let lines = self.investigation.logs(&search).await.map_err(|why| bounded(&why.to_string(), TEXT))?;
        let newest = lines.len().saturating_sub(limit);
        let shown: Vec<Json> = lines
            .iter()
            .skip(newest)
            .map(|line| {
                json!({
                    "t": seconds(self.case.pack, line.at),
                    "component": self.case.places.name(&Locus::Component(line.component.clone())),
                    "level": serde_json::to_value(line.level).unwrap_or_default(),
                    "line": bounded(&line.message, TEXT),
                })
            })
            .collect();
        Ok(within(json!({"lines": shown}), "lines"))
    }

    pub(super) async fn probe(&self, arguments: &Json) -> Result<Json, String> {
        let arguments = Arguments::of(arguments, &["probe", "target", "params"])?;
        let probes = self.investigation.probes();
        let expected = list(probes.iter().map(|probe| probe.name.as_str()));
        let name = arguments.text("probe", &expected)?;
        let definition = probes.iter().find(|probe| probe.name == name);
        let definition = definition.ok_or_else(|| format!("probe: expected {expected}"))?;
        let targets = list(self.case.places.names().iter().map(String::as_str));
        let target = self.case.places.locus(arguments.text("target", &targets)?);
        let target = target.ok_or_else(|| format!("target: expected {targets}"))?.clone();
        let params = arguments.map("params")?;
        definition.validate(&params).map_err(|error| bounded(&error.to_string(), TEXT))?;
        let request = ProbeRequest { probe: definition.name.clone(), target, params };
        let answer = self.investigation.probe(&request).await;
        let found = answer.answer.map_err(|why| bounded(&why.to_string(), TEXT))?;
        let shown = json!({"t": seconds(self.case.pack, answer.as_of), "answer": plain(&found, DEPTH)});
        let text = shown.to_string();
        if text.len() <= LOOK_BYTES {
            return Ok(shown);
        }
        Ok(json!({"cut": true, "answer": bounded(crate::bounds::head(&text, LOOK_BYTES / 2), LOOK_BYTES)}))
    }

    pub(super) fn similar(&self) -> Json {
        let found: Vec<Json> = self
            .case
            .pack
            .items
            .iter()
            .filter_map(|item| match &item.kind {
                EvidenceKind::SimilarTicket(past) => Some(json!({
                    "id": item.id.0,
                    "says": bounded(&item.statement, TEXT),
                    "fixed_by": past.fixed_by.as_ref().map(|by| bounded(by, 80)),
                })),
                _ => None,
            })
            .take(MEMBERS)
            .collect();
        json!({"tickets": found})
    }
}

/// To six significant digits: what is shown is what can be quoted.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// A value as bounded JSON.
fn plain(value: &Value, depth: usize) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::from(*truth),
        Value::Int(n) => Json::from(*n),
        Value::Uint(n) => Json::from(*n),
        Value::Float(n) => Json::from(rounded(*n)),
        Value::Text(text) => Json::from(bounded(text, TEXT)),
        Value::List(_) | Value::Map(_) if depth == 0 => Json::from("…"),
        Value::List(list) => list.iter().take(MEMBERS).map(|one| plain(one, depth - 1)).collect(),
        Value::Map(map) => map
            .iter()
            .take(MEMBERS)
            .map(|(key, one)| (bounded(key, 80), plain(one, depth - 1)))
            .collect::<Map<String, Json>>()
            .into(),
    }
}

/// Drops the oldest of a list until the whole is within bounds, and says how many were dropped.
fn within(mut json: Json, list: &str) -> Json {
    let mut dropped = 0_usize;
    while json.to_string().len() > LOOK_BYTES {
        match json.get_mut(list).and_then(Json::as_array_mut) {
            Some(entries) if !entries.is_empty() => {
                entries.remove(0);
                dropped += 1;
            }
            _ => break,
        }
    }
    if let (true, Some(members)) = (dropped > 0, json.as_object_mut()) {
        members.insert("older_left_out".to_owned(), Json::from(dropped));
    }
    json
}
