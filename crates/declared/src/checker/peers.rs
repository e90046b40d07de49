//! A value that all peers must share: one that differs from what most of them say is a difference of that one.

use std::collections::BTreeMap;

use operator_protocols::{Discrepancy, DiscrepancyKind, Finding, Locus, Unavailable, Verdict};

use super::scene::{Scene, Verdicts};

/// The kind of entity that peers are said to differ about.
const SETTING: &str = "setting";

pub(super) fn judge(scene: &Scene<'_>, tolerance: f64) -> Verdicts {
    let readings = scene.readings();
    let held = most(&readings, tolerance);
    scene.each(|on, value| {
        let name = &scene.signal.name;
        let Some((held, agree)) = held else {
            let why = format!("no value is that of most of the {} peers", readings.len());
            return Verdict::Unknown(Unavailable::new(format!("{name} of {on}"), why));
        };
        let amount = (value - held).abs();
        if amount <= tolerance {
            return Verdict::Ok;
        }
        let peers = u32::try_from(readings.len()).unwrap_or(u32::MAX);
        let (is, most) = (scene.shown(value), scene.shown(held));
        let numbers = format!("{name} is {is}, {most} at {agree} of {} peers", readings.len());
        let discrepancy = Discrepancy {
            what: Locus::entity(scene.subject, SETTING, name),
            claimed_by: Some(on.clone()),
            held_by: scene.signal.place.group(scene.subject).unwrap_or(Locus::Nothing),
            kind: DiscrepancyKind::Differs,
            amount,
            of: held.abs(),
            agree: u32::try_from(agree).unwrap_or(u32::MAX),
            peers,
        };
        // What is measured is the difference: it may be beyond every number.
        if !amount.is_finite() {
            return Verdict::Unknown(Unavailable::new(format!("{name} of {on}"), "the difference is not finite"));
        }
        Verdict::Violated(Finding {
            discrepancies: vec![discrepancy],
            ..Finding::new(scene.message(&numbers), amount, tolerance)
        })
    })
}

/// The value that more than half of the peers share, and how many do; a single one is nobody's peer.
fn most(readings: &BTreeMap<Locus, f64>, tolerance: f64) -> Option<(f64, usize)> {
    let mut values: Vec<f64> = readings.values().copied().collect();
    values.sort_by(f64::total_cmp);
    // Where more than half agree, the middle one is among them.
    let middle = *values.get(values.len() / 2)?;
    let agree = values.iter().filter(|value| (**value - middle).abs() <= tolerance).count();
    (agree * 2 > values.len()).then_some((middle, agree))
}
