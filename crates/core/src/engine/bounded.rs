//! A subject that always answers: one that hangs is given up on, one that panics is caught, and either is said.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use operator_protocols::{
    ActionDefinition, ActionRequest, BoxFuture, Descriptor, Effect, ExecutionToken, Guard, Holds, Observation,
    ProbeAnswer, ProbeDefinition, ProbeRequest, Sent, Subject, Timestamp, Unavailable,
};

/// How long a guard, an effect or a probe may take.
const LOOK_TIME_LIMIT: Duration = Duration::from_secs(10);

/// A subject with deadlines around everything it is asked.
pub(crate) struct BoundedSubject(Arc<dyn Subject>);

impl BoundedSubject {
    pub fn new(inner: Arc<dyn Subject>) -> Self {
        Self(inner)
    }
}

/// Runs a question in a task of its own for at most `limit`; or says why there is no answer.
async fn bounded<T: Send + 'static>(
    limit: Duration,
    question: impl Future<Output = T> + Send + 'static,
) -> Result<T, String> {
    let mut task = tokio::spawn(question);
    match tokio::time::timeout(limit, &mut task).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err("the subject's own code panicked".to_owned()),
        Err(_) => {
            task.abort();
            Err(format!("no answer within {} ms", limit.as_millis()))
        }
    }
}

impl Subject for BoundedSubject {
    fn descriptor(&self) -> Descriptor {
        self.0.descriptor()
    }

    fn observe(&self, at: Timestamp) -> BoxFuture<'_, Observation> {
        let subject = Arc::clone(&self.0);
        let limit = subject.descriptor().observe_deadline;
        Box::pin(async move {
            bounded(limit, async move { subject.observe(at).await }).await.unwrap_or_else(|why| {
                let mut nothing = Observation::new(at);
                nothing.unavailable.push(Unavailable::new("the observation", why));
                nothing
            })
        })
    }

    fn actions(&self) -> Vec<ActionDefinition> {
        self.0.actions()
    }

    fn guard<'a>(&'a self, request: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Guard> {
        let (subject, request) = (Arc::clone(&self.0), request.clone());
        Box::pin(async move {
            bounded(LOOK_TIME_LIMIT, async move { subject.guard(&request, at).await }).await.unwrap_or_else(|why| {
                Guard {
                    holds: Holds::Unknown(Unavailable::new("the guard", why)),
                    incarnation: None,
                    facts: std::collections::BTreeMap::new(),
                    as_of: at,
                }
            })
        })
    }

    fn execute<'a>(
        &'a self,
        request: &'a ActionRequest,
        guard: &'a Guard,
        token: &'a ExecutionToken,
    ) -> BoxFuture<'a, Sent> {
        let (subject, request, guard, token) = (Arc::clone(&self.0), request.clone(), guard.clone(), token.clone());
        Box::pin(async move {
            let limit = token.time_limit();
            bounded(limit, async move { subject.execute(&request, &guard, &token).await })
                .await
                .unwrap_or_else(Sent::Unknown)
        })
    }

    fn effect<'a>(&'a self, request: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Effect> {
        let (subject, request) = (Arc::clone(&self.0), request.clone());
        Box::pin(async move {
            bounded(LOOK_TIME_LIMIT, async move { subject.effect(&request, at).await })
                .await
                .unwrap_or_else(|why| Effect::Unknown(Unavailable::new("the effect", why)))
        })
    }

    fn probes(&self) -> Vec<ProbeDefinition> {
        self.0.probes()
    }

    fn probe<'a>(&'a self, request: &'a ProbeRequest, at: Timestamp) -> BoxFuture<'a, ProbeAnswer> {
        let (subject, request) = (Arc::clone(&self.0), request.clone());
        Box::pin(async move {
            bounded(LOOK_TIME_LIMIT, async move { subject.probe(&request, at).await })
                .await
                .unwrap_or_else(|why| ProbeAnswer { as_of: at, answer: Err(Unavailable::new("the probe", why)) })
        })
    }

    fn history(&self, from: Timestamp, to: Timestamp) -> BoxFuture<'_, Result<Vec<Observation>, Unavailable>> {
        let subject = Arc::clone(&self.0);
        Box::pin(async move {
            bounded(LOOK_TIME_LIMIT, async move { subject.history(from, to).await })
                .await
                .unwrap_or_else(|why| Err(Unavailable::new("the history", why)))
        })
    }
}
