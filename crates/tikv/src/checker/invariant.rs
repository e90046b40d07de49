//! One invariant: what must hold, and who judges it.

use std::time::Duration;

use operator_protocols::{Evaluation, InvariantDefinition, Severity};

use super::case::Case;
use crate::thresholds::{Limit, Thresholds};

/// Where what is judged was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// PD's leader.
    Leader,
    /// Every member of PD, one by one.
    Members,
    /// Prometheus.
    Metrics,
    /// How numbers moved since earlier looks.
    Drift,
}

impl Source {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Leader => "PD's leader",
            Self::Members => "PD's members",
            Self::Metrics => "metrics",
            Self::Drift => "earlier looks",
        }
    }
}

/// What must hold, and who judges it.
#[derive(Clone, Copy)]
pub(super) struct Invariant {
    pub(super) name: &'static str,
    /// What must hold, in one sentence.
    pub(super) holds: &'static str,
    /// What it is judged at, for people.
    pub(super) at: &'static str,
    pub(super) severity: Severity,
    pub(super) limit: Option<Limit>,
    /// The unit of what is measured.
    pub(super) unit: &'static str,
    /// Seconds, before the subject's time scale.
    pub(super) grace_s: u64,
    pub(super) minimum_traffic: Option<Limit>,
    /// Without any one of these, nothing is ok.
    pub(super) needs: &'static [Source],
    pub(super) judge: fn(&Case<'_>) -> Vec<Evaluation>,
}

impl Invariant {
    /// An invariant about stores, judged from metrics, of severity warning.
    pub(super) const fn new(name: &'static str, holds: &'static str, judge: fn(&Case<'_>) -> Vec<Evaluation>) -> Self {
        Self {
            name,
            holds,
            at: "store, all stores",
            severity: Severity::Warning,
            limit: None,
            unit: "1",
            grace_s: 0,
            minimum_traffic: None,
            needs: &[Source::Metrics],
            judge,
        }
    }

    pub(super) const fn critical(self) -> Self {
        Self { severity: Severity::Critical, ..self }
    }

    pub(super) const fn info(self) -> Self {
        Self { severity: Severity::Info, ..self }
    }

    pub(super) const fn at(self, at: &'static str) -> Self {
        Self { at, ..self }
    }

    /// Held against a threshold, whose unit it has.
    pub(super) const fn limit(self, limit: Limit) -> Self {
        let unit = crate::thresholds::TABLE[limit as usize].unit;
        Self { limit: Some(limit), unit, ..self }
    }

    pub(super) const fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    /// How many seconds it must be violated before anybody is told.
    pub(super) const fn grace(self, seconds: u64) -> Self {
        Self { grace_s: seconds, ..self }
    }

    pub(super) const fn traffic(self) -> Self {
        Self { minimum_traffic: Some(Limit::Traffic), ..self }
    }

    pub(super) const fn needs(self, needs: &'static [Source]) -> Self {
        Self { needs, ..self }
    }

    /// As the protocol declares it.
    pub(super) fn definition(&self, thresholds: &Thresholds, time_scale: f64) -> InvariantDefinition {
        InvariantDefinition {
            name: self.name.to_owned(),
            description: self.holds.to_owned(),
            severity: self.severity,
            threshold: self.limit.map(|limit| thresholds.of(limit)),
            unit: self.unit.to_owned(),
            grace: Duration::from_secs(self.grace_s).mul_f64(time_scale),
            clear_after: None,
            minimum_traffic: self.minimum_traffic.map(|limit| thresholds.of(limit)),
        }
    }
}
