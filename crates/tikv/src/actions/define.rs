//! The pieces that definitions are made of.

use std::time::Duration;

use operator_protocols::{ActionLimits, ParamDefinition, ParamKind, ParamSource, TargetKind, Value};

use crate::names;

/// Limits of what touches one region: twenty in ten minutes, as far as limits are counted by the hour.
pub(super) const REGION_LIMITS: ActionLimits = ActionLimits { per_target_per_hour: 3, per_subject_per_hour: 120 };
/// Limits of what touches a whole store: once in half an hour.
pub(super) const STORE_LIMITS: ActionLimits = ActionLimits { per_target_per_hour: 2, per_subject_per_hour: 2 };
/// Limits of what takes something back.
pub(super) const UNDO_LIMITS: ActionLimits = ActionLimits { per_target_per_hour: 3, per_subject_per_hour: 10 };
/// Limits of what changes settings.
pub(super) const SETTING_LIMITS: ActionLimits = ActionLimits { per_target_per_hour: 3, per_subject_per_hour: 3 };

/// How long an action is watched before it is judged, where it shows at once: two intervals of the monitor, and PD's own
/// ten seconds between two heartbeats of a store.
pub(super) const SETTLE: Duration = Duration::from_secs(20);
/// The same where regions have to move first.
pub(super) const SETTLE_MOVES: Duration = Duration::from_secs(120);

pub(super) fn a_store() -> TargetKind {
    TargetKind::Component { kinds: vec![names::STORE.to_owned()] }
}

pub(super) fn a_member() -> TargetKind {
    TargetKind::Component { kinds: vec![names::MEMBER.to_owned()] }
}

pub(super) fn an_entity(kind: &str) -> TargetKind {
    TargetKind::Entity { kind: kind.to_owned() }
}

fn param(name: &str, description: &str, kind: ParamKind, default: Option<Value>) -> ParamDefinition {
    ParamDefinition {
        name: name.to_owned(),
        description: description.to_owned(),
        kind,
        source: ParamSource::Policy,
        default,
    }
}

/// The id of a store or a region.
pub(super) fn an_id(name: &str, description: &str) -> ParamDefinition {
    param(name, description, ParamKind::Integer { min: 1, max: i64::MAX }, None)
}

pub(super) fn a_count(name: &str, description: &str, min: i64, max: i64, default: Option<i64>) -> ParamDefinition {
    param(name, description, ParamKind::Integer { min, max }, default.map(Value::Int))
}

pub(super) fn a_number(name: &str, description: &str, min: f64, max: f64, default: f64) -> ParamDefinition {
    param(name, description, ParamKind::Number { min, max }, Some(Value::Float(default)))
}

pub(super) fn a_word(name: &str, description: &str, words: &[&str], default: Option<&str>) -> ParamDefinition {
    let values = words.iter().map(|&word| word.to_owned()).collect();
    param(name, description, ParamKind::OneOf { values }, default.map(Value::from))
}

pub(super) fn a_text(name: &str, description: &str, max_bytes: u32, source: ParamSource) -> ParamDefinition {
    ParamDefinition { source, ..param(name, description, ParamKind::Text { max_bytes }, None) }
}
