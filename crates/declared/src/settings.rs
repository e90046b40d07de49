//! The settings of this kind of subject: where the file is, and how long graces are.

use std::path::PathBuf;

use operator_protocols::{SubjectConfig, SubjectError, Value};

use crate::file::nearest;

const NAMES: [&str; 2] = ["file", "time_scale"];

/// The settings of one subject.
pub(crate) struct Settings {
    /// The file that describes the system; relative to the working directory.
    pub(crate) file: PathBuf,
    /// What every grace is multiplied by, 0.001 to 10.
    pub(crate) time_scale: f64,
}

impl Settings {
    /// Reads the settings, not the file.
    pub(crate) fn read(config: &SubjectConfig) -> Result<Self, SubjectError> {
        if config.name.is_empty() {
            return Err(SubjectError::new("name", "a subject needs a name"));
        }
        if let Some(unknown) = config.settings.keys().find(|name| !NAMES.contains(&name.as_str())) {
            return Err(SubjectError::new(unknown, format!("there is no such setting; {}", nearest(unknown, &NAMES))));
        }
        let file = match config.settings.get("file") {
            Some(Value::Text(path)) if !path.is_empty() => PathBuf::from(path),
            None | Some(Value::Null) => {
                return Err(SubjectError::new("file", "is missing; give the path of the TOML file that describes it"));
            }
            Some(other) => {
                return Err(SubjectError::new("file", format!("expected the path of a TOML file, given {other}")));
            }
        };
        let time_scale = match config.settings.get("time_scale") {
            None | Some(Value::Null) => 1.0,
            Some(value) => value.as_f64().filter(|scale| (0.001..=10.0).contains(scale)).ok_or_else(|| {
                SubjectError::new("time_scale", format!("expected a number from 0.001 to 10, given {value}"))
            })?,
        };
        Ok(Self { file, time_scale })
    }
}
