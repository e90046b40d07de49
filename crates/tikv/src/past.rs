//! Signals of the past, out of Prometheus: so that an operator started a minute ago still has a baseline.
//!
//! What PD alone says (heartbeats, counts of regions) has no past here. Stores and members are those that are known now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use operator_prometheus::{QueryClient, Series};
use operator_protocols::{Locus, Observation, Signal, SignalKind, Timestamp, Unavailable};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::metrics::{ENOUGH_REQUESTS, Known, MetricsReader, MetricsSettings, Targets, merge, peers};
use crate::names;
use crate::queries::{self, By, Query};

/// The finest step: the usual scrape interval.
const SHORTEST_STEP: Duration = Duration::from_secs(15);
/// Points of one series at most.
const MAX_POINTS: u64 = 500;
/// Points of one series at least, however many stores there are.
const MIN_POINTS: u64 = 20;
/// Signals in all, about: what an operator can keep in memory without noticing.
const MAX_SIGNALS: u64 = 100_000;
/// Stores whose past is read; of more, so many that are spread over all.
const MAX_STORES: usize = 50;
/// Questions under way at once: questions about a range are a burden.
const AT_ONCE: usize = 3;

/// Whose value it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    Store(u64),
    Member(String),
}

/// The values of a question, by time and whose they are.
type Values = BTreeMap<(Timestamp, Of), f64>;

/// The signals of `subject` from `from` to `to`, oldest first. Nothing, if there is no Prometheus.
///
/// # Errors
/// When Prometheus answers no question.
pub(crate) async fn read(
    reader: &MetricsReader,
    subject: &str,
    known: &Known<'_>,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Observation>, Unavailable> {
    let Some(client) = reader.past().filter(|_| to > from) else { return Ok(Vec::new()) };
    let settings = reader.settings();
    let asked: Vec<&'static Query> = queries::ALL.iter().filter(|query| query.signal).collect();
    let things = known.stores.len().min(MAX_STORES) + known.members.len();
    let points = (MAX_SIGNALS / (things.max(1) * asked.len().max(1)) as u64).clamp(MIN_POINTS, MAX_POINTS);
    let step = SHORTEST_STEP.max(to.since(from) / u32::try_from(points).unwrap_or(u32::MAX));

    // Which targets there were, before anything that is more work.
    let label = &settings.instance_label;
    let mut seen = BTreeMap::new();
    for name in ["store_scraped", "member_scraped"] {
        let Some(query) = queries::find(name) else { continue };
        let series = client.range(&render(query, settings, None), from, to, step).await;
        let series = series.map_err(|error| error.unavailable(format!("the past of {name}")))?;
        let labels = series.iter().filter_map(|series| series.labels.get(label).cloned());
        seen.insert(name, labels.collect::<BTreeSet<_>>());
    }
    let none = BTreeSet::new();
    let of = |name: &str| seen.get(name).unwrap_or(&none);
    let targets = Targets::join(settings.join, known, of("store_scraped"), of("member_scraped"));
    let stores: Vec<u64> = targets.stores().map(|(_, id)| id).collect::<BTreeSet<_>>().into_iter().collect();
    let chosen = peers(&stores, MAX_STORES);
    let only = (chosen.len() < stores.len()).then(|| {
        let labels = targets.stores().filter(|(_, id)| chosen.contains(id)).map(|(label, _)| quoted(label));
        format!("{label}=~\"{}\"", labels.collect::<Vec<_>>().join("|"))
    });

    let answers = ask(client, settings, &asked, only.as_deref(), (from, to), step).await?;
    let rates = answers.get("request_rate").map(|series| by_type(series, settings, &targets)).unwrap_or_default();
    let mut observations: BTreeMap<Timestamp, Observation> = BTreeMap::new();
    for query in asked {
        let Some(series) = answers.get(query.name) else { continue };
        for ((at, of), value) in values(query, series, settings, &targets, &rates) {
            let on = match of {
                Of::Store(id) if chosen.contains(&id) => names::store_locus(subject, id),
                Of::Store(_) => continue,
                Of::Member(name) => names::member_locus(subject, &name),
            };
            let observation = observations.entry(at).or_insert_with(|| Observation::new(at));
            observation.signals.push(signal(query, on, value, at));
        }
    }
    Ok(observations.into_values().collect())
}

fn signal(query: &Query, on: Locus, value: f64, at: Timestamp) -> Signal {
    Signal {
        on,
        name: query.name.to_owned(),
        role: query.role,
        value,
        unit: query.unit.to_owned(),
        observed_at: at,
        kind: SignalKind::Gauge,
        worse: query.worse,
    }
}

/// The series of all questions that were answered.
async fn ask(
    client: &QueryClient,
    settings: &MetricsSettings,
    asked: &[&'static Query],
    only: Option<&str>,
    span: (Timestamp, Timestamp),
    step: Duration,
) -> Result<BTreeMap<&'static str, Vec<Series>>, Unavailable> {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut under_way = JoinSet::new();
    for &query in asked {
        let (client, expression, turns) = (client.clone(), render(query, settings, only), Arc::clone(&turns));
        under_way.spawn(async move {
            let _turn = turns.acquire_owned().await;
            (query.name, client.range(&expression, span.0, span.1, step).await)
        });
    }
    let mut answers = BTreeMap::new();
    let mut failure = None;
    while let Some(done) = under_way.join_next().await {
        match done {
            Ok((name, Ok(series))) => {
                answers.insert(name, series);
            }
            Ok((name, Err(error))) => failure = Some(error.unavailable(format!("the past of {name}"))),
            Err(_) => {}
        }
    }
    // A past with gaps is better than none.
    match failure {
        Some(failure) if answers.is_empty() => Err(failure),
        _ => Ok(answers),
    }
}

fn render(query: &Query, settings: &MetricsSettings, only: Option<&str>) -> String {
    let tikv = only.map_or_else(|| settings.tikv.clone(), |only| format!("{},{only}", settings.tikv));
    query.render(&settings.window, &tikv, &settings.pd, &settings.instance_label)
}

/// A text as a regular expression within a quoted string.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\n' => quoted.push_str("\\n"),
            '\\' => quoted.push_str("\\\\\\\\"),
            c if c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == ':' || !c.is_ascii() => quoted.push(c),
            c => {
                quoted.push_str("\\\\");
                quoted.push(c);
            }
        }
    }
    quoted
}

/// How many requests a second there were, by time, store and type.
type Rates = BTreeMap<(Timestamp, u64, String), f64>;

fn by_type(series: &[Series], settings: &MetricsSettings, targets: &Targets) -> Rates {
    let mut rates = Rates::new();
    for series in series {
        let store = series.labels.get(&settings.instance_label).and_then(|label| targets.store(label));
        let (Some(store), Some(kind)) = (store, series.labels.get("type")) else { continue };
        rates.extend(series.points.iter().map(|point| ((point.at, store, kind.clone()), point.value)));
    }
    rates
}

fn values(query: &Query, series: &[Series], settings: &MetricsSettings, targets: &Targets, rates: &Rates) -> Values {
    let mut values = Values::new();
    for series in series {
        let Some(label) = series.labels.get(&settings.instance_label) else { continue };
        let of = match query.by {
            By::Store | By::StoreAnd(_) => targets.store(label).map(Of::Store),
            By::Member => targets.member(label).map(|name| Of::Member(name.to_owned())),
            By::StoreId(_) | By::Leader(_) => None,
        };
        let Some(of) = of else { continue };
        for point in series.points.iter().filter(|point| point.value.is_finite()) {
            if let (Of::Store(id), "request_duration_p99") = (&of, query.name) {
                let kind = series.labels.get("type").cloned().unwrap_or_default();
                if rates.get(&(point.at, *id, kind)).is_none_or(|rate| *rate < ENOUGH_REQUESTS) {
                    continue;
                }
            }
            merge(query, values.entry((point.at, of.clone())).or_insert(f64::NAN), point.value);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_quoted_as_a_regular_expression_in_a_string() {
        assert_eq!(quoted("tikv-0.peer:20180"), "tikv-0\\\\.peer:20180");
        assert_eq!(quoted("a|b\"c\\"), "a\\\\|b\\\"c\\\\\\\\");
    }
}
