//! What Prometheus answered, joined to stores and members.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What Prometheus answered in this observation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MetricsDetail {
    /// Whether there is a Prometheus in the settings.
    pub(crate) configured: bool,
    /// Whether it answered at all.
    pub(crate) answers: bool,
    /// If it did not: why.
    pub(crate) silence: Option<String>,
    /// If it did not, or there is none: the member of PD that leads, if its own metrics were read instead.
    pub(crate) from_pd: Option<String>,
    /// How many stores that PD knows were found among the scraped targets; or, without a Prometheus that answers, were read
    /// one by one.
    pub(crate) joined_stores: u64,
    /// How many there are to find.
    pub(crate) stores: u64,
    /// Scraped targets that belong to no store that PD knows, at most a few.
    pub(crate) strangers: Vec<String>,
    /// The answers, by the name of the question.
    pub(crate) answers_by_query: BTreeMap<String, Answer>,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    /// Why there is none, where there should be one: it was not given in time, or asks for a metric that does not exist.
    pub(crate) why_not: Option<String>,
    /// By store: the greatest value, where there are several series of one; the sum where the question says so. Of the
    /// durations of requests, only types with a request a second or more count.
    pub(crate) stores: BTreeMap<u64, f64>,
    /// Where a question has series by a further label: by its value, then by store.
    pub(crate) stores_by: BTreeMap<String, BTreeMap<u64, f64>>,
    /// By member of PD.
    pub(crate) members: BTreeMap<String, f64>,
    /// What PD's leader says, by the further label.
    pub(crate) leader: BTreeMap<String, f64>,
}

impl MetricsDetail {
    /// A number about a store; none if it is not known.
    pub(crate) fn store(&self, query: &str, id: u64) -> Option<f64> {
        self.answers_by_query.get(query)?.stores.get(&id).copied()
    }

    /// A number about a member of PD; none if it is not known.
    pub(crate) fn member(&self, query: &str, name: &str) -> Option<f64> {
        self.answers_by_query.get(query)?.members.get(name).copied()
    }

    /// What PD's leader says; none if it is not known.
    pub(crate) fn leader(&self, query: &str, label: &str) -> Option<f64> {
        self.answers_by_query.get(query)?.leader.get(label).copied()
    }
}
