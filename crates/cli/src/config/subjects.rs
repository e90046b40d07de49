//! The subjects of a configuration: those it describes, or one built from `--subject KIND` and the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use operator_protocols::{SubjectConfig, Value};

use crate::config::document::{Document, Given, Table};
use crate::config::{Config, ConfigError, parse_duration};

/// A subject to watch.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectEntry {
    /// What its factory is told.
    pub config: SubjectConfig,
    /// Its own interval between cycles, if it has one.
    pub interval: Option<Duration>,
    /// The folder of the environment it runs in, if it is one that `operator deploy up` started: its processes can be
    /// started and restarted.
    pub lab: Option<PathBuf>,
}

impl SubjectEntry {
    /// A subject of this configuration and nothing else.
    pub fn new(config: SubjectConfig) -> Self {
        Self { config, interval: None, lab: None }
    }
}

/// How deep a setting may be nested.
const DEPTH: usize = 8;

/// Reads the `[[subject]]`s and lays the overrides over their settings. Overrides of names that are not among them are
/// given back.
pub(super) fn read(document: &Document, working_dir: &Path) -> Result<(Vec<SubjectEntry>, Overrides), ConfigError> {
    let mut overrides = Overrides(document.subject_overrides.clone());
    let mut entries: Vec<SubjectEntry> = Vec::new();
    for (i, (table, settings)) in document.subjects.iter().enumerate() {
        let at = format!("subject[{i}]");
        let kind = text(table, &at, "kind")?;
        let kind = kind.ok_or_else(|| missing(document, &at, "kind"))?;
        let name = text(table, &at, "name")?.unwrap_or_else(|| kind.clone());
        if let Some(given) = table.get("name").filter(|_| !is_name(&name)) {
            let why = format!("{name:?} is no name: 1 to 63 lower-case letters, digits and dashes, a letter first");
            return Err(ConfigError::value(&given.origin, format!("{at}.name"), why));
        }
        if entries.iter().any(|entry| entry.config.name == name) {
            let origin = table.values().next().map_or(crate::config::Origin::Default, |given| given.origin.clone());
            return Err(ConfigError::value(
                &origin,
                format!("{at}.name"),
                format!("{name:?} is the name of two subjects"),
            ));
        }
        let interval = match table.get("interval") {
            None => None,
            Some(Given { value: toml::Value::String(text), origin }) => Some(
                parse_duration(text)
                    .ok()
                    .filter(|interval| (Duration::from_millis(100)..=Duration::from_secs(3_600)).contains(interval))
                    .ok_or_else(|| {
                        let why = format!("expected a duration from 100ms to 1h, found {text:?}");
                        ConfigError::value(origin, format!("{at}.interval"), why)
                    })?,
            ),
            Some(Given { origin, .. }) => {
                let why = "expected a duration in quotes, like \"5s\"";
                return Err(ConfigError::value(origin, format!("{at}.interval"), why));
            }
        };
        let lab = text(table, &at, "lab")?.map(|folder| working_dir.join(folder));
        let mut values = BTreeMap::new();
        for (setting, given) in settings {
            values.insert(setting.clone(), value(given, &format!("{at}.settings.{setting}"))?);
        }
        overrides.apply(&name, &mut values)?;
        entries.push(SubjectEntry { config: SubjectConfig { name, kind, settings: values }, interval, lab });
    }
    Ok((entries, overrides))
}

impl Config {
    /// The subjects to watch: all that are described, or the one called `asked`; where none is described, one of the
    /// kind `asked`, of which `kinds` are known.
    ///
    /// # Errors
    /// When there is none of that name or kind, or a setting belongs to none.
    pub fn select(&self, asked: Option<&str>, kinds: &[&str]) -> Result<Vec<SubjectEntry>, ConfigError> {
        if !self.subjects.is_empty() {
            let Some(asked) = asked else { return Ok(self.subjects.clone()) };
            let found: Vec<_> = self.subjects.iter().filter(|entry| entry.config.name == asked).cloned().collect();
            if found.is_empty() {
                let names: Vec<_> = self.subjects.iter().map(|entry| entry.config.name.as_str()).collect();
                let known = format!("the configuration describes {}", names.join(", "));
                return Err(ConfigError::UnknownSubject { asked: asked.to_owned(), known });
            }
            return Ok(found);
        }
        let known = format!("the kinds are {}", if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") });
        let Some(asked) = asked else { return Err(ConfigError::NoSubject { known }) };
        if !kinds.contains(&asked) {
            return Err(ConfigError::UnknownSubject { asked: asked.to_owned(), known });
        }
        let (mut overrides, mut settings) = (self.overrides.clone(), BTreeMap::new());
        overrides.apply(asked, &mut settings)?;
        overrides.none_left([asked])?;
        let config = SubjectConfig { name: asked.to_owned(), kind: asked.to_owned(), settings };
        Ok(vec![SubjectEntry::new(config)])
    }
}

impl Config {
    /// What the file, the environment and flags say of a subject called `name` that describes itself.
    ///
    /// # Errors
    /// When a value cannot be one of a setting, or is one of another subject.
    pub fn own_settings(&self, name: &str) -> Result<SubjectEntry, ConfigError> {
        if let Some(described) = self.subjects.iter().find(|entry| entry.config.name == name) {
            return Ok(described.clone());
        }
        let (mut overrides, mut settings) = (self.overrides.clone(), BTreeMap::new());
        overrides.apply(name, &mut settings)?;
        overrides.none_left([name])?;
        let config = SubjectConfig { name: name.to_owned(), kind: String::new(), settings };
        Ok(SubjectEntry::new(config))
    }
}

/// Settings from the environment and flags that belong to no subject yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Overrides(Vec<(String, String, Given)>);

impl Overrides {
    /// Moves those of `subject` into `settings`.
    pub(super) fn apply(&mut self, subject: &str, settings: &mut BTreeMap<String, Value>) -> Result<(), ConfigError> {
        let mut rest = Vec::new();
        for (name, setting, given) in std::mem::take(&mut self.0) {
            if normal(&name) == normal(subject) {
                let value = value(&given, &format!("subject.{name}.{setting}"))?;
                settings.insert(setting, value);
            } else {
                rest.push((name, setting, given));
            }
        }
        self.0 = rest;
        Ok(())
    }

    /// Complains of the first that belongs to none of `known`.
    pub(super) fn none_left<'a>(&self, known: impl IntoIterator<Item = &'a str>) -> Result<(), ConfigError> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _, given)) => {
                let known: Vec<_> = known.into_iter().collect();
                let why = format!("there is no subject of that name; there is {}", known.join(", "));
                Err(ConfigError::value(&given.origin, format!("subject.{name}"), why))
            }
        }
    }
}

/// Names in variables have no dashes.
fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}

fn is_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn missing(document: &Document, at: &str, key: &str) -> ConfigError {
    let origin = document.subjects.iter().flat_map(|(table, settings)| table.values().chain(settings.values())).next();
    let origin = origin.map_or(crate::config::Origin::Default, |given| given.origin.clone());
    ConfigError::value(&origin, format!("{at}.{key}"), "it is missing")
}

pub(super) fn text(table: &Table, at: &str, key: &str) -> Result<Option<String>, ConfigError> {
    match table.get(key) {
        None => Ok(None),
        Some(Given { value: toml::Value::String(text), .. }) => Ok(Some(text.clone())),
        Some(Given { value, origin }) => {
            let why = format!("expected text in quotes, found {}", value.type_str());
            Err(ConfigError::value(origin, format!("{at}.{key}"), why))
        }
    }
}

/// A TOML value as the protocol's.
pub(super) fn value(given: &Given, key: &str) -> Result<Value, ConfigError> {
    convert(&given.value, DEPTH).map_err(|why| ConfigError::value(&given.origin, key, why))
}

/// A value for people.
pub(super) fn shown(value: &toml::Value) -> String {
    convert(value, DEPTH).map_or_else(|_| format!("a {}", value.type_str()), |value| value.to_string())
}

fn convert(value: &toml::Value, depth: usize) -> Result<Value, String> {
    let deeper = depth.checked_sub(1).ok_or("it is nested too deeply")?;
    Ok(match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(n) => (*n).into(),
        toml::Value::Float(n) if n.is_finite() => (*n).into(),
        toml::Value::Float(_) => return Err("expected a finite number".to_owned()),
        toml::Value::Boolean(b) => (*b).into(),
        toml::Value::Datetime(_) => return Err("expected text, a number, a list or a table, found a date".to_owned()),
        toml::Value::Array(list) => {
            Value::List(list.iter().map(|item| convert(item, deeper)).collect::<Result<_, _>>()?)
        }
        toml::Value::Table(table) => Value::Map(
            table
                .iter()
                .map(|(key, value)| Ok((key.clone(), convert(value, deeper)?)))
                .collect::<Result<_, String>>()?,
        ),
    })
}
