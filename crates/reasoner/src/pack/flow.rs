//! Flow conservation on the dependency graph: what a component takes too long for, less what it waits for in what it
//! calls, is what it causes itself.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{DependencyState, Id, Locus, SignalRole};

use super::Draft;
use super::judge::{Judged, Silent, Standing};
use super::robust::seconds;
use super::states::States;
use crate::EvidenceKind;
use crate::parameters::ITEMS_PER_KIND;
use crate::text::quantity;

/// The unit of an excess where requests are not counted.
pub(crate) const PER_REQUEST: &str = "s";

/// What matters of one locus: its excess over its baseline, and how much is asked of it.
struct Flow<'j> {
    by_locus: BTreeMap<&'j Locus, Vec<&'j Judged<'j, 'j>>>,
}

impl<'j> Flow<'j> {
    /// The latency by which a locus exceeds its baseline, in seconds: of the signal that is a mean, where one says so
    /// (only means add up), else of the one that grew most. Zero, if its latencies are known and none grew.
    fn latency_excess(&self, locus: &Locus) -> Option<(f64, &'j Judged<'j, 'j>)> {
        let signals = self.by_locus.get(locus)?;
        let mut best: Option<(bool, f64, &Judged<'_, '_>)> = None;
        for one in signals.iter().filter(|one| one.series.role == SignalRole::Latency) {
            let Some(excess) = seconds(one.value - one.baseline, &one.series.unit) else { continue };
            let excess = if one.standing == Standing::AtBaseline { 0.0 } else { excess.max(0.0) };
            let mean = ["mean", "avg", "average"].iter().any(|word| one.series.name.contains(word));
            if best.is_none_or(|(is_mean, most, _)| (mean, excess) > (is_mean, most)) {
                best = Some((mean, excess, one));
            }
        }
        best.map(|(_, excess, one)| (excess, one))
    }

    /// Requests per second at a locus, now.
    fn requests(&self, locus: &Locus) -> Option<f64> {
        self.by_locus
            .get(locus)?
            .iter()
            .filter(|one| one.series.role == SignalRole::Traffic && one.series.unit == "1/s")
            .map(|one| one.value.max(0.0))
            .reduce(f64::max)
    }

    /// Errors per second by which a locus exceeds its baseline.
    fn error_excess(&self, locus: &Locus) -> Option<(f64, &'j Judged<'j, 'j>)> {
        self.by_locus
            .get(locus)?
            .iter()
            .filter(|one| one.series.role == SignalRole::Errors && one.series.unit == "1/s")
            .map(|one| {
                let excess =
                    if one.standing == Standing::AtBaseline { 0.0 } else { (one.value - one.baseline).max(0.0) };
                (excess, *one)
            })
            .reduce(|a, b| if b.0 > a.0 { b } else { a })
    }
}

/// The self-excess of every component that deviates and calls something whose own excess is known.
pub(crate) fn items(judged: &[Judged<'_, '_>], states: &States<'_>, silent: &Silent<'_>) -> Vec<Draft> {
    let mut by_locus: BTreeMap<&Locus, Vec<&Judged<'_, '_>>> = BTreeMap::new();
    for one in judged {
        by_locus.entry(one.series.on).or_default().push(one);
    }
    let flow = Flow { by_locus };
    let mut callees: BTreeMap<&Id, Vec<&Id>> = BTreeMap::new();
    for (from, to, _) in states.dependencies.keys() {
        let of = callees.entry(from).or_default();
        if of.last() != Some(to) {
            of.push(to);
        }
    }
    // A link that carries nothing, or whose times are read no more, is waited on for an unknown time.
    let mut unmeasured: BTreeSet<Locus> = silent.keys().map(|on| (*on).clone()).collect();
    unmeasured.extend(
        states
            .dependencies
            .values()
            .filter(|dependency| dependency.state == DependencyState::Down)
            .map(|dependency| Locus::Edge(dependency.from.clone(), dependency.to.clone())),
    );
    let mut items = Vec::new();
    for (id, called) in callees {
        let on = Locus::Component(id.clone());
        items.extend(latency(&flow, &on, id, &called, &unmeasured));
        items.extend(errors(&flow, &on, id, &called, &unmeasured));
    }
    items.sort_by(|a: &(f64, Draft), b| b.0.total_cmp(&a.0).then_with(|| a.1.on.cmp(&b.1.on)));
    items.into_iter().take(ITEMS_PER_KIND).map(|(_, item)| item).collect()
}

fn latency(flow: &Flow<'_>, on: &Locus, id: &Id, called: &[&Id], unmeasured: &BTreeSet<Locus>) -> Option<(f64, Draft)> {
    let (excess, signal) = flow.latency_excess(on)?;
    if !(signal.is_bad() && excess > 0.0) {
        return None;
    }
    // Where requests are not counted, one call a request is assumed, and the excess is that of one request.
    let counted = flow.requests(on).filter(|requests| *requests > 0.0);
    let requests = counted.unwrap_or(1.0);
    let mut of_callees = 0.0;
    let mut known = false;
    for callee in called {
        let edge = Locus::Edge(id.clone(), (*callee).clone());
        if unmeasured.contains(&edge) {
            // It may wait there for any time.
            return None;
        }
        let there = Locus::Component((*callee).clone());
        let Some((hop, _)) = flow.latency_excess(&edge).or_else(|| flow.latency_excess(&there)) else { continue };
        known = true;
        of_callees += hop * counted.and_then(|_| flow.requests(&edge)).unwrap_or(requests);
    }
    let (unit, what) = if counted.is_some() { ("s × 1/s", "latency × requests") } else { (PER_REQUEST, "latency") };
    known.then(|| draft(on, signal, excess * requests, of_callees, unit, what))
}

fn errors(flow: &Flow<'_>, on: &Locus, id: &Id, called: &[&Id], unmeasured: &BTreeSet<Locus>) -> Option<(f64, Draft)> {
    let (excess, signal) = flow.error_excess(on)?;
    if !(signal.is_bad() && excess > 0.0) {
        return None;
    }
    let mut of_callees = 0.0;
    let mut known = false;
    for callee in called {
        let edge = Locus::Edge(id.clone(), (*callee).clone());
        if unmeasured.contains(&edge) {
            // Who knows that nothing comes back stops asking and fails all the same.
            return None;
        }
        if let Some((hop, _)) = flow.error_excess(&edge) {
            known = true;
            of_callees += hop;
        }
    }
    known.then(|| draft(on, signal, excess, of_callees, "1/s", "errors"))
}

fn draft(on: &Locus, signal: &Judged<'_, '_>, total: f64, of_callees: f64, unit: &str, what: &str) -> (f64, Draft) {
    let own = (total - of_callees).max(0.0);
    let share = if total > 0.0 { own / total } else { 0.0 };
    let statement = format!(
        "of {on}'s excess of {} ({what}), {} is of what it calls and {} ({:.0}%) its own",
        quantity(total, unit),
        quantity(of_callees, unit),
        quantity(own, unit),
        share * 100.0,
    );
    let kind = EvidenceKind::SelfExcess {
        signal: signal.series.name.to_owned(),
        unit: unit.to_owned(),
        total,
        of_callees,
        own,
    };
    (own, Draft { at: signal.onset, on: on.clone(), statement, kind })
}
