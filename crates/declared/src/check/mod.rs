//! Asking a component whether it answers: bounded in time and size, no redirect followed, nothing repeated.

mod http;
mod tcp;

use std::sync::Arc;
use std::time::{Duration, Instant};

use operator_prometheus::{QueryClient, QueryError, Series};
use operator_protocols::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub(crate) use http::HttpClient;

use crate::file::{Check, Component, Failing, Means};
use crate::limits;

/// What asks.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) http: HttpClient,
    pub(crate) prometheus: Option<QueryClient>,
}

/// What a check said.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    /// As it should be, after so long.
    Well(Duration),
    /// Not as it should be, and why.
    Fails(String),
    /// It could not be told, and why: whoever would know was silent.
    Untold(String),
}

/// What the checks of one component said, in their order.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) said: Vec<(Failing, Said)>,
}

impl Checked {
    /// How long the slowest check took, if every one of them is well.
    pub(crate) fn answer_time(&self) -> Option<Duration> {
        let times = self.said.iter().map(|(_, said)| match said {
            Said::Well(time) => Some(*time),
            Said::Fails(_) | Said::Untold(_) => None,
        });
        times.collect::<Option<Vec<_>>>()?.into_iter().max()
    }
}

/// Asks all components, side by side; in the order of `components`.
pub(crate) async fn all(asker: &Asker, components: &[Component], at: Timestamp) -> Vec<Checked> {
    let room = Arc::new(Semaphore::new(limits::CHECKS_AT_ONCE));
    let mut asked = JoinSet::new();
    for (number, component) in components.iter().enumerate() {
        for (index, check) in component.checks.iter().cloned().enumerate() {
            let (asker, room) = (asker.clone(), Arc::clone(&room));
            asked.spawn(async move {
                let _room = room.acquire_owned().await;
                (number, index, check.failing, one(&asker, &check, at).await)
            });
        }
    }
    let mut answers = Vec::new();
    while let Some(answer) = asked.join_next().await {
        answers.extend(answer.ok());
    }
    answers.sort_by_key(|(number, index, ..)| (*number, *index));
    let mut checked: Vec<Checked> = components.iter().map(|_| Checked { said: Vec::new() }).collect();
    for (number, _, failing, said) in answers {
        checked[number].said.push((failing, said));
    }
    checked
}

/// Asks one component.
pub(crate) async fn component(asker: &Asker, component: &Component, at: Timestamp) -> Checked {
    all(asker, std::slice::from_ref(component), at).await.pop().unwrap_or(Checked { said: Vec::new() })
}

async fn one(asker: &Asker, check: &Check, at: Timestamp) -> Said {
    let begun = Instant::now();
    let failure = match &check.means {
        Means::Http { url, status, body } => asker.http.check(url, *status, body.as_deref(), check.timeout).await.err(),
        Means::Tcp { address, send, expect } => {
            let expect = expect.as_deref().map(str::as_bytes);
            tcp::exchange(address, send.as_deref().unwrap_or_default(), expect, check.timeout).await.err()
        }
        Means::PromQl(expression) => return promql(asker, expression, at).await,
    };
    failure.map_or_else(|| Said::Well(begun.elapsed()), Said::Fails)
}

async fn promql(asker: &Asker, expression: &str, at: Timestamp) -> Said {
    let Some(prometheus) = &asker.prometheus else { return Said::Untold("there is no Prometheus server".to_owned()) };
    let begun = Instant::now();
    match prometheus.instant(expression, at).await {
        Ok(series) => match only(&series) {
            Ok(value) if value.is_nan() => Said::Untold(format!("{expression} is not a number")),
            Ok(0.0) => Said::Fails(format!("{expression} is 0")),
            Ok(_) => Said::Well(begun.elapsed()),
            Err(why) => Said::Untold(format!("{expression}: {why}")),
        },
        Err(error) => Said::Untold(why(&error)),
    }
}

/// The one value of an answer.
pub(crate) fn only(series: &[Series]) -> Result<f64, String> {
    match series {
        [] => Err("there is no such series".to_owned()),
        [one] => one.points.last().map(|point| point.value).ok_or_else(|| "a series without a value".to_owned()),
        many => Err(format!("{} series where one was expected; aggregate them in the expression", many.len())),
    }
}

/// A query's error with its causes.
pub(crate) fn why(error: &QueryError) -> String {
    error.unavailable("").why
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
