//! How many shoppers come.

use std::f64::consts::PI;

/// A second of the model, in microseconds.
const SECOND: f64 = 1e6;
/// Shoppers come a little more and a little less often, in waves of so many seconds.
const TIDE_S: f64 = 600.0;
const TIDE: f64 = 0.1;

/// More shoppers than usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Surge {
    /// At once, and it stays so: so many times as many.
    Stays(f64),
    /// They come and go, as in a wave: at its height so many times as many, over so many seconds in all.
    Wave(f64, f64),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Traffic {
    /// Shoppers a second.
    pub(super) rate: f64,
    pub(super) surge: Option<(i64, Surge)>,
}

impl Traffic {
    /// Shoppers a second at an instant.
    pub(super) fn at(&self, now: i64, began: i64) -> f64 {
        let seconds = |from: i64| (now - from) as f64 / SECOND;
        let tide = 1.0 + TIDE * (2.0 * PI * seconds(began) / TIDE_S).sin();
        let surge = match self.surge {
            None => 1.0,
            Some((_, Surge::Stays(times))) => times,
            Some((since, Surge::Wave(times, long))) => {
                let part = (seconds(since) / long.max(1.0)).clamp(0.0, 1.0);
                1.0 + (times - 1.0) * (PI * part).sin()
            }
        };
        self.rate * tide * surge
    }
}
