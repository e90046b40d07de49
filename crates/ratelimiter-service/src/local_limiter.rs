//! A sliding window from this node's memory, for the time when Redis does not answer.
//!
//! It also sees the grants Redis gives to this node, so that a node that loses Redis starts from what
//! it let through already. Memory is bounded: a log has at most 66 slots, which expire with their newest grant (late,
//! never early), and at most 100,000 logs are kept, the longest unused ones going first.

use std::collections::{HashMap, VecDeque};

use crate::admitted::CounterId;

/// Slots a window is cut into.
const SLOTS: i64 = 64;
/// Logs kept.
const MOST_LOGS: usize = 100_000;

#[derive(Debug, Default)]
struct Log {
    slots: VecDeque<Slot>,
    sum: u64,
    generation: u64,
    used_us: i64,
}

#[derive(Debug)]
struct Slot {
    first_us: i64,
    newest_us: i64,
    cost: u64,
}

/// What the memory says to a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it fits.
    pub allowed: bool,
    /// Sum in the window, this one included if it fits.
    pub sum: u64,
    /// Refused: µs until it would fit; `None` if never.
    pub retry_us: Option<i64>,
}

/// The logs of one node. Times are µs of one monotonic clock.
#[derive(Debug, Default)]
pub struct LocalLimiter {
    logs: HashMap<CounterId, Log>,
}

fn window_us(counter: &CounterId) -> i64 {
    i64::try_from(counter.1).unwrap_or(i64::MAX / 1000).saturating_mul(1000)
}

impl Log {
    fn expire(&mut self, window_us: i64, now: i64) {
        while let Some(slot) = self.slots.front()
            && slot.newest_us <= now - window_us
        {
            self.sum -= slot.cost;
            self.slots.pop_front();
        }
    }

    fn add(&mut self, window_us: i64, now: i64, cost: u64) {
        let width = (window_us / SLOTS).max(1000);
        self.sum += cost;
        self.used_us = now;
        match self.slots.back_mut() {
            Some(slot) if now - slot.first_us < width => {
                slot.newest_us = now;
                slot.cost += cost;
            }
            _ => self.slots.push_back(Slot { first_us: now, newest_us: now, cost }),
        }
    }
}

impl LocalLimiter {
    /// Remembers a grant Redis gave to this node. A newer generation is a reset: what was before no longer counts.
    pub fn granted(&mut self, counter: &CounterId, generation: u64, now: i64, cost: u64) {
        self.make_room(counter, now);
        let window = window_us(counter);
        let log = self.logs.entry(counter.clone()).or_default();
        if generation > log.generation {
            *log = Log { generation, ..Log::default() };
        }
        log.expire(window, now);
        log.add(window, now, cost);
    }

    /// Decides from memory.
    pub fn decide(&mut self, counter: &CounterId, limit: u64, now: i64, cost: u64) -> Verdict {
        self.make_room(counter, now);
        let window = window_us(counter);
        let log = self.logs.entry(counter.clone()).or_default();
        log.expire(window, now);
        log.used_us = now;
        if log.sum + cost <= limit {
            log.add(window, now, cost);
            return Verdict { allowed: true, sum: log.sum, retry_us: Some(0) };
        }
        let mut over = (cost <= limit).then(|| log.sum + cost - limit);
        let freed = log.slots.iter().find(|slot| {
            over = over.map(|o| o.saturating_sub(slot.cost));
            over == Some(0)
        });
        Verdict { allowed: false, sum: log.sum, retry_us: freed.map(|slot| slot.newest_us + window - now) }
    }

    /// Forgets what has expired; returns how many logs still have grants in their window.
    pub fn sweep(&mut self, now: i64) -> usize {
        self.logs.retain(|counter, log| {
            log.expire(window_us(counter), now);
            !log.slots.is_empty()
        });
        self.logs.len()
    }

    fn make_room(&mut self, counter: &CounterId, now: i64) {
        if self.logs.len() < MOST_LOGS || self.logs.contains_key(counter) {
            return;
        }
        if self.sweep(now) >= MOST_LOGS {
            let mut used: Vec<i64> = self.logs.values().map(|log| log.used_us).collect();
            let quarter = used.len() / 4;
            let (_, &mut oldest, _) = used.select_nth_unstable(quarter);
            self.logs.retain(|_, log| log.used_us > oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn grants_of_redis_count_and_a_reset_clears_them() {
        let mut local = LocalLimiter::default();
        let counter: CounterId = ("a".into(), 1000);
        local.granted(&counter, 0, 0, 4);
        assert!(!local.decide(&counter, 5, 10, 2).allowed);
        local.granted(&counter, 9, 20, 1);
        assert_eq!(local.decide(&counter, 5, 30, 2), Verdict { allowed: true, sum: 3, retry_us: Some(0) });
    }

    #[test]
    fn room_is_made_by_forgetting_the_longest_unused() {
        let mut local = LocalLimiter::default();
        for i in 0..=MOST_LOGS {
            local.granted(&(format!("k{i}").into(), 1_000_000_000), 0, i64::try_from(i).unwrap(), 1);
        }
        assert!(
            local.logs.len() <= MOST_LOGS && local.logs.contains_key(&(format!("k{MOST_LOGS}").into(), 1_000_000_000))
        );
        assert!(!local.logs.contains_key(&("k0".into(), 1_000_000_000)));
    }

    proptest! {
        /// Never more than the limit in any window, few slots, and `retry_us` is when it fits.
        #[test]
        fn no_window_holds_more_than_the_limit(
            limit in 1_u64..50,
            steps in proptest::collection::vec((0_i64..40_000, 1_u64..10), 1..200),
        ) {
            let mut local = LocalLimiter::default();
            let counter: CounterId = ("a".into(), 100);
            let (mut now, mut accepted) = (0, Vec::<(i64, u64)>::new());
            for (pause, cost) in steps {
                now += pause;
                let verdict = local.decide(&counter, limit, now, cost);
                let in_window: u64 = accepted.iter().filter(|(t, _)| *t > now - 100_000).map(|(_, c)| c).sum();
                if verdict.allowed {
                    accepted.push((now, cost));
                    prop_assert!(in_window + cost <= limit);
                } else if let Some(retry) = verdict.retry_us {
                    now += retry;
                    prop_assert!(local.decide(&counter, limit, now, cost).allowed);
                    accepted.push((now, cost));
                } else {
                    prop_assert!(cost > limit);
                }
                prop_assert!(local.logs[&counter].slots.len() <= 66);
            }
        }
    }
}
