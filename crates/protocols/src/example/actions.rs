//! What can be done to a workshop, and what can be asked of it.

use std::time::Duration;

use crate::{
    ActionClass, ActionDefinition, FaultClass, ParamDefinition, ParamKind, ParamSource, ProbeDefinition, Remedy,
    RemedyOn, Risk, TargetKind, start_component,
};

/// The name of the action that sets the dispatch rate.
pub(super) const SET_DISPATCH_RATE: &str = "set_dispatch_rate";
/// Its parameter.
pub(super) const PER_SECOND: &str = "per_second";
/// The name of the probe that lists how long the oldest jobs have waited.
pub(super) const OLDEST_JOBS: &str = "oldest_jobs";
/// Its parameter.
pub(super) const COUNT: &str = "count";

const SETTLE: Duration = Duration::from_secs(10);

/// Starting a worker, and putting the dispatch rate back to what it was before somebody changed it.
pub(super) fn actions() -> Vec<ActionDefinition> {
    let set_dispatch_rate = ActionDefinition {
        name: SET_DISPATCH_RATE.to_owned(),
        description: "Set how many jobs a second the dispatcher hands out at most".to_owned(),
        params: vec![ParamDefinition {
            name: PER_SECOND.to_owned(),
            description: "Jobs a second".to_owned(),
            kind: ParamKind::Integer { min: 1, max: 100 },
            source: ParamSource::ChangeBefore,
            default: None,
        }],
        targets: vec![TargetKind::Component { kinds: vec!["dispatcher".to_owned()] }],
        risk: Risk::Medium,
        class: ActionClass::Cas,
        reversible_by: None,
        remedies: vec![Remedy::cures(FaultClass::BadChange).on(RemedyOn::ChangeSubject)],
        expected_effect: "the oldest job waits less and less".to_owned(),
        settle_time: SETTLE,
        limits: None,
    };
    vec![start_component(&["worker"], SETTLE), set_dispatch_rate]
}

/// How long the oldest jobs have waited.
pub(super) fn probes() -> Vec<ProbeDefinition> {
    vec![ProbeDefinition {
        name: OLDEST_JOBS.to_owned(),
        description: "How long the oldest waiting jobs have waited, in seconds, longest first".to_owned(),
        params: vec![ParamDefinition {
            name: COUNT.to_owned(),
            description: "How many jobs".to_owned(),
            kind: ParamKind::Integer { min: 1, max: 20 },
            source: ParamSource::Policy,
            default: Some(5_i64.into()),
        }],
    }]
}
