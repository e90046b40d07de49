//! A subject made ready to be watched: made by its kind's factory, with the settings its loop is told.

use std::sync::Arc;

use operator_core::engine::EngineSettings;
use operator_protocols::{Driver, InvariantChecker, Subject};

use crate::config::SubjectEntry;
use crate::exit::Failure;
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
