//! What tokens cost.

use serde::{Deserialize, Serialize};

/// Tokens of one call, by what they cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// Read and not in a cache.
    pub(crate) fresh: u64,
    /// Read from the cache.
    pub(crate) cached: u64,
    /// Read and written into the cache.
    pub(crate) stored: u64,
    /// Written.
    pub(crate) output: u64,
}

/// Prices of tokens, in billionths of a US dollar each: 1,000 is a dollar for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// A token read.
    pub input: u64,
    /// A token read from the provider's cache.
    pub cached: u64,
    /// A token read and written into the cache, for five minutes.
    pub stored: u64,
    /// A token written, thinking included.
    pub output: u64,
}

impl Price {
    /// A model on a machine of one's own.
    pub const FREE: Self = Self { input: 0, cached: 0, stored: 0, output: 0 };

    /// The cost in millionths of a dollar, rounded up.
    pub(crate) fn of(&self, tokens: &Tokens) -> u64 {
        let parts = [
            (tokens.fresh, self.input),
            (tokens.cached, self.cached),
            (tokens.stored, self.stored),
            (tokens.output, self.output),
        ];
        let billionths = parts.iter().fold(0_u128, |sum, &(count, price)| sum + u128::from(count) * u128::from(price));
        u64::try_from(billionths.div_ceil(1000)).unwrap_or(u64::MAX)
    }

    /// The most that so many tokens can cost.
    pub(crate) fn at_most(&self, input: u64, output: u64) -> u64 {
        let dearest = self.input.max(self.cached).max(self.stored);
        Self { input: dearest, ..*self }.of(&Tokens { fresh: input, output, ..Tokens::default() })
    }

    /// The price of a hosted model; that of the dearest known one, if it is not known.
    pub fn of_model(model: &str) -> Self {
        let known = TABLE.iter().filter(|(prefix, _)| is_model(model, prefix)).max_by_key(|(prefix, _)| prefix.len());
        known.map_or(DEAREST, |(_, price)| *price)
    }
}

/// `claude-x` is `claude-x`, and dated or aliased: `claude-x-20260101`, `claude-x-latest`; but `claude-x-5` is another model.
fn is_model(model: &str, known: &str) -> bool {
    let Some(rest) = model.strip_prefix(known) else { return false };
    let Some(suffix) = rest.strip_prefix('-') else { return rest.is_empty() };
    suffix == "latest" || (suffix.len() == 8 && suffix.bytes().all(|byte| byte.is_ascii_digit()))
}

const fn per_million(input: u64, cached: u64, stored: u64, output: u64) -> Price {
    Price { input, cached, stored, output }
}

/// The dearest of the table.
const DEAREST: Price = per_million(10_000, 1_000, 12_500, 50_000);

/// Prices by model, from its page at platform.claude.com/docs/en/models/…/overview, read in November 2026. For the reads of
/// Sonnet 5.5 from the cache that page says $0.20 and the migration guide $0.10: the dearer one stands here. Where a page
/// gives only input and output, reads are a tenth and writes five quarters of the input, as for the others.
const TABLE: &[(&str, Price)] = &[
    ("claude-fable-5-1", DEAREST),
    ("claude-opus-5-5", per_million(4_000, 400, 5_000, 20_000)),
    ("claude-opus-5", per_million(5_000, 500, 6_250, 25_000)),
    ("claude-sonnet-5-5", per_million(2_000, 200, 2_500, 10_000)),
    ("claude-sonnet-5", per_million(2_000, 200, 2_500, 10_000)),
    ("claude-sonnet-4-6", per_million(3_000, 300, 3_750, 15_000)),
    ("claude-haiku-4-5", per_million(1_000, 100, 1_250, 5_000)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_tokens_cost_what_the_page_says() {
        let price = Price::of_model("claude-sonnet-5-5");
        let million = Tokens { fresh: 1_000_000, ..Tokens::default() };
        assert_eq!(price.of(&million), 2_000_000);
        assert_eq!(price.of(&Tokens { output: 1, cached: 1, ..Tokens::default() }), 11, "10.2 is rounded up");
        assert_eq!(price.at_most(1000, 100), 2_500 + 1_000, "the input may have to be stored");
    }

    #[test]
    fn an_unknown_model_costs_as_much_as_the_dearest() {
        assert_eq!(Price::of_model("claude-sonnet-5-20260630"), Price::of_model("claude-sonnet-5"));
        for unknown in ["somebody-else", "claude-sonnet-6", "claude-sonnet-5-7", ""] {
            assert_eq!(Price::of_model(unknown), DEAREST, "{unknown}");
        }
        assert!(TABLE.iter().all(|(_, price)| price.output <= DEAREST.output && price.stored <= DEAREST.stored));
    }

    #[test]
    fn no_number_of_tokens_overflows() {
        let all = Tokens { fresh: u64::MAX, cached: u64::MAX, stored: u64::MAX, output: u64::MAX };
        assert_eq!(Price::of_model("unknown").of(&all), u64::MAX);
    }
}
