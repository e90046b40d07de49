//! Traffic taken together and taken apart: each of many components sees its share of a surge within its own noise, their
//! sum does not; and what a component bears may be one thing alone.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{Id, Locus, SignalRole, Worse};

use super::Draft;
use super::judge::{Against, Judged, latest};
use super::series::Series;
use super::states::States;
use super::window::Window;
use crate::EvidenceKind;
use crate::parameters::{DEVIATES, DOMINATES, ITEMS_PER_MINOR_KIND, SURGE_FACTOR, SURGE_SHARE};
use crate::text::{bounded, quantity};

/// The traffic of all components together, of those where requests enter if they measure it, else of all, else of all
/// links; one item for each signal of which the sum deviates, and nearly every member has its part in it.
pub(crate) fn items(judged: &[Judged<'_, '_>], states: &States<'_>) -> Vec<Draft> {
    let called: BTreeSet<&Id> = states.dependencies.keys().map(|(_, to, _)| *to).collect();
    let traffic = |is: &dyn Fn(&Locus) -> bool| {
        let mut by_signal: BTreeMap<&str, Vec<&Judged<'_, '_>>> = BTreeMap::new();
        for one in judged {
            if one.series.role == SignalRole::Traffic && one.against == Against::Past && is(one.series.on) {
                by_signal.entry(one.series.name).or_default().push(one);
            }
        }
        by_signal
    };
    let mut by_signal = traffic(&|on| matches!(on, Locus::Component(id) if !called.contains(id)));
    if by_signal.is_empty() {
        by_signal = traffic(&|on| matches!(on, Locus::Component(_)));
    }
    if by_signal.is_empty() {
        by_signal = traffic(&|on| matches!(on, Locus::Edge(..)));
    }
    by_signal.into_iter().filter_map(|(signal, members)| together(signal, &members)).collect()
}

/// The entities that make up much of the traffic of a component, by signals that are measured at both; the greatest part
/// first. What an entity usually has does not matter: a heat that lasts has become usual.
pub(crate) fn shares(series: &[Series<'_>], window: &Window) -> Vec<Draft> {
    let fresh = window.now.minus(window.interval * 3);
    let now = |one: &Series<'_>| {
        let since = one.since(window.start);
        since.last().filter(|(at, _)| *at >= fresh)?;
        latest(&since).filter(|value| *value > 0.0)
    };
    let traffic = |one: &&Series<'_>| one.role == SignalRole::Traffic;
    let mut busiest: BTreeMap<(&str, &str), (f64, &Locus)> = BTreeMap::new();
    for one in series.iter().filter(traffic).filter(|one| matches!(one.on, Locus::Component(_))) {
        let Some(value) = now(one) else { continue };
        let most = busiest.entry((one.name, one.unit.as_ref())).or_insert((value, one.on));
        if value > most.0 {
            *most = (value, one.on);
        }
    }
    let mut found: Vec<(f64, Draft)> = series
        .iter()
        .filter(traffic)
        .filter(|one| matches!(one.on, Locus::Entity(_)))
        .filter_map(|one| {
            let (of, at) = *busiest.get(&(one.name, one.unit.as_ref()))?;
            let value = now(one)?;
            (value >= DOMINATES * of).then(|| (value / of, share(one, value, of, at)))
        })
        .collect();
    found.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.on.cmp(&y.on)));
    found.into_iter().take(ITEMS_PER_MINOR_KIND).map(|(_, draft)| draft).collect()
}

fn share(one: &Series<'_>, value: f64, of: f64, at: &Locus) -> Draft {
    Draft {
        at: one.first_at().unwrap_or_default(),
        on: one.on.clone(),
        statement: format!(
            "{} of {} is {}, {:.0} % of that of {at}, which has the most",
            bounded(one.name, 80),
            one.on,
            quantity(value, &one.unit),
            100.0 * value / of,
        ),
        kind: EvidenceKind::Share {
            signal: one.name.to_owned(),
            unit: one.unit.clone().into_owned(),
            value,
            of,
            at: at.clone(),
        },
    }
}

fn together(signal: &str, members: &[&Judged<'_, '_>]) -> Option<Draft> {
    let first = members.first()?;
    let baseline: f64 = members.iter().map(|one| one.baseline).sum();
    let value: f64 = members.iter().map(|one| one.value).sum();
    let scale = members.iter().map(|one| one.scale * one.scale).sum::<f64>().sqrt();
    let deviation = (value - baseline) / scale.max(f64::MIN_POSITIVE);
    // Half of the surge that is asked of the sum: a member has its own noise.
    let part = f64::midpoint(SURGE_FACTOR, 1.0);
    let rising = members.iter().filter(|one| one.value >= part * one.baseline && one.value > one.baseline).count();
    let surge = members.len() >= 2
        && deviation >= DEVIATES
        && value >= SURGE_FACTOR * baseline
        && rising as f64 >= SURGE_SHARE * members.len() as f64;
    surge.then(|| {
        let unit = first.series.unit.clone().into_owned();
        Draft {
            at: members.iter().map(|one| one.onset).min().unwrap_or(first.onset),
            on: Locus::Nothing,
            statement: format!(
                "{} of all {} together is {}, baseline {} ({deviation:+.1} robust deviations)",
                bounded(signal, 80),
                members.len(),
                quantity(value, &unit),
                quantity(baseline, &unit),
            ),
            kind: EvidenceKind::Deviation {
                signal: signal.to_owned(),
                role: SignalRole::Traffic,
                unit,
                worse: Worse::Neither,
                baseline,
                value,
                deviation: deviation.min(crate::parameters::DEVIATION_CAP),
            },
        }
    })
}
