//! How numbers move, remembered from one observation to the next.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use operator_protocols::Timestamp;

use crate::details::{Details, DriftDetail, Moved, StoreState};

/// How far back a rate of change looks.
const OVER: Duration = Duration::from_secs(600);
/// Points of a number that are kept, so far apart.
const APART: Duration = Duration::from_secs(15);
/// More numbers are not followed.
const MAX_NUMBERS: usize = 5_000;

/// The numbers that are followed.
#[derive(Debug, Default)]
pub(super) struct Drift {
    numbers: BTreeMap<String, Number>,
}

#[derive(Debug)]
struct Number {
    /// The least since it last rose by more than a tenth, and when it last got less than that.
    least: f64,
    least_since: Timestamp,
    /// When it was last zero, or first seen.
    zero_until: Timestamp,
    points: VecDeque<(Timestamp, f64)>,
    seen: Timestamp,
}

impl Drift {
    /// Follows what is known now, and tells how it moved. A number that is not known now is not told, and not forgotten.
    pub(super) fn follow(&mut self, details: &Details, at: Timestamp) -> DriftDetail {
        let mut moved = BTreeMap::new();
        let abnormal = details.cluster.abnormal.iter().map(|(word, count)| (word.clone(), *count as f64));
        for (name, value) in abnormal.chain(of_stores(details)) {
            if let Some(number) = self.number(&name, value, at) {
                moved.insert(name, number.follow(value, at));
            }
        }
        let horizon = at.minus(2 * OVER);
        self.numbers.retain(|_, number| number.seen >= horizon);
        DriftDetail { moved }
    }

    fn number(&mut self, name: &str, value: f64, at: Timestamp) -> Option<&mut Number> {
        if self.numbers.len() >= MAX_NUMBERS && !self.numbers.contains_key(name) {
            return None;
        }
        let new = || Number { least: value, least_since: at, zero_until: at, points: VecDeque::new(), seen: at };
        Some(self.numbers.entry(name.to_owned()).or_insert_with(new))
    }
}

/// What is followed of stores: the regions of those that are being removed, and snapshots where there are any.
fn of_stores(details: &Details) -> Vec<(String, f64)> {
    let answers = details.cluster.answers;
    let mut numbers = Vec::new();
    for (&id, store) in details.stores.iter().filter(|_| answers) {
        if store.state == StoreState::Offline {
            numbers.push((DriftDetail::regions_of(id), store.region_count as f64));
        }
        let applying = details.metrics.answers_by_query.get("snapshots").map_or(0.0, |answer| {
            answer.stores.get(&id).copied().filter(|count| count.is_finite()).unwrap_or_default()
        });
        let by_pd = (store.sending_snapshots + store.receiving_snapshots) as f64;
        numbers.push((DriftDetail::snapshots_of(id), by_pd.max(applying)));
    }
    numbers
}

impl Number {
    fn follow(&mut self, value: f64, at: Timestamp) -> Moved {
        self.seen = at;
        if value < self.least || value == 0.0 {
            (self.least, self.least_since) = (value, at);
        } else if value > self.least * 1.1 + 1.0 {
            // It begins to fall from where it is now; that it rose is no reason to call it falling.
            self.least = value;
        }
        if value == 0.0 {
            self.zero_until = at;
        }
        while self.points.front().is_some_and(|(then, _)| at.since(*then) > OVER) {
            self.points.pop_front();
        }
        if self.points.back().is_none_or(|(then, _)| at.since(*then) >= APART) {
            self.points.push_back((at, value));
        }
        let first = self.points.front().copied().unwrap_or((at, value));
        let minutes = at.since(first.0).as_secs_f64() / 60.0;
        Moved {
            now: value,
            not_falling_s: at.since(self.least_since).as_secs_f64(),
            above_zero_s: at.since(self.zero_until).as_secs_f64(),
            per_minute: if minutes > 0.0 { (value - first.1) / minutes } else { 0.0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(drift: &mut Drift, second: i64, count: Option<u64>) -> Option<Moved> {
        let mut details = Details::default();
        if let Some(count) = count {
            details.cluster.abnormal.insert("down-peer".to_owned(), count);
        }
        drift.follow(&details, Timestamp::from_millis(second * 1000)).of("down-peer").copied()
    }

    #[test]
    fn a_number_that_gets_less_now_and_then_is_falling_and_one_that_rests_or_grows_is_not() {
        let mut drift = Drift::default();
        assert_eq!(look(&mut drift, 0, Some(0)).map(|moved| moved.above_zero_s), Some(0.0));
        assert_eq!(look(&mut drift, 60, Some(100)).map(|moved| moved.above_zero_s), Some(60.0));
        let grown = look(&mut drift, 120, Some(180)).expect("followed");
        assert_eq!((grown.not_falling_s, grown.above_zero_s, grown.per_minute), (120.0, 120.0, 90.0));
        assert_eq!(look(&mut drift, 180, Some(170)).map(|moved| moved.not_falling_s), Some(0.0), "it falls");
        assert_eq!(look(&mut drift, 240, Some(171)).map(|moved| moved.not_falling_s), Some(60.0));
        assert_eq!(look(&mut drift, 300, Some(170)).map(|moved| moved.not_falling_s), Some(120.0), "it hovers");
    }

    #[test]
    fn what_is_not_known_is_not_told_and_not_forgotten() {
        let mut drift = Drift::default();
        look(&mut drift, 0, Some(5));
        assert_eq!(look(&mut drift, 10, None), None);
        assert_eq!(look(&mut drift, 20, Some(5)).map(|moved| moved.not_falling_s), Some(20.0));
        assert_eq!(look(&mut drift, 30, Some(4)).map(|moved| moved.not_falling_s), Some(0.0));
    }
}
