//! Between the typed details and the free-form values of the protocol, by way of JSON, which is what both are on the
//! wire.

use std::collections::BTreeMap;

use operator_protocols::{Observation, Unavailable, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) fn write<T: Serialize>(observation: &mut Observation, key: &str, detail: &T) {
    let value = serde_json::to_value(detail).and_then(serde_json::from_value::<Value>);
    match value {
        Ok(value) => {
            observation.details.insert(key.to_owned(), value);
        }
        Err(error) => observation.unavailable.push(Unavailable::new(key, error.to_string())),
    }
}

/// Writes a map of things of one kind, each without what is as it is by default: there may be a thousand.
pub(super) fn write_lean<K: ToString, T: Serialize + Default>(
    observation: &mut Observation,
    key: &str,
    things: &BTreeMap<K, T>,
) {
    let usual = serde_json::to_value(T::default()).unwrap_or_default();
    let lean = things.iter().map(|(key, thing)| {
        let mut thing = serde_json::to_value(thing)?;
        if let Some(fields) = thing.as_object_mut() {
            fields.retain(|name, value| usual.get(name) != Some(value));
        }
        Ok((key.to_string(), thing))
    });
    match lean.collect::<Result<serde_json::Map<_, _>, serde_json::Error>>() {
        Ok(lean) => write(observation, key, &lean),
        Err(error) => observation.unavailable.push(Unavailable::new(key, error.to_string())),
    }
}

/// Writes something as one text. A tree of values takes twenty times as much memory, and the numbers of a thousand stores are
/// kept for as long as the past is.
pub(super) fn write_text<T: Serialize>(observation: &mut Observation, key: &str, detail: &T) {
    match serde_json::to_string(detail) {
        Ok(text) => {
            observation.details.insert(key.to_owned(), Value::Text(text));
        }
        Err(error) => observation.unavailable.push(Unavailable::new(key, error.to_string())),
    }
}

/// Reads what was written as one text.
pub(super) fn read_text<T: DeserializeOwned>(observation: &Observation, key: &str) -> Result<T, Unavailable> {
    let text = observation.details.get(key).and_then(Value::as_str);
    let text = text.ok_or_else(|| Unavailable::new(key, "the observation does not have it"))?;
    let understood = serde_json::from_str(text);
    understood.map_err(|error| Unavailable::new(key, format!("the observation's is not understood: {error}")))
}

pub(super) fn read<T: DeserializeOwned>(observation: &Observation, key: &str) -> Result<T, Unavailable> {
    let value =
        observation.details.get(key).ok_or_else(|| Unavailable::new(key, "the observation does not have it"))?;
    typed(value).map_err(|error| Unavailable::new(key, format!("the observation's is not understood: {error}")))
}

pub(super) fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, serde_json::Error> {
    serde_json::to_value(value).and_then(serde_json::from_value)
}
