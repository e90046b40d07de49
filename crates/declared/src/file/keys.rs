//! A table of the file, read key by key: an unknown key is refused at once, a wrong value with what would be right.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_protocols::Severity;
use toml::{Table, Value};

use super::error::nearest;
use super::{FileError, place};
use crate::limits;

/// A table, and where it stands.
pub(super) struct Keys<'a> {
    at: String,
    table: &'a Table,
}

impl<'a> Keys<'a> {
    /// The table at `at`, which may have the keys `known` and no other.
    pub(super) fn new(at: impl Into<String>, table: &'a Table, known: &[&str]) -> Result<Self, FileError> {
        let keys = Self { at: at.into(), table };
        match table.keys().find(|key| !known.contains(&key.as_str())) {
            Some(unknown) => Err(keys.error(unknown, format!("there is no such key; {}", nearest(unknown, known)))),
            None => Ok(keys),
        }
    }

    /// `key` of this table is wrong.
    pub(super) fn error(&self, key: &str, why: impl Into<String>) -> FileError {
        FileError::new(if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) }, why)
    }

    /// Something about this table as a whole is wrong.
    pub(super) fn error_here(&self, why: impl Into<String>) -> FileError {
        FileError::new(self.at.clone(), why)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The only one of `keys` that is there.
    pub(super) fn one_of<'k>(&self, keys: &[&'k str]) -> Result<&'k str, FileError> {
        let there: Vec<_> = keys.iter().filter(|key| self.has(key)).copied().collect();
        match there[..] {
            [one] => Ok(one),
            [] => Err(self.error_here(format!("expected one of {}", keys.join(", ")))),
            _ => Err(self.error_here(format!("expected one of {}, given {}", keys.join(", "), there.join(" and ")))),
        }
    }

    fn wrong(&self, key: &str, expected: &str, given: &Value) -> FileError {
        self.error(key, format!("expected {expected}, given {}", shown(given)))
    }

    pub(super) fn missing(&self, key: &str, such_as: &str) -> FileError {
        self.error(key, format!("is missing; give {such_as}"))
    }

    /// Text, not empty.
    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, FileError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() > limits::TEXT_BYTES => {
                Err(self.error(key, format!("expected at most {} bytes of text", limits::TEXT_BYTES)))
            }
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(other) => Err(self.wrong(key, "text", other)),
        }
    }

    /// A name: letters, digits, `_`, `-`, `.` and `:`, a letter or digit first.
    pub(super) fn name(&self, key: &str) -> Result<Option<&'a str>, FileError> {
        match self.text(key)? {
            Some(name) if !place::is_name(name) => {
                let right = "1 to 100 letters, digits, '_', '-', '.' and ':', a letter or digit first";
                Err(self.error(key, format!("expected {right}, given {name:?}")))
            }
            name => Ok(name),
        }
    }

    /// A name in `snake_case`: it becomes part of a ticket's identity.
    pub(super) fn snake_case(&self, key: &str) -> Result<&'a str, FileError> {
        let name = self.text(key)?.ok_or_else(|| self.missing(key, "a name like queue_length"))?;
        let right = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.len() <= 100
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if right {
            Ok(name)
        } else {
            Err(self.error(key, format!("expected a name like queue_length, given {name:?}")))
        }
    }

    /// One of some words.
    pub(super) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Result<Option<T>, FileError> {
        let Some(given) = self.text(key)? else { return Ok(None) };
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        match words.iter().find(|(word, _)| *word == given) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => Err(self.error(key, format!("expected one of {}, given {given:?}", known.join(", ")))),
        }
    }

    pub(super) fn severity(&self, key: &str) -> Result<Option<Severity>, FileError> {
        let words = [("info", Severity::Info), ("warning", Severity::Warning), ("critical", Severity::Critical)];
        self.word(key, &words)
    }

    /// A finite number.
    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, FileError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Integer(number)) => Ok(Some(*number as f64)),
            Some(Value::Float(number)) if number.is_finite() => Ok(Some(*number)),
            Some(other) => Err(self.wrong(key, "a finite number", other)),
        }
    }

    pub(super) fn whole(&self, key: &str, min: i64, max: i64) -> Result<Option<i64>, FileError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Integer(number)) if (min..=max).contains(number) => Ok(Some(*number)),
            Some(other) => Err(self.wrong(key, &format!("a whole number from {min} to {max}"), other)),
        }
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, FileError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Boolean(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.wrong(key, "true or false", other)),
        }
    }

    /// A duration as people write it.
    pub(super) fn duration(&self, key: &str, min: Duration, max: Duration) -> Result<Option<Duration>, FileError> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let duration = value.as_str().and_then(duration).filter(|duration| (min..=max).contains(duration));
        match duration {
            Some(duration) => Ok(Some(duration)),
            None => Err(self.wrong(key, &format!("a duration in quotes, like \"5s\", from {min:?} to {max:?}"), value)),
        }
    }

    /// Texts by name: labels.
    pub(super) fn labels(&self, key: &str) -> Result<BTreeMap<String, String>, FileError> {
        let Some(value) = self.table.get(key) else { return Ok(BTreeMap::new()) };
        let right = "a table of texts, like { job = \"api\" }";
        let table = value.as_table().ok_or_else(|| self.wrong(key, right, value))?;
        if table.len() > limits::LABELS {
            return Err(self.error(key, format!("expected at most {} labels", limits::LABELS)));
        }
        let pairs = table.iter().map(|(name, value)| match value {
            Value::String(text) if text.len() <= limits::TEXT_BYTES => Ok((name.clone(), text.clone())),
            other => Err(self.wrong(&format!("{key}.{name}"), "text", other)),
        });
        pairs.collect()
    }

    /// A table within this one.
    pub(super) fn table(&self, key: &str, known: &[&str]) -> Result<Option<Keys<'a>>, FileError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Table(table)) => Keys::new(self.path(key), table, known).map(Some),
            Some(other) => Err(self.wrong(key, "a table", other)),
        }
    }

    /// The tables of a list within this one, at most `max`.
    pub(super) fn tables(&self, key: &str, max: usize, known: &[&str]) -> Result<Vec<Keys<'a>>, FileError> {
        let right = format!("a list of at most {max} tables, each [[{}]]", self.path(key));
        match self.table.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) if list.len() <= max => {
                let tables = list.iter().enumerate().map(|(index, value)| match value {
                    Value::Table(table) => Keys::new(format!("{}[{index}]", self.path(key)), table, known),
                    other => Err(self.wrong(&format!("{key}[{index}]"), "a table", other)),
                });
                tables.collect()
            }
            Some(Value::Array(list)) => Err(self.error(key, format!("expected {right}, given {}", list.len()))),
            Some(other) => Err(self.wrong(key, &right, other)),
        }
    }

    fn path(&self, key: &str) -> String {
        if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) }
    }
}

/// A value for people.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", text.chars().take(60).collect::<String>()),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Datetime(_) => "a date".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Table(_) => "a table".to_owned(),
    }
}

/// A duration: a whole number and one of the units `ms`, `s`, `m`, `h`.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let amount: u64 = text.get(..digits)?.parse().ok()?;
    let millis = match text.get(digits..)? {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    amount.checked_mul(millis).map(Duration::from_millis)
}
