//! `[[signal]]`: what is measured, where, and how it is read.

use std::collections::BTreeMap;

use operator_protocols::{SignalRole, Worse};

use super::keys::Keys;
use super::{Component, Dependency, FileError, Place, nearest, once, place};
use crate::limits;

/// A signal.
#[derive(Debug, Clone)]
pub(crate) struct Signal {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) role: SignalRole,
    pub(crate) unit: String,
    pub(crate) worse: Worse,
    pub(crate) source: Source,
    /// The label whose value names what a reading is on.
    pub(crate) by: Option<String>,
}

/// Where readings come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// The metrics of a component: the one the signal is on (of an edge, its caller), unless another is named.
    Metric { metric: String, labels: BTreeMap<String, String>, scrape: Option<String>, take: Take },
    /// An expression, put to the Prometheus server.
    PromQl(String),
}

/// What is taken of the series of a metric.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Take {
    /// The value as it is, over all series, divided by another metric's.
    Gauge { aggregate: Aggregate, divide_by: Option<String> },
    /// How much a count grew a second since the observation before; divided by the growth of another.
    Rate { divide_by: Option<String> },
    /// How much a count grew since the observation before.
    Increase,
    /// The value that this share of what a histogram counted since the observation before does not exceed.
    Quantile(f64),
}

/// How the series of one metric become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Sum,
    Max,
    Min,
    Avg,
}

pub(super) const KEYS: [&str; 14] = [
    "name",
    "on",
    "role",
    "unit",
    "worse",
    "metric",
    "labels",
    "scrape",
    "value",
    "aggregate",
    "divide_by",
    "quantile",
    "promql",
    "by",
];

/// The name that is taken: how long a component takes to answer its checks.
pub(crate) const ANSWER_TIME: &str = "answer_time";

pub(super) fn read(
    file: &Keys<'_>,
    components: &[Component],
    dependencies: &[Dependency],
) -> Result<Vec<Signal>, FileError> {
    let tables = file.tables("signal", limits::SIGNALS, &KEYS)?;
    let signals = tables.iter().map(|keys| one(keys, components, dependencies)).collect::<Result<Vec<_>, _>>()?;
    once(file, "signal", signals.iter().map(|signal| signal.name.clone()))?;
    Ok(signals)
}

fn one(keys: &Keys<'_>, components: &[Component], dependencies: &[Dependency]) -> Result<Signal, FileError> {
    let name = keys.snake_case("name")?;
    if name == ANSWER_TIME {
        return Err(keys.error("name", "answer_time is measured of every component already"));
    }
    let on = keys.text("on")?.ok_or_else(|| keys.missing("on", place::FORMS))?;
    let place = Place::parse(on).ok_or_else(|| keys.error("on", format!("expected {}, given {on:?}", place::FORMS)))?;
    exists(keys, &place, components, dependencies)?;
    let by = keys.text("by")?.map(str::to_owned);
    let source = match keys.one_of(&["metric", "promql"])? {
        "promql" => {
            let of_metric = ["labels", "scrape", "value", "aggregate", "divide_by", "quantile"];
            if let Some(key) = of_metric.into_iter().find(|key| keys.has(key)) {
                return Err(keys.error(key, "belongs to a metric; say it in the expression"));
            }
            Source::PromQl(keys.text("promql")?.unwrap_or_default().to_owned())
        }
        _ => Source::Metric {
            metric: keys.text("metric")?.unwrap_or_default().to_owned(),
            labels: keys.labels("labels")?,
            scrape: scrape(keys, components)?,
            take: take(keys)?,
        },
    };
    fits(keys, &place, &source, by.is_some(), components, dependencies)?;
    Ok(Signal {
        name: name.to_owned(),
        place,
        role: keys
            .word(
                "role",
                &[
                    ("latency", SignalRole::Latency),
                    ("traffic", SignalRole::Traffic),
                    ("errors", SignalRole::Errors),
                    ("saturation", SignalRole::Saturation),
                    ("availability", SignalRole::Availability),
                    ("other", SignalRole::Other),
                ],
            )?
            .unwrap_or(SignalRole::Other),
        unit: keys.text("unit")?.ok_or_else(|| keys.missing("unit", "a unit like s, 1/s, bytes or 1"))?.to_owned(),
        worse: keys
            .word("worse", &[("higher", Worse::Higher), ("lower", Worse::Lower), ("neither", Worse::Neither)])?
            .unwrap_or(Worse::Neither),
        source,
        by,
    })
}

/// Refuses a place of which nothing is described.
fn exists(
    keys: &Keys<'_>,
    place: &Place,
    components: &[Component],
    dependencies: &[Dependency],
) -> Result<(), FileError> {
    let known = |what: &str, name: &str, names: Vec<&str>| {
        if names.contains(&name) {
            return Ok(());
        }
        Err(keys.error("on", format!("there is no {what} {name:?}; {}", nearest(name, &names))))
    };
    let names = || components.iter().map(|component| component.name.as_str()).collect();
    match place {
        Place::Component(name) => known("component", name, names()),
        Place::Kind(kind) => {
            known("component of kind", kind, components.iter().map(|component| component.kind.as_str()).collect())
        }
        Place::Links(kind) => {
            known("dependency of kind", kind, dependencies.iter().map(|link| link.kind.as_str()).collect())
        }
        Place::Edge(from, to) => {
            known("component", from, names())?;
            known("component", to, names())?;
            if dependencies.iter().any(|link| (&link.from, &link.to) == (from, to)) {
                return Ok(());
            }
            Err(keys.error("on", format!("there is no dependency from {from} to {to}")))
        }
        Place::Entity(..) | Place::Entities(_) => Ok(()),
    }
}

fn scrape(keys: &Keys<'_>, components: &[Component]) -> Result<Option<String>, FileError> {
    let Some(name) = keys.text("scrape")? else { return Ok(None) };
    match components.iter().find(|component| component.name == name) {
        Some(component) if component.metrics.is_some() => Ok(Some(name.to_owned())),
        Some(_) => Err(keys.error("scrape", format!("the component {name} has no metrics"))),
        None => {
            let names: Vec<_> = components.iter().map(|component| component.name.as_str()).collect();
            Err(keys.error("scrape", format!("there is no component {name:?}; {}", nearest(name, &names))))
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    Gauge,
    Rate,
    Increase,
    Quantile,
}

fn take(keys: &Keys<'_>) -> Result<Take, FileError> {
    let value = keys
        .word(
            "value",
            &[
                ("gauge", Value::Gauge),
                ("rate", Value::Rate),
                ("increase", Value::Increase),
                ("quantile", Value::Quantile),
            ],
        )?
        .unwrap_or(Value::Gauge);
    let aggregate = keys.word(
        "aggregate",
        &[("sum", Aggregate::Sum), ("max", Aggregate::Max), ("min", Aggregate::Min), ("avg", Aggregate::Avg)],
    )?;
    if value != Value::Gauge && aggregate.is_some_and(|aggregate| aggregate != Aggregate::Sum) {
        return Err(keys.error("aggregate", "counts are added up: only a gauge has another aggregate than sum"));
    }
    let divide_by = keys.text("divide_by")?.map(str::to_owned);
    if divide_by.is_some() && matches!(value, Value::Increase | Value::Quantile) {
        return Err(keys.error("divide_by", "belongs to a gauge or a rate"));
    }
    let quantile = keys.number("quantile")?;
    if value != Value::Quantile && quantile.is_some() {
        return Err(keys.error("quantile", "belongs to value = \"quantile\""));
    }
    Ok(match value {
        Value::Gauge => Take::Gauge { aggregate: aggregate.unwrap_or(Aggregate::Sum), divide_by },
        Value::Rate => Take::Rate { divide_by },
        Value::Increase => Take::Increase,
        Value::Quantile => match quantile {
            Some(share) if share > 0.0 && share <= 1.0 => Take::Quantile(share),
            Some(share) => {
                return Err(keys.error("quantile", format!("expected more than 0, at most 1, given {share}")));
            }
            None => return Err(keys.missing("quantile", "a share like 0.99")),
        },
    })
}

/// Whether what is read can be put to where it belongs.
fn fits(
    keys: &Keys<'_>,
    place: &Place,
    source: &Source,
    by: bool,
    components: &[Component],
    dependencies: &[Dependency],
) -> Result<(), FileError> {
    let scraped = |name: &String| components.iter().any(|one| one.name == *name && one.metrics.is_some());
    let own = matches!(source, Source::Metric { scrape: None, .. });
    match place {
        Place::Component(_) | Place::Edge(..) | Place::Entity(..) if by => {
            return Err(keys.error("by", format!("{place} is one: nothing is to be told apart by a label")));
        }
        Place::Links(_) if by || !own => {
            return Err(
                keys.error("on", "links of a kind are read of their callers' own metrics; name each edge instead")
            );
        }
        Place::Kind(_) if by && own => {
            return Err(keys.error("by", "each component's own metrics are read; name another source, or leave it out"));
        }
        Place::Kind(_) | Place::Entities(_) if !by && (!own || matches!(place, Place::Entities(_))) => {
            let such_as = "the label whose value names it, like instance";
            return Err(keys.missing("by", such_as));
        }
        Place::Entity(..) | Place::Entities(_) if own => {
            return Err(keys.missing("scrape", "the component whose metrics tell of it"));
        }
        _ => {}
    }
    if !own {
        return Ok(());
    }
    let tellers = place.known("", components, dependencies).into_iter().filter_map(|(_, teller)| teller);
    for teller in tellers {
        if !scraped(&teller) {
            let why = format!("the component {teller} has no metrics; give it some, or name another in scrape");
            return Err(keys.error("metric", why));
        }
    }
    Ok(())
}
