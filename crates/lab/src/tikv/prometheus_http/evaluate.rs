//! What a question's answer is at an instant.
//!
//! As with a real Prometheus: a target that did not answer its last scrape has no series at that instant, while what is
//! computed over a window goes on until fewer than two samples are left in it; a Prometheus that scrapes no more goes on
//! with its last samples for five minutes.

use std::collections::{BTreeMap, VecDeque};

use operator_tikv::queries::By;

use super::super::sim::{OF_MEMBERS, OF_STORES, Sample, Simulator, timing};
use super::matching::{Asked, milliseconds};

/// One series at one instant.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    /// Its labels.
    pub(super) labels: BTreeMap<String, String>,
    /// Its value.
    pub(super) value: f64,
}

/// How samples become a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Whether the target answered.
    Up,
    /// The latest.
    Latest,
    /// The mean over a window; that of rates, and of quantiles over them.
    Mean(i64),
    /// By how much it grew over a window, for what counts up and begins anew with its process.
    Growth(i64),
    /// By how much it changed over a window.
    Change(i64),
    /// How many times the target was started within a window.
    Starts(i64),
}

/// Questions whose samples are counted from the start of the process on.
const COUNTED: [&str; 5] =
    ["etcd_leader_changes", "system_time_slow", "time_jump_back", "no_target_store", "critical_errors"];

/// The series that answer a question at an instant.
pub(super) fn evaluate(simulator: &Simulator, asked: &Asked<'_>, at: i64) -> Vec<Point> {
    let how = how(asked);
    let instance = asked.instance.unwrap_or("instance");
    let name = asked.query.name;
    let mut points = Vec::new();
    let empty = VecDeque::new();
    match asked.query.by {
        By::Store | By::StoreAnd(_) | By::StoreId(_) => {
            for (index, store) in simulator.stores.iter().enumerate().filter(|(_, store)| store.joined) {
                let samples = simulator.scrapes.stores.get(index).unwrap_or(&empty);
                let base = |label: Option<(&str, String)>| {
                    let mut labels = match asked.query.by {
                        By::StoreId(label) => BTreeMap::from([(label.to_owned(), store.id.to_string())]),
                        _ => BTreeMap::from([(instance.to_owned(), store.status_address.clone())]),
                    };
                    labels.extend(label.map(|(name, value)| (name.to_owned(), value)));
                    labels
                };
                if let ("unreachable", By::StoreAnd(label)) = (name, asked.query.by) {
                    for (other, value) in undelivered(samples, how, at) {
                        points.push(Point { labels: base(Some((label, other.to_string()))), value });
                    }
                    continue;
                }
                let label = match asked.query.by {
                    By::StoreAnd(label) => Some(label),
                    _ => None,
                };
                series(samples, OF_STORES, name, how, at, |value, further| {
                    points.push(Point { labels: base(label.zip(further)), value });
                });
            }
        }
        By::Member | By::Leader(_) => {
            let label = match asked.query.by {
                By::Leader(label) => Some(label),
                _ => None,
            };
            for (index, member) in simulator.members.iter().enumerate() {
                let samples = simulator.scrapes.members.get(index).unwrap_or(&empty);
                let target = member.url.trim_start_matches("http://");
                series(samples, OF_MEMBERS, name, how, at, |value, further| {
                    let mut labels = BTreeMap::from([(instance.to_owned(), target.to_owned())]);
                    labels.extend(label.zip(further).map(|(name, value)| (name.to_owned(), value)));
                    points.push(Point { labels, value });
                });
            }
        }
    }
    points
}

fn how(asked: &Asked<'_>) -> How {
    let expression = asked.query.expression;
    let window = asked.window.and_then(milliseconds).unwrap_or_else(|| {
        // A window that the catalogue fixes, `[10m]`.
        let fixed = expression.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
        fixed.and_then(|(window, _)| milliseconds(window)).unwrap_or(60_000)
    });
    if expression.starts_with("up{") {
        How::Up
    } else if expression.contains("changes(process_start_time") {
        How::Starts(window)
    } else if COUNTED.contains(&asked.query.name) {
        How::Growth(window)
    } else if expression.contains("delta(") {
        How::Change(window)
    } else if expression.contains("rate(") || expression.contains("increase(") {
        How::Mean(window)
    } else {
        How::Latest
    }
}

/// Every kept number of that name, with its further label.
fn series(
    samples: &VecDeque<Sample>,
    names: &[&str],
    name: &str,
    how: How,
    at: i64,
    mut found: impl FnMut(f64, Option<String>),
) {
    if how == How::Up || matches!(how, How::Starts(_)) {
        if let Some(value) = of_target(samples, how, at) {
            found(value, None);
        }
        return;
    }
    // By how much the leaders changed is told by how many there were.
    let name = if name == "leader_drop" { "raft_leaders" } else { name };
    for (slot, kept) in names.iter().enumerate() {
        let further = match kept.strip_prefix(name) {
            Some("") => None,
            Some(rest) if rest.starts_with('/') => Some(rest[1..].to_owned()),
            _ => continue,
        };
        if let Some(value) = of_slot(samples, slot, how, at) {
            found(value, further);
        }
    }
}

fn within(samples: &VecDeque<Sample>, at: i64, window: i64) -> impl Iterator<Item = &Sample> {
    samples.iter().filter(move |sample| at - window < sample.at && sample.at <= at)
}

fn of_target(samples: &VecDeque<Sample>, how: How, at: i64) -> Option<f64> {
    match how {
        How::Starts(window) => {
            let starts: Vec<u32> = within(samples, at, window).filter_map(|sample| sample.start).collect();
            let changes = starts.windows(2).filter(|pair| pair[0] != pair[1]).count();
            (!starts.is_empty()).then_some(changes as f64)
        }
        _ => within(samples, at, timing::LOOKBACK).last().map(|sample| f64::from(u8::from(sample.start.is_some()))),
    }
}

fn of_slot(samples: &VecDeque<Sample>, slot: usize, how: How, at: i64) -> Option<f64> {
    let value = |sample: &Sample| sample.values.get(slot).copied().map(f64::from).filter(|value| value.is_finite());
    match how {
        How::Latest => within(samples, at, timing::LOOKBACK).last().and_then(value),
        How::Mean(window) => {
            let values: Vec<f64> = within(samples, at, window).filter_map(value).collect();
            (values.len() >= 2).then(|| values.iter().sum::<f64>() / values.len() as f64)
        }
        How::Growth(window) => {
            let values: Vec<f64> = within(samples, at, window).filter_map(value).collect();
            // A counter that fell began anew.
            let grown: f64 =
                values.windows(2).map(|pair| if pair[1] >= pair[0] { pair[1] - pair[0] } else { pair[1] }).sum();
            (values.len() >= 2).then_some(grown)
        }
        How::Change(window) => {
            let values: Vec<f64> = within(samples, at, window).filter_map(value).collect();
            values.first().zip(values.last()).filter(|_| values.len() >= 2).map(|(first, last)| last - first)
        }
        How::Up | How::Starts(_) => of_target(samples, how, at),
    }
}

fn undelivered(samples: &VecDeque<Sample>, how: How, at: i64) -> BTreeMap<u64, f64> {
    let How::Mean(window) = how else { return BTreeMap::new() };
    let samples: Vec<&Sample> = within(samples, at, window).filter(|sample| sample.start.is_some()).collect();
    let mut sums = BTreeMap::new();
    if samples.len() >= 2 {
        for (other, value) in samples.iter().flat_map(|sample| &sample.unreachable) {
            *sums.entry(*other).or_insert(0.0) += f64::from(*value) / samples.len() as f64;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use operator_tikv::queries::ALL;

    use super::super::super::TikvConfig;
    use super::super::matching::asked;
    use super::*;
    use crate::environment::WorkloadSpec;

    fn after(minutes: i64, prepare: impl FnOnce(&mut Simulator)) -> Simulator {
        let mut simulator = Simulator::new(&TikvConfig::default(), 1_790_000_000_000);
        let load: WorkloadSpec = serde_json::from_str(r#"{"rate": 40000}"#).expect("a load");
        simulator.start_load(&load);
        prepare(&mut simulator);
        simulator.advance_to(simulator.now + minutes * 60_000);
        simulator
    }

    fn answer(simulator: &Simulator, name: &str) -> Vec<Point> {
        let query = operator_tikv::queries::find(name).expect("a question");
        let rendered = query.render("1m", "job=\"tikv\"", "job=\"pd\"", "instance");
        evaluate(simulator, &asked(&rendered).expect("recognised"), simulator.now)
    }

    #[test]
    fn every_question_of_the_catalogue_has_an_answer_in_a_healthy_cluster() {
        let simulator = after(5, |_| {});
        for query in ALL {
            let points = answer(&simulator, query.name);
            let count = match query.by {
                By::Store | By::StoreId(_) => Some(5),
                By::Member if query.name != "tso_p99" => Some(3),
                _ => None,
            };
            assert!(count.is_none_or(|count| count == points.len()), "{}: {points:?}", query.name);
            assert!(!points.is_empty() || query.absent_is_zero, "{}", query.name);
        }
    }

    #[test]
    fn a_dead_target_has_no_series_but_is_known_not_to_answer() {
        let simulator = after(5, |simulator| simulator.stores[3].process.end("killed"));
        let up: Vec<f64> = answer(&simulator, "store_scraped").iter().map(|point| point.value).collect();
        assert_eq!(up, [1.0, 1.0, 1.0, 0.0, 1.0]);
        for name in ["raft_leaders", "append_log_p99", "slow_score"] {
            assert_eq!(answer(&simulator, name).len(), 4, "{name}");
        }
        let complaints = answer(&simulator, "unreachable");
        assert_eq!(complaints.len(), 4);
        assert!(complaints.iter().all(|point| point.labels["store_id"] == "4" && point.value > 10.0));
    }
}
