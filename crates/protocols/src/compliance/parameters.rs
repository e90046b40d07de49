//! What parameter definitions owe, for actions and probes alike, and values that fit them.

use std::collections::BTreeMap;

use super::evaluations::snake_case;
use crate::{Locus, ParamDefinition, ParamKind, ParamSource, Value};

/// What is wrong with the definitions.
pub(super) fn faults(definitions: &[ParamDefinition]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, definition) in definitions.iter().enumerate() {
        let name = &definition.name;
        if !snake_case(name) {
            found.push(format!("parameter {name:?} is not snake_case"));
        }
        if definitions[..index].iter().any(|other| other.name == *name) {
            found.push(format!("parameter {name} is defined twice"));
        }
        if definition.description.trim().is_empty() {
            found.push(format!("parameter {name} has no description"));
        }
        if sample(definition, "x", "x").is_none() {
            found.push(format!("parameter {name}: nothing is {}", definition.kind.expectation()));
        }
        if definition.default.as_ref().is_some_and(|value| !definition.kind.admits(value)) {
            found.push(format!("parameter {name}: its default is not {}", definition.kind.expectation()));
        }
        let named = matches!(definition.source, ParamSource::Locus | ParamSource::IntentId);
        if named && !matches!(definition.kind, ParamKind::Text { .. } | ParamKind::OneOf { .. }) {
            found.push(format!("parameter {name} is filled with a name, and does not take text"));
        }
    }
    found
}

/// A value that fits, if there is one: the default, or the least.
fn sample(definition: &ParamDefinition, target: &str, intent: &str) -> Option<Value> {
    let value = definition.default.clone().unwrap_or_else(|| match (&definition.kind, definition.source) {
        (ParamKind::Integer { min, .. }, _) => Value::Int(*min),
        (ParamKind::Number { min, .. }, _) => Value::Float(*min),
        (ParamKind::Text { .. }, ParamSource::Locus) => target.into(),
        (ParamKind::Text { .. }, ParamSource::IntentId) => intent.into(),
        (ParamKind::Text { .. }, _) => "x".into(),
        (ParamKind::OneOf { values }, _) => values.first().map_or(Value::Null, |value| value.as_str().into()),
        (ParamKind::Bool, _) => Value::Bool(false),
    });
    definition.kind.admits(&value).then_some(value)
}

/// Parameters that fit, defaults filled in as the operator does.
pub(super) fn fitting(definitions: &[ParamDefinition], target: &Locus, intent: &str) -> BTreeMap<String, Value> {
    let filled = definitions.iter().filter_map(|definition| {
        sample(definition, target.name(), intent).map(|value| (definition.name.clone(), value))
    });
    filled.collect()
}
