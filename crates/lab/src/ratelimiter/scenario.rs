//! What a scenario of the rate limiter may say.

use operator_protocols::Locus;

use super::config::RateLimiterConfig;
use super::fault::Fault;
use super::{GROUPS, KEY_ENTITY, REDIS, check_workload};
use crate::scenario::Scenario;

/// Whether its environment, load and fault are right.
pub(super) fn check(scenario: &Scenario) -> Result<(), String> {
    let config: RateLimiterConfig = scenario.settings().map_err(|error| error.to_string())?;
    config.check().map_err(|error| format!("environment.{error}"))?;
    check_workload(&scenario.workload).map_err(|error| error.to_string())?;
    let fault = Fault::parse(&scenario.fault).map_err(|error| error.to_string())?;
    check_fault_target(&config, &fault)
}

fn check_fault_target(config: &RateLimiterConfig, fault: &Fault) -> Result<(), String> {
    let nodes = config.node_names();
    match fault {
        Fault::KillNode { node }
        | Fault::PauseNode { node }
        | Fault::CutLink { node }
        | Fault::SlowLink { node, .. }
        | Fault::WrongConfig { node, .. }
        | Fault::WrongRedis { node }
        | Fault::HogCpu { node, .. }
            if !nodes.contains(node) =>
        {
            Err(format!("fault.node: one of {}, not {node:?}", nodes.join(", ")))
        }
        _ => Ok(()),
    }
}

/// Whether a place is one that the environment has. Its components, links, and keys have names; the name of a change
/// is not known beforehand.
pub(super) fn check_locus(scenario: &Scenario, text: &str) -> Result<(), String> {
    let config: RateLimiterConfig = scenario.settings().map_err(|error| error.to_string())?;
    let mut components = config.node_names();
    components.push(REDIS.to_owned());
    let known = |name: &str| name.contains('*') || components.iter().any(|component| component == name);
    let right = match Locus::parse("", text).map_err(|error| error.to_string())? {
        Locus::Component(id) => known(&id.local),
        Locus::Edge(from, to) => known(&from.local) && from.local != REDIS && (to.local == REDIS || to.local == "*"),
        Locus::Entity(entity) => entity.kind == KEY_ENTITY,
        Locus::Group(group) => GROUPS.contains(&group.local.as_str()),
        Locus::Change(_) | Locus::Nothing => true,
    };
    if right {
        return Ok(());
    }
    Err(format!(
        "{text:?} is no place of this environment; it has the components {}, edges from a node to {}, entities of the \
         kind {}, the groups {}, changes, and nothing",
        components.join(", "),
        REDIS,
        KEY_ENTITY,
        GROUPS.join(", ")
    ))
}
