//! The invariants of a rate limiter, judged from what was observed.
//!
//! | invariant | judged at | violated when | threshold | grace | severity |
//! |---|---|---|---|---|---|
//! | `node_down` | node | it did not answer `/livez` in two observations running | 1 s | 0 s | critical |
//! | `redis_disconnected` | Redis, link | the inspector does not reach Redis; a node says it lost it | 0 | 0 s | critical |
//! | `high_latency` | node | 99 % of its decisions take longer, at 1 request/s or more | 0.1 s | 60 s | warning |
//! | `counter_drift` | key, all keys | admitted and recorded cost differ by more, beyond unanswered cost | 5 | 30 s | warning |
//! | `ghost_allowing` | key, all keys | more cost was admitted within a window than its limit | the limit | 0 s | critical |
//! | `config_divergence` | node, all nodes | a node runs with other settings than most | 0 | 30 s | warning |
//! | `degraded_mode` | node, Redis | it decides without Redis | 0 | 10 s | warning |
//! | `limit_jump` | key, all keys | its limit is so many times its baseline, or that part of it | 5 | 0 s | warning |
//!
//! A node that does not answer is judged by `node_down` only; the rest is `Suppressed` there. What more than
//! [`FOLD_ABOVE`] keys break at once is one finding about all keys. The setting `time_scale` multiplies every grace.

mod case;
mod config_divergence;
mod counter_drift;
mod degraded_mode;
mod ghost_allowing;
mod high_latency;
mod key_findings;
mod limit_jump;
mod node_down;
mod redis_disconnected;
#[cfg(test)]
mod scene;

use std::time::Duration;

use operator_protocols::{
    Evaluation, History, InvariantChecker, InvariantDefinition, Locus, Observation, Severity, Verdict,
};

use case::Case;

/// More keys than this that break one invariant at once are one finding.
pub const FOLD_ABOVE: usize = 20;
/// How much of the past is needed: as long as differing accounts may be seen.
const LOOKBACK: Duration = Duration::from_secs(600);

/// Judges the invariants of one rate limiter.
#[derive(Debug, Clone)]
pub struct RateLimiterChecker {
    subject: String,
    definitions: Vec<InvariantDefinition>,
}

impl RateLimiterChecker {
    /// The checker of the instance `subject`, whose graces are multiplied by `time_scale`.
    pub fn new(subject: impl Into<String>, time_scale: f64) -> Self {
        let grace = |seconds: u64| Duration::from_secs(seconds).mul_f64(time_scale.clamp(0.0, 1000.0));
        let definition = |name: &str, description: &str, severity, threshold, unit: &str, grace| InvariantDefinition {
            name: name.to_owned(),
            description: description.to_owned(),
            severity,
            threshold,
            unit: unit.to_owned(),
            grace,
            clear_after: None,
            minimum_traffic: None,
        };
        let mut definitions = vec![
            definition(
                node_down::NAME,
                "Every expected node answers /livez within 1 s",
                Severity::Critical,
                Some(node_down::LIMIT_S),
                "s",
                grace(0),
            ),
            definition(
                redis_disconnected::NAME,
                "Redis answers the operator and every node that lives",
                Severity::Critical,
                Some(0.0),
                "1",
                grace(0),
            ),
            definition(
                high_latency::NAME,
                "99 % of the decisions of a node take at most 100 ms",
                Severity::Warning,
                Some(high_latency::LIMIT_S),
                "s",
                grace(60),
            ),
            definition(
                counter_drift::NAME,
                "What a node admitted is what Redis recorded for it, in cost, over the last window or 10 minutes",
                Severity::Warning,
                Some(counter_drift::TOLERANCE),
                "cost",
                grace(30),
            ),
            definition(
                ghost_allowing::NAME,
                "All nodes together admit at most the limit in force within a window, and their shares without Redis",
                Severity::Critical,
                None,
                "cost",
                grace(0),
            ),
            definition(
                config_divergence::NAME,
                "All nodes run with the same limits and settings, on one Redis",
                Severity::Warning,
                Some(0.0),
                "settings",
                grace(30),
            ),
            definition(
                degraded_mode::NAME,
                "Every node decides together with the others, through Redis",
                Severity::Warning,
                Some(0.0),
                "nodes",
                grace(10),
            ),
            definition(
                limit_jump::NAME,
                "A key's limit stays within a factor of five of its baseline: what was in force longest in the last hour",
                Severity::Warning,
                Some(limit_jump::FACTOR),
                "1",
                grace(0),
            ),
        ];
        for definition in &mut definitions {
            if definition.name == high_latency::NAME {
                definition.minimum_traffic = Some(high_latency::MINIMUM_TRAFFIC);
            }
        }
        Self { subject: subject.into(), definitions }
    }
}

impl InvariantChecker for RateLimiterChecker {
    fn invariants(&self) -> &[InvariantDefinition] {
        &self.definitions
    }

    fn lookback(&self) -> Duration {
        LOOKBACK
    }

    fn check(&self, past: &History, now: &Observation) -> Vec<Evaluation> {
        let why = match Case::new(&self.subject, past, now) {
            Ok(case) => return judge(&case),
            Err(why) => why,
        };
        let unknown = |invariant: String, on| Evaluation::new(invariant, on, Verdict::Unknown(why.clone()));
        // Where nothing can be judged, everything that was judged last is unknown.
        let readable = past.iter().rev().find_map(|seen| Case::new(&self.subject, past, seen).ok());
        match readable {
            Some(case) => judge(&case).into_iter().map(|was| unknown(was.invariant, was.on)).collect(),
            None => {
                self.definitions.iter().map(|definition| unknown(definition.name.clone(), Locus::Nothing)).collect()
            }
        }
    }
}

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let judges = [
        node_down::judge,
        redis_disconnected::judge,
        high_latency::judge,
        counter_drift::judge,
        ghost_allowing::judge,
        config_divergence::judge,
        degraded_mode::judge,
        limit_jump::judge,
    ];
    judges.iter().flat_map(|judge| judge(case)).collect()
}

#[cfg(test)]
mod tests {
    use super::scene::{SUBJECT, Scene};
    use super::*;

    #[test]
    fn a_healthy_limiter_violates_nothing() {
        let mut scene = Scene::healthy();
        for _ in 0..3 {
            assert_eq!(scene.judge().violated(), []);
        }
    }

    #[test]
    fn every_invariant_is_declared_with_its_grace_and_time_scale_shortens_graces_only() {
        let grace = |scale: f64| -> Vec<_> {
            let checker = RateLimiterChecker::new(SUBJECT, scale);
            checker.invariants().iter().map(|d| (d.name.clone(), d.grace.as_millis(), d.threshold)).collect()
        };
        let full: Vec<_> = grace(1.0).into_iter().map(|(name, grace, _)| (name, grace)).collect();
        let expected = [
            ("node_down", 0),
            ("redis_disconnected", 0),
            ("high_latency", 60_000),
            ("counter_drift", 30_000),
            ("ghost_allowing", 0),
            ("config_divergence", 30_000),
            ("degraded_mode", 10_000),
            ("limit_jump", 0),
        ];
        assert_eq!(full, expected.map(|(name, grace)| (name.to_owned(), grace)));
        for (full, tenth) in grace(1.0).into_iter().zip(grace(0.1)) {
            assert_eq!((full.1 / 10, full.2), (tenth.1, tenth.2), "{}", full.0);
        }
    }

    #[test]
    fn an_observation_without_details_leaves_everything_unknown() {
        let checker = RateLimiterChecker::new(SUBJECT, 1.0);
        let now = Observation::new(operator_protocols::Timestamp::from_millis(5));
        let evaluations = checker.check(&History::new(), &now);
        assert_eq!(evaluations.len(), checker.invariants().len());
        assert!(evaluations.iter().all(|evaluation| matches!(evaluation.verdict, Verdict::Unknown(_))));
    }

    #[test]
    fn a_node_that_is_no_longer_expected_is_gone() {
        let mut scene = Scene::healthy();
        scene.judge();
        scene.details.nodes.remove("n3");
        scene.details.registry.nodes.remove("n3");
        let judged = scene.judge();
        for invariant in ["node_down", "high_latency", "config_divergence", "degraded_mode"] {
            assert_eq!(judged.verdict(invariant, &scene::component("n3")), &Verdict::Gone);
        }
        assert_eq!(judged.verdict("redis_disconnected", &scene::edge("n3")), &Verdict::Gone);
    }
}
