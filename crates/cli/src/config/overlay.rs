//! Lays the file, the environment and the flags over each other, and refuses every key that means nothing.

use toml::Value;

use crate::config::document::{Document, Given, Table};
use crate::config::schema::{self, Kind};
use crate::config::{ConfigError, Origin};

/// What the environment's variables begin with; a section and a key are set apart by two underscores.
const PREFIX: &str = "OPERATOR_";

/// Adds what a file says.
pub(super) fn file(document: &mut Document, table: toml::Table, origin: &Origin) -> Result<(), ConfigError> {
    for (section, value) in table {
        match (section.as_str(), value) {
            (plain, Value::Table(table)) if schema::PLAIN_SECTIONS.contains(&plain) => {
                fixed(document, plain, table, origin)?;
            }
            ("policy", Value::Table(table)) => policy(document, table, origin)?,
            ("principal", Value::Array(list)) => {
                for (i, item) in list.into_iter().enumerate() {
                    let names = schema::PRINCIPAL_KEYS.map(|(name, _)| name);
                    document.principals.push(item_table(item, &format!("principal[{i}]"), &names, origin)?);
                }
            }
            ("subject", Value::Array(list)) => {
                for (i, item) in list.into_iter().enumerate() {
                    let names = schema::SUBJECT_KEYS.map(|(name, _)| name);
                    let at = format!("subject[{i}]");
                    let mut subject = item_table(item, &at, &names, origin)?;
                    let settings = match subject.remove("settings") {
                        None => Table::new(),
                        Some(Given { value: Value::Table(settings), .. }) => given(settings, origin),
                        Some(_) => {
                            let why = "expected a table: [subject.settings]";
                            return Err(ConfigError::value(origin, format!("{at}.settings"), why));
                        }
                    };
                    document.subjects.push((subject, settings));
                }
            }
            ("agent" | "llm" | "operator" | "policy", _) => {
                return Err(ConfigError::value(origin, &*section, format!("expected a table: [{section}]")));
            }
            ("principal" | "subject", _) => {
                return Err(ConfigError::value(origin, &*section, format!("expected a list of tables: [[{section}]]")));
            }
            _ => return Err(ConfigError::unknown(origin, &section, schema::SECTIONS)),
        }
    }
    Ok(())
}

fn fixed(document: &mut Document, section: &str, table: toml::Table, origin: &Origin) -> Result<(), ConfigError> {
    for (name, value) in table {
        if schema::find(section, &name).is_none() {
            return Err(unknown_in(section, &name, origin));
        }
        document.set(section, &name, value, origin.clone());
    }
    Ok(())
}

fn policy(document: &mut Document, table: toml::Table, origin: &Origin) -> Result<(), ConfigError> {
    for (name, value) in table {
        match (name.as_str(), value) {
            (inner @ ("budget" | "breaker"), Value::Table(table)) => {
                fixed(document, &format!("policy.{inner}"), table, origin)?;
            }
            (inner @ ("actions" | "params"), Value::Table(table)) => {
                for (key, value) in table {
                    document.set(&format!("policy.{inner}"), &key, value, origin.clone());
                }
            }
            ("budget" | "breaker" | "actions" | "params", _) => {
                let why = format!("expected a table: [policy.{name}]");
                return Err(ConfigError::value(origin, format!("policy.{name}"), why));
            }
            (_, value) => {
                if schema::find("policy", &name).is_none() {
                    return Err(unknown_in("policy", &name, origin));
                }
                document.set("policy", &name, value, origin.clone());
            }
        }
    }
    Ok(())
}

fn unknown_in(section: &str, name: &str, origin: &Origin) -> ConfigError {
    let tables = if section == "policy" { &schema::POLICY_TABLES[..] } else { &[] };
    let known = schema::names(section).chain(tables.iter().copied());
    match ConfigError::unknown(origin, name, known) {
        ConfigError::UnknownKey { origin, key, nearest } => ConfigError::UnknownKey {
            origin,
            key: format!("{section}.{key}"),
            nearest: nearest.map(|near| format!("{section}.{near}")),
        },
        other => other,
    }
}

fn item_table(item: Value, at: &str, names: &[&str], origin: &Origin) -> Result<Table, ConfigError> {
    let Value::Table(table) = item else {
        return Err(ConfigError::value(origin, at, "expected a table"));
    };
    if let Some(name) = table.keys().find(|name| !names.contains(&name.as_str())) {
        return Err(ConfigError::UnknownKey {
            origin: origin.clone(),
            key: format!("{at}.{name}"),
            nearest: super::error::nearest(name, names.iter().copied()).map(str::to_owned),
        });
    }
    Ok(given(table, origin))
}

fn given(table: toml::Table, origin: &Origin) -> Table {
    table.into_iter().map(|(name, value)| (name, Given { value, origin: origin.clone() })).collect()
}

/// Adds what the environment says. Variables without two underscores in their name are not the configuration's.
pub(super) fn environment<'a>(
    document: &mut Document,
    variables: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(), ConfigError> {
    for (name, text) in variables {
        let Some(path) = name.strip_prefix(PREFIX) else { continue };
        if path.contains("__") {
            let origin = Origin::Environment(name.to_owned());
            let path: Vec<String> = path.split("__").map(str::to_ascii_lowercase).collect();
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            assign(document, &path, text, &origin)?;
        }
    }
    Ok(())
}

/// Adds what `--set SECTION.KEY=VALUE` flags say.
pub(super) fn flags<'a>(document: &mut Document, flags: impl IntoIterator<Item = &'a str>) -> Result<(), ConfigError> {
    for flag in flags {
        let origin = Origin::Flag(flag.to_owned());
        let Some((path, text)) = flag.split_once('=') else {
            return Err(ConfigError::value(&origin, flag, "expected SECTION.KEY=VALUE, like policy.low_risk=propose"));
        };
        let path: Vec<&str> = path.split('.').collect();
        assign(document, &path, text, &origin)?;
    }
    Ok(())
}

fn assign(document: &mut Document, path: &[&str], text: &str, origin: &Origin) -> Result<(), ConfigError> {
    match path {
        ["policy", "actions", action] => document.set("policy.actions", action, text.into(), origin.clone()),
        ["policy", "params", action, param] => {
            document.set("policy.params", &format!("{action}.{param}"), open_value(text), origin.clone());
        }
        ["subject", name, setting] => {
            let given = Given { value: open_value(text), origin: origin.clone() };
            document.subject_overrides.push(((*name).to_owned(), (*setting).to_owned(), given));
        }
        [section @ ("agent" | "llm" | "operator" | "policy"), name] => typed(document, section, name, text, origin)?,
        ["policy", inner @ ("budget" | "breaker"), name] => {
            typed(document, &format!("policy.{inner}"), name, text, origin)?;
        }
        [section, ..] if !schema::SECTIONS.contains(section) => {
            return Err(ConfigError::unknown(origin, section, schema::SECTIONS));
        }
        _ => {
            let why = "this path names no key; a list ([[principal]], [[subject]]) can only be given in a file";
            return Err(ConfigError::value(origin, path.join("."), why));
        }
    }
    Ok(())
}

fn typed(document: &mut Document, section: &str, name: &str, text: &str, origin: &Origin) -> Result<(), ConfigError> {
    let key = schema::find(section, name).ok_or_else(|| unknown_in(section, name, origin))?;
    let value = match key.kind {
        Kind::Integer { .. } => text.parse::<i64>().ok().map(Value::Integer),
        Kind::Number { .. } => text.parse::<f64>().ok().map(Value::Float),
        Kind::Price => text.parse::<f64>().ok().map(Value::Float),
        Kind::Switch => text.parse::<bool>().ok().map(Value::Boolean),
        Kind::Path | Kind::Duration { .. } | Kind::Autonomy | Kind::Choice(_) | Kind::Text | Kind::Url | Kind::File => {
            None
        }
    };
    document.set(section, name, value.unwrap_or_else(|| text.into()), origin.clone());
    Ok(())
}

/// A value whose kind the configuration does not know: as TOML where it is TOML, else as text.
fn open_value(text: &str) -> Value {
    toml::from_str::<toml::Table>(&format!("v = {text}"))
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("v"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}
