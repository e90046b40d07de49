//! A subject made ready to be watched: made by its kind's factory, with the settings its loop is told.

use std::sync::Arc;

use operator_core::engine::EngineSettings;
use operator_protocols::{Driver, InvariantChecker, Subject};

use crate::config::SubjectEntry;
use crate::exit::{Failure, with_causes};
use crate::host::lab_driver::LabDriver;
use crate::output::say;
use crate::registry;

/// A subject made ready to be watched.
pub struct Watched {
    /// It.
    pub subject: Arc<dyn Subject>,
    /// The judge of its invariants.
    pub checker: Box<dyn InvariantChecker>,
    /// What its loop is told.
    pub settings: EngineSettings,
}

impl Watched {
    /// Makes it, with what the environment that it runs in says of itself and can do, if it runs in one.
    ///
    /// # Errors
    /// When its kind is not known, a setting is wrong, or the environment is needed to know them and does not answer.
    pub async fn of(entry: &SubjectEntry, settings: &EngineSettings) -> Result<Self, Failure> {
        let Some(folder) = &entry.lab else { return Self::make(entry, settings, None) };
        let driver = LabDriver::new(folder);
        let mut entry = entry.clone();
        match driver.subject_config().await {
            Ok(theirs) => {
                let own = &mut entry.config;
                if own.kind.is_empty() {
                    own.kind.clone_from(&theirs.kind);
                }
                if own.kind != theirs.kind {
                    let why = format!("{} runs a {}, not a {}", folder.display(), theirs.kind, own.kind);
                    return Err(Failure::usage(format!("subject {}: {why}", own.name)));
                }
                // What is configured goes before what the environment says of itself.
                for (setting, value) in theirs.settings {
                    own.settings.entry(setting).or_insert(value);
                }
                Self::make(&entry, settings, Some(Arc::new(driver)))
            }
            // A system that is described without it can be watched, and its processes reached when it answers.
            Err(error) if !entry.config.kind.is_empty() => {
                let why = with_causes(&error);
                let made = Self::make(&entry, settings, Some(Arc::new(driver)));
                made.inspect(|_| say(&format!("subject {}: {why}; as configured", entry.config.name))).map_err(|_| {
                    let failure = Failure::failed(format!("ask the environment in {}", folder.display()), why);
                    match registry::find(&entry.config.kind).and_then(|known| known.lab) {
                        Some(lab) if lab.reachable => {
                            failure.next(format!("start it with `operator deploy up {}`", entry.config.kind))
                        }
                        _ => failure,
                    }
                })
            }
            Err(error) => Err(Failure::failed(format!("ask the environment in {}", folder.display()), error)),
        }
    }

    /// Makes it. Connects to nothing.
    ///
    /// # Errors
    /// When its kind is not known or a setting is wrong.
    pub fn make(
        entry: &SubjectEntry,
        settings: &EngineSettings,
        driver: Option<Arc<dyn Driver>>,
    ) -> Result<Self, Failure> {
        let config = &entry.config;
        let kind = registry::find(&config.kind).ok_or_else(|| {
            Failure::usage(format!("subject {}: unknown kind {:?}; {}", config.name, config.kind, registry::known()))
        })?;
        let (subject, checker) = (kind.factory)(config, driver).map_err(|error| {
            let failure = Failure::usage(format!("subject {}: {error}", config.name));
            let examples: Vec<_> = kind
                .settings
                .iter()
                .filter(|(setting, _)| !config.settings.contains_key(*setting))
                .map(|(setting, example)| format!("--set 'subject.{}.{setting}={example}'", config.name))
                .collect();
            if examples.is_empty() { failure } else { failure.next(format!("add {}", examples.join(" "))) }
        })?;
        let mut settings = settings.clone();
        settings.subject = config.clone();
        if let Some(interval) = entry.interval {
            settings.interval = interval;
        }
        Ok(Self { subject: Arc::from(subject), checker, settings })
    }
}
