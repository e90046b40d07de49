//! Seeded chance (SplitMix64, as its authors published it into the public domain), so that a run repeats.

#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Evenly from 0 to below 1.
    pub(super) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly from 0 to below `below`; 0, if that is 0.
    pub(super) fn index(&mut self, below: usize) -> usize {
        ((self.fraction() * below as f64) as usize).min(below.saturating_sub(1))
    }

    /// How long until the next of events that come independently, so many a second: in microseconds.
    pub(super) fn until_next(&mut self, per_second: f64) -> i64 {
        let seconds = -(1.0 - self.fraction()).ln() / per_second.max(0.001);
        (seconds.min(60.0) * 1e6) as i64
    }
}
