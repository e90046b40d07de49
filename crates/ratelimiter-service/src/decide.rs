//! How a node decides: with Redis while it answers, from memory when it does not, and keeping book of both.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use redis::Value;
use tokio::sync::oneshot;

use crate::admitted::{Column, CounterId};
use crate::call::{Answers, CallError, int};
use crate::decision::{self, CheckRequest, Decided, Decision, Source, Unreadable};
use crate::node::Node;
use crate::redis_client::{LISTEN, Waited};
use crate::script::CHECK;
use crate::settings::OnRedisFailure;

/// The answer to one check.
pub type Answer = Result<Decision, Unreadable>;

/// Where an unanswered cost was booked, to take it back once it is known to have had no effect.
struct Booked {
    counter: CounterId,
    generation: u64,
    second: i64,
    cost: u64,
}

impl Node {
    /// Decides requests in order. The work goes on if the caller stops waiting, so that its book stays right.
    pub async fn check(self: &Arc<Self>, requests: Vec<CheckRequest>) -> Vec<Answer> {
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(self.clone().decide_all(requests, sender));
        // The task always answers; if it were gone, there would be nothing to say.
        receiver.await.unwrap_or_default()
    }

    async fn decide_all(self: Arc<Self>, requests: Vec<CheckRequest>, answer: oneshot::Sender<Vec<Answer>>) {
        let started = Instant::now();
        let reply = |answers: Vec<Answer>| {
            for decision in answers.iter().flatten() {
                self.metrics.decided(decision.allowed, started.elapsed().as_secs_f64());
            }
            let _ = answer.send(answers);
        };
        let calls = requests.iter().map(|r| decision::call(r, &self.identity.writer, self.defaults())).collect();
        let Ok((deadline, pending)) = self.redis.start(&CHECK, calls, self.redis.timeout) else {
            return reply(requests.iter().map(|r| Ok(self.decide_alone(r))).collect());
        };
        match self.redis.wait(pending, self.redis.timeout).await {
            Waited::InTime(Ok(answers)) => {
                let judged = requests.iter().zip(answers);
                reply(judged.map(|(request, answer)| self.settle(request, answer, deadline)).collect());
            }
            Waited::InTime(Err(error)) => {
                if !error.without_effect() {
                    for request in &requests {
                        self.book_unanswered(request);
                        self.metrics.unanswered.inc();
                    }
                }
                reply(requests.iter().map(|r| Ok(self.decide_alone(r))).collect());
            }
            Waited::TimedOut(pending) => {
                let booked: Vec<Booked> = requests.iter().map(|r| self.book_unanswered(r)).collect();
                reply(requests.iter().map(|r| Ok(self.decide_alone(r))).collect());
                match tokio::time::timeout(LISTEN, pending).await {
                    Ok(Ok(answers)) => self.settle_late(&booked, &answers),
                    Ok(Err(error)) if error.without_effect() => booked.iter().for_each(|b| self.take_back(b)),
                    _ => {
                        self.metrics.unanswered.inc_by(booked.len() as u64);
                    }
                }
            }
        }
    }

    /// An answer of Redis that came in time.
    fn settle(&self, request: &CheckRequest, answer: Result<Vec<Value>, CallError>, deadline: i64) -> Answer {
        let parsed = self.redis.judge(answer).and_then(|values| decision::parse(request, &values, deadline));
        match parsed {
            Ok(Ok(decided)) => {
                self.note(request, &decided);
                Ok(decided.decision)
            }
            Ok(Err(unreadable)) => {
                self.metrics.corrupt_logs.inc();
                tracing::warn!(key = %unreadable.key, part = unreadable.part, "unreadable data in Redis");
                Err(unreadable)
            }
            Err(error) => {
                if !error.without_effect() {
                    tracing::warn!(%error, "a decision of Redis was not understood");
                    self.book_unanswered(request);
                    self.metrics.unanswered.inc();
                }
                Ok(self.decide_alone(request))
            }
        }
    }

    fn note(&self, request: &CheckRequest, decided: &Decided) {
        let decision = &decided.decision;
        self.metrics.met_log(decided.log_entries);
        self.learn_limit(&request.key, decided.stored);
        if decision.allowed {
            let counter: CounterId = (request.key.as_str().into(), decision.window_ms);
            let second = decision.t_us.div_euclid(1_000_000);
            let now = self.time.now_us();
            let mut local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
            local.granted(&counter, decision.generation, now, request.cost);
            drop(local);
            let mut admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
            admitted.add(&counter, Some(decision.generation), second, Column::Admitted, request.cost);
        }
    }

    fn book_unanswered(&self, request: &CheckRequest) -> Booked {
        let counter = decision::counter(request, self.stored_limit(&request.key), self.defaults());
        let second = self.redis.now_or_wall_us().div_euclid(1_000_000);
        let mut admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = admitted.add(&counter, None, second, Column::Unanswered, request.cost);
        Booked { counter, generation, second, cost: request.cost }
    }

    fn take_back(&self, booked: &Booked) {
        let mut admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        admitted.take_back(&booked.counter, booked.generation, booked.second, booked.cost);
    }

    /// Answers that came after their callers had been told otherwise: what was granted stays unanswered.
    fn settle_late(&self, booked: &[Booked], answers: &Answers) {
        for (booked, answer) in booked.iter().zip(answers) {
            let no_effect = match answer {
                Ok(values) => int(values, 0).is_ok_and(|status| status != 0),
                Err(error) => error.without_effect(),
            };
            if matches!(answer, Ok(values) if int(values, 0).is_ok_and(|status| status == 2)) {
                self.metrics.late.inc();
            }
            if no_effect {
                self.take_back(booked);
            } else {
                self.metrics.unanswered.inc();
            }
        }
    }

    /// Decides without Redis.
    fn decide_alone(&self, request: &CheckRequest) -> Decision {
        let stored = self.stored_limit(&request.key);
        let counter = decision::counter(request, stored, self.defaults());
        let limit = stored.map(|s| s.limit).or(request.limit).unwrap_or(self.settings.default_limit);
        let t_us = self.redis.now_or_wall_us();
        let mode = self.settings.on_redis_failure;
        self.metrics.degraded(mode.name());
        let (allowed, current_count, remaining, retry) = match mode {
            OnRedisFailure::Open => (true, request.cost, limit.saturating_sub(request.cost), None),
            OnRedisFailure::Closed => (false, 0, 0, (request.cost <= limit).then_some(1)),
            OnRedisFailure::Local => {
                let share = (limit / self.live_nodes()).max(1);
                let now = self.time.now_us();
                let mut local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
                let verdict = local.decide(&counter, share, now, request.cost);
                let retry = match verdict.retry_us {
                    _ if verdict.allowed || request.cost > limit => None,
                    // More than the share: it has to wait for Redis.
                    None => Some(1),
                    Some(us) => Some(decision::retry_seconds(us)),
                };
                (verdict.allowed, verdict.sum, share.saturating_sub(verdict.sum), retry)
            }
        };
        let mut admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = if allowed {
            admitted.add(&counter, None, t_us.div_euclid(1_000_000), Column::Degraded, request.cost)
        } else {
            admitted.generation(&counter)
        };
        Decision {
            allowed,
            current_count,
            remaining,
            retry_after_seconds: retry,
            limit,
            window_ms: counter.1,
            t_us,
            seq: 0,
            generation,
            source: Source::Degraded,
        }
    }
}
