//! The typed facet of what is measured.

use std::collections::{BTreeMap, BTreeSet};

use operator_prometheus::Series;
use operator_protocols::{Locus, Observation, Signal, SignalKind, SignalRole, Timestamp, Unavailable, Worse};

use super::memory::Memory;
use super::queries::Answers;
use crate::check::{Checked, only};
use crate::file::{self, ANSWER_TIME, Place, Source, SystemFile, Take};
use crate::limits;
use crate::scrape::{Scrape, groups, raw, value};

/// A reading of a signal, or why there is none.
struct Reading {
    on: Locus,
    at: Timestamp,
    value: Result<Option<f64>, String>,
}

/// Writes all readings.
pub(super) fn write(
    subject: &str,
    file: &SystemFile,
    checked: &[Checked],
    scrapes: &BTreeMap<String, Scrape>,
    answers: &Answers,
    memory: &mut Memory,
    observation: &mut Observation,
) {
    for (component, checked) in file.components.iter().zip(checked) {
        let Some(time) = checked.answer_time() else { continue };
        observation.signals.push(Signal {
            on: Locus::component(subject, &component.name),
            name: ANSWER_TIME.to_owned(),
            role: SignalRole::Latency,
            value: time.as_secs_f64(),
            unit: "s".to_owned(),
            observed_at: observation.at,
            kind: SignalKind::Gauge,
            worse: Worse::Higher,
        });
    }
    for signal in &file.signals {
        let read = match (&signal.source, answers.get(&signal.name)) {
            (Source::Metric { .. }, _) => scraped(subject, file, signal, scrapes, memory),
            (Source::PromQl(_), Some(Ok(series))) => answered(subject, file, signal, series, observation.at),
            (Source::PromQl(_), Some(Err(why))) => Err(why.clone()),
            (Source::PromQl(_), None) => Err("it was not asked".to_owned()),
        };
        match read {
            Ok(readings) => add(file, signal, readings, observation),
            Err(why) => observation.unavailable.push(Unavailable::new(&signal.name, why)),
        }
    }
}

fn add(file: &SystemFile, signal: &file::Signal, readings: Vec<Reading>, observation: &mut Observation) {
    let mut seen = BTreeSet::new();
    for reading in readings {
        let what = || format!("{} of {}", signal.name, reading.on);
        let mut gap = |why: String| observation.unavailable.push(Unavailable::new(what(), why));
        match reading.value {
            Err(why) => gap(why),
            Ok(None) => {}
            Ok(Some(_)) if !seen.insert(reading.on.clone()) => {
                observation.signals.retain(|one| !(one.on == reading.on && one.name == signal.name));
                gap("more than one series names it".to_owned());
            }
            Ok(Some(_)) if observation.signals.len() >= limits::READINGS + file.components.len() => {
                gap(format!("there are more than {} readings already", limits::READINGS));
            }
            Ok(Some(value)) => observation.signals.push(Signal {
                on: reading.on,
                name: signal.name.clone(),
                role: signal.role,
                value,
                unit: signal.unit.clone(),
                observed_at: reading.at,
                kind: SignalKind::Gauge,
                worse: signal.worse,
            }),
        }
    }
}

/// What the metrics of components say. A component whose metrics could not be read has no reading: that is said of the
/// component already.
fn scraped(
    subject: &str,
    file: &SystemFile,
    signal: &file::Signal,
    scrapes: &BTreeMap<String, Scrape>,
    memory: &mut Memory,
) -> Result<Vec<Reading>, String> {
    let Source::Metric { metric, labels, scrape, take } = &signal.source else { return Ok(Vec::new()) };
    let named = scrape.as_ref().and_then(|name| scrapes.get(name));
    let mut places: Vec<(Locus, &Scrape, Option<String>)> = Vec::new();
    if let Some(by) = &signal.by {
        let Some((source, Ok(exposition))) = named.map(|scrape| (scrape, &scrape.read)) else {
            return Ok(Vec::new());
        };
        let groups = groups(exposition, metric, take, labels, by);
        if groups.len() > limits::READINGS_OF_ONE {
            return Err(format!("its label {by} has more than {} values", limits::READINGS_OF_ONE));
        }
        for group in groups {
            if let Some(on) = signal.place.named(subject, &file.components, &group) {
                places.push((on, source, Some(group)));
            }
        }
    } else {
        for (on, teller) in signal.place.known(subject, &file.components, &file.dependencies) {
            let source = named.or_else(|| teller.and_then(|teller| scrapes.get(&teller)));
            places.extend(source.map(|source| (on, source, None)));
        }
    }
    let mut readings = Vec::new();
    for (on, source, group) in places {
        let Ok(exposition) = &source.read else { continue };
        let group = signal.by.as_deref().zip(group.as_deref());
        let number = raw(exposition, metric, take, labels, group).and_then(|now| {
            let number = value(take, &now, memory.count_before(&signal.name, &on, source.at));
            if !matches!(take, Take::Gauge { .. }) {
                memory.remember_count(&signal.name, &on, source.at, now);
            }
            number
        });
        readings.push(Reading { on, at: source.at, value: number });
    }
    Ok(readings)
}

/// What an answer to a query says.
fn answered(
    subject: &str,
    file: &SystemFile,
    signal: &file::Signal,
    series: &[Series],
    at: Timestamp,
) -> Result<Vec<Reading>, String> {
    let Some(by) = &signal.by else {
        let on = match &signal.place {
            Place::Kind(_) | Place::Links(_) | Place::Entities(_) => return Ok(Vec::new()),
            place => place.known(subject, &file.components, &file.dependencies),
        };
        let value = only(series).map(Some);
        return Ok(on.into_iter().map(|(on, _)| Reading { on, at, value: value.clone() }).collect());
    };
    if series.len() > limits::READINGS_OF_ONE {
        return Err(format!("the answer has more than {} series", limits::READINGS_OF_ONE));
    }
    let named = series.iter().filter_map(|series| {
        let on = signal.place.named(subject, &file.components, series.labels.get(by)?)?;
        let point = series.points.last()?;
        Some(Reading { on, at: point.at.min(at), value: Ok(Some(point.value)) })
    });
    Ok(named.collect())
}
