//! `[[invariant]]`: what must hold of a signal.

use std::time::Duration;

use operator_protocols::Severity;

use super::keys::Keys;
use super::{FileError, Place, Signal, nearest, once};
use crate::checker::UP;
use crate::limits;

/// An invariant.
#[derive(Debug, Clone)]
pub(crate) struct Invariant {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) signal: String,
    pub(crate) limit: Limit,
    pub(crate) severity: Severity,
    pub(crate) grace: Duration,
    pub(crate) clear_after: Option<Duration>,
    pub(crate) minimum_traffic: Option<MinimumTraffic>,
    /// What to tell a person, before the numbers.
    pub(crate) message: Option<String>,
}

/// What a reading is held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Limit {
    /// Violated above `limit`; ok again at `clear` or below.
    Above { limit: f64, clear: f64 },
    /// Violated below `limit`; ok again at `clear` or above.
    Below { limit: f64, clear: f64 },
    /// Violated while it is not what it was so long ago.
    Unchanged(Duration),
    /// Violated while it differs by more than this from what most peers say.
    Peers { tolerance: f64 },
}

/// The traffic below which a reading means nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MinimumTraffic {
    pub(crate) signal: String,
    pub(crate) at_least: f64,
}

pub(super) const KEYS: [&str; 13] = [
    "name",
    "description",
    "signal",
    "above",
    "below",
    "clear",
    "unchanged_for",
    "peers_within",
    "severity",
    "grace",
    "clear_after",
    "minimum_traffic",
    "message",
];

pub(super) fn read(file: &Keys<'_>, signals: &[Signal]) -> Result<Vec<Invariant>, FileError> {
    let tables = file.tables("invariant", limits::INVARIANTS, &KEYS)?;
    let invariants = tables.iter().map(|keys| one(keys, signals)).collect::<Result<Vec<_>, _>>()?;
    once(file, "invariant", invariants.iter().map(|invariant| invariant.name.clone()))?;
    Ok(invariants)
}

fn one(keys: &Keys<'_>, signals: &[Signal]) -> Result<Invariant, FileError> {
    let name = keys.snake_case("name")?;
    if name == UP || name == "monitoring_gap" {
        return Err(keys.error("name", format!("{name} is built in")));
    }
    let signal = named(keys, "signal", signals)?;
    let limit = limit(keys, signal)?;
    let text = |key| -> Result<Option<String>, FileError> {
        match keys.text(key)? {
            Some(text) if text.chars().any(char::is_control) => Err(keys.error(key, "expected one line of text")),
            text => Ok(text.map(str::to_owned)),
        }
    };
    let minimum_traffic = match keys.table("minimum_traffic", &["signal", "at_least"])? {
        None => None,
        Some(traffic) => {
            let of = named(&traffic, "signal", signals)?;
            let one = matches!(of.place, Place::Component(_) | Place::Edge(..) | Place::Entity(..));
            if of.place != signal.place && !one {
                let why = format!(
                    "{} is on {}, the signal on {}: expected the same, or one place",
                    of.name, of.place, signal.place
                );
                return Err(traffic.error("signal", why));
            }
            let at_least = traffic.number("at_least")?.ok_or_else(|| traffic.missing("at_least", "a number"))?;
            Some(MinimumTraffic { signal: of.name.clone(), at_least })
        }
    };
    Ok(Invariant {
        name: name.to_owned(),
        description: text("description")?.unwrap_or_else(|| describe(signal, &limit)),
        signal: signal.name.clone(),
        limit,
        severity: keys.severity("severity")?.unwrap_or(Severity::Warning),
        grace: keys.duration("grace", Duration::ZERO, limits::LONGEST)?.unwrap_or(Duration::ZERO),
        clear_after: keys.duration("clear_after", Duration::ZERO, limits::LONGEST)?,
        minimum_traffic,
        message: text("message")?,
    })
}

fn named<'s>(keys: &Keys<'_>, key: &str, signals: &'s [Signal]) -> Result<&'s Signal, FileError> {
    let name = keys.text(key)?.ok_or_else(|| keys.missing(key, "the name of a signal"))?;
    signals.iter().find(|signal| signal.name == name).ok_or_else(|| {
        let names: Vec<_> = signals.iter().map(|signal| signal.name.as_str()).collect();
        keys.error(key, format!("there is no signal {name:?}; {}", nearest(name, &names)))
    })
}

fn limit(keys: &Keys<'_>, signal: &Signal) -> Result<Limit, FileError> {
    let clear = keys.number("clear")?;
    let what = keys.one_of(&["above", "below", "unchanged_for", "peers_within"])?;
    if clear.is_some() && !matches!(what, "above" | "below") {
        return Err(keys.error("clear", "belongs to above or below"));
    }
    match what {
        "above" | "below" => {
            let limit = keys.number(what)?.unwrap_or_default();
            let clear = clear.unwrap_or(limit);
            if what == "above" && clear > limit || what == "below" && clear < limit {
                let side = if what == "above" { "at most" } else { "at least" };
                return Err(keys.error("clear", format!("expected {side} {limit}, given {clear}")));
            }
            Ok(if what == "above" { Limit::Above { limit, clear } } else { Limit::Below { limit, clear } })
        }
        "unchanged_for" => {
            let second = Duration::from_secs(1);
            let longest = limits::LONGEST_UNCHANGED;
            Ok(Limit::Unchanged(keys.duration(what, second, longest)?.unwrap_or(longest)))
        }
        _ => {
            if !matches!(signal.place, Place::Kind(_) | Place::Entities(_)) {
                return Err(
                    keys.error(what, format!("{} has no peers; peers are kind:KIND or entity:KIND", signal.place))
                );
            }
            let tolerance = keys.number(what)?.unwrap_or_default();
            if tolerance < 0.0 {
                return Err(keys.error(what, "expected 0 or more"));
            }
            Ok(Limit::Peers { tolerance })
        }
    }
}

fn describe(signal: &Signal, limit: &Limit) -> String {
    let (name, unit) = (&signal.name, if signal.unit == "1" { String::new() } else { format!(" {}", signal.unit) });
    match limit {
        Limit::Above { limit, .. } => format!("{name} is at most {limit}{unit}"),
        Limit::Below { limit, .. } => format!("{name} is at least {limit}{unit}"),
        Limit::Unchanged(time) => format!("{name} is what it was {time:?} ago"),
        Limit::Peers { tolerance } if *tolerance == 0.0 => format!("{name} is the same at all peers"),
        Limit::Peers { tolerance } => format!("{name} is the same at all peers, within {tolerance}{unit}"),
    }
}
