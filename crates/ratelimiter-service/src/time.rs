//! The two clocks of a node: a monotonic one for durations and the calendar for what people read.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A monotonic clock in µs since it was made. Copies share their zero.
#[derive(Clone, Copy, Debug)]
pub struct Monotonic {
    zero: Instant,
}

impl Monotonic {
    /// A clock that starts at 0 now.
    #[must_use]
    pub fn start() -> Self {
        Self { zero: Instant::now() }
    }

    /// µs since its start.
    #[must_use]
    pub fn now_us(self) -> i64 {
        i64::try_from(self.zero.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}

/// This host's calendar clock: µs since the Unix epoch.
#[must_use]
pub fn wall_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
}

/// RFC 3339 in UTC with microseconds; the epoch for what no calendar holds.
#[must_use]
pub fn rfc3339(us: i64) -> String {
    let at = jiff::Timestamp::from_microsecond(us).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{at:.6}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_rfc_3339_with_microseconds() {
        assert_eq!(super::rfc3339(1_760_000_000_123_456), "2025-10-09T08:53:20.123456Z");
        assert_eq!(super::rfc3339(i64::MAX), "1970-01-01T00:00:00.000000Z");
    }
}
