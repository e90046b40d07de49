//! A reading above or below a limit. Between the limit and where it clears, nothing begins and nothing ends.

use operator_protocols::{Finding, Verdict};

use super::scene::{Scene, Verdicts};
use crate::file::Limit;

pub(super) fn judge(scene: &Scene<'_>) -> Verdicts {
    scene.each(|_, value| {
        let (limit, violated, clear, word) = match scene.invariant.limit {
            Limit::Above { limit, clear } => (limit, value > limit, value <= clear, "above"),
            Limit::Below { limit, clear } => (limit, value < limit, value >= clear, "below"),
            Limit::Unchanged(_) | Limit::Peers { .. } => return Verdict::Ok,
        };
        if violated {
            let (name, unit) = (&scene.signal.name, scene.shown(value));
            let numbers = format!("{name} is {unit}, {word} {}", scene.shown(limit));
            Verdict::Violated(Finding::new(scene.message(&numbers), value, limit))
        } else if clear {
            Verdict::Ok
        } else {
            Verdict::Suppressed("between the limit and where it clears".to_owned())
        }
    })
}
