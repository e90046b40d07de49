//! From a hypothesis to what can be done about it, without knowing the system: by what each action says it remedies.

use std::collections::BTreeMap;

use operator_protocols::{ActionDefinition, Does, Event, FaultClass, Locus, ParamSource, RemedyOn, Value};

use crate::{EvidenceKind, EvidencePack, Hypothesis, RecommendedAction};

/// How many citations go with a recommendation.
const REASONS: usize = 3;

impl Hypothesis {
    /// The actions that are good against this cause, in the order to try them: what cures before what contains, the
    /// lower risk first. Whether each may be carried out now, its guard tells later. None: wait.
    pub fn remedies(&self, pack: &EvidencePack, actions: &[ActionDefinition]) -> Vec<RecommendedAction> {
        let change = change_of(pack, &self.locus);
        let mut found: Vec<RecommendedAction> = Vec::new();
        for action in actions {
            for remedy in action.remedies.iter().filter(|remedy| remedy.class == self.class) {
                for target in targets(pack, self.class, &self.locus, remedy.on, change) {
                    if let Some(params) = aimed(pack, action, &target, change) {
                        found.push(RecommendedAction {
                            action: action.name.clone(),
                            target,
                            params,
                            remedies: self.class,
                            does: remedy.does,
                            risk: action.risk,
                            because: self.supporting.iter().take(REASONS).cloned().collect(),
                        });
                    }
                }
            }
        }
        let key = |one: &RecommendedAction| (one.does == Does::Contains, one.risk);
        found.sort_by(|a, b| (key(a), &a.action, &a.target).cmp(&(key(b), &b.action, &b.target)));
        found.dedup_by(|b, a| a.action == b.action && a.target == b.target && a.params == b.params);
        found
    }
}

/// The event of a hypothesis that is about a change.
fn change_of<'p>(pack: &'p EvidencePack, locus: &Locus) -> Option<&'p Event> {
    let Locus::Change(id) = locus else { return None };
    pack.items.iter().find_map(|item| match &item.kind {
        EvidenceKind::Event(event) | EvidenceKind::OwnAction(event) if event.id == *id => Some(event),
        _ => None,
    })
}

fn targets(pack: &EvidencePack, class: FaultClass, locus: &Locus, on: RemedyOn, change: Option<&Event>) -> Vec<Locus> {
    match (on, locus) {
        // What steers the system is down as a group; it is started one by one.
        (RemedyOn::Itself, Locus::Group(_)) if class == FaultClass::ControlPlaneDown => {
            let case = crate::reasoner::case::Case::of(pack, crate::methods::Methods::all());
            crate::reasoner::rules::control_plane_members(&case, locus)
                .into_iter()
                .map(|id| Locus::Component(id.clone()))
                .collect()
        }
        (RemedyOn::Itself, locus) => vec![locus.clone()],
        (RemedyOn::EdgeFrom, Locus::Edge(from, _)) => vec![Locus::Component(from.clone())],
        (RemedyOn::EdgeFrom, _) => Vec::new(),
        (RemedyOn::ChangeSubject, _) => change.map(|event| event.on.clone()).into_iter().collect(),
    }
}

/// The parameters that follow from the evidence; `None` if the action cannot be aimed there, or one of them cannot be
/// had.
fn aimed(
    pack: &EvidencePack,
    action: &ActionDefinition,
    target: &Locus,
    change: Option<&Event>,
) -> Option<BTreeMap<String, Value>> {
    let kind = match target {
        Locus::Component(id) => {
            pack.components.iter().find(|component| component.id == *id).map(|one| one.kind.as_str())
        }
        _ => None,
    };
    if !action.accepts(target, kind) {
        return None;
    }
    let mut params = BTreeMap::new();
    for param in &action.params {
        let value = match param.source {
            ParamSource::Locus => Some(Value::from(target.name())),
            ParamSource::ChangeBefore => {
                change.and_then(|event| event.change.as_ref()).map(|change| change.before.clone())
            }
            // Filled in later, by those who know.
            ParamSource::Policy | ParamSource::IntentId => continue,
        };
        match value.filter(|value| param.kind.admits(value)) {
            Some(value) => {
                params.insert(param.name.clone(), value);
            }
            None if param.default.is_some() => {}
            None => return None,
        }
    }
    Some(params)
}
