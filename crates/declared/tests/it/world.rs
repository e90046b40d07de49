//! A subject made of a file, and the present.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use operator_protocols::{
    Clock, Driver, Evaluation, History, Id, InvariantChecker, Locus, Observation, Subject, SubjectConfig, SubjectError,
    Timestamp, Value, Verdict,
};

pub const SUBJECT: &str = "shop";

pub type Made = (Box<dyn Subject>, Box<dyn InvariantChecker>);

pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        now()
    }
}

pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Timestamp::from_millis(i64::try_from(since.as_millis()).expect("before the end of time"))
}

pub fn component(name: &str) -> Locus {
    Locus::component(SUBJECT, name)
}

/// The subject that `text` describes.
pub fn made(text: &str, driver: Option<Arc<dyn Driver>>) -> Result<Made, SubjectError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("system.toml");
    std::fs::write(&path, text).expect("written");
    let settings = BTreeMap::from([("file".to_owned(), Value::from(path.display().to_string()))]);
    let config = SubjectConfig { name: SUBJECT.to_owned(), kind: "declared".to_owned(), settings };
    operator_declared::factory(&config, driver)
}

/// A subject that is looked at again and again.
pub struct World {
    pub subject: Box<dyn Subject>,
    checker: Box<dyn InvariantChecker>,
    history: History,
    pub seen: Arc<Observation>,
    pub judged: Vec<Evaluation>,
}

impl World {
    pub fn new(text: &str) -> Self {
        let (subject, checker) = made(text, None).unwrap_or_else(|error| panic!("{error}"));
        let seen = Arc::new(Observation::new(now()));
        Self { subject, checker, history: History::new(), seen, judged: Vec::new() }
    }

    /// Looks and judges; never longer than the subject says.
    pub async fn look(&mut self) {
        let deadline = self.subject.descriptor().observe_deadline;
        let seen = tokio::time::timeout(deadline, self.subject.observe(now())).await.expect("within the deadline");
        self.seen = Arc::new(seen);
        self.judged = self.checker.check(&self.history, &self.seen);
        self.history.push(Arc::clone(&self.seen), self.checker.lookback());
        // Two observations must not be of the same millisecond.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }

    pub fn component(&self, name: &str) -> &operator_protocols::Component {
        self.seen.component(&Id::new(SUBJECT, name)).expect("it is listed")
    }

    pub fn value(&self, on: &Locus, name: &str) -> Option<f64> {
        self.seen.signal(on, name).map(|signal| signal.value)
    }

    /// Why something could not be read.
    pub fn gap(&self, what: &str) -> &str {
        let gap = self.seen.unavailable.iter().find(|gap| gap.what == what);
        &gap.unwrap_or_else(|| panic!("{what} is readable; not readable: {:?}", self.seen.unavailable)).why
    }

    pub fn verdict(&self, invariant: &str, on: &Locus) -> &Verdict {
        let found = self.judged.iter().find(|one| one.invariant == invariant && one.on == *on);
        &found.unwrap_or_else(|| panic!("{invariant} at {on} is not judged: {:?}", self.judged)).verdict
    }

    /// What is violated, as `INVARIANT at PLACE: MESSAGE`.
    pub fn violated(&self) -> Vec<String> {
        let violated = self.judged.iter().filter_map(|one| match &one.verdict {
            Verdict::Violated(finding) => Some(format!("{} at {}: {}", one.invariant, one.on, finding.message)),
            _ => None,
        });
        violated.collect()
    }
}
