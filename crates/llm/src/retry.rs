//! When a call that was turned away is made again.

use std::time::Duration;

use crate::ProviderError;

/// How patient the caller is with a provider that is busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The most attempts at one call.
    pub attempts: u32,
    /// The longest wait after the first attempt; it doubles with each.
    pub first: Duration,
    /// The longest wait that this side chooses. What the provider asks for may be longer.
    pub longest: Duration,
}

impl Default for Patience {
    /// Three attempts, after at most 1 s and 2 s.
    fn default() -> Self {
        Self { attempts: 3, first: Duration::from_secs(1), longest: Duration::from_secs(20) }
    }
}

impl Patience {
    /// How long to wait before the next attempt, `made` having failed, the last with `error`; `None` if there is no point.
    /// `chance` from 0 to 1 spreads the attempts of many callers.
    pub(crate) fn wait(&self, made: u32, error: &ProviderError, chance: f64) -> Option<Duration> {
        // Only what is busy gets better by itself. What is lost may have been answered, and paid for.
        let ProviderError::Busy { retry_after_ms, .. } = error else { return None };
        if made >= self.attempts {
            return None;
        }
        let ceiling = self.first.saturating_mul(2_u32.saturating_pow(made.saturating_sub(1))).min(self.longest);
        let chance = if chance.is_finite() { chance.clamp(0.0, 1.0) } else { 1.0 };
        let chosen = ceiling.mul_f64(chance);
        // Never earlier than asked, and a little later for not all to come back at once.
        Some(retry_after_ms.map_or(chosen, |asked| Duration::from_millis(asked).saturating_add(chosen / 4)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(retry_after_ms: Option<u64>) -> ProviderError {
        ProviderError::Busy { status: 429, why: String::new(), retry_after_ms }
    }

    #[test]
    fn waits_double_up_to_a_bound_and_end() {
        let patience = Patience { attempts: 5, first: Duration::from_secs(1), longest: Duration::from_secs(3) };
        let waits: Vec<_> =
            (1..=5).map(|made| patience.wait(made, &busy(None), 1.0).map(|wait| wait.as_secs())).collect();
        assert_eq!(waits, [Some(1), Some(2), Some(3), Some(3), None]);
        assert_eq!(patience.wait(1, &busy(None), 0.0), Some(Duration::ZERO));
        assert_eq!(patience.wait(1, &busy(None), f64::NAN), Some(Duration::from_secs(1)));
    }

    #[test]
    fn what_the_provider_asks_for_is_never_undercut() {
        let patience = Patience::default();
        for chance in [0.0, 0.3, 1.0] {
            let wait = patience.wait(1, &busy(Some(7_000)), chance).expect("another attempt");
            assert!(wait >= Duration::from_secs(7) && wait < Duration::from_secs(8), "{wait:?}");
        }
    }

    #[test]
    fn only_what_is_busy_is_tried_again() {
        let why = String::new();
        for error in [
            ProviderError::Refused { status: 400, why: why.clone() },
            ProviderError::Failed { status: 500, why: why.clone() },
            ProviderError::Lost { why: why.clone() },
            ProviderError::Garbled { why: why.clone() },
            ProviderError::Budget { why },
        ] {
            assert_eq!(Patience::default().wait(1, &error, 0.5), None, "{error}");
        }
    }
}
