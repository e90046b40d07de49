//! How a workshop's subject is made: from a workshop at hand, or from configuration.

use super::checker::WorkshopChecker;
use super::subject::WorkshopSubject;
use super::workshop::Workshop;
use crate::{InvariantChecker, Subject, SubjectError, SubjectFactory};

/// The kind of system, as a configuration names it.
pub const KIND: &str = "workshop";
const DEFAULT_WORKERS: u8 = 2;
const MOST_WORKERS: u8 = 16;

/// Makes a workshop of its own and its subject. The only setting is `workers`, from 1 to 16, 2 by default.
pub const WORKSHOP_FACTORY: SubjectFactory = |config, _driver| {
    if let Some(unknown) = config.settings.keys().find(|name| *name != "workers") {
        return Err(SubjectError::new(unknown, "no such setting; a workshop has only `workers`"));
    }
    let workers = match config.settings.get("workers") {
        None => Some(DEFAULT_WORKERS),
        Some(value) => value.as_u64().and_then(|n| u8::try_from(n).ok()).filter(|n| (1..=MOST_WORKERS).contains(n)),
    };
    let expected = || SubjectError::new("workers", format!("expected a whole number from 1 to {MOST_WORKERS}"));
    Ok(Workshop::new(workers.ok_or_else(expected)?).subject(&config.name))
};

impl Workshop {
    /// The subject called `name` that watches this workshop, and its checker. The declared workers are those it has
    /// now.
    pub fn subject(&self, name: &str) -> (Box<dyn Subject>, Box<dyn InvariantChecker>) {
        let workers = self.worker_names();
        let checker = WorkshopChecker::new(name.to_owned(), workers.clone());
        (Box::new(WorkshopSubject::new(name.to_owned(), workers, self.clone())), Box::new(checker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SubjectConfig, Value};

    fn made(settings: &[(&str, Value)]) -> Result<usize, String> {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let config = SubjectConfig { name: "corner-shop".into(), kind: KIND.into(), settings };
        WORKSHOP_FACTORY(&config, None)
            .map(|(subject, _)| subject.descriptor().subject.len())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_setting_that_is_wrong_is_named_with_what_would_be_right() {
        assert_eq!(made(&[]), Ok("corner-shop".len()));
        assert_eq!(made(&[("workers", 3_i64.into())]), Ok("corner-shop".len()));
        for wrong in [0_i64.into(), 17_i64.into(), "two".into(), Value::Null] {
            assert_eq!(made(&[("workers", wrong)]), Err("workers: expected a whole number from 1 to 16".into()));
        }
        assert_eq!(
            made(&[("worker", 2_i64.into())]),
            Err("worker: no such setting; a workshop has only `workers`".into())
        );
    }
}
