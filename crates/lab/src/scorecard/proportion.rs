//! So many of so many, with the interval in which the true share lies.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The normal quantile of a two-sided 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// How often something was so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Proportion {
    /// How often.
    pub hits: u32,
    /// Of how many.
    pub of: u32,
}

impl Proportion {
    /// Counts one more.
    pub fn count(&mut self, hit: bool) {
        self.hits += u32::from(hit);
        self.of += 1;
    }

    /// The share; none of none has no share.
    pub fn share(self) -> Option<f64> {
        (self.of > 0).then(|| f64::from(self.hits) / f64::from(self.of))
    }

    /// The 95 % score interval of Wilson (1927), which holds for small numbers and for all or none as well; everything
    /// is possible where nothing was counted.
    pub fn interval(self) -> (f64, f64) {
        let Some(share) = self.share() else { return (0.0, 1.0) };
        let n = f64::from(self.of);
        let z2 = Z * Z;
        let scale = 1.0 + z2 / n;
        let centre = (share + z2 / (2.0 * n)) / scale;
        let half = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt() / scale;
        // All and none are ends of their intervals; rounding must not say otherwise.
        let low = if self.hits == 0 { 0.0 } else { (centre - half).clamp(0.0, share) };
        let high = if self.hits == self.of { 1.0 } else { (centre + half).clamp(share, 1.0) };
        (low, high)
    }
}

/// `19/20  95 % (76–99)`; `–` where nothing was counted.
impl fmt::Display for Proportion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(share) = self.share() else { return f.pad("–") };
        let (low, high) = self.interval();
        let text = format!("{}/{} {:.0} % ({:.0}–{:.0})", self.hits, self.of, 100.0 * share, 100.0 * low, 100.0 * high);
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_interval_is_wilsons() {
        // Newcombe (1998), table I: 81/263, 15/148, 0/20, 1/29, method 3.
        for ((hits, of), (low, high)) in [
            ((81, 263), (0.2553, 0.3662)),
            ((15, 148), (0.0624, 0.1605)),
            ((0, 20), (0.0, 0.1611)),
            ((1, 29), (0.0061, 0.1718)),
        ] {
            let interval = Proportion { hits, of }.interval();
            assert!((interval.0 - low).abs() < 5e-5 && (interval.1 - high).abs() < 5e-5, "{hits}/{of}: {interval:?}");
        }
        assert_eq!(Proportion::default().interval(), (0.0, 1.0));
        assert_eq!(Proportion { hits: 19, of: 20 }.to_string(), "19/20 95 % (76–99)");
    }

    proptest! {
        #[test]
        fn the_share_lies_within_and_more_runs_narrow_it(hits in 0_u32..500, misses in 0_u32..500) {
            let proportion = Proportion { hits, of: hits + misses };
            let (low, high) = proportion.interval();
            prop_assert!(0.0 <= low && low <= high && high <= 1.0);
            if let Some(share) = proportion.share() {
                prop_assert!(low <= share && share <= high);
                let more = Proportion { hits: hits * 4, of: proportion.of * 4 };
                prop_assert!(more.interval().1 - more.interval().0 <= high - low + 1e-12);
            }
        }
    }
}
