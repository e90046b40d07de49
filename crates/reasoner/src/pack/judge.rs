//! Each signal held against its own healthy past, or against its peers where it has none.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{Locus, SignalRole, Timestamp, Worse};

use super::peers::Groups;
use super::robust::{self, Baseline};
use super::series::Series;
use super::window::Window;
use crate::methods::{Method, Methods};
use crate::parameters::{
    AT_BASELINE, BASELINE_SAMPLES, CHANGE_REACH, DEVIATES, FLOOR_RELATIVE, LATEST_SAMPLES, LEAST_EFFECT, ONSET_GUARD,
    PEERS_FOR_BASELINE, SURGE_FACTOR,
};

/// What a signal is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Against {
    /// Its own healthy past.
    Past,
    /// What its peers read now, for want of a past.
    Peers,
}

/// How a signal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Deviates,
    AtBaseline,
    Between,
}

/// A signal, judged.
#[derive(Debug)]
pub(crate) struct Judged<'s, 'a> {
    pub series: &'s Series<'a>,
    pub against: Against,
    pub baseline: f64,
    pub value: f64,
    /// One robust deviation, in the direction of the value.
    pub scale: f64,
    /// In robust deviations; positive is the bad direction, upwards where neither is.
    pub deviation: f64,
    pub standing: Standing,
    /// Since when it stands so.
    pub onset: Timestamp,
}

impl Judged<'_, '_> {
    /// Whether it deviates in a direction that is bad, or in any where neither is.
    pub fn is_bad(&self) -> bool {
        self.standing == Standing::Deviates && (self.deviation > 0.0 || self.series.worse == Worse::Neither)
    }
}

/// Judges every signal that was read since the trouble began.
pub(crate) fn judge<'s, 'a>(
    series: &'s [Series<'a>],
    groups: &Groups<'_>,
    window: &Window,
    methods: Methods,
) -> Vec<Judged<'s, 'a>> {
    let tails = methods.use_of(Method::TailDeviation);
    let least = |one: &Series<'_>| {
        if methods.use_of(Method::NoiseFloor) { (one.floor, relative(one.role)) } else { (0.0, 0.0) }
    };
    let mut scratch = Vec::new();
    let mut judged = Vec::new();
    let mut without_past: BTreeMap<(usize, &str), Vec<(usize, f64)>> = BTreeMap::new();
    for (index, one) in series.iter().enumerate() {
        let since = one.since(window.start);
        if since.is_empty() {
            continue;
        }
        scratch.clear();
        one.before(window.healthy_until, usize::MAX, &mut scratch);
        if scratch.len() < BASELINE_SAMPLES {
            if let (Some(group), Some(value)) = (groups.of(one.on), latest(&since)) {
                without_past.entry((group, one.name)).or_default().push((index, value));
            }
            continue;
        }
        if let Some(mut baseline) = Baseline::of(&mut scratch, least(one), tails) {
            if let Some(mut before) = before_a_surge(one, baseline.median, &since, window) {
                baseline = Baseline::of(&mut before, least(one), tails).unwrap_or(baseline);
                scratch = before;
            }
            if since.len() == 1 && tails {
                // A single reading must be further off than any spike of the past.
                baseline.widen_to(&scratch);
            }
            judged.push(against(one, Against::Past, &baseline, value_since(&since, &baseline), window));
        }
    }
    for peers in without_past.into_values().filter(|peers| peers.len() >= PEERS_FOR_BASELINE) {
        for &(index, value) in &peers {
            scratch.clear();
            scratch.extend(peers.iter().filter(|(other, _)| *other != index).map(|(_, value)| *value));
            if let Some(baseline) = Baseline::of(&mut scratch, least(&series[index]), tails) {
                judged.push(against(&series[index], Against::Peers, &baseline, value, window));
            }
        }
    }
    judged.sort_by(|a, b| (a.series.on, a.series.name).cmp(&(b.series.on, b.series.name)));
    judged
}

/// The floor of the scale in parts of the median. Of what should always be there, little missing is much.
fn relative(role: SignalRole) -> f64 {
    if role == SignalRole::Availability { 0.0 } else { FLOOR_RELATIVE }
}

/// The healthy readings from before a surge that began in the healthy past and lasts, if there is one. What is asked is
/// the cause and not the trouble: the trouble shows when something has filled up, and by then the surge looks usual.
fn before_a_surge(one: &Series<'_>, middle: f64, since: &[(Timestamp, f64)], window: &Window) -> Option<Vec<f64>> {
    let risen = |value: f64| middle > 0.0 && value >= SURGE_FACTOR * middle;
    if one.role != SignalRole::Traffic || !latest(since).is_some_and(risen) {
        return None;
    }
    let mut healthy = Vec::new();
    one.before(window.healthy_until, usize::MAX, &mut healthy);
    let run = healthy.iter().rev().take_while(|value| risen(**value)).count();
    // What has been so for long is usual.
    let reach = one.since(window.healthy_until.minus(CHANGE_REACH));
    let within = reach.iter().take_while(|(at, _)| *at < window.healthy_until).count();
    healthy.truncate(healthy.len().saturating_sub(run));
    ((LATEST_SAMPLES..=within).contains(&run) && healthy.len() >= BASELINE_SAMPLES).then_some(healthy)
}

/// The median of the latest few readings.
pub(crate) fn latest(since: &[(Timestamp, f64)]) -> Option<f64> {
    let values: Vec<f64> = since.iter().rev().take(LATEST_SAMPLES).map(|(_, value)| *value).collect();
    robust::median(&values)
}

/// The value since the trouble began: of the latest readings or of all, whichever is further off. What lasted a while
/// and is over still bears on a violation that is open. Of two readings the nearer one counts: one spike is no change.
fn value_since(since: &[(Timestamp, f64)], baseline: &Baseline) -> f64 {
    let off = |value: &f64| baseline.deviation(*value).abs();
    if let [(_, one), (_, other)] = since {
        return if off(one) <= off(other) { *one } else { *other };
    }
    let late = latest(since).unwrap_or(baseline.median);
    let mut values: Vec<f64> = since.iter().map(|(_, value)| *value).collect();
    let all = robust::quantile(&mut values, 0.5).unwrap_or(late);
    if off(&all) > off(&late) { all } else { late }
}

fn against<'s, 'a>(
    series: &'s Series<'a>,
    against: Against,
    baseline: &Baseline,
    value: f64,
    window: &Window,
) -> Judged<'s, 'a> {
    let raw = baseline.deviation(value);
    let deviation = if series.worse == Worse::Lower { -raw } else { raw };
    // A part that is missing from what should always be there matters however small it is of the whole.
    let enough = series.role == SignalRole::Availability
        || (value - baseline.median).abs() >= LEAST_EFFECT * baseline.median.abs();
    let standing = if raw.abs() >= DEVIATES && enough {
        Standing::Deviates
    } else if raw.abs() <= AT_BASELINE || !enough {
        Standing::AtBaseline
    } else {
        Standing::Between
    };
    let onset = match (standing, against) {
        (Standing::Deviates, Against::Past) => onset(series, baseline, raw.is_sign_positive(), window),
        _ => window.start,
    };
    Judged {
        series,
        against,
        baseline: baseline.median,
        value,
        scale: baseline.scale(value),
        deviation,
        standing,
        onset,
    }
}

/// The first of the readings that deviate in that direction one after the other, from shortly before the first sure
/// sign on: a single spike before it is no beginning.
fn onset(series: &Series<'_>, baseline: &Baseline, upwards: bool, window: &Window) -> Timestamp {
    let from = window.start.minus(ONSET_GUARD).max(window.healthy_until);
    let readings = series.since(from);
    let off = |&(_, value): &(Timestamp, f64)| {
        let deviation = baseline.deviation(value);
        deviation.abs() >= DEVIATES && deviation.is_sign_positive() == upwards
    };
    let lasting = readings.windows(2).find(|pair| pair.iter().all(off)).map(|pair| pair[0].0);
    lasting.or_else(|| readings.iter().rev().find(|reading| off(reading)).map(|(at, _)| *at)).unwrap_or(window.start)
}

/// Whether there was a past to fall silent after.
fn enough_before(one: &Series<'_>, window: &Window, scratch: &mut Vec<f64>) -> bool {
    scratch.clear();
    one.before(window.healthy_until, BASELINE_SAMPLES, scratch);
    scratch.len() == BASELINE_SAMPLES
}

/// What fell silent at one locus.
#[derive(Debug)]
pub(crate) struct Silence<'a> {
    /// How many signals.
    pub signals: u32,
    /// The first of them by name.
    pub sample: &'a str,
    /// When one was read last.
    pub last: Timestamp,
    /// Whether nothing else is read there either.
    pub whole: bool,
}

/// What fell silent, by locus.
pub(crate) type Silent<'a> = BTreeMap<&'a Locus, Silence<'a>>;

/// The loci at which a signal was read before and has had no reading since the trouble began.
pub(crate) fn silent<'a>(series: &[Series<'a>], window: &Window) -> Silent<'a> {
    let mut silent: Silent<'_> = BTreeMap::new();
    let mut heard = BTreeSet::new();
    let mut scratch = Vec::new();
    let fresh = window.now.minus(window.interval * 3);
    for one in series.iter().filter(|one| matches!(one.on, Locus::Component(_) | Locus::Edge(..))) {
        let Some(last) = one.last_at() else { continue };
        if last >= fresh {
            heard.insert(one.on);
        } else if enough_before(one, window, &mut scratch) {
            let entry = silent.entry(one.on).or_insert(Silence { signals: 0, sample: one.name, last, whole: true });
            entry.signals = entry.signals.saturating_add(1);
            entry.last = entry.last.max(last);
        }
    }
    for (on, silence) in &mut silent {
        silence.whole = !heard.contains(on);
    }
    silent
}
