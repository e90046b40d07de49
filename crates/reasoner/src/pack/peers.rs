//! Who is comparable with whom: components of one kind, and links of one kind. One of N that differs has a cause of its
//! own; all N together have one in common.

use std::collections::BTreeMap;

use operator_protocols::{Component, Dependency, Locus};

use super::Draft;
use super::judge::Judged;
use crate::EvidenceKind;
use crate::parameters::ITEMS_PER_KIND;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Kind<'a> {
    Component(&'a str),
    Link(&'a str),
}

/// The groups of comparable loci.
#[derive(Debug, Default)]
pub(crate) struct Groups<'a> {
    by_locus: BTreeMap<Locus, usize>,
    names: Vec<Kind<'a>>,
}

impl<'a> Groups<'a> {
    pub fn of_parts(
        components: impl Iterator<Item = &'a Component>,
        dependencies: impl Iterator<Item = &'a Dependency>,
    ) -> Self {
        let mut members: BTreeMap<Kind<'a>, Vec<Locus>> = BTreeMap::new();
        for component in components {
            members.entry(Kind::Component(&component.kind)).or_default().push(Locus::Component(component.id.clone()));
        }
        for dependency in dependencies {
            members
                .entry(Kind::Link(&dependency.kind))
                .or_default()
                .push(Locus::Edge(dependency.from.clone(), dependency.to.clone()));
        }
        let mut groups = Self::default();
        for (kind, loci) in members {
            let group = groups.names.len();
            groups.names.push(kind);
            for locus in loci {
                groups.by_locus.entry(locus).or_insert(group);
            }
        }
        groups
    }

    /// The group a locus belongs to.
    pub fn of(&self, locus: &Locus) -> Option<usize> {
        self.by_locus.get(locus).copied()
    }

    fn name(&self, group: usize) -> String {
        match self.names.get(group) {
            Some(Kind::Component(kind)) => format!("components of kind {kind}"),
            Some(Kind::Link(kind)) => format!("links of kind {kind}"),
            None => "peers".to_owned(),
        }
    }
}

/// How those that deviate stand among their peers, one item for each group and signal, with the most telling first.
pub(crate) fn items(judged: &[Judged<'_, '_>], groups: &Groups<'_>) -> Vec<Draft> {
    let mut compared: BTreeMap<(usize, &str), Vec<&Judged<'_, '_>>> = BTreeMap::new();
    for one in judged {
        if let Some(group) = groups.of(one.series.on) {
            compared.entry((group, one.series.name)).or_default().push(one);
        }
    }
    let mut items: Vec<(f64, Draft)> = Vec::new();
    for ((group, signal), members) in compared {
        for upwards in [true, false] {
            let deviating: Vec<_> =
                members.iter().filter(|one| one.is_bad() && (one.deviation > 0.0) == upwards).collect();
            let (Some(first), true) = (deviating.first(), members.len() >= 2) else { continue };
            let on = match deviating.as_slice() {
                [one] => one.series.on.clone(),
                several => shared_callee(several.iter().map(|one| one.series.on)).unwrap_or(Locus::Nothing),
            };
            let strongest = deviating.iter().map(|one| one.deviation.abs()).fold(0.0, f64::max);
            items.push((
                strongest,
                Draft {
                    at: deviating.iter().map(|one| one.onset).min().unwrap_or(first.onset),
                    on,
                    statement: format!(
                        "{signal}: {} of {} {} deviate{}",
                        deviating.len(),
                        members.len(),
                        groups.name(group),
                        match deviating.as_slice() {
                            [one] => format!("s: only {}", one.series.on),
                            several if several.len() == members.len() => " together".to_owned(),
                            _ => String::new(),
                        }
                    ),
                    kind: EvidenceKind::Peers {
                        signal: signal.to_owned(),
                        deviating: count(deviating.len()),
                        peers: count(members.len()),
                    },
                },
            ));
        }
    }
    items.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.statement.cmp(&b.1.statement)));
    items.into_iter().take(ITEMS_PER_KIND).map(|(_, item)| item).collect()
}

/// The component that all of these links lead to.
fn shared_callee<'a>(loci: impl Iterator<Item = &'a Locus>) -> Option<Locus> {
    let mut callee = None;
    for locus in loci {
        let Locus::Edge(_, to) = locus else { return None };
        if *callee.get_or_insert(to) != to {
            return None;
        }
    }
    callee.cloned().map(Locus::Component)
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
