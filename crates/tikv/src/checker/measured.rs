//! A number held against its threshold.

use std::time::Duration;

use operator_protocols::{Finding, Verdict};

/// How long a rate or a quantile over a window still shows what is over.
pub(super) const RATE_WINDOW: Duration = Duration::from_secs(60);

/// Violated if a number is above its threshold.
pub(super) fn above(measured: f64, threshold: f64, message: impl FnOnce() -> String) -> Verdict {
    if measured > threshold { violated(message(), measured, threshold) } else { Verdict::Ok }
}

/// Violated, by a number that is measured over a window.
pub(super) fn violated(message: String, measured: f64, threshold: f64) -> Verdict {
    Verdict::Violated(Finding { persists: Some(RATE_WINDOW), ..Finding::new(message, measured, threshold) })
}
