//! What was looked at and found as it should be: without it nothing could be ruled out by citation.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{ComponentState, DependencyState, Id, Locus, SignalRole};

use super::Draft;
use super::judge::{Against, Judged, Standing};
use super::states::States;
use super::window::Window;
use crate::parameters::{ITEMS_PER_KIND, ITEMS_PER_MINOR_KIND};
use crate::text::bounded;
use crate::{EvidenceKind, PackInput};

/// How many signals are named in one item.
const NAMED: usize = 4;

#[derive(Default)]
struct Fine<'a> {
    up: bool,
    roles: BTreeSet<SignalRole>,
    names: Vec<&'a str>,
}

/// The components and links near the trouble that answer, or of which a signal is at its baseline, and the invariants
/// of which no violation is known.
pub(crate) fn items(
    input: &PackInput<'_>,
    states: &States<'_>,
    judged: &[Judged<'_, '_>],
    usual: &BTreeSet<Id>,
    drafts: &[Draft],
    window: &Window,
) -> Vec<Draft> {
    let mut fine: BTreeMap<Locus, Fine<'_>> = BTreeMap::new();
    for component in states.components.values().filter(|component| component.state == ComponentState::Up) {
        fine.entry(Locus::Component(component.id.clone())).or_default().up = true;
    }
    for dependency in states.dependencies.values().filter(|dependency| dependency.state == DependencyState::Up) {
        fine.entry(Locus::Edge(dependency.from.clone(), dependency.to.clone())).or_default().up = true;
    }
    for dependency in states.dependencies.values().filter(|dependency| dependency.state == DependencyState::Down) {
        // One of several links between the same two that is down: the pair is not fine.
        if let Some(pair) = fine.get_mut(&Locus::Edge(dependency.from.clone(), dependency.to.clone())) {
            pair.up = false;
        }
    }
    for one in judged.iter().filter(|one| one.standing == Standing::AtBaseline && one.against == Against::Past) {
        if matches!(one.series.on, Locus::Component(_) | Locus::Edge(..)) {
            let entry = fine.entry(one.series.on.clone()).or_default();
            entry.roles.insert(one.series.role);
            entry.names.push(one.series.name);
        }
    }
    for id in usual {
        let entry = fine.entry(Locus::Component(id.clone())).or_default();
        entry.roles.insert(SignalRole::Availability);
        entry.names.push("the steps of its requests");
    }
    let near = near(states, drafts);
    let mut found: Vec<(bool, Locus, Fine<'_>)> = fine
        .into_iter()
        .filter(|(_, fine)| fine.up || !fine.roles.is_empty())
        .map(|(locus, fine)| (!near.contains(&locus), locus, fine))
        .collect();
    found.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let mut items: Vec<Draft> =
        found.into_iter().take(ITEMS_PER_KIND).map(|(_, on, fine)| draft(on, &fine, window)).collect();
    items.extend(invariants_that_hold(input, window));
    items
}

/// The loci with signs of trouble, those next to them in the dependency graph, and the links between.
fn near(states: &States<'_>, drafts: &[Draft]) -> BTreeSet<Locus> {
    let troubled: BTreeSet<&Locus> = drafts.iter().map(|draft| &draft.on).collect();
    let named: BTreeSet<_> = troubled.iter().flat_map(|locus| locus.components()).collect();
    let beside: BTreeSet<_> = states
        .dependencies
        .keys()
        .filter(|(from, to, _)| named.contains(from) || named.contains(to))
        .flat_map(|(from, to, _)| [*from, *to])
        .collect();
    let mut near: BTreeSet<Locus> = beside.iter().map(|id| Locus::Component((*id).clone())).collect();
    near.extend(
        states
            .dependencies
            .keys()
            .filter(|(from, to, _)| beside.contains(from) || beside.contains(to))
            .map(|(from, to, _)| Locus::Edge((*from).clone(), (*to).clone())),
    );
    near.extend(troubled.into_iter().cloned());
    near
}

fn draft(on: Locus, fine: &Fine<'_>, window: &Window) -> Draft {
    let mut what = Vec::new();
    if fine.up {
        what.push(if matches!(on, Locus::Edge(..)) { "carries".to_owned() } else { "answers".to_owned() });
    }
    if !fine.names.is_empty() {
        let names: Vec<_> = fine.names.iter().take(NAMED).map(|name| bounded(name, 60)).collect();
        let more = fine.names.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        what.push(format!("{}{more} at the baseline", names.join(", ")));
    }
    let what = what.join("; ");
    Draft {
        at: window.now,
        statement: format!("{on}: {what}"),
        on,
        kind: EvidenceKind::Healthy { what, severity: None, up: fine.up, roles: fine.roles.iter().copied().collect() },
    }
}

fn invariants_that_hold(input: &PackInput<'_>, window: &Window) -> Vec<Draft> {
    let violated: BTreeSet<&str> = input.violations.iter().map(|violation| violation.invariant.as_str()).collect();
    let mut hold: Vec<_> =
        input.invariants.iter().filter(|invariant| !violated.contains(invariant.name.as_str())).collect();
    hold.sort_by(|a, b| (b.severity, &a.name).cmp(&(a.severity, &b.name)));
    hold.into_iter()
        .take(ITEMS_PER_MINOR_KIND)
        .map(|invariant| {
            let what = format!("no violation of {} is known", bounded(&invariant.name, 60));
            Draft {
                at: window.now,
                on: Locus::Nothing,
                statement: what.clone(),
                kind: EvidenceKind::Healthy { what, severity: Some(invariant.severity), up: false, roles: Vec::new() },
            }
        })
        .collect()
}
