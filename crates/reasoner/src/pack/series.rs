//! The signals of a history as series, indexed once: one pass over the observations, however many signals there are.

use std::borrow::Cow;
use std::collections::BTreeMap;

use operator_protocols::{History, Locus, SignalKind, SignalRole, Timestamp, Worse};

use super::robust;
use crate::SignalTable;

/// Readings are cut off here, so that no difference or product of two of them is infinite.
const EXTREME: f64 = 1e150;

/// The readings of one signal: (when it was true, value), oldest first. A counter is given as its rate per second.
#[derive(Debug)]
pub(crate) struct Series<'a> {
    pub on: &'a Locus,
    pub name: &'a str,
    pub role: SignalRole,
    pub unit: Cow<'a, str>,
    pub worse: Worse,
    samples: Samples<'a>,
    /// The least scale its deviations are measured in.
    pub floor: f64,
}

/// Where the readings are.
#[derive(Debug)]
enum Samples<'a> {
    /// Gathered from observations.
    Gathered(Vec<(Timestamp, f64)>),
    /// In a column of a table: read where they are, so that nothing is copied but what is looked at.
    Column { times: &'a [Timestamp], values: &'a [f32] },
}

impl Series<'_> {
    /// When it was first read.
    pub fn first_at(&self) -> Option<Timestamp> {
        match &self.samples {
            Samples::Gathered(samples) => samples.first().map(|(at, _)| *at),
            Samples::Column { times, values } => read(times, values).next().map(|(at, _)| at),
        }
    }

    /// When it was last read.
    pub fn last_at(&self) -> Option<Timestamp> {
        match &self.samples {
            Samples::Gathered(samples) => samples.last().map(|(at, _)| *at),
            Samples::Column { times, values } => read(times, values).next_back().map(|(at, _)| at),
        }
    }

    /// Adds the values before `until` to `into`, at most `most` of them.
    pub fn before(&self, until: Timestamp, most: usize, into: &mut Vec<f64>) {
        match &self.samples {
            Samples::Gathered(samples) => {
                into.extend(samples.iter().take_while(|(at, _)| *at < until).map(|(_, value)| *value).take(most));
            }
            Samples::Column { times, values } => {
                let end = times.partition_point(|at| *at < until).min(values.len());
                into.extend(values[..end].iter().filter(|value| value.is_finite()).map(|v| f64::from(*v)).take(most));
            }
        }
    }

    /// The readings at or after `from`.
    pub fn since(&self, from: Timestamp) -> Cow<'_, [(Timestamp, f64)]> {
        match &self.samples {
            Samples::Gathered(samples) => Cow::Borrowed(&samples[samples.partition_point(|(at, _)| *at < from)..]),
            Samples::Column { times, values } => {
                let start = times.partition_point(|at| *at < from).min(values.len());
                Cow::Owned(read(&times[start..], &values[start..]).collect())
            }
        }
    }
}

/// The readings of a column that are there.
fn read<'a>(times: &'a [Timestamp], values: &'a [f32]) -> impl DoubleEndedIterator<Item = (Timestamp, f64)> + 'a {
    let readings = times.iter().zip(values).filter(|(_, value)| value.is_finite());
    readings.map(|(at, value)| (*at, f64::from(*value)))
}

/// Every signal of the history and of the table, in the order of (locus, name). Where both know a signal, the history's
/// readings count: they are newer.
pub(crate) fn collect_all<'a>(history: &'a History, table: Option<&'a SignalTable>) -> Vec<Series<'a>> {
    let mut series = collect(history);
    let Some(table) = table else { return series };
    let gathered = series.len();
    for (column, values) in table.columns() {
        let known = |one: &Series<'_>| (one.on, one.name).cmp(&(&column.on, column.name.as_str()));
        if series[..gathered].binary_search_by(known).is_ok() {
            continue;
        }
        series.push(Series {
            on: &column.on,
            name: &column.name,
            role: column.role,
            unit: Cow::Borrowed(&column.unit),
            worse: column.worse,
            samples: Samples::Column { times: table.times(), values },
            floor: robust::floor(column.role, &column.unit),
        });
    }
    series.sort_by(|a, b| (a.on, a.name).cmp(&(b.on, b.name)));
    series
}

struct Raw<'a> {
    on: &'a Locus,
    name: &'a str,
    role: SignalRole,
    unit: &'a str,
    worse: Worse,
    counter: bool,
    /// (when, value, since when the counter counts)
    readings: Vec<(i64, f64, i64)>,
}

/// Every signal of the history, in the order of (locus, name).
pub(crate) fn collect(history: &History) -> Vec<Series<'_>> {
    let mut raw: Vec<Raw<'_>> = Vec::new();
    let mut by_key: BTreeMap<(&Locus, &str), usize> = BTreeMap::new();
    // Observations list their signals in the same order most of the time: what stood at this place last time is
    // tried before the map.
    let mut places: Vec<usize> = Vec::new();
    for observation in history.iter() {
        for (place, signal) in observation.signals.iter().enumerate() {
            if !signal.value.is_finite() {
                continue;
            }
            let expected = places.get(place).copied();
            let slot = match expected {
                Some(slot) if raw[slot].name == signal.name && raw[slot].on == &signal.on => slot,
                _ => *by_key.entry((&signal.on, &signal.name)).or_insert_with(|| {
                    raw.push(Raw {
                        on: &signal.on,
                        name: &signal.name,
                        role: signal.role,
                        unit: &signal.unit,
                        worse: signal.worse,
                        counter: matches!(signal.kind, SignalKind::Counter { .. }),
                        readings: Vec::new(),
                    });
                    raw.len() - 1
                }),
            };
            if place < places.len() {
                places[place] = slot;
            } else if place == places.len() {
                places.push(slot);
            }
            let since = match signal.kind {
                SignalKind::Counter { since } => since.as_millis(),
                SignalKind::Gauge => i64::MIN,
            };
            // A reading cannot be of the future of the observation that carries it.
            let at = signal.observed_at.min(observation.at).as_millis();
            raw[slot].readings.push((at, signal.value.clamp(-EXTREME, EXTREME), since));
        }
    }
    by_key.into_values().map(|slot| finish(&mut raw[slot])).collect()
}

/// Puts the readings in order, drops repeated ones (stale is not fresh), and turns a counter into its rate.
fn finish<'a>(raw: &mut Raw<'a>) -> Series<'a> {
    let mut readings = std::mem::take(&mut raw.readings);
    let order = |a: &(i64, f64, i64), b: &(i64, f64, i64)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2));
    if !readings.is_sorted_by(|a, b| order(a, b).is_le()) {
        readings.sort_by(order);
    }
    // Of several readings at one instant the greatest counts, whatever order they came in.
    readings.reverse();
    readings.dedup_by_key(|reading| reading.0);
    readings.reverse();
    let (samples, unit, per_second): (Vec<_>, _, _) = if raw.counter {
        let rates = rates(&readings);
        let interval = median_interval(&readings);
        let noise = rates_noise(&rates, interval);
        (rates, Cow::Owned(per_second_of(raw.unit)), noise)
    } else {
        (
            readings.iter().map(|(at, value, _)| (Timestamp::from_millis(*at), *value)).collect(),
            Cow::Borrowed(raw.unit),
            None,
        )
    };
    let floor = if raw.counter { per_second.unwrap_or(0.0) } else { robust::floor(raw.role, raw.unit) };
    Series {
        on: raw.on,
        name: raw.name,
        role: raw.role,
        unit,
        worse: raw.worse,
        samples: Samples::Gathered(samples),
        floor,
    }
}

fn per_second_of(unit: &str) -> String {
    match unit {
        "" | "1" => "1/s".to_owned(),
        unit => format!("{unit}/s"),
    }
}

/// What a counter gained per second between readings. A new count begins at its `since`; what cannot be told apart from
/// a lost count is left out.
fn rates(readings: &[(i64, f64, i64)]) -> Vec<(Timestamp, f64)> {
    let mut out = Vec::with_capacity(readings.len());
    for pair in readings.windows(2) {
        let ((from, before, since_before), (at, value, since)) = (pair[0], pair[1]);
        let (gained, began) = if since == since_before {
            (value - before, from)
        } else if since > from && since < at {
            (value, since)
        } else {
            continue;
        };
        let elapsed = at.saturating_sub(began) as f64 / 1000.0;
        if gained >= 0.0 && elapsed > 0.0 {
            out.push((Timestamp::from_millis(at), gained / elapsed));
        }
    }
    out
}

fn median_interval(readings: &[(i64, f64, i64)]) -> Option<f64> {
    let mut gaps: Vec<f64> = readings.windows(2).map(|pair| pair[1].0.saturating_sub(pair[0].0) as f64 / 1e3).collect();
    robust::quantile(&mut gaps, 0.5)
}

/// The counting noise of a rate: the root of the usual count in an interval, at least one count.
fn rates_noise(rates: &[(Timestamp, f64)], interval: Option<f64>) -> Option<f64> {
    let interval = interval.filter(|interval| *interval > 0.0)?;
    let mut values: Vec<f64> = rates.iter().map(|(_, rate)| *rate).collect();
    let usual = robust::quantile(&mut values, 0.5).unwrap_or(0.0);
    Some((usual * interval).sqrt().max(1.0) / interval)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use operator_protocols::{Observation, Signal};

    use super::*;

    fn history(readings: &[(i64, f64, Option<i64>)]) -> History {
        let mut history = History::new();
        for &(second, value, since) in readings {
            let at = Timestamp::from_millis(second * 1000);
            let mut observation = Observation::new(at);
            observation.signals.push(Signal {
                on: Locus::component("s", "api-1"),
                name: "requests".into(),
                role: SignalRole::Traffic,
                value,
                unit: "1".into(),
                observed_at: at,
                kind: since.map_or(SignalKind::Gauge, |since| SignalKind::Counter {
                    since: Timestamp::from_millis(since * 1000),
                }),
                worse: Worse::Neither,
            });
            history.push(Arc::new(observation), Duration::from_secs(3600));
        }
        history
    }

    fn values(history: &History) -> Vec<f64> {
        collect(history)[0].since(Timestamp::from_millis(i64::MIN)).iter().map(|(_, value)| *value).collect()
    }

    #[test]
    fn a_counter_becomes_its_rate() {
        let history = history(&[(0, 100.0, Some(-9)), (5, 150.0, Some(-9)), (10, 150.0, Some(-9))]);
        assert_eq!(values(&history), [10.0, 0.0]);
        assert_eq!(collect(&history)[0].unit, "1/s");
    }

    #[test]
    fn a_new_count_is_rated_from_its_own_beginning() {
        let history = history(&[(0, 1000.0, Some(-9)), (10, 30.0, Some(7)), (15, 80.0, Some(7))]);
        assert_eq!(values(&history), [10.0, 10.0]);
    }

    #[test]
    fn a_count_that_fell_without_a_new_beginning_is_left_out() {
        let history = history(&[(0, 1000.0, Some(-9)), (5, 3.0, Some(-9)), (10, 53.0, Some(-9))]);
        assert_eq!(values(&history), [10.0]);
    }

    #[test]
    fn a_reading_that_is_repeated_is_one_reading() {
        let mut history = history(&[(0, 1.0, None), (5, 2.0, None)]);
        let stale = history.last().map(|last| last.signals.clone()).unwrap_or_default();
        let mut observation = Observation::new(Timestamp::from_millis(10_000));
        observation.signals = stale;
        history.push(Arc::new(observation), Duration::from_secs(3600));
        assert_eq!(values(&history), [1.0, 2.0]);
    }
}
