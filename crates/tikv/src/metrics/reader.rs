//! One look at the metrics: Prometheus where there is one that answers, else what targets expose themselves.

use std::collections::BTreeSet;
use std::time::Duration;

use operator_prometheus::{HttpClient, QueryClient, QueryError, QueryLimits};
use operator_protocols::{Signal, SubjectError, Timestamp, Unavailable};

use super::alive::Alive;
use super::exposed::{Exposed, never_answers};
use super::fallback::Fallback;
use super::questions::{self, Answers};
use super::targets::{Known, Targets};
use super::{MetricsSettings, answer, signals};
use crate::details::{Answer, MetricsDetail};
use crate::queries::{self, By};

/// How long all questions together may take.
const WITHIN: Duration = Duration::from_secs(4);
/// How long one question about the past may take.
const PAST_WITHIN: Duration = Duration::from_secs(20);
/// Requests a second from which on a quantile of their duration says something.
pub(crate) const ENOUGH_REQUESTS: f64 = 1.0;
/// Names that are listed at most where something is not as it should be.
const LISTED: usize = 8;

/// Reads the metrics of one cluster.
#[derive(Debug)]
pub(crate) struct MetricsReader {
    subject: String,
    settings: MetricsSettings,
    prometheus: Option<QueryClient>,
    past: Option<QueryClient>,
    pd: HttpClient,
    exposed_by_stores: Exposed,
    exposed_by_members: Exposed,
    fallback: Fallback,
}

impl MetricsReader {
    /// A reader for `subject`. `pd` is the client that reaches PD, with its certificates; Prometheus is asked with the same.
    ///
    /// # Errors
    /// If `prometheus_url` is no address.
    pub(crate) fn new(subject: &str, settings: MetricsSettings, pd: HttpClient) -> Result<Self, SubjectError> {
        let client = |limits| {
            let client = settings.prometheus_url.as_deref().map(|url| QueryClient::with_http(url, limits, pd.clone()));
            let client = client.transpose();
            client.map_err(|error: QueryError| SubjectError::new("prometheus_url", error.to_string()))
        };
        let prometheus = client(questions::LIMITS)?;
        let past = client(QueryLimits { timeout: PAST_WITHIN, bytes: 32 << 20, ..questions::LIMITS })?;
        Ok(Self {
            subject: subject.to_owned(),
            settings,
            prometheus,
            past,
            pd,
            exposed_by_stores: Exposed::default(),
            exposed_by_members: Exposed::default(),
            fallback: Fallback::default(),
        })
    }

    /// How it asks.
    pub(crate) fn settings(&self) -> &MetricsSettings {
        &self.settings
    }

    /// The Prometheus it asks about the past, with more patience; none, if there is no Prometheus.
    pub(crate) fn past(&self) -> Option<&QueryClient> {
        self.past.as_ref()
    }

    /// Everything that is measured at `at`: the answers, the signals of them and of what PD says, and what is missing.
    pub(crate) async fn read(
        &self,
        at: Timestamp,
        known: &Known<'_>,
    ) -> (MetricsDetail, Vec<Signal>, Vec<Unavailable>) {
        let mut detail = MetricsDetail {
            configured: self.prometheus.is_some(),
            stores: known.scraped_stores().count() as u64,
            ..MetricsDetail::default()
        };
        let mut unavailable = Vec::new();
        if let Some(client) = &self.prometheus {
            match questions::ask(client, &self.settings, at, WITHIN).await {
                Ok(answers) => {
                    detail.answers = true;
                    self.take(client, at, known, &answers, &mut detail, &mut unavailable).await;
                }
                Err(why) => {
                    unavailable.push(Unavailable::new("prometheus", &why));
                    detail.silence = Some(why);
                }
            }
        }
        if !detail.answers {
            self.fall_back(at, known, &mut detail, &mut unavailable).await;
        }
        let signals = signals::of(&self.subject, at, known, &detail);
        (detail, signals, unavailable)
    }

    async fn take(
        &self,
        client: &QueryClient,
        at: Timestamp,
        known: &Known<'_>,
        answers: &Answers,
        detail: &mut MetricsDetail,
        unavailable: &mut Vec<Unavailable>,
    ) {
        let label = &self.settings.instance_label;
        let (tikv, pd) = seen(answers, label);
        let targets = Targets::join(self.settings.join, known, &tikv, &pd);
        detail.joined_stores = targets.stores().count() as u64;
        detail.strangers = targets.strangers.iter().take(LISTED).cloned().collect();
        unavailable.extend(self.not_joined(known, &targets, &tikv));

        let known_stores: BTreeSet<u64> = known.stores.keys().copied().collect();
        let mut failed: Vec<(&str, &String)> = Vec::new();
        for query in queries::ALL {
            let answer = match answers.get(query.name) {
                Some(Ok(series)) => answer::read(query, series, label, &targets, &known_stores, known.leader),
                Some(Err(why)) => {
                    failed.push((query.name, why));
                    Answer { why_not: Some(why.clone()), ..Answer::default() }
                }
                None => continue,
            };
            detail.answers_by_query.insert(query.name.to_owned(), answer);
        }
        if let Some((name, why)) = failed.first() {
            let how_many = failed.len();
            let what = if how_many == 1 { (*name).to_owned() } else { format!("{name} and {} more", how_many - 1) };
            unavailable.push(Unavailable::new(format!("metrics: {what}"), *why));
        }
        let alive = Alive::of(detail);
        for query in queries::ALL {
            let Some(answer) = detail.answers_by_query.get_mut(query.name) else { continue };
            if answer.why_not.is_none() {
                alive.settle(query, answer, known.leader);
            }
        }
        only_busy_types(detail);
        self.name_what_does_not_exist(client, at, answers, &targets, &alive, detail).await;
    }

    /// Says of questions without any series whether they never will have one.
    async fn name_what_does_not_exist(
        &self,
        client: &QueryClient,
        at: Timestamp,
        answers: &Answers,
        targets: &Targets,
        alive: &Alive,
        detail: &mut MetricsDetail,
    ) {
        let label = &self.settings.instance_label;
        let store = targets.stores().find(|(_, id)| alive.stores.contains(id)).map(|(label, _)| label);
        let member = targets.members_by_label().find(|(_, name)| alive.members.contains(*name)).map(|(label, _)| label);
        let names_of = async |exposed: &Exposed, matchers: &str, target: Option<&str>| match target {
            Some(target) => exposed.names(client, matchers, label, target, at).await,
            None => None,
        };
        let (by_stores, by_members) = tokio::join!(
            names_of(&self.exposed_by_stores, &self.settings.tikv, store),
            names_of(&self.exposed_by_members, &self.settings.pd, member),
        );
        for query in queries::ALL {
            let names = if is_of_stores(query.by) { &by_stores } else { &by_members };
            let empty = answers.get(query.name).is_some_and(|answer| answer.as_ref().is_ok_and(Vec::is_empty));
            if let (true, Some(names), Some(answer)) = (empty, names, detail.answers_by_query.get_mut(query.name)) {
                answer.why_not = never_answers(query, names);
            }
        }
    }

    /// What is to be said of stores that are not among the targets.
    fn not_joined(&self, known: &Known<'_>, targets: &Targets, seen: &BTreeSet<String>) -> Option<Unavailable> {
        let found: BTreeSet<u64> = targets.stores().map(|(_, id)| id).collect();
        let missing: Vec<u64> = known.scraped_stores().map(|(id, _)| id).filter(|id| !found.contains(id)).collect();
        if missing.is_empty() {
            return None;
        }
        let (join, label) = (self.settings.join.word(), &self.settings.instance_label);
        let all = missing.len() + found.len();
        let mut why = format!(
            "{all} stores in PD, {} matched by {join} to the label {label} of series with {}",
            found.len(),
            self.settings.tikv
        );
        why = match seen.is_empty() {
            true => format!("{why}; there is no target at all"),
            false => format!("{why}; targets that match none: {}", listed(targets.strangers.iter().cloned())),
        };
        if !targets.ambiguous.is_empty() {
            let unclear = targets.ambiguous.iter().map(|(id, why)| format!("store {id}: {why}"));
            why = format!("{why}; unclear: {}", listed(unclear));
        }
        let what = match found.is_empty() {
            true => "metrics of all stores".to_owned(),
            false => format!("metrics of {}", listed(missing.iter().map(|id| format!("store {id}")))),
        };
        Some(Unavailable::new(what, why))
    }

    /// What targets expose themselves.
    async fn fall_back(
        &self,
        at: Timestamp,
        known: &Known<'_>,
        detail: &mut MetricsDetail,
        unavailable: &mut Vec<Unavailable>,
    ) {
        let back = self.fallback.read(&self.pd, known, self.settings.scrape_stores, at).await;
        detail.from_pd = back.leader;
        detail.joined_stores = back.stores;
        detail.answers_by_query = back.answers;
        only_busy_types(detail);
        unavailable.extend(back.unread.into_iter().map(|(what, why)| Unavailable::new(what, why)));
    }
}

fn is_of_stores(by: By) -> bool {
    matches!(by, By::Store | By::StoreAnd(_))
}

/// The targets that any answer names: stores, and members of PD.
fn seen(answers: &Answers, label: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut tikv, mut pd) = (BTreeSet::new(), BTreeSet::new());
    for query in queries::ALL {
        let Some(Ok(series)) = answers.get(query.name) else { continue };
        let into = if is_of_stores(query.by) { &mut tikv } else { &mut pd };
        for target in series.iter().filter_map(|series| series.labels.get(label)) {
            if !into.contains(target) {
                into.insert(target.clone());
            }
        }
    }
    (tikv, pd)
}

/// At most a few, and how many more there are.
fn listed(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<String> = items.map(|item| item.chars().take(120).collect()).collect();
    let more = items.len().saturating_sub(LISTED);
    items.truncate(LISTED);
    match (items.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (false, 0) => items.join(", "),
        (false, more) => format!("{} and {more} more", items.join(", ")),
    }
}

/// Of the durations of requests, only those of types that there are enough requests of count for a store: one slow
/// request in a minute is no latency.
fn only_busy_types(detail: &mut MetricsDetail) {
    let rates = detail.answers_by_query.get("request_rate").map(|rates| rates.stores_by.clone()).unwrap_or_default();
    let Some(durations) = detail.answers_by_query.get_mut("request_duration_p99") else { return };
    let busy = |kind: &str, id: u64| rates.get(kind).and_then(|of| of.get(&id)).is_some_and(|r| *r >= ENOUGH_REQUESTS);
    durations.stores.clear();
    for (kind, stores) in &durations.stores_by {
        for (id, value) in stores.iter().filter(|(id, _)| busy(kind, **id)) {
            let greatest = durations.stores.entry(*id).or_insert(*value);
            *greatest = greatest.max(*value);
        }
    }
}
