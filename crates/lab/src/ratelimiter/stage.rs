//! The rate limiter as a campaign runs it.

use super::{KIND, RateLimiterConfig, RateLimiterEnvironment};
use crate::environment::Environment;
use crate::eval::Stage;

/// The rate limiter as a campaign runs it.
pub const STAGE: Stage = Stage {
    kind: KIND,
    factory: operator_ratelimiter::factory,
    check: super::scenario::check,
    check_locus: super::scenario::check_locus,
    start: |scenario, folder| {
        Box::pin(async move {
            let config = RateLimiterConfig { folder, ..scenario.settings()? };
            let (environment, _) = RateLimiterEnvironment::start(config).await?;
            Ok(Box::new(environment) as Box<dyn Environment>)
        })
    },
};
