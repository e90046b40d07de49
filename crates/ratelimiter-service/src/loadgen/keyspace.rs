//! Which key a request is for: Zipf-distributed over a fixed set, from a seed.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// Keys with their cumulative probabilities.
#[derive(Clone, Debug)]
pub struct Keyspace {
    cumulative: Vec<f64>,
    prefix: String,
    /// Share of the first key on top of its own.
    hot: f64,
}

impl Keyspace {
    /// `keys` keys (at least one) with the k-th as likely as 1 / k^`zipf`; a share `hot` goes to the first anyway.
    #[must_use]
    pub fn new(prefix: &str, keys: u32, zipf: f64, hot: f64) -> Self {
        let mut sum = 0.0;
        let mut cumulative: Vec<f64> = (1..=keys.max(1))
            .map(|k| {
                sum += f64::from(k).powf(-zipf);
                sum
            })
            .collect();
        for value in &mut cumulative {
            *value /= sum;
        }
        Self { cumulative, prefix: prefix.to_owned(), hot }
    }

    /// The next key.
    pub fn draw(&self, random: &mut ChaCha8Rng) -> String {
        let hot = self.hot > 0.0 && random.random::<f64>() < self.hot;
        let at = if hot {
            0
        } else {
            let x = random.random::<f64>();
            self.cumulative.partition_point(|&c| c <= x).min(self.cumulative.len() - 1)
        };
        format!("{}{}", self.prefix, at + 1)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn share_of_first(keyspace: &Keyspace) -> f64 {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let hits = (0..20_000).filter(|_| keyspace.draw(&mut random) == "k1").count();
        f64::from(u32::try_from(hits).unwrap()) / 20_000.0
    }

    #[test]
    fn keys_are_zipf_distributed() {
        let harmonic: f64 = (1..=100).map(|k| 1.0 / f64::from(k)).sum();
        assert!((share_of_first(&Keyspace::new("k", 100, 1.0, 0.0)) - 1.0 / harmonic).abs() < 0.01);
        assert!((share_of_first(&Keyspace::new("k", 100, 0.0, 0.0)) - 0.01).abs() < 0.005);
        assert!((share_of_first(&Keyspace::new("k", 100, 0.0, 0.8)) - 0.802).abs() < 0.01);
    }

    #[test]
    fn a_seed_gives_the_same_keys_again() {
        let keyspace = Keyspace::new("k", 50, 1.2, 0.0);
        let draw = || {
            let mut random = ChaCha8Rng::seed_from_u64(3);
            (0..100).map(|_| keyspace.draw(&mut random)).collect::<Vec<_>>()
        };
        assert_eq!(draw(), draw());
    }
}
