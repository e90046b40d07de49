//! Reading the metrics of components, and making numbers of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use operator_prometheus::{Exposition, Histogram, HistogramError};
use operator_protocols::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::check::HttpClient;
use crate::file::{Aggregate, Component, Metrics, Take, Told};
use crate::{limits, redis_info};

/// A scrape may take this long.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

/// What the metrics of a component say, or why they could not be read, and when that was true.
pub(crate) struct Scrape {
    pub(crate) at: Timestamp,
    pub(crate) read: Result<Exposition, String>,
}

/// Reads the metrics of every component that has some, side by side; by name.
pub(crate) async fn all(http: &HttpClient, components: &[Component], at: Timestamp) -> BTreeMap<String, Scrape> {
    let room = Arc::new(Semaphore::new(limits::SCRAPES_AT_ONCE));
    let begun = Instant::now();
    let mut asked = JoinSet::new();
    for component in components {
        let (name, Some(metrics)) = (component.name.clone(), component.metrics.clone()) else { continue };
        let (http, room) = (http.clone(), Arc::clone(&room));
        asked.spawn(async move {
            let _room = room.acquire_owned().await;
            let read = one(&http, &metrics).await;
            (name, Scrape { at: at.plus(begun.elapsed()), read })
        });
    }
    let mut scrapes = BTreeMap::new();
    while let Some(scrape) = asked.join_next().await {
        scrapes.extend(scrape.ok());
    }
    scrapes
}

/// Reads metrics, once.
pub(crate) async fn one(http: &HttpClient, metrics: &Metrics) -> Result<Exposition, String> {
    match metrics {
        Metrics::Http(url) => http.metrics(url, TIMEOUT).await,
        Metrics::RedisInfo(address) => redis_info::read(address, TIMEOUT).await,
    }
}

/// What one scrape says of a signal, before it is compared with the one before.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Raw {
    /// A number; and the number it is to be divided by.
    Number(f64, Option<f64>),
    /// A histogram.
    Histogram(Histogram),
}

/// The values of the label `by` among the series that match.
pub(crate) fn groups(
    exposition: &Exposition,
    metric: &str,
    take: &Take,
    labels: &BTreeMap<String, String>,
    by: &str,
) -> BTreeSet<String> {
    let series = if matches!(take, Take::Quantile(_)) { format!("{metric}_bucket") } else { metric.to_owned() };
    let pairs: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    exposition.samples(&series, &pairs).filter_map(|sample| sample.labels.get(by).cloned()).collect()
}

/// What an exposition says of a metric; of the series whose label is the group's, where there is one.
pub(crate) fn raw(
    exposition: &Exposition,
    metric: &str,
    take: &Take,
    labels: &BTreeMap<String, String>,
    group: Option<(&str, &str)>,
) -> Result<Raw, String> {
    let pairs: Vec<(&str, &str)> =
        labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(group).collect();
    let sum = |name: &str| exposition.sum(name, &pairs).ok_or_else(|| missing(name, &pairs));
    let divided = |by: &Option<String>| by.as_deref().map(sum).transpose();
    match take {
        Take::Gauge { aggregate, divide_by } => {
            Ok(Raw::Number(gauge(exposition, metric, &pairs, *aggregate)?, divided(divide_by)?))
        }
        Take::Rate { divide_by } => Ok(Raw::Number(sum(metric)?, divided(divide_by)?)),
        Take::Increase => Ok(Raw::Number(sum(metric)?, None)),
        Take::Quantile(_) => match Histogram::of(exposition, metric, &pairs) {
            Ok(histogram) => Ok(Raw::Histogram(histogram)),
            Err(HistogramError::Missing(_)) => Err(missing(metric, &pairs)),
            Err(error) => Err(error.to_string()),
        },
    }
}

fn gauge(exposition: &Exposition, metric: &str, pairs: &[(&str, &str)], aggregate: Aggregate) -> Result<f64, String> {
    let values: Vec<f64> = exposition.samples(metric, pairs).map(|sample| sample.value).collect();
    // One that is not a number makes the whole so: `max` would pass it over.
    if values.iter().any(|value| value.is_nan()) {
        return Ok(f64::NAN);
    }
    let sum: f64 = values.iter().sum();
    let number = match aggregate {
        Aggregate::Sum => (!values.is_empty()).then_some(sum),
        Aggregate::Avg => (!values.is_empty()).then(|| sum / values.len() as f64),
        Aggregate::Max => values.into_iter().reduce(f64::max),
        Aggregate::Min => values.into_iter().reduce(f64::min),
    };
    number.ok_or_else(|| missing(metric, pairs))
}

fn missing(metric: &str, pairs: &[(&str, &str)]) -> String {
    if pairs.is_empty() {
        return format!("the metrics hold no {metric}");
    }
    let labels: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("the metrics hold no {metric}{{{}}}", labels.join(","))
}

/// A number of this scrape and the one before; none, where there is nothing to say yet or nothing happened.
///
/// # Errors
/// When a count began anew, or a divisor is 0.
pub(crate) fn value(take: &Take, now: &Raw, before: Option<(&Raw, Duration)>) -> Result<Option<f64>, String> {
    let anew = || "it began to count anew".to_owned();
    match (take, now) {
        (Take::Gauge { .. }, Raw::Number(number, None)) => Ok(Some(*number)),
        (Take::Gauge { divide_by, .. }, Raw::Number(number, Some(divisor))) => {
            if *divisor == 0.0 {
                return Err(format!("{} is 0", divide_by.as_deref().unwrap_or_default()));
            }
            Ok(Some(number / divisor))
        }
        (Take::Rate { .. } | Take::Increase, Raw::Number(number, divisor)) => {
            let Some((Raw::Number(earlier, earlier_divisor), elapsed)) = before else { return Ok(None) };
            let grown = number - earlier;
            if grown < 0.0 {
                return Err(anew());
            }
            match (take, divisor.zip(*earlier_divisor)) {
                (Take::Increase, _) => Ok(Some(grown)),
                (_, Some((now, earlier))) if now < earlier => Err(anew()),
                (_, Some((now, earlier))) => Ok((now > earlier).then(|| grown / (now - earlier))),
                (_, None) if elapsed.is_zero() => Ok(None),
                (_, None) => Ok(Some(grown / elapsed.as_secs_f64())),
            }
        }
        (Take::Quantile(share), Raw::Histogram(histogram)) => {
            let Some((Raw::Histogram(earlier), _)) = before else { return Ok(None) };
            Ok(histogram.since(earlier).map_err(|_| anew())?.quantile(*share))
        }
        _ => Ok(None),
    }
}

/// What a metric tells: its value, or one of its labels.
pub(crate) enum Fact {
    Number(f64),
    Text(String),
}

/// A fact that a metric tells.
pub(crate) fn told(exposition: &Exposition, told: &Told) -> Option<Fact> {
    let sample = exposition.samples(&told.metric, &[]).next()?;
    match &told.label {
        None => sample.value.is_finite().then_some(Fact::Number(sample.value)),
        Some(label) => {
            let text: String =
                sample.labels.get(label)?.chars().filter(|c| !c.is_control()).take(limits::KEY_BYTES).collect();
            (!text.is_empty()).then_some(Fact::Text(text))
        }
    }
}
