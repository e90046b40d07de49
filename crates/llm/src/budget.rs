//! What one investigation may use up: set aside before a call at the most it can cost, and settled afterwards at what it did.

use std::time::Duration;

use operator_reasoner::Usage;
use serde::{Deserialize, Serialize};

use crate::{Price, ProviderError};

/// The bounds of one investigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Calls that are answered or may have been.
    pub turns: u32,
    /// Tokens, read and written together.
    pub tokens: u64,
    /// Seconds, from the first call on.
    pub seconds: u64,
    /// Money, in millionths of a US dollar.
    pub micro_usd: u64,
}

impl Budget {
    /// For a hosted model: a minute, and half a dollar.
    pub const HOSTED: Self = Self { turns: 12, tokens: 600_000, seconds: 60, micro_usd: 500_000 };
    /// For a model on this machine: ten minutes, and it costs nothing.
    pub const LOCAL: Self = Self { turns: 12, tokens: 200_000, seconds: 600, micro_usd: 0 };
}

/// What is left of a budget.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    budget: Budget,
    spent: Usage,
}

/// What is set aside for one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reservation {
    input: u64,
    output: u64,
    micro_usd: u64,
    /// How long the call may take.
    pub(crate) time: Duration,
}

/// How a call ended, as far as money goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Settlement {
    /// It is known what it used up.
    Known(Usage),
    /// It may have been answered, and nobody heard the answer: what was set aside counts as spent.
    Unknown,
    /// It was turned away, which costs nothing.
    Nothing,
}

impl Ledger {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { budget, spent: Usage::default() }
    }

    /// Sets aside the most that a call can cost: `input` tokens read at the most, `output` written, `passed` since the first.
    ///
    /// # Errors
    /// The bound that would not hold.
    pub(crate) fn reserve(
        &self,
        price: &Price,
        input: u64,
        output: u64,
        passed: Duration,
    ) -> Result<Reservation, ProviderError> {
        let over = |what: &str, used: u64, more: u64, most: u64| {
            let why = format!("{what}: {used} of {most} are used up and the call may take {more}");
            Err(ProviderError::Budget { why })
        };
        if self.spent.calls >= self.budget.turns {
            return over("turns", self.spent.calls.into(), 1, self.budget.turns.into());
        }
        let seconds = Duration::from_secs(self.budget.seconds);
        let Some(time) = seconds.checked_sub(passed).filter(|time| !time.is_zero()) else {
            return over("seconds", passed.as_secs(), 1, self.budget.seconds);
        };
        let used = self.spent.input_tokens.saturating_add(self.spent.output_tokens);
        let tokens = input.saturating_add(output);
        if used.saturating_add(tokens) > self.budget.tokens {
            return over("tokens", used, tokens, self.budget.tokens);
        }
        let micro_usd = price.at_most(input, output);
        if self.spent.cost_micro_usd.saturating_add(micro_usd) > self.budget.micro_usd {
            return over("millionths of a dollar", self.spent.cost_micro_usd, micro_usd, self.budget.micro_usd);
        }
        Ok(Reservation { input, output, micro_usd, time })
    }

    /// Settles a call.
    pub(crate) fn settle(&mut self, reservation: Reservation, settlement: Settlement) -> Usage {
        let usage = match settlement {
            Settlement::Known(usage) => usage,
            Settlement::Unknown => Usage {
                input_tokens: reservation.input,
                cached_tokens: 0,
                output_tokens: reservation.output,
                cost_micro_usd: reservation.micro_usd,
                calls: 1,
            },
            Settlement::Nothing => Usage::default(),
        };
        self.spent += usage;
        usage
    }

    /// What was spent.
    pub(crate) fn spent(&self) -> Usage {
        self.spent
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BUDGET: Budget = Budget { turns: 3, tokens: 10_000, seconds: 60, micro_usd: 20_000 };
    const PRICE: Price = Price { input: 2_000, cached: 200, stored: 2_500, output: 10_000 };

    fn refused(ledger: &Ledger, input: u64, output: u64, passed: u64) -> String {
        ledger.reserve(&PRICE, input, output, Duration::from_secs(passed)).expect_err("over").to_string()
    }

    #[test]
    fn every_bound_refuses_a_call_that_might_break_it() {
        let mut ledger = Ledger::new(BUDGET);
        assert!(refused(&ledger, 9_000, 1_001, 0).contains("tokens: 0 of 10000"));
        assert!(refused(&ledger, 4_001, 1_000, 0).contains("millionths of a dollar: 0 of 20000"));
        assert!(refused(&ledger, 1, 1, 60).contains("seconds: 60 of 60"));
        for _ in 0..3 {
            let reservation = ledger.reserve(&PRICE, 10, 10, Duration::ZERO).expect("there is room");
            ledger.settle(reservation, Settlement::Known(Usage { calls: 1, ..Usage::default() }));
        }
        assert!(refused(&ledger, 1, 1, 0).contains("turns: 3 of 3"));
    }

    #[test]
    fn what_nobody_heard_counts_in_full_and_what_was_turned_away_not_at_all() {
        let mut ledger = Ledger::new(BUDGET);
        let reservation = ledger.reserve(&PRICE, 1_000, 100, Duration::from_secs(50)).expect("there is room");
        assert_eq!(reservation.time, Duration::from_secs(10), "no longer than the time that is left");
        ledger.settle(reservation, Settlement::Nothing);
        assert_eq!(ledger.spent(), Usage::default());
        ledger.settle(reservation, Settlement::Unknown);
        assert_eq!((ledger.spent().input_tokens, ledger.spent().cost_micro_usd), (1_000, 3_500));
    }

    proptest! {
        #[test]
        fn no_bound_is_ever_passed_by_calls_that_cost_what_was_set_aside(
            calls in prop::collection::vec((0..4_000_u64, 0..2_000_u64, any::<bool>()), 0..20),
        ) {
            let mut ledger = Ledger::new(BUDGET);
            for (input, output, is_heard) in calls {
                let Ok(reservation) = ledger.reserve(&PRICE, input, output, Duration::ZERO) else { continue };
                let usage = Usage {
                    input_tokens: input, output_tokens: output, cached_tokens: 0,
                    cost_micro_usd: PRICE.at_most(input, output), calls: 1,
                };
                ledger.settle(reservation, if is_heard { Settlement::Known(usage) } else { Settlement::Unknown });
                let spent = ledger.spent();
                prop_assert!(spent.calls <= BUDGET.turns && spent.cost_micro_usd <= BUDGET.micro_usd);
                prop_assert!(spent.input_tokens + spent.output_tokens <= BUDGET.tokens);
            }
        }
    }
}
