//! An answer: a sentence, its reasons with where they were read, and what would help.

use operator_protocols::{Timestamp, Value};

/// More reasons, and longer texts, are not given.
const MAX_ITEMS: usize = 50;
const MAX_CHARS: usize = 400;

/// Where something was read.
pub(super) mod source {
    pub(crate) const CHECK: &str = "GET /pd/api/v1/regions/check/…";
    pub(crate) const CHECKERS: &str = "GET /pd/api/v1/checker/…";
    pub(crate) const DIAGNOSTIC: &str = "GET /pd/api/v1/schedulers/diagnostic/…";
    pub(crate) const DRAINS: &str = "GET /pd/api/v1/scheduler-config/evict-leader-scheduler/list";
    pub(crate) const LIMITS: &str = "GET /pd/api/v1/stores/limit";
    pub(crate) const MEMORY: &str = "the operator's own record";
    pub(crate) const OBSERVED: &str = "earlier observations";
    pub(crate) const OPERATORS: &str = "GET /pd/api/v1/operators";
    pub(crate) const PROGRESS: &str = "GET /pd/api/v1/stores/progress";
    pub(crate) const RECORDS: &str = "GET /pd/api/v1/operators/records";
    pub(crate) const REGION: &str = "GET /pd/api/v1/region/id/…";
    pub(crate) const RULES: &str = "GET /pd/api/v1/config/rules";
    pub(crate) const SCHEDULERS: &str = "GET /pd/api/v1/schedulers";
    pub(crate) const SETTINGS: &str = "GET /pd/api/v1/config/schedule";
    pub(crate) const SLOW: &str = "GET /pd/api/v1/scheduler-config/evict-slow-store-scheduler/list";
    pub(crate) const STATUS: &str = "GET /pd/api/v1/cluster/status";
    pub(crate) const STORES: &str = "GET /pd/api/v1/stores";
}

/// An answer under way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    as_of: Timestamp,
    answer: String,
    because: Vec<(String, Value, &'static str)>,
    help: Vec<String>,
    eta_seconds: Option<f64>,
    more: Vec<(&'static str, Value)>,
}

impl Answer {
    /// Nothing said yet, of what was true at `as_of`.
    pub(super) fn new(as_of: Timestamp) -> Self {
        Self {
            as_of,
            answer: String::new(),
            because: Vec::new(),
            help: Vec::new(),
            eta_seconds: None,
            more: Vec::new(),
        }
    }

    /// A reason.
    pub(super) fn because(&mut self, statement: impl Into<String>, evidence: impl Into<Value>, source: &'static str) {
        self.because.push((statement.into(), evidence.into(), source));
    }

    /// A reason that can be done something about.
    pub(super) fn blames(
        &mut self,
        statement: impl Into<String>,
        evidence: impl Into<Value>,
        source: &'static str,
        help: impl Into<String>,
    ) {
        self.because(statement, evidence, source);
        self.help(help);
    }

    /// Something that would help.
    pub(super) fn help(&mut self, help: impl Into<String>) {
        let help = help.into();
        if !self.help.contains(&help) {
            self.help.push(help);
        }
    }

    /// When it will be done.
    pub(super) fn eta(&mut self, seconds: f64) {
        self.eta_seconds = (seconds.is_finite() && seconds >= 0.0).then_some(seconds);
    }

    /// Something more, by name.
    pub(super) fn more(&mut self, name: &'static str, value: Value) {
        self.more.push((name, value));
    }

    /// How many reasons there are.
    pub(super) fn reasons(&self) -> usize {
        self.because.len()
    }

    /// The sentence.
    pub(super) fn say(mut self, answer: impl Into<String>) -> Self {
        self.answer = answer.into();
        self
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        &self.answer
    }

    /// As a map. Texts that came from outside are cut and lose their control characters.
    pub(super) fn into_value(self) -> Value {
        let as_of = self.as_of.as_millis();
        let because = self.because.into_iter().take(MAX_ITEMS).map(|(statement, evidence, source)| {
            Value::map([
                ("statement", Value::from(plain(&statement))),
                ("evidence", evidence),
                ("source", source.into()),
                ("as_of", as_of.into()),
            ])
        });
        let mut members = vec![
            ("answer", Value::from(plain(&self.answer))),
            ("because", Value::List(because.collect())),
            ("what_would_help", Value::List(self.help.iter().take(MAX_ITEMS).map(|help| plain(help).into()).collect())),
        ];
        if let Some(eta) = self.eta_seconds {
            members.push(("eta_seconds", eta.into()));
        }
        members.extend(self.more);
        Value::map(members)
    }
}

/// Text from outside, fit to be shown.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_CHARS).collect()
}
