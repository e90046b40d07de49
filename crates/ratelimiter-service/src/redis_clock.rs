//! What a node knows of Redis's clock, so that every script call can carry a deadline by it.
//!
//! A reply that says "it is T" to something sent at `s` and received at `r` (own monotonic clock) proves that the
//! offset between the clocks lies in [T − r, T − s]. The bounds of the last 10 s are intersected. With the *lowest*
//! offset they allow, "sent + budget" lies, by Redis's clock, never after the instant the caller gives up.

/// How long a bound is believed: the clocks may drift apart by 500 ppm (the most NTP slews), 5 ms in this
/// time, which the unused fifth of the timeout absorbs.
pub const HORIZON_US: i64 = 10_000_000;
const SLOTS: usize = 10;
const SLOT_US: i64 = HORIZON_US / SLOTS as i64;

/// Bounds of the offset Redis's clock − own monotonic clock, in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetBounds {
    /// It is at least this.
    pub low: i64,
    /// It is at most this.
    pub high: i64,
}

/// What became of a new reading of Redis's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It agrees with what was known.
    Agrees,
    /// It contradicts what was known (a clock was stepped): only this reading counts from now on.
    StartedAfresh,
}

/// The offset bounds of one connection. All times are µs; own times come from one monotonic clock.
#[derive(Clone, Debug, Default)]
pub struct RedisClock {
    /// One for each second of the horizon: the slot's number since the clock's zero, and its intersection.
    slots: [Option<(i64, OffsetBounds)>; SLOTS],
}

impl RedisClock {
    /// Learns from a reply: sent at `sent`, received at `received`, Redis said `redis`.
    pub fn learn(&mut self, sent: i64, received: i64, redis: i64) -> Reading {
        let new = OffsetBounds { low: redis - received.max(sent), high: redis - sent };
        let mut outcome = Reading::Agrees;
        if let Some(known) = self.bounds(received)
            && (new.low > known.high || new.high < known.low)
        {
            self.slots = [None; SLOTS];
            outcome = Reading::StartedAfresh;
        }
        let number = received.div_euclid(SLOT_US);
        let slot = &mut self.slots[number.rem_euclid(SLOTS as i64) as usize];
        *slot = match *slot {
            Some((n, old)) if n == number => {
                Some((n, OffsetBounds { low: old.low.max(new.low), high: old.high.min(new.high) }))
            }
            _ => Some((number, new)),
        };
        outcome
    }

    /// The bounds that hold at `now`, if anything was learned in the last 10 s.
    #[must_use]
    pub fn bounds(&self, now: i64) -> Option<OffsetBounds> {
        let oldest = now.div_euclid(SLOT_US) - SLOTS as i64;
        self.slots
            .iter()
            .flatten()
            .filter(|(number, _)| *number > oldest)
            .map(|(_, bounds)| *bounds)
            .reduce(|a, b| OffsetBounds { low: a.low.max(b.low), high: a.high.min(b.high) })
    }

    /// The instant of Redis's clock that lies at most `budget` after `sent`, whatever the offset may be.
    #[must_use]
    pub fn deadline(&self, sent: i64, budget: i64) -> Option<i64> {
        self.bounds(sent).map(|bounds| sent + bounds.low + budget)
    }

    /// About what Redis's clock shows at `now`.
    #[must_use]
    pub fn estimate(&self, now: i64) -> Option<i64> {
        self.bounds(now).map(|bounds| now + bounds.low + (bounds.high - bounds.low) / 2)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn without_a_reading_there_is_no_deadline() {
        assert_eq!(RedisClock::default().deadline(5, 100), None);
    }

    #[test]
    fn a_reading_is_forgotten_after_the_horizon() {
        let mut clock = RedisClock::default();
        clock.learn(0, 100, 1_000_050);
        assert!(clock.bounds(HORIZON_US - SLOT_US).is_some());
        assert_eq!(clock.bounds(HORIZON_US + SLOT_US), None);
    }

    #[test]
    fn a_stepped_clock_starts_the_bounds_afresh() {
        let mut clock = RedisClock::default();
        assert_eq!(clock.learn(0, 100, 1_000_050), Reading::Agrees);
        assert_eq!(clock.learn(200, 300, 500_250), Reading::StartedAfresh);
        assert_eq!(clock.bounds(300), Some(OffsetBounds { low: 499_950, high: 500_050 }));
    }

    proptest! {
        /// Any offset, any delays: the deadline is never after sent + budget on Redis's true clock, and the
        /// bounds hold the true offset.
        #[test]
        fn a_deadline_never_comes_after_the_caller_gave_up(
            offset in -1_000_000_000_i64..1_000_000_000_000,
            exchanges in proptest::collection::vec((0_i64..2_000_000, 0_i64..300_000, 0_i64..300_000), 1..60),
            budget in 1_i64..1_000_000,
        ) {
            let mut clock = RedisClock::default();
            let mut now = 0;
            for (pause, there, back) in exchanges {
                let sent = now + pause;
                let received = sent + there + back;
                prop_assert_eq!(clock.learn(sent, received, sent + there + offset), Reading::Agrees);
                now = received;
                let bounds = clock.bounds(now).unwrap();
                prop_assert!(bounds.low <= offset && offset <= bounds.high);
                prop_assert!(clock.deadline(now, budget).unwrap() <= now + budget + offset);
            }
        }

        /// With a drift of up to 500 ppm a call still cannot take effect after sent + budget / 0.8 for the timeouts
        /// that are allowed (50 ms and more).
        #[test]
        fn drift_stays_within_the_unused_fifth(
            ppm in -500_i64..=500,
            exchanges in proptest::collection::vec((0_i64..2_000_000, 0_i64..300_000, 0_i64..300_000), 1..60),
        ) {
            let mut clock = RedisClock::default();
            let redis = |own: i64| own + own * ppm / 1_000_000 + 1_000_000;
            let (timeout, mut now) = (50_000_i64, 0);
            for (pause, there, back) in exchanges {
                let sent = now + pause;
                now = sent + there + back;
                clock.learn(sent, now, redis(sent + there));
                let deadline = clock.deadline(now, timeout * 4 / 5).unwrap();
                prop_assert!(deadline <= redis(now + timeout));
            }
        }
    }
}
