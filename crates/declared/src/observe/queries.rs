//! Putting the signals that are PromQL to the Prometheus server, side by side.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use operator_prometheus::{QueryClient, QueryError, Series};
use operator_protocols::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::check::why;
use crate::file::{Signal, Source};
use crate::limits;

/// The answer to each query, by the name of its signal.
pub(super) type Answers = BTreeMap<String, Result<Vec<Series>, String>>;

/// Puts all of them. A server that does not answer one is not asked the rest.
pub(super) async fn all(prometheus: Option<&QueryClient>, signals: &[Signal], at: Timestamp) -> Answers {
    let Some(prometheus) = prometheus else { return Answers::new() };
    let room = Arc::new(Semaphore::new(limits::QUERIES_AT_ONCE));
    let silent = Arc::new(AtomicBool::new(false));
    let mut asked = JoinSet::new();
    for signal in signals {
        let Source::PromQl(expression) = signal.source.clone() else { continue };
        let (name, prometheus) = (signal.name.clone(), prometheus.clone());
        let (room, silent) = (Arc::clone(&room), Arc::clone(&silent));
        asked.spawn(async move {
            let _room = room.acquire_owned().await;
            if silent.load(Ordering::Relaxed) {
                return (name, Err("the Prometheus server did not answer".to_owned()));
            }
            let answer = prometheus.instant(&expression, at).await.map_err(|error| {
                if matches!(error, QueryError::NoAnswer(_)) {
                    silent.store(true, Ordering::Relaxed);
                }
                why(&error)
            });
            (name, answer)
        });
    }
    let mut answers = Answers::new();
    while let Some(answer) = asked.join_next().await {
        answers.extend(answer.ok());
    }
    answers
}
