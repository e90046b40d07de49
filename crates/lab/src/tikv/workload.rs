//! Which loads the simulated cluster takes.

use crate::environment::WorkloadSpec;
use crate::error::LabError;

/// Checks a workload without starting it.
///
/// # Errors
/// Names the first setting that is wrong and what would be right.
pub fn check(spec: &WorkloadSpec) -> Result<(), LabError> {
    if spec.pattern != "steady" {
        return Err(LabError::invalid("workload.pattern", format!("steady, not {:?}", spec.pattern)));
    }
    if !(1..=1_000_000).contains(&spec.rate) {
        return Err(LabError::invalid("workload.rate", format!("1 to 1000000 a second, not {}", spec.rate)));
    }
    if !(0.0..=2.0).contains(&spec.zipf) {
        return Err(LabError::invalid("workload.zipf", format!("0 to 2, not {}", spec.zipf)));
    }
    if let Some(name) = spec.params.keys().next() {
        return Err(LabError::invalid(format!("workload.params.{name}"), "there are no parameters"));
    }
    Ok(())
}
