//! A subject and a checker that pass everything on to honest ones, with one answer twisted.

use std::future::{pending, ready};
use std::time::Duration;

use operator_protocols::{
    ActionDefinition, ActionRequest, BoxFuture, Descriptor, Effect, Evaluation, ExecutionToken, Guard, History,
    InvariantChecker, InvariantDefinition, Observation, ProbeAnswer, ProbeDefinition, ProbeRequest, Sent, Subject,
    Timestamp, Unavailable,
};

type Twisting<T> = Box<dyn Fn(&mut T) + Send + Sync>;
type Asked<Q, T> = Box<dyn Fn(&Q, &mut T) + Send + Sync>;

/// What to twist; by default nothing.
pub struct Twist {
    pub descriptor: Twisting<Descriptor>,
    pub observation: Twisting<Observation>,
    pub never_answers: bool,
    pub actions: Twisting<Vec<ActionDefinition>>,
    pub guard: Asked<ActionRequest, Guard>,
    pub sent: Asked<ActionRequest, Sent>,
    pub effect: Asked<ActionRequest, Effect>,
    pub probes: Twisting<Vec<ProbeDefinition>>,
    pub answer: Asked<ProbeRequest, ProbeAnswer>,
    pub history: Asked<(Timestamp, Timestamp), Vec<Observation>>,
    pub invariants: Twisting<Vec<InvariantDefinition>>,
    pub evaluations: Asked<Observation, Vec<Evaluation>>,
}

impl Default for Twist {
    fn default() -> Self {
        Self {
            descriptor: Box::new(|_| {}),
            observation: Box::new(|_| {}),
            never_answers: false,
            actions: Box::new(|_| {}),
            guard: Box::new(|_, _| {}),
            sent: Box::new(|_, _| {}),
            effect: Box::new(|_, _| {}),
            probes: Box::new(|_| {}),
            answer: Box::new(|_, _| {}),
            history: Box::new(|_, _| {}),
            invariants: Box::new(|_| {}),
            evaluations: Box::new(|_, _| {}),
        }
    }
}

pub struct Twisted {
    pub honest: Box<dyn Subject>,
    pub twist: Twist,
}

impl Subject for Twisted {
    fn descriptor(&self) -> Descriptor {
        let mut descriptor = self.honest.descriptor();
        (self.twist.descriptor)(&mut descriptor);
        descriptor
    }

    fn observe(&self, at: Timestamp) -> BoxFuture<'_, Observation> {
        if self.twist.never_answers {
            return Box::pin(pending());
        }
        Box::pin(async move {
            let mut observation = self.honest.observe(at).await;
            (self.twist.observation)(&mut observation);
            observation
        })
    }

    fn actions(&self) -> Vec<ActionDefinition> {
        let mut actions = self.honest.actions();
        (self.twist.actions)(&mut actions);
        actions
    }

    fn guard<'a>(&'a self, request: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Guard> {
        Box::pin(async move {
            let mut guard = self.honest.guard(request, at).await;
            (self.twist.guard)(request, &mut guard);
            guard
        })
    }

    fn execute<'a>(
        &'a self,
        request: &'a ActionRequest,
        guard: &'a Guard,
        token: &'a ExecutionToken,
    ) -> BoxFuture<'a, Sent> {
        Box::pin(async move {
            let mut sent = self.honest.execute(request, guard, token).await;
            (self.twist.sent)(request, &mut sent);
            sent
        })
    }

    fn effect<'a>(&'a self, request: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Effect> {
        Box::pin(async move {
            let mut effect = self.honest.effect(request, at).await;
            (self.twist.effect)(request, &mut effect);
            effect
        })
    }

    fn probes(&self) -> Vec<ProbeDefinition> {
        let mut probes = self.honest.probes();
        (self.twist.probes)(&mut probes);
        probes
    }

    fn probe<'a>(&'a self, request: &'a ProbeRequest, at: Timestamp) -> BoxFuture<'a, ProbeAnswer> {
        Box::pin(async move {
            let mut answer = self.honest.probe(request, at).await;
            (self.twist.answer)(request, &mut answer);
            answer
        })
    }

    fn history(&self, from: Timestamp, to: Timestamp) -> BoxFuture<'_, Result<Vec<Observation>, Unavailable>> {
        let mut kept = Vec::new();
        (self.twist.history)(&(from, to), &mut kept);
        Box::pin(ready(Ok(kept)))
    }
}

pub struct TwistedChecker {
    honest: Box<dyn InvariantChecker>,
    invariants: Vec<InvariantDefinition>,
    evaluations: Asked<Observation, Vec<Evaluation>>,
}

impl TwistedChecker {
    pub fn new(honest: Box<dyn InvariantChecker>, twist: &mut Twist) -> Self {
        let mut invariants = honest.invariants().to_vec();
        (twist.invariants)(&mut invariants);
        let evaluations = std::mem::replace(&mut twist.evaluations, Box::new(|_, _| {}));
        Self { honest, invariants, evaluations }
    }
}

impl InvariantChecker for TwistedChecker {
    fn invariants(&self) -> &[InvariantDefinition] {
        &self.invariants
    }

    fn lookback(&self) -> Duration {
        self.honest.lookback()
    }

    fn check(&self, past: &History, now: &Observation) -> Vec<Evaluation> {
        let mut evaluations = self.honest.check(past, now);
        (self.evaluations)(now, &mut evaluations);
        evaluations
    }
}
