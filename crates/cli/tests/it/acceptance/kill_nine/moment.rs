//! When to kill: by chance, and repeatable.

use std::time::Duration;

/// When to kill.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    /// So long after it was ready.
    Any { after: Duration },
    /// So long after it told that it claimed an action.
    InFlight { after: Duration },
    /// So long after its process was started: while it takes over what was in flight, perhaps.
    Starting { after: Duration },
}

impl Moment {
    /// One of them: an action in flight in half of the cases, since by chance alone few would be met.
    pub fn pick(random: &mut Random) -> Self {
        match random.below(6) {
            0..=2 => Self::InFlight { after: random.millis(250) },
            3 => Self::Starting { after: random.millis(700) },
            _ => Self::Any { after: random.millis(6_000) },
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same everywhere.
pub struct Random(u64);

impl Random {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn millis(&mut self, bound: u64) -> Duration {
        Duration::from_millis(self.below(bound))
    }
}
