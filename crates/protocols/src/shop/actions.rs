//! What can be done to a shop, and what can be asked of it.

use std::time::Duration;

use super::lanes::LANES;
use crate::{
    ActionClass, ActionDefinition, FaultClass, ParamDefinition, ParamKind, ParamSource, ProbeDefinition, Remedy,
    RemedyOn, Risk, TargetKind, restart_component, start_component,
};

pub(super) const DRAIN: &str = "drain_replica";
pub(super) const UNDRAIN: &str = "undrain_replica";
pub(super) const SET_VERSION: &str = "set_version";
pub(super) const VERSION: &str = "version";
pub(super) const SET_CACHE: &str = "set_cache_entries";
pub(super) const ENTRIES: &str = "entries";
pub(super) const FREE_DISK: &str = "free_disk";
pub(super) const SET_CLOCK: &str = "set_clock";
pub(super) const OLDEST_JOBS: &str = "oldest_jobs";
pub(super) const LANE: &str = "lane";

/// Twice what is averaged over, and what a process takes to start.
const SETTLE: Duration = Duration::from_secs(30);

/// Everything that can be done.
pub(super) fn actions() -> Vec<ActionDefinition> {
    let all = ["front", "orders", "catalog", "queue", "packer"];
    let on_edge = |class| Remedy::contains(class).on(RemedyOn::EdgeFrom);
    let mut drain = action(DRAIN, "Send no orders to this replica; the others take them", &["orders"], Risk::Medium);
    drain.reversible_by = Some(UNDRAIN.to_owned());
    drain.remedies =
        vec![Remedy::contains(FaultClass::ComponentSlow), on_edge(FaultClass::LinkSlow), on_edge(FaultClass::LinkDown)];
    "no shopper waits for this replica".clone_into(&mut drain.expected_effect);
    let mut undrain = action(UNDRAIN, "Send orders to this replica again", &["orders"], Risk::Medium);
    undrain.reversible_by = Some(DRAIN.to_owned());
    "the replica takes its part of the orders".clone_into(&mut undrain.expected_effect);

    let back = Remedy::cures(FaultClass::BadChange).on(RemedyOn::ChangeSubject);
    let mut version = action(SET_VERSION, "Run this version", &["front", "orders", "packer"], Risk::Medium);
    version.params = vec![before(VERSION, "The version", ParamKind::Text { max_bytes: 32 })];
    version.remedies = vec![back.clone()];
    "the component is as fast as before".clone_into(&mut version.expected_effect);
    let mut cache = action(SET_CACHE, "Set how many entries the catalog keeps at hand", &["catalog"], Risk::Medium);
    cache.params = vec![before(ENTRIES, "Entries", ParamKind::Integer { min: 1, max: 1_000_000 })];
    cache.remedies = vec![back];
    "lookups do not wait for the disk".clone_into(&mut cache.expected_effect);

    let what = "Delete what is not the queue's from its disk; jobs are not touched";
    let mut disk = action(FREE_DISK, what, &["queue"], Risk::Medium);
    disk.remedies = vec![Remedy::cures(FaultClass::CapacityExhaustion)];
    "the queue takes jobs again".clone_into(&mut disk.expected_effect);
    let mut clock = action(SET_CLOCK, "Set the component's clock by its time source", &all, Risk::Low);
    clock.remedies = vec![Remedy::cures(FaultClass::ClockSkew)];
    "the component's clock agrees with the others'".clone_into(&mut clock.expected_effect);
    vec![start_component(&all, SETTLE), restart_component(&all, SETTLE), drain, undrain, version, cache, disk, clock]
}

fn action(name: &str, description: &str, kinds: &[&str], risk: Risk) -> ActionDefinition {
    ActionDefinition {
        name: name.to_owned(),
        description: description.to_owned(),
        params: Vec::new(),
        targets: vec![TargetKind::Component { kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect() }],
        risk,
        class: ActionClass::Cas,
        reversible_by: None,
        remedies: Vec::new(),
        expected_effect: String::new(),
        settle_time: SETTLE,
        limits: None,
    }
}

fn before(name: &str, description: &str, kind: ParamKind) -> ParamDefinition {
    ParamDefinition {
        name: name.to_owned(),
        description: description.to_owned(),
        kind,
        source: ParamSource::ChangeBefore,
        default: None,
    }
}

/// How long the oldest jobs of a lane have waited.
pub(super) fn probes() -> Vec<ProbeDefinition> {
    vec![ProbeDefinition {
        name: OLDEST_JOBS.to_owned(),
        description: "How long the ten oldest jobs of a lane have waited, in seconds, and who put them".to_owned(),
        params: vec![ParamDefinition {
            name: LANE.to_owned(),
            description: "Which lane".to_owned(),
            kind: ParamKind::OneOf { values: LANES.iter().map(|lane| (*lane).to_owned()).collect() },
            source: ParamSource::Policy,
            default: Some(LANES[0].into()),
        }],
    }]
}
