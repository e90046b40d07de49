//! The shop as a campaign runs it.

use super::{KIND, Pace, SHOP_FACTORY, ShopEnvironment, scenario};
use crate::environment::Environment;
use crate::eval::Stage;

/// The shop as a campaign runs it: its time passes as fast as the machine goes.
pub const STAGE: Stage = Stage {
    kind: KIND,
    factory: SHOP_FACTORY,
    check: scenario::check,
    check_locus: scenario::check_locus,
    start: |scenario, folder| {
        Box::pin(async move {
            let (environment, _) = ShopEnvironment::start(&folder, scenario.workload.seed, Pace::Asked)?;
            Ok(Box::new(environment) as Box<dyn Environment>)
        })
    },
};
