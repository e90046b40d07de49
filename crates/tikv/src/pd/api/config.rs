//! Settings and placement rules.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::scalar::null_is_empty;

/// What of the answer of `/config/replicate` is needed. Booleans come as text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct Replicate {
    pub(crate) max_replicas: u32,
    /// Separated by commas, outermost first.
    pub(crate) location_labels: String,
    pub(crate) isolation_level: String,
    pub(crate) enable_placement_rules: Setting,
}

impl Replicate {
    /// The location labels, outermost first.
    pub(crate) fn labels(&self) -> Vec<String> {
        let labels = self.location_labels.split(',').map(str::trim);
        labels.filter(|label| !label.is_empty()).map(str::to_owned).collect()
    }
}

/// A setting, which PD writes as a number, a boolean, or either of them as text.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Setting(Value);

impl Eq for Setting {}

impl Setting {
    /// The setting as text, the way it stands in a list of settings; none for what has parts.
    pub(crate) fn text(&self) -> Option<String> {
        match &self.0 {
            Value::String(text) => Some(text.clone()),
            Value::Bool(set) => Some(set.to_string()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Whether it is set, if it is something that is set or not.
    pub(crate) fn is_on(&self) -> Option<bool> {
        match self.text()?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

/// All settings of one part as text, without those that have parts themselves (limits of single stores, schedulers).
pub(crate) fn flattened(settings: &BTreeMap<String, Setting>) -> impl Iterator<Item = (String, String)> {
    settings.iter().filter_map(|(key, setting)| Some((key.clone(), setting.text()?)))
}

/// A placement rule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Rule {
    pub(crate) group_id: String,
    pub(crate) id: String,
    /// `voter`, `leader`, `follower` or `learner`.
    pub(crate) role: String,
    pub(crate) count: u32,
    /// Hexadecimal; empty for the beginning.
    pub(crate) start_key: String,
    /// Hexadecimal; empty for the end.
    pub(crate) end_key: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) label_constraints: Vec<LabelConstraint>,
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) location_labels: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LabelConstraint {
    pub(crate) key: String,
    /// `in`, `notIn`, `exists`, `notExists`.
    pub(crate) op: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) values: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_read_both_ways() {
        for json in [r#"{"enable-placement-rules":"true"}"#, r#"{"enable-placement-rules":true}"#] {
            let replicate: Replicate = serde_json::from_str(json).expect("settings");
            assert_eq!(replicate.enable_placement_rules.is_on(), Some(true));
        }
        let none: Replicate = serde_json::from_str(r#"{"location-labels":"zone, host,"}"#).expect("settings");
        assert_eq!(none.enable_placement_rules.is_on(), None);
        assert_eq!(none.labels(), ["zone", "host"]);
    }

    #[test]
    fn settings_with_parts_are_left_out() {
        let json = r#"{"a":1,"b":"10ms","c":{"x":1},"d":[],"e":null,"f":false,"g":0.8}"#;
        let settings: BTreeMap<String, Setting> = serde_json::from_str(json).expect("settings");
        let flat: Vec<_> = flattened(&settings).map(|(key, text)| format!("{key}={text}")).collect();
        assert_eq!(flat, ["a=1", "b=10ms", "f=false", "g=0.8"]);
    }
}
