//! A few cycles of looking and judging, kept so that the checks can go over them.

use std::sync::Arc;
use std::time::Duration;

use super::caller::{Caller, caught};
use crate::{
    ActionDefinition, Descriptor, Evaluation, History, InvariantChecker, InvariantDefinition, Locus, Observation,
    ProbeDefinition, Subject, TargetKind,
};

/// A subject, what it says of itself, and what was seen through it.
pub(super) struct Session {
    pub(super) subject: Box<dyn Subject>,
    pub(super) checker: Box<dyn InvariantChecker>,
    pub(super) descriptor: Descriptor,
    pub(super) invariants: Vec<InvariantDefinition>,
    pub(super) actions: Vec<ActionDefinition>,
    pub(super) probes: Vec<ProbeDefinition>,
    pub(super) rounds: Vec<Round>,
    /// What went wrong in looking.
    pub(super) blunders: Vec<String>,
    /// What went wrong in judging.
    pub(super) misjudged: Vec<String>,
}

/// One cycle.
pub(super) struct Round {
    pub(super) past: History,
    pub(super) now: Arc<Observation>,
    pub(super) evaluations: Vec<Evaluation>,
    /// The latest instant at which a reading in it may have been true.
    pub(super) latest: crate::Timestamp,
}

impl Session {
    /// Looks and judges `rounds` times, `interval` apart.
    ///
    /// # Errors
    /// When the subject panics while it says who it is: nothing else can be tried then.
    pub(super) async fn record(
        caller: &mut Caller,
        (subject, checker): super::Made,
        rounds: usize,
        interval: Duration,
    ) -> Result<Self, String> {
        let descriptor = caught(|| subject.descriptor()).map_err(|fault| format!("descriptor {fault}"))?;
        let actions = caught(|| subject.actions()).map_err(|fault| format!("actions {fault}"))?;
        let probes = caught(|| subject.probes()).map_err(|fault| format!("probes {fault}"))?;
        let invariants = caught(|| checker.invariants().to_vec()).map_err(|fault| format!("invariants {fault}"))?;
        let lookback = caught(|| checker.lookback()).map_err(|fault| format!("lookback {fault}"))?;
        caller.limit(descriptor.observe_deadline);
        let (rounds_kept, blunders, misjudged) = (Vec::new(), Vec::new(), Vec::new());
        let mut session = Self {
            subject,
            checker,
            descriptor,
            invariants,
            actions,
            probes,
            rounds: rounds_kept,
            blunders,
            misjudged,
        };
        let mut past = History::new();
        for number in 0..rounds {
            if number > 0 {
                caller.wait(interval).await;
            }
            let at = caller.now();
            let now = match caller.call("observe", || session.subject.observe(at)).await {
                Ok(now) => Arc::new(now),
                Err(fault) => {
                    session.blunders.push(fault);
                    continue;
                }
            };
            if now.at != at {
                session.blunders.push(format!("observe at {at} says it began at {}", now.at));
            }
            let evaluations = session.judge(&past, &now);
            let latest = caller.latest();
            session.rounds.push(Round { past: past.clone(), now: Arc::clone(&now), evaluations, latest });
            past.push(now, lookback);
        }
        Ok(session)
    }

    fn judge(&mut self, past: &History, now: &Observation) -> Vec<Evaluation> {
        caught(|| self.checker.check(past, now)).unwrap_or_else(|fault| {
            self.misjudged.push(format!("check {fault}"));
            Vec::new()
        })
    }

    /// The last cycle.
    pub(super) fn last(&self) -> Option<&Round> {
        self.rounds.last()
    }

    /// The past as it is after the last cycle, and an instant at which the next one may happen.
    pub(super) fn after_last(&self, interval: Duration) -> Option<(History, crate::Timestamp)> {
        let last = self.rounds.last()?;
        let mut past = last.past.clone();
        past.push(Arc::clone(&last.now), self.checker.lookback().max(interval));
        Some((past, last.now.at.plus(interval)))
    }

    /// Something among what was seen that `kind` of target covers; nothing, if nothing of it was seen.
    pub(super) fn target(&self, kind: &TargetKind) -> Option<Locus> {
        let last = self.rounds.last()?;
        match kind {
            TargetKind::Whole => Some(Locus::Nothing),
            TargetKind::Component { kinds } => {
                let fits = |component: &&crate::Component| kinds.is_empty() || kinds.contains(&component.kind);
                last.now.components.iter().find(fits).map(|component| Locus::Component(component.id.clone()))
            }
            TargetKind::Entity { kind } => {
                let signals = last.now.signals.iter().map(|signal| &signal.on);
                let events = last.now.events.iter().map(|event| &event.on);
                let judged = last.evaluations.iter().map(|evaluation| &evaluation.on);
                let fits = |on: &&Locus| matches!(on, Locus::Entity(entity) if &entity.kind == kind);
                signals.chain(events).chain(judged).find(fits).cloned()
            }
        }
    }
}
