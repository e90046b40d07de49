//! What a scenario of the simulated cluster may say.

use operator_protocols::Locus;

use super::{Fault, TikvConfig, check_workload};
use crate::scenario::Scenario;

/// The component that Prometheus is.
const PROMETHEUS: &str = "prometheus";
/// The component that stands for PD as a whole, for what no member of it is to blame for.
const PD: &str = "pd";
/// The kinds of entities that a statement may be about.
const ENTITIES: [&str; 4] = ["region", "drain", "scheduler", "setting"];

/// Whether its environment, load and fault are right.
pub(super) fn check(scenario: &Scenario) -> Result<(), String> {
    let config: TikvConfig = scenario.settings().map_err(|error| error.to_string())?;
    config.check().map_err(|error| format!("environment.{error}"))?;
    check_workload(&scenario.workload).map_err(|error| error.to_string())?;
    let fault = Fault::parse(&scenario.fault).map_err(|error| error.to_string())?;
    let components = config.components();
    match fault.stores().into_iter().find(|store| !components.iter().any(|component| component == store)) {
        Some(store) => Err(format!("fault.store: one of {}, not {store:?}", components.join(", "))),
        None => Ok(()),
    }
}

/// Whether a place is one that the environment has. What a fault adds, and the name of a change, is not known beforehand.
pub(super) fn check_locus(scenario: &Scenario, text: &str) -> Result<(), String> {
    let config: TikvConfig = scenario.settings().map_err(|error| error.to_string())?;
    let mut components = config.components();
    components.push(format!("store-{}", config.stores + 1));
    components.extend([PROMETHEUS.to_owned(), PD.to_owned()]);
    let known = |name: &str| name.contains('*') || components.iter().any(|component| component == name);
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
        "{text:?} is no place of this environment; it has the components {}, edges between them, entities of the kinds {}, \
         groups, changes, and nothing",
        components.join(", "),
        ENTITIES.join(", ")
    ))
}
