//! The merged configuration before it is read: every value with where it came from.

use std::collections::BTreeMap;

use toml::Value;

use crate::config::Origin;

/// A value and where it came from.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// One table of an array of tables.
pub(super) type Table = BTreeMap<String, Given>;

/// The merged configuration.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// By section and key: `("policy.budget", "overall_per_hour")`.
    pub(super) keys: BTreeMap<(String, String), Given>,
    /// The `[[principal]]`s.
    pub(super) principals: Vec<Table>,
    /// The `[[subject]]`s, with their settings apart.
    pub(super) subjects: Vec<(Table, Table)>,
    /// Settings of subjects from the environment and flags, by the subject's name as written there.
    pub(super) subject_overrides: Vec<(String, String, Given)>,
}

impl Document {
    pub(super) fn set(&mut self, section: &str, key: &str, value: Value, origin: Origin) {
        self.keys.insert((section.to_owned(), key.to_owned()), Given { value, origin });
    }

    pub(super) fn get(&self, section: &str, key: &str) -> Option<&Given> {
        self.keys.get(&(section.to_owned(), key.to_owned()))
    }

    /// The keys of one section, in order.
    pub(super) fn section<'a>(&'a self, section: &'a str) -> impl Iterator<Item = (&'a str, &'a Given)> {
        self.keys.iter().filter(move |((s, _), _)| s == section).map(|((_, key), given)| (key.as_str(), given))
    }
}
