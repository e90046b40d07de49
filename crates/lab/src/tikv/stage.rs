//! The simulated cluster as a campaign runs it.

use super::{KIND, Pace, TikvConfig, TikvEnvironment, scenario};
use crate::environment::Environment;
use crate::eval::Stage;

/// The simulated cluster as a campaign runs it: its time passes as fast as the machine goes.
pub const STAGE: Stage = Stage {
    kind: KIND,
    factory: |_, _| Err(operator_protocols::SubjectError::new("kind", "TiKV is not there yet")),
    check: scenario::check,
    check_locus: scenario::check_locus,
    start: |scenario, folder| {
        Box::pin(async move {
            let config = TikvConfig { folder, seed: scenario.workload.seed, ..scenario.settings()? };
            let (environment, _) = TikvEnvironment::start(config, Pace::Asked)?;
            Ok(Box::new(environment) as Box<dyn Environment>)
        })
    },
};
