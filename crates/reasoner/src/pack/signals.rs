//! What the judged signals say: which left their baseline, which are close to full, which fell silent.

use operator_protocols::{SignalRole, Worse};

use super::Draft;
use super::judge::{Against, Judged, Silence, Silent, Standing, latest};
use super::robust::full;
use super::series::Series;
use super::window::Window;
use crate::EvidenceKind;
use crate::parameters::{ITEMS_PER_KIND, NEARLY_FULL};
use crate::text::{bounded, quantity};

/// The signals that deviate where it is bad, or where it tells something (traffic), those that deviate most first.
pub(crate) fn deviations(judged: &[Judged<'_, '_>]) -> Vec<Draft> {
    let mut deviating: Vec<&Judged<'_, '_>> = judged.iter().filter(|one| one.is_bad()).collect();
    // What deviates where neither direction is bad tells less.
    let rank = |one: &Judged<'_, '_>| (one.series.worse == Worse::Neither, -one.deviation.abs());
    deviating.sort_by(|a, b| {
        let ((neither_a, by_a), (neither_b, by_b)) = (rank(a), rank(b));
        neither_a
            .cmp(&neither_b)
            .then(by_a.total_cmp(&by_b))
            .then_with(|| (a.series.on, a.series.name).cmp(&(b.series.on, b.series.name)))
    });
    deviating
        .into_iter()
        .take(ITEMS_PER_KIND)
        .map(|one| {
            let series = one.series;
            let reference = match one.against {
                Against::Past => "baseline",
                Against::Peers => "its peers'",
            };
            Draft {
                at: one.onset,
                on: series.on.clone(),
                statement: format!(
                    "{} of {} is {}, {reference} {} ({:+.1} robust deviations)",
                    bounded(series.name, 80),
                    series.on,
                    quantity(one.value, &series.unit),
                    quantity(one.baseline, &series.unit),
                    one.deviation,
                ),
                kind: EvidenceKind::Deviation {
                    signal: series.name.to_owned(),
                    role: series.role,
                    unit: series.unit.clone().into_owned(),
                    worse: series.worse,
                    baseline: one.baseline,
                    value: one.value,
                    deviation: one.deviation,
                },
            }
        })
        .collect()
}

/// Levels that are close to full, whether they were so before or not, fullest first. A part of a whole needs no past to be
/// held against: a limit that was set just now can be reached at once.
pub(crate) fn saturated(judged: &[Judged<'_, '_>], series: &[Series<'_>], window: &Window) -> Vec<Draft> {
    let mut close: Vec<(f64, Draft)> = series
        .iter()
        .filter(|one| one.role == SignalRole::Saturation && one.worse != Worse::Lower)
        .filter_map(|one| {
            let full = full(&one.unit)?;
            let place = judged.binary_search_by(|known| (known.series.on, known.series.name).cmp(&(one.on, one.name)));
            let known = place.ok().and_then(|index| judged.get(index));
            let value = match known {
                Some(known) => known.value,
                None => latest(&one.since(window.start))?,
            };
            let at = match known {
                Some(known) if known.standing == Standing::Deviates && known.deviation > 0.0 => known.onset,
                _ => one.first_at().unwrap_or(window.start),
            };
            let draft = || Draft {
                at,
                on: one.on.clone(),
                statement: format!(
                    "{} of {} is {} of {}: nearly full",
                    bounded(one.name, 80),
                    one.on,
                    quantity(value, &one.unit),
                    quantity(full, &one.unit),
                ),
                kind: EvidenceKind::Saturated {
                    signal: one.name.to_owned(),
                    unit: one.unit.clone().into_owned(),
                    value,
                    full,
                },
            };
            (value / full >= NEARLY_FULL).then(|| (value / full, draft()))
        })
        .collect();
    close.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.on.cmp(&b.1.on)));
    close.into_iter().take(ITEMS_PER_KIND).map(|(_, draft)| draft).collect()
}

/// The loci of which nothing is read any more.
pub(crate) fn silent(silent: &Silent<'_>) -> Vec<Draft> {
    silent
        .iter()
        .filter(|(_, silence)| silence.whole)
        .take(ITEMS_PER_KIND)
        .map(|(on, silence)| {
            let Silence { signals, sample, last, .. } = silence;
            let (s, more) = if *signals == 1 { ("", "") } else { ("s", ", …") };
            Draft {
                at: *last,
                on: (*on).clone(),
                statement: format!("{signals} signal{s} of {on} ({}{more}) had no reading since", bounded(sample, 80)),
                kind: EvidenceKind::Silent { signals: *signals, sample: (*sample).to_owned() },
            }
        })
        .collect()
}
