//! The catalogue, put to a Prometheus server: a few questions at a time, within a deadline; each fails for itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use operator_prometheus::{QueryClient, QueryError, QueryLimits, Series};
use operator_protocols::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::MetricsSettings;
use crate::queries::{self, Query};

/// Questions under way at once: enough to be quick, too few to be a burden.
const AT_ONCE: usize = 8;

/// What may be asked of one answer: a thousand stores with a dozen types of requests each.
pub(super) const LIMITS: QueryLimits =
    QueryLimits { bytes: 16 << 20, series: 20_000, points: 1_000, timeout: Duration::from_secs(3) };

/// The series of each question, or why there are none.
pub(super) type Answers = BTreeMap<&'static str, Result<Vec<Series>, String>>;

/// Asks everything at `at`. The first question goes alone: it tells whether anybody is there.
///
/// # Errors
/// Why the server does not answer at all.
pub(super) async fn ask(
    client: &QueryClient,
    settings: &MetricsSettings,
    at: Timestamp,
    within: Duration,
) -> Result<Answers, String> {
    let deadline = Instant::now() + within;
    let late = || format!("no answer within {within:?}");
    let render = |query: &Query| query.render(&settings.window, &settings.tikv, &settings.pd, &settings.instance_label);
    let mut answers = Answers::new();
    let mut rest = queries::ALL.iter();
    if let Some(first) = rest.next() {
        let answer = timeout_at(deadline, client.instant(&render(first), at)).await.map_err(|_| late())?;
        match answer {
            // It answers, though not this question.
            Ok(_) | Err(QueryError::Refused { .. } | QueryError::TooMuch { .. }) => {}
            Err(error) => return Err(error.unavailable(first.name).why),
        }
        answers.insert(first.name, answer.map_err(|error| error.unavailable("it").why));
    }
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut under_way = JoinSet::new();
    for query in rest {
        answers.insert(query.name, Err(late()));
        let (client, expression, turns) = (client.clone(), render(query), Arc::clone(&turns));
        under_way.spawn(async move {
            let _turn = turns.acquire_owned().await;
            (query.name, client.instant(&expression, at).await)
        });
    }
    // What is still under way at the deadline is given up with the set.
    while let Ok(Some(done)) = timeout_at(deadline, under_way.join_next()).await {
        if let Ok((name, answer)) = done {
            answers.insert(name, answer.map_err(|error| error.unavailable("it").why));
        }
    }
    Ok(answers)
}
