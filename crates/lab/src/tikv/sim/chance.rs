//! Chance that repeats: everything random in the model comes from one seed.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A seeded source of choices.
#[derive(Debug)]
pub(crate) struct Chance {
    rng: ChaCha8Rng,
    seed: u64,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), seed }
    }

    /// A number from `low` on, below `high`; `low` if there is none.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        if low < high { self.rng.random_range(low..high) } else { low }
    }

    /// One of `choices`, if there is any.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        let index = self.between(0, i64::try_from(choices.len()).unwrap_or(0));
        choices.get(usize::try_from(index).unwrap_or(0)).copied()
    }

    /// A factor near 1 that depends on nothing but the seed, `what`, and `when`: measurements are never quite the same.
    pub(crate) fn jitter(&self, what: u64, when: i64, spread: f64) -> f64 {
        let mut x = self.seed
            ^ what.wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ when.cast_unsigned().wrapping_mul(0xD1B5_4A32_D192_ED03);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
        let unit = (x >> 11) as f64 / (1_u64 << 53) as f64;
        1.0 + spread * (2.0 * unit - 1.0)
    }
}
