//! What every reading owes: a unit, a date, a place, and a meaning that does not change.

use std::collections::BTreeMap;

use super::report::Check;
use super::session::{Round, Session};
use crate::{Locus, Signal, SignalKind};

pub(super) fn checks(session: &Session) -> Vec<Check> {
    let nothing = session.rounds.iter().all(|round| round.now.signals.is_empty());
    let over = |name, obligation, look: fn(&Round, &Signal) -> Option<String>| {
        let readings = session.rounds.iter().flat_map(|round| round.now.signals.iter().map(move |s| (round, s)));
        let mut found: Vec<_> = readings.filter_map(|(round, signal)| look(round, signal)).collect();
        found.dedup();
        Check::new(name, obligation, found).unless(nothing, "no signal was seen")
    };
    vec![
        over("signals.listed", "a signal is about listed components, and read once an observation", listed),
        over("signals.units", "a signal has a name and a unit", |_, signal| {
            (signal.name.is_empty() || signal.unit.is_empty())
                .then(|| format!("{}: expected a name and a unit, given {:?}", label(signal), signal.unit))
        }),
        over("signals.finite", "a reading is a finite number; another is unavailable", |_, signal| {
            (!signal.value.is_finite()).then(|| format!("{} reads {}", label(signal), signal.value))
        }),
        over("signals.dated", "a reading is dated when it was true, and a count begins before it", dated),
        Check::new(
            "signals.constant",
            "a signal means the same in every observation, and a count falls only when it begins anew",
            constant(&session.rounds),
        )
        .unless(nothing, "no signal was seen"),
    ]
}

fn label(signal: &Signal) -> String {
    format!("{} of {}", signal.name, signal.on)
}

fn listed(round: &Round, signal: &Signal) -> Option<String> {
    if let Some(id) = signal.on.components().into_iter().find(|id| round.now.component(id).is_none()) {
        return Some(format!("{}: no component {id} is listed", label(signal)));
    }
    let same = |other: &&Signal| other.on == signal.on && other.name == signal.name;
    (round.now.signals.iter().filter(same).count() > 1).then(|| format!("{} is read twice", label(signal)))
}

fn dated(round: &Round, signal: &Signal) -> Option<String> {
    if signal.observed_at > round.latest {
        return Some(format!("{} is dated {}, which has not come yet", label(signal), signal.observed_at));
    }
    match signal.kind {
        SignalKind::Counter { since } if since > signal.observed_at => {
            Some(format!("{} counts since {since}, after its reading at {}", label(signal), signal.observed_at))
        }
        _ => None,
    }
}

fn constant(rounds: &[Round]) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen: BTreeMap<(&Locus, &str), &Signal> = BTreeMap::new();
    for signal in rounds.iter().flat_map(|round| &round.now.signals) {
        let Some(before) = seen.insert((&signal.on, &signal.name), signal) else { continue };
        let counts = |signal: &Signal| matches!(signal.kind, SignalKind::Counter { .. });
        let meaning = |signal: &Signal| (signal.unit.clone(), signal.role, signal.worse, counts(signal));
        if meaning(before) != meaning(signal) {
            found.push(format!("{} changed its unit, role, kind or direction", label(signal)));
        } else if counts(signal) && signal.kind == before.kind && signal.value < before.value {
            found.push(format!("{} fell from {} to {} in one count", label(signal), before.value, signal.value));
        }
        if signal.observed_at < before.observed_at {
            found.push(format!("{} is dated before its last reading", label(signal)));
        }
    }
    found
}
