//! Robust statistics: median and spread by selection, with a floor on the spread, so that neither an outlier nor a
//! past without any movement decides.

use operator_protocols::SignalRole;

use crate::parameters::{
    DEVIATION_CAP, FLOOR_AVAILABILITY, FLOOR_OTHER, FLOOR_PER_SECOND, FLOOR_RATIO, FLOOR_SECONDS, IQR_TO_SIGMA,
    TAIL_QUANTILE, TAIL_SIGMAS,
};

/// What a signal was like while nothing was wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Baseline {
    /// The middle.
    pub median: f64,
    /// One robust deviation upwards.
    pub up: f64,
    /// One robust deviation downwards.
    pub down: f64,
}

impl Baseline {
    /// Of `values`, in any order; they are reordered. `least` is the least scale, and the least in parts of the median;
    /// `tails` is whether the tails of the past widen it. `None` without any value.
    pub fn of(values: &mut [f64], (floor, relative): (f64, f64), tails: bool) -> Option<Self> {
        let [low, quarter, median, three_quarters, high] = five(values)?;
        let spread = (three_quarters - quarter) / IQR_TO_SIGMA;
        let scale = |tail: f64| {
            (if tails { tail / TAIL_SIGMAS } else { 0.0 }).max(spread).max(floor.max(relative * median.abs()))
        };
        Some(Self { median, up: scale(high - median), down: scale(median - low) })
    }

    /// Makes the scale as wide as the widest excursion among `values`.
    pub fn widen_to(&mut self, values: &[f64]) {
        for value in values {
            self.up = self.up.max(value - self.median);
            self.down = self.down.max(self.median - value);
        }
    }

    /// How many robust deviations `value` is above the median (below: negative), within ±[`DEVIATION_CAP`].
    pub fn deviation(&self, value: f64) -> f64 {
        ((value - self.median) / self.scale(value)).clamp(-DEVIATION_CAP, DEVIATION_CAP)
    }

    /// One robust deviation in the direction of `value`; never zero.
    pub fn scale(&self, value: f64) -> f64 {
        if value < self.median { self.down.max(f64::MIN_POSITIVE) } else { self.up.max(f64::MIN_POSITIVE) }
    }
}

/// The `q`-quantile (nearest rank), by selection in linear time; `values` are reordered.
pub(crate) fn quantile(values: &mut [f64], q: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    // `q` is within 0..=1, so the rank is within the slice.
    let rank = ((last as f64) * q.clamp(0.0, 1.0)).round() as usize;
    let (_, value, _) = values.select_nth_unstable_by(rank.min(last), f64::total_cmp);
    Some(*value)
}

/// The lower tail, the quarters and the upper tail, as [`quantile`] gives them. Each selection is within the part that
/// the one before it left, which takes half the comparisons.
fn five(values: &mut [f64]) -> Option<[f64; 5]> {
    let last = values.len().checked_sub(1)?;
    let rank = |q: f64| ((last as f64) * q).round() as usize;
    let ranks = [1.0 - TAIL_QUANTILE, 0.25, 0.5, 0.75, TAIL_QUANTILE].map(rank);
    let mut found = [0.0; 5];
    found[2] = *values.select_nth_unstable_by(ranks[2], f64::total_cmp).1;
    let (mut below, mut above) = (ranks[2], ranks[2]);
    for n in [1, 0] {
        if ranks[n] < below {
            values[..below].select_nth_unstable_by(ranks[n], f64::total_cmp);
        }
        below = ranks[n];
        found[n] = values[below];
    }
    for n in [3, 4] {
        if ranks[n] > above {
            values[above + 1..].select_nth_unstable_by(ranks[n] - above - 1, f64::total_cmp);
        }
        above = ranks[n];
        found[n] = values[above];
    }
    Some(found)
}

/// The median of a few values; the mean of the middle two where their number is even.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let mut sorted = values.to_vec();
    let middle = values.len() / 2;
    let upper = *sorted.select_nth_unstable_by(middle, f64::total_cmp).1;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = sorted[..middle].iter().copied().max_by(f64::total_cmp)?;
    Some(lower / 2.0 + upper / 2.0)
}

/// The least scale of a gauge: what its unit resolves at all.
pub(crate) fn floor(role: SignalRole, unit: &str) -> f64 {
    let ratio = if role == SignalRole::Availability { FLOOR_AVAILABILITY } else { FLOOR_RATIO };
    match unit {
        "s" => FLOOR_SECONDS,
        "ms" => FLOOR_SECONDS * 1e3,
        "us" | "µs" => FLOOR_SECONDS * 1e6,
        "ns" => FLOOR_SECONDS * 1e9,
        "%" => ratio * 100.0,
        "1/s" => FLOOR_PER_SECOND,
        "1" if role != SignalRole::Other => ratio,
        _ => FLOOR_OTHER,
    }
}

/// `value`, a time in `unit`, in seconds; `None` for a unit that is no time.
pub(crate) fn seconds(value: f64, unit: &str) -> Option<f64> {
    let factor = match unit {
        "s" => 1.0,
        "ms" => 1e-3,
        "us" | "µs" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    };
    Some(value * factor)
}

/// What of `unit` would be full, for a level that is a part of something.
pub(crate) fn full(unit: &str) -> Option<f64> {
    match unit {
        "1" | "ratio" => Some(1.0),
        "%" | "percent" => Some(100.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::FLOOR_RELATIVE;

    #[test]
    fn an_outlier_moves_neither_the_middle_nor_the_scale() {
        let mut quiet: Vec<f64> = (0..100).map(|n| 10.0 + f64::from(n % 5)).collect();
        let without = Baseline::of(&mut quiet, (0.0, FLOOR_RELATIVE), true);
        quiet[17] = 1e9;
        assert_eq!(Baseline::of(&mut quiet, (0.0, FLOOR_RELATIVE), true), without);
    }

    #[test]
    fn a_past_without_movement_has_the_floor_for_a_scale() {
        let baseline = Baseline::of(&mut [0.002; 30], (FLOOR_SECONDS, FLOOR_RELATIVE), true).unwrap();
        assert_eq!((baseline.median, baseline.up), (0.002, FLOOR_SECONDS));
        assert_eq!(baseline.deviation(0.004), 4.0);
    }

    #[test]
    fn a_heavy_tail_that_was_there_before_is_no_news() {
        let mut values: Vec<f64> = (0..100).map(|n| if n % 20 == 0 { 0.9 } else { 0.01 }).collect();
        let baseline = Baseline::of(&mut values, (FLOOR_SECONDS, FLOOR_RELATIVE), true).unwrap();
        assert!(baseline.deviation(0.9) <= TAIL_SIGMAS, "{baseline:?}");
    }

    #[test]
    fn five_selections_in_one_are_the_five_selections() {
        for n in 0..200_usize {
            let mut values: Vec<f64> = (0..n).map(|i| ((i * 7919 + n * 31) % 17) as f64).collect();
            let each = [1.0 - TAIL_QUANTILE, 0.25, 0.5, 0.75, TAIL_QUANTILE].map(|q| quantile(&mut values, q));
            assert_eq!(five(&mut values).map(|all| all.map(Some)), (n > 0).then_some(each), "{n}");
        }
    }

    #[test]
    fn medians_of_few() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[3.0, 1.0]), Some(2.0));
        assert_eq!(median(&[3.0, 1.0, 9.0]), Some(3.0));
        assert_eq!(median(&[f64::MAX, f64::MAX]), Some(f64::MAX));
    }

    #[test]
    fn extremes_stay_finite() {
        let baseline = Baseline::of(&mut [-1e300, 1e300, 0.0], (1e-9, FLOOR_RELATIVE), true).unwrap();
        assert!(baseline.deviation(1e300).is_finite() && baseline.deviation(-1e300).is_finite());
        assert_eq!(Baseline { median: 0.0, up: 0.0, down: 0.0 }.deviation(1.0), DEVIATION_CAP);
    }
}
