//! The file that describes a system: read whole, strictly, and only within its limits. What is wrong is named by its
//! key, with what would be right.

mod address;
mod check;
mod component;
mod dependency;
mod error;
mod invariant;
mod keys;
mod place;
mod signal;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use operator_protocols::Severity;

pub(crate) use address::{authority, http_url};
pub(crate) use check::{Check, Failing, Means};
pub(crate) use component::{Component, Metrics, Told};
pub(crate) use dependency::Dependency;
pub use error::FileError;
pub(crate) use error::nearest;
pub(crate) use invariant::{Invariant, Limit};
pub(crate) use place::Place;
pub(crate) use signal::{ANSWER_TIME, Aggregate, Signal, Source, Take};

use crate::limits;
use keys::Keys;

/// What a file describes.
#[derive(Debug, Clone)]
pub struct SystemFile {
    /// What the system is, for people.
    pub(crate) description: String,
    /// The Prometheus server that PromQL is put to.
    pub(crate) prometheus_url: Option<String>,
    /// How the invariant that every component answers is judged.
    pub(crate) up: Up,
    pub(crate) components: Vec<Component>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) signals: Vec<Signal>,
    pub(crate) invariants: Vec<Invariant>,
}

/// How the invariant that every component answers is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Up {
    pub(crate) severity: Severity,
    pub(crate) grace: Duration,
    pub(crate) clear_after: Option<Duration>,
}

const KEYS: [&str; 7] = ["description", "prometheus_url", "up", "component", "dependency", "signal", "invariant"];

impl SystemFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is larger than 1 MiB or is wrong: the first key that is, and what would be right.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let unreadable = |error: std::io::Error| FileError::whole(format!("it cannot be read: {error}"));
        let mut text = String::new();
        let opened = File::open(path).map_err(unreadable)?;
        opened.take(limits::FILE_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > limits::FILE_BYTES {
            return Err(FileError::whole(format!("it is larger than {} bytes", limits::FILE_BYTES)));
        }
        Self::parse(&text)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// The first key that is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        let table: toml::Table = toml::from_str(text).map_err(|error| FileError::syntax(text, &error))?;
        let keys = Keys::new("", &table, &KEYS)?;
        let prometheus_url = keys.text("prometheus_url")?.map(str::to_owned);
        if let Some(url) = &prometheus_url {
            http_url(url, None).map_err(|why| keys.error("prometheus_url", why))?;
        }
        let components = component::read(&keys)?;
        let dependencies = dependency::read(&keys, &components)?;
        let signals = signal::read(&keys, &components, &dependencies)?;
        let invariants = invariant::read(&keys, &signals)?;
        let file = Self {
            description: match keys.text("description")? {
                Some(text) if text.chars().any(char::is_control) => {
                    return Err(keys.error("description", "expected one line of text"));
                }
                Some(text) => text.to_owned(),
                None => "a system described in a file".to_owned(),
            },
            prometheus_url,
            up: up(&keys)?,
            components,
            dependencies,
            signals,
            invariants,
        };
        file.check_names(&keys)?;
        file.check_queries(&keys)?;
        Ok(file)
    }

    /// The signal of that name.
    pub(crate) fn signal(&self, name: &str) -> Option<&Signal> {
        self.signals.iter().find(|signal| signal.name == name)
    }

    /// The component of that name.
    pub(crate) fn component(&self, name: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.name == name)
    }

    /// The component that is the Prometheus server, if one is.
    pub(crate) fn prometheus_component(&self) -> Option<&Component> {
        let url = http_url(self.prometheus_url.as_deref()?, None).ok()?;
        let there = authority(&url);
        self.components.iter().find(|component| component.address.as_deref() == Some(there.as_str()))
    }

    /// Links name the signals that say whether they carry something.
    fn check_names(&self, keys: &Keys<'_>) -> Result<(), FileError> {
        for (index, dependency) in self.dependencies.iter().enumerate() {
            let Some(name) = &dependency.up else { continue };
            let at = format!("dependency[{index}].up");
            let Some(signal) = self.signal(name) else {
                let names: Vec<_> = self.signals.iter().map(|signal| signal.name.as_str()).collect();
                return Err(keys.error(&at, format!("there is no signal {name:?}; {}", nearest(name, &names))));
            };
            let covers = match &signal.place {
                Place::Edge(from, to) => (from, to) == (&dependency.from, &dependency.to),
                Place::Links(kind) => *kind == dependency.kind,
                _ => false,
            };
            if !covers {
                let right = format!("edge:{}>{}", dependency.from, dependency.to);
                return Err(keys.error(&at, format!("the signal {name} is on {}, not on {right}", signal.place)));
            }
        }
        Ok(())
    }

    fn check_queries(&self, keys: &Keys<'_>) -> Result<(), FileError> {
        let checks: usize = self.components.iter().map(|component| component.checks.len()).sum();
        if checks > limits::ALL_CHECKS {
            return Err(keys.error("component", format!("expected at most {} checks in all", limits::ALL_CHECKS)));
        }
        let asked = |check: &Check| matches!(check.means, Means::PromQl(_));
        let by_checks = self.components.iter().flat_map(|component| &component.checks).filter(|check| asked(check));
        let by_signals = self.signals.iter().filter(|signal| matches!(signal.source, Source::PromQl(_)));
        let queries = by_checks.count() + by_signals.count();
        if queries > limits::QUERIES {
            return Err(keys.error("signal", format!("expected at most {} PromQL expressions", limits::QUERIES)));
        }
        if queries > 0 && self.prometheus_url.is_none() {
            let why = "is missing; PromQL needs the address of a Prometheus server, such as http://localhost:9090";
            return Err(keys.error("prometheus_url", why));
        }
        Ok(())
    }
}

fn up(keys: &Keys<'_>) -> Result<Up, FileError> {
    let mut up = Up { severity: Severity::Critical, grace: Duration::ZERO, clear_after: None };
    if let Some(keys) = keys.table("up", &["severity", "grace", "clear_after"])? {
        up.severity = keys.severity("severity")?.unwrap_or(up.severity);
        up.grace = keys.duration("grace", Duration::ZERO, limits::LONGEST)?.unwrap_or(up.grace);
        up.clear_after = keys.duration("clear_after", Duration::ZERO, limits::LONGEST)?;
    }
    Ok(up)
}

/// Refuses a name that is there twice.
fn once(keys: &Keys<'_>, list: &str, names: impl Iterator<Item = String>) -> Result<(), FileError> {
    let mut seen = BTreeSet::new();
    for (index, name) in names.enumerate() {
        if !seen.insert(name.clone()) {
            return Err(keys.error(&format!("{list}[{index}]"), format!("{name} is there already")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
