//! `[[component]]`: what can be up or down.

use std::collections::BTreeMap;

use reqwest::Url;

use super::address::{ADDRESS, http_url, is_address};
use super::check::{self, Check};
use super::keys::Keys;
use super::{FileError, once};
use crate::limits;

/// A component.
#[derive(Debug, Clone)]
pub(crate) struct Component {
    pub(crate) name: String,
    /// Components of one kind are peers.
    pub(crate) kind: String,
    /// `host:port`
    pub(crate) address: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) checks: Vec<Check>,
    pub(crate) metrics: Option<Metrics>,
    /// What tells one start from the next.
    pub(crate) incarnation: Option<Told>,
    pub(crate) version: Option<Told>,
}

/// Where a component's metrics are read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Metrics {
    /// An exposition in the Prometheus text format, by HTTP.
    Http(Url),
    /// What a Redis server says to `INFO`, by TCP at this `host:port`.
    RedisInfo(String),
}

/// A fact that a metric tells: by its value, or by one of its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) metric: String,
    pub(crate) label: Option<String>,
}

pub(super) const KEYS: [&str; 8] = ["name", "kind", "address", "labels", "check", "metrics", "incarnation", "version"];

pub(super) fn read(file: &Keys<'_>) -> Result<Vec<Component>, FileError> {
    let tables = file.tables("component", limits::COMPONENTS, &KEYS)?;
    if tables.is_empty() {
        return Err(file.missing("component", "at least one [[component]]"));
    }
    let components = tables.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    once(file, "component", components.iter().map(|component| component.name.clone()))?;
    Ok(components)
}

fn one(keys: &Keys<'_>) -> Result<Component, FileError> {
    let name = keys.name("name")?.ok_or_else(|| keys.missing("name", "a name like api-1"))?;
    let kind = keys.name("kind")?.ok_or_else(|| keys.missing("kind", "what it is, like api; peers share a kind"))?;
    let address = keys.text("address")?.map(str::to_owned);
    if let Some(address) = address.as_deref().filter(|address| !is_address(address)) {
        return Err(keys.error("address", format!("expected {ADDRESS}, given {address:?}")));
    }
    let checks = check::read(keys, address.as_deref())?;
    let metrics = match (keys.text("metrics")?, &address) {
        (None, _) => None,
        (Some("redis_info"), Some(address)) => Some(Metrics::RedisInfo(address.clone())),
        (Some("redis_info"), None) => return Err(keys.missing("address", ADDRESS)),
        (Some(text), address) => {
            Some(Metrics::Http(http_url(text, address.as_deref()).map_err(|why| keys.error("metrics", why))?))
        }
    };
    let told = |key| -> Result<Option<Told>, FileError> {
        let told = told(keys, key)?;
        match (&told, &metrics) {
            (Some(_), None) => Err(keys.error(key, "needs metrics of the component, such as metrics = \"/metrics\"")),
            _ => Ok(told),
        }
    };
    let version = told("version")?;
    if version.as_ref().is_some_and(|told| told.label.is_none()) {
        return Err(keys.error("version", "expected { metric = \"…_info\", label = \"version\" }"));
    }
    let incarnation = told("incarnation")?;
    Ok(Component {
        name: name.to_owned(),
        kind: kind.to_owned(),
        labels: keys.labels("labels")?,
        address,
        checks,
        metrics,
        incarnation,
        version,
    })
}

fn told(keys: &Keys<'_>, key: &str) -> Result<Option<Told>, FileError> {
    if !keys.has(key) {
        return Ok(None);
    }
    if let Ok(Some(metric)) = keys.text(key) {
        return Ok(Some(Told { metric: metric.to_owned(), label: None }));
    }
    let right = "expected the name of a metric, or { metric = \"NAME\", label = \"NAME\" }";
    let table = keys
        .table(key, &["metric", "label"])
        .map_err(|error| if error.message.starts_with("expected a table") { keys.error(key, right) } else { error })?;
    let Some(table) = table else { return Ok(None) };
    let (Some(metric), Some(label)) = (table.text("metric")?, table.text("label")?) else {
        return Err(keys.error(key, right));
    };
    Ok(Some(Told { metric: metric.to_owned(), label: Some(label.to_owned()) }))
}
