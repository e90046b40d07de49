//! A series in one line of text: what a number did, seen at a glance.

use operator_protocols::Timestamp;

use crate::Point;
use crate::text::number;

/// How many columns it takes.
const COLUMNS: usize = 32;
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Where nothing was read.
const GAP: char = '·';
/// Stands before the column in which the trouble began.
const ONSET: char = '│';

/// The points between two instants as a sparkline, with the least and the greatest value. Each column shows the value
/// furthest from the first column's: a spike must not drown in its surroundings. None where there are fewer than two.
pub(super) fn sparkline(points: &[Point], from: Timestamp, until: Timestamp, onset: Timestamp) -> Option<String> {
    let span = until.since(from).as_millis();
    let columns = u128::try_from(COLUMNS).ok()?;
    let column_of = |at: Timestamp| {
        let column = at.since(from).as_millis() * columns / span.max(1);
        usize::try_from(column.min(columns - 1)).unwrap_or(COLUMNS - 1)
    };
    let within = points.iter().filter(|point| point.at >= from && point.at <= until && point.value.is_finite());
    let mut cells: [Option<f64>; COLUMNS] = [None; COLUMNS];
    let (mut least, mut greatest, mut count) = (f64::INFINITY, f64::NEG_INFINITY, 0_usize);
    let mut first = None;
    for point in within {
        let usual = *first.get_or_insert(point.value);
        let cell = cells.get_mut(column_of(point.at))?;
        // Halved, so that the difference of two huge values is still a number.
        let distance = |value: f64| (value / 2.0 - usual / 2.0).abs();
        *cell = Some(
            cell.map_or(point.value, |kept| if distance(point.value) > distance(kept) { point.value } else { kept }),
        );
        (least, greatest, count) = (least.min(point.value), greatest.max(point.value), count + 1);
    }
    if count < 2 || span == 0 {
        return None;
    }
    let height = greatest / 2.0 - least / 2.0;
    let level = |value: f64| {
        let part = if height > 0.0 { (value / 2.0 - least / 2.0) / height } else { 0.0 };
        // A part is between 0 and 1: the index is one of the levels.
        LEVELS[((part * 7.0).round() as usize).min(LEVELS.len() - 1)]
    };
    let mark = (onset > from && onset <= until).then(|| column_of(onset));
    let mut line = String::with_capacity(COLUMNS * 3 + 40);
    for (n, cell) in cells.iter().enumerate() {
        if mark == Some(n) {
            line.push(ONSET);
        }
        line.push(cell.map_or(GAP, level));
    }
    Some(format!("{line} {}…{}", number(least), number(greatest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    fn points(values: &[f64]) -> Vec<Point> {
        (0..).zip(values).map(|(second, value)| Point { at: at(second), value: *value }).collect()
    }

    #[test]
    fn a_step_is_seen_as_one_with_the_onset_where_it_began() {
        let values: Vec<f64> = (0..32).map(|n| if n < 24 { 1.0 } else { 8.0 }).collect();
        let line = sparkline(&points(&values), at(0), at(32), at(24)).expect("enough points");
        assert_eq!(line, "▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁│████████ 1…8");
    }

    #[test]
    fn a_spike_is_not_averaged_away_and_a_gap_is_not_a_value() {
        let mut values = vec![1.0; 640];
        values[333] = 9.0;
        let mut points = points(&values);
        points.retain(|point| point.at < at(100) || point.at >= at(200));
        let line = sparkline(&points, at(0), at(640), at(9_999)).expect("enough points");
        assert_eq!(line.matches('█').count(), 1, "{line}");
        assert_eq!(line.matches(GAP).count(), 5, "{line}");
        assert!(!line.contains(ONSET), "an onset outside is not marked: {line}");
    }

    #[test]
    fn what_is_no_series_gives_no_line_and_extremes_do_not_overflow() {
        assert_eq!(sparkline(&points(&[1.0]), at(0), at(10), at(5)), None);
        assert_eq!(sparkline(&points(&[1.0, 2.0]), at(5), at(5), at(5)), None);
        assert_eq!(sparkline(&points(&[f64::NAN, f64::INFINITY, 1.0]), at(0), at(9), at(5)), None);
        let line = sparkline(&points(&[f64::MIN, f64::MAX]), at(0), at(2), at(1)).expect("two points");
        assert!(line.starts_with('▁') && line.contains('█'), "{line}");
        let flat = sparkline(&points(&[3.0; 9]), at(0), at(9), at(5)).expect("a flat line");
        assert!(!flat.contains('█'), "{flat}");
    }
}
