//! What the definitions of actions owe, so that one can follow from a hypothesis without knowing the system.

use std::time::Duration;

use super::evaluations::snake_case;
use super::parameters;
use super::report::Check;
use super::session::Session;
use crate::{ActionDefinition, Does, Locus, RemedyOn, TargetKind};

pub(super) fn checks(session: &Session) -> Vec<Check> {
    let over = |name, obligation, look: &dyn Fn(&ActionDefinition) -> Vec<String>| {
        let found = session.actions.iter().flat_map(|action| {
            look(action).into_iter().map(|message| format!("{}: {message}", action.name)).collect::<Vec<_>>()
        });
        Check::new(name, obligation, found.collect()).unless(session.actions.is_empty(), "no action is offered")
    };
    vec![
        over(
            "actions.defined",
            "an action has a name of its own, a description, an effect and a time to settle",
            &|action| defined(session, action),
        ),
        over("actions.parameters", "parameters are well defined, and their defaults fit", &|action| parameters(action)),
        over("actions.targets", "an action can be aimed, at what is there, and where its remedies need", &|action| {
            targets(session, action)
        }),
        over(
            "actions.reversible",
            "what takes an action back is offered and can be filled in; containment has one",
            &|action| reversible(session, action),
        ),
    ]
}

fn defined(session: &Session, action: &ActionDefinition) -> Vec<String> {
    let mut found = Vec::new();
    if !snake_case(&action.name) {
        found.push("its name is not snake_case".to_owned());
    }
    if session.actions.iter().filter(|other| other.name == action.name).count() > 1 {
        found.push("it is offered twice".to_owned());
    }
    if action.description.trim().is_empty() || action.expected_effect.trim().is_empty() {
        found.push("it does not say what it does and what should be seen then".to_owned());
    }
    if action.settle_time == Duration::ZERO {
        found.push("it leaves no time to see whether it worked".to_owned());
    }
    found
}

fn parameters(action: &ActionDefinition) -> Vec<String> {
    let mut found = parameters::faults(&action.params);
    if let Err(error) = action.validate(&parameters::fitting(&action.params, &Locus::Nothing, "intent")) {
        // Without a target there is no name to fill in: only what is wrong otherwise counts.
        let from_target = |name: &str| {
            action.params.iter().any(|param| param.name == name && param.source == crate::ParamSource::Locus)
        };
        if found.is_empty() && !from_target(&error.field) {
            found.push(error.to_string());
        }
    }
    found
}

fn targets(session: &Session, action: &ActionDefinition) -> Vec<String> {
    let mut found = Vec::new();
    if action.targets.is_empty() {
        found.push("it can be aimed at nothing, not even the whole".to_owned());
    }
    for target in &action.targets {
        match target {
            TargetKind::Component { kinds } if session.last().is_some() && session.target(target).is_none() => {
                found.push(format!("no component of kind {} was seen", kinds.join(" or ")));
            }
            TargetKind::Entity { kind } if kind.is_empty() => found.push("a kind of entity has no name".to_owned()),
            _ => {}
        }
    }
    let aims_at_components = action.targets.iter().any(|target| matches!(target, TargetKind::Component { .. }));
    if !aims_at_components && action.remedies.iter().any(|remedy| remedy.on == RemedyOn::EdgeFrom) {
        found.push("it is a remedy at the caller of a link, and cannot be aimed at a component".to_owned());
    }
    found
}

fn reversible(session: &Session, action: &ActionDefinition) -> Vec<String> {
    let contains = action.remedies.iter().any(|remedy| remedy.does == Does::Contains);
    let Some(name) = &action.reversible_by else {
        let what = "it contains a fault, and nothing takes it back when the fault is gone";
        return contains.then(|| what.to_owned()).into_iter().collect();
    };
    let Some(inverse) = session.actions.iter().find(|other| other.name == *name) else {
        return vec![format!("{name} is to take it back, and is not offered")];
    };
    let lacking = inverse.params.iter().filter(|param| {
        param.default.is_none()
            && matches!(param.source, crate::ParamSource::ChangeBefore | crate::ParamSource::Policy)
            && !action.params.iter().any(|own| own.name == param.name)
    });
    lacking.map(|param| format!("{name} needs {}, which it has not", param.name)).collect()
}
