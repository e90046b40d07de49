//! What a scenario of the shop may say.

use operator_protocols::Locus;
use operator_protocols::shop::COMPONENTS;

use super::Fault;
use crate::environment::WorkloadSpec;
use crate::error::LabError;
use crate::scenario::Scenario;

/// The kinds of entities that a statement may be about.
const ENTITIES: [&str; 3] = ["lane", "item", "setting"];

/// Whether its environment, load and fault are right.
pub(super) fn check(scenario: &Scenario) -> Result<(), String> {
    if let Some(name) = scenario.environment.keys().next() {
        return Err(format!("environment.{name}: the shop has no settings"));
    }
    check_workload(&scenario.workload).map_err(|error| error.to_string())?;
    Fault::parse(&scenario.fault).map(|_| ()).map_err(|error| error.to_string())
}

/// Checks a workload without starting it.
pub(super) fn check_workload(spec: &WorkloadSpec) -> Result<(), LabError> {
    if spec.pattern != "steady" {
        return Err(LabError::invalid("workload.pattern", format!("steady, not {:?}", spec.pattern)));
    }
    if !(1..=1_000).contains(&spec.rate) {
        return Err(LabError::invalid("workload.rate", format!("1 to 1000 shoppers a second, not {}", spec.rate)));
    }
    if let Some(name) = spec.params.keys().next() {
        return Err(LabError::invalid(format!("workload.params.{name}"), "there are no parameters"));
    }
    Ok(())
}

/// Whether a place is one that the shop has. The name of a change is not known beforehand.
pub(super) fn check_locus(_: &Scenario, text: &str) -> Result<(), String> {
    let known = |name: &str| name.contains('*') || COMPONENTS.contains(&name);
    let right = match Locus::parse("", text).map_err(|error| error.to_string())? {
        Locus::Component(id) => known(&id.local),
        Locus::Edge(from, to) => known(&from.local) && known(&to.local),
        Locus::Entity(entity) => ENTITIES.contains(&entity.kind.as_str()),
        Locus::Group(_) | Locus::Change(_) | Locus::Nothing => true,
    };
    if right {
        return Ok(());
    }
    Err(format!(
        "{text:?} is no place of this environment; it has the components {}, edges between them, entities of the kinds \
         {}, groups, changes, and nothing",
        COMPONENTS.join(", "),
        ENTITIES.join(", ")
    ))
}
