//! PD's settings, by the names PD has for them.

use serde_json::{Map, Value, json};

use super::super::config::TikvConfig;
use super::super::go;

/// PD's settings.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// How many replicas a region has.
    pub(crate) replicas: u32,
    /// Under `schedule`.
    pub(crate) schedule: Map<String, Value>,
    /// Under `replication`.
    pub(crate) replication: Map<String, Value>,
}

impl Settings {
    pub(crate) fn new(config: &TikvConfig) -> Self {
        let down = go::duration(i64::from(config.max_store_down_s) * 1_000);
        Self { replicas: config.replicas, schedule: schedule(&down), replication: replication(config.replicas) }
    }

    /// A number under `schedule`.
    pub(crate) fn number(&self, key: &str) -> f64 {
        self.schedule.get(key).and_then(Value::as_f64).unwrap_or(0.0)
    }

    /// A count under `schedule`.
    pub(crate) fn limit(&self, key: &str) -> usize {
        self.number(key).max(0.0) as usize
    }

    /// A boolean under `schedule`, which PD writes as text.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.schedule.get(key).is_some_and(|value| value == "true" || value == true)
    }

    /// Milliseconds after which a store that is silent is called Down.
    pub(crate) fn max_down(&self) -> i64 {
        let text = self.schedule.get("max-store-down-time").and_then(Value::as_str);
        text.and_then(go::parse_duration).unwrap_or(1_800_000)
    }

    /// Changes a setting, as `POST /config` does.
    pub(crate) fn set(&mut self, key: &str, value: &Value) -> Result<(), String> {
        let name = key.strip_prefix("schedule.").or_else(|| key.strip_prefix("replication.")).unwrap_or(key);
        let section = match (self.schedule.contains_key(name), self.replication.contains_key(name)) {
            (true, _) if !key.starts_with("replication.") => &mut self.schedule,
            (_, true) if !key.starts_with("schedule.") => &mut self.replication,
            _ => return Err(format!("config item {key} not found")),
        };
        let Some(old) = section.get_mut(name) else { return Err(format!("config item {key} not found")) };
        let wrong = || format!("json: cannot unmarshal {value} into {name}");
        let new = match (&*old, value) {
            (Value::Number(_), Value::Number(_)) | (Value::Bool(_), Value::Bool(_)) => value.clone(),
            (Value::Number(_), Value::String(text)) => text.parse::<i64>().map(Value::from).map_err(|_| wrong())?,
            (Value::String(old), Value::Bool(flag)) if old == "true" || old == "false" => flag.to_string().into(),
            (Value::String(old), Value::String(text)) if old == "true" || old == "false" => {
                text.parse::<bool>().map(|flag| flag.to_string().into()).map_err(|_| wrong())?
            }
            (Value::String(old), Value::String(text)) if go::parse_duration(old).is_some() => {
                go::duration(go::parse_duration(text).ok_or_else(wrong)?).into()
            }
            (Value::String(_), Value::String(_)) => value.clone(),
            _ => return Err(wrong()),
        };
        *old = new;
        if name == "max-replicas" {
            self.replicas = self.replication.get(name).and_then(Value::as_u64).unwrap_or(3) as u32;
        }
        Ok(())
    }
}

/// What PD has under `schedule` when nothing was changed, as a real one of the 9.0 line answered.
const SCHEDULE: &str = include_str!("schedule.json");

fn schedule(max_store_down: &str) -> Map<String, Value> {
    let mut map: Map<String, Value> = serde_json::from_str(SCHEDULE).unwrap_or_default();
    map.insert("max-store-down-time".to_owned(), max_store_down.into());
    map
}

fn replication(replicas: u32) -> Map<String, Value> {
    let value = json!({
        "max-replicas": replicas,
        "location-labels": "",
        "strictly-match-label": "false",
        "enable-placement-rules": "true",
        "enable-placement-rules-cache": "false",
        "isolation-level": "",
    });
    if let Value::Object(map) = value { map } else { Map::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_changed_by_their_names_and_stay_of_their_kind() {
        let mut settings = Settings::new(&TikvConfig::default());
        assert!(settings.schedule.len() > 40);
        for (key, value, expected) in [
            ("leader-schedule-limit", json!(0), json!(0)),
            ("schedule.leader-schedule-limit", json!("8"), json!(8)),
            ("max-store-down-time", json!("1m"), json!("1m0s")),
            ("enable-debug-metrics", json!(true), json!("true")),
        ] {
            settings.set(key, &value).expect(key);
            assert_eq!(settings.schedule[key.trim_start_matches("schedule.")], expected);
        }
        assert_eq!(settings.max_down(), 60_000);
        let error = settings.set("no-such-key", &json!(1)).expect_err("unknown");
        assert_eq!(error, "config item no-such-key not found");
        assert!(settings.set("leader-schedule-limit", &json!("many")).is_err());
        assert!(settings.set("replication.leader-schedule-limit", &json!(1)).is_err());
    }
}
