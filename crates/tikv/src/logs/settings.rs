//! Which log files are read.
//!
//! | setting | default | meaning |
//! |---|---|---|
//! | `log_files` | none | list of `{ component = "store-4", path = "/var/log/tikv/tikv.log" }`: files on this host, and who writes them |
//! | `log_level` | `warn` | the least grave lines that are kept: `debug`, `info`, `warn`, `error` or `fatal` |

use std::collections::BTreeMap;
use std::path::PathBuf;

use operator_protocols::{LogLevel, SubjectError, Value};

use super::{LogFile, LogTails};

/// The settings there are.
pub(crate) const SETTINGS: [&str; 2] = ["log_files", "log_level"];

/// More files than stores and members that one host could have.
const MAX_FILES: usize = 64;

/// Which log files are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogSettings {
    /// The files.
    pub(crate) files: Vec<LogFile>,
    /// The least grave lines that are kept.
    pub(crate) least: LogLevel,
}

impl LogSettings {
    /// Reads them out of a subject's settings.
    ///
    /// # Errors
    /// The first one that is wrong, with what would be right.
    pub(crate) fn read(settings: &BTreeMap<String, Value>) -> Result<Self, SubjectError> {
        let files = match settings.get("log_files") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(list)) if list.len() <= MAX_FILES => {
                list.iter().map(file).collect::<Result<_, _>>().map_err(|why| SubjectError::new("log_files", why))?
            }
            Some(_) => {
                let why = format!("expected a list of at most {MAX_FILES}, each {EXPECTED}");
                return Err(SubjectError::new("log_files", why));
            }
        };
        let least = match settings.get("log_level") {
            None | Some(Value::Null) => LogLevel::Warn,
            Some(value) => match value.as_str() {
                Some("debug") => LogLevel::Debug,
                Some("info") => LogLevel::Info,
                Some("warn") => LogLevel::Warn,
                Some("error") => LogLevel::Error,
                Some("fatal") => LogLevel::Fatal,
                _ => return Err(SubjectError::new("log_level", "expected debug, info, warn, error or fatal")),
            },
        };
        Ok(Self { files, least })
    }

    /// The tails of the files, from now on.
    pub(crate) fn tails(&self, subject: &str) -> LogTails {
        LogTails::new(subject, &self.files, self.least)
    }
}

const EXPECTED: &str = "{ component = \"store-4\", path = \"/var/log/tikv/tikv.log\" }";

fn file(value: &Value) -> Result<LogFile, String> {
    let Value::Map(map) = value else { return Err(format!("expected {EXPECTED}")) };
    if let Some(unknown) = map.keys().find(|key| !["component", "path"].contains(&key.as_str())) {
        return Err(format!("there is no {unknown:?} in it; expected {EXPECTED}"));
    }
    let text = |key: &str| {
        let text = map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or_else(|| format!("{key} is missing; expected {EXPECTED}"))
    };
    let path = PathBuf::from(text("path")?);
    if !path.is_absolute() {
        return Err(format!("{:?} is not an absolute path", path.display().to_string()));
    }
    Ok(LogFile { component: text("component")?.to_owned(), path })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(pairs: &[(&str, &str)]) -> Value {
        Value::Map(pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::Text((*value).to_owned()))).collect())
    }

    fn read(name: &str, value: Value) -> Result<LogSettings, String> {
        LogSettings::read(&BTreeMap::from([(name.to_owned(), value)])).map_err(|error| error.to_string())
    }

    #[test]
    fn files_are_read_with_who_writes_them() {
        let settings = read("log_files", Value::List(vec![file(&[("component", "pd-0"), ("path", "/pd.log")])]));
        let expected = LogFile { component: "pd-0".into(), path: "/pd.log".into() };
        assert_eq!(settings, Ok(LogSettings { files: vec![expected], least: LogLevel::Warn }));
        assert_eq!(read("log_level", Value::Text("info".into())).map(|settings| settings.least), Ok(LogLevel::Info));
        assert_eq!(LogSettings::read(&BTreeMap::new()).expect("none").files, []);
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        for (value, expected) in [
            (Value::Text("/pd.log".into()), "a list"),
            (Value::List(vec![Value::Text("/pd.log".into())]), "component = "),
            (Value::List(vec![file(&[("component", "pd-0")])]), "path is missing"),
            (Value::List(vec![file(&[("component", "pd-0"), ("path", "pd.log")])]), "absolute"),
            (Value::List(vec![file(&[("store", "4"), ("path", "/a")])]), "there is no \"store\""),
        ] {
            let error = read("log_files", value).expect_err(expected);
            assert!(error.starts_with("log_files: ") && error.contains(expected), "{error}");
        }
        assert!(read("log_level", Value::Int(3)).expect_err("a number").contains("warn"));
    }
}
