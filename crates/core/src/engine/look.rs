//! Looking at the subject and judging what was seen, and remembering it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use operator_protocols::{Evaluation, Observation, Timestamp, Unavailable, Verdict};

use super::{Engine, MONITORING_GAP, grace};

impl Engine {
    pub(super) async fn observe(&mut self, at: Timestamp) -> Arc<Observation> {
        let mut now = self.subject.observe(at).await;
        now.discard_readings_that_are_not_finite();
        if now.at != at {
            now.unavailable.push(Unavailable::new("the time of the observation", format!("it says {}", now.at)));
            now.at = at;
        }
        Arc::new(now)
    }

    /// The checker's evaluations with the loop's own; those of invariants that nobody declared are left out and said.
    pub(super) fn judge(&mut self, now: &Arc<Observation>) -> Vec<Evaluation> {
        let checker = &self.checker;
        let history = &self.history;
        let checked = catch_unwind(AssertUnwindSafe(|| checker.check(history, now)));
        let mut judged = match checked {
            Ok(judged) => {
                self.trouble.remove("checker");
                judged
            }
            Err(_) => {
                self.trouble.insert("checker".to_owned(), "the checker panicked: nothing was judged".to_owned());
                Vec::new()
            }
        };
        let undeclared: BTreeSet<_> = judged
            .iter()
            .filter(|evaluation| !self.definitions.contains_key(&evaluation.invariant))
            .map(|evaluation| evaluation.invariant.clone())
            .collect();
        if undeclared.is_empty() {
            self.trouble.remove("undeclared");
        } else {
            let names: Vec<_> = undeclared.into_iter().collect();
            let what = format!("judged, but not declared: {}", names.join(", "));
            self.trouble.insert("undeclared".to_owned(), what);
        }
        judged.retain(|evaluation| self.definitions.contains_key(&evaluation.invariant));
        for evaluation in &mut judged {
            if matches!(&evaluation.verdict, Verdict::Violated(finding) if !finding.is_finite()) {
                let why = Unavailable::new(evaluation.invariant.clone(), "a number of its finding is not finite");
                evaluation.verdict = Verdict::Unknown(why);
            }
        }
        // What is violated and was not judged at all could not be judged.
        let judged_now: BTreeSet<_> =
            judged.iter().map(|e| crate::violation::fingerprint(&e.invariant, &e.on)).collect();
        for (fingerprint, violation) in &self.state.violations {
            if violation.invariant != MONITORING_GAP && !judged_now.contains(fingerprint) {
                let why = Unavailable::new(violation.invariant.clone(), "it was not judged in this cycle");
                judged.push(Evaluation::new(violation.invariant.clone(), violation.on.clone(), Verdict::Unknown(why)));
            }
        }
        let gaps = grace::judge_gaps(
            &mut self.unknown_since,
            &judged,
            &self.state.violations,
            now,
            self.settings.monitoring_gap_after,
        );
        judged.extend(gaps);
        judged
    }

    pub(super) fn remember(&mut self, now: &Arc<Observation>) {
        let keep = self.checker.lookback().max(self.settings.evidence_window);
        if self.history.push(Arc::clone(now), keep) {
            self.trouble.remove("clock");
            if let Some(Err(error)) = self.past.as_mut().map(|past| past.append(now, keep)) {
                self.trouble.insert("past".to_owned(), format!("the past is not kept on disk: {error}"));
            }
        } else {
            let what = "the clock went backwards: the observation is not kept".to_owned();
            self.trouble.insert("clock".to_owned(), what);
        }
    }

    /// Asks the subject for the past before what is remembered already.
    pub(super) async fn recall_the_past(&mut self, now: Timestamp) {
        let remembered = std::mem::take(&mut self.history);
        let begins = remembered.iter().next().map_or(now, |observation| observation.at);
        let keep = self.checker.lookback().max(self.settings.evidence_window);
        match self.subject.history(now.minus(keep), now).await {
            Ok(past) => {
                for mut observation in past {
                    observation.discard_readings_that_are_not_finite();
                    if observation.at < begins {
                        self.history.push(Arc::new(observation), keep);
                    }
                }
            }
            Err(why) => {
                self.trouble.insert("history".to_owned(), why.to_string());
            }
        }
        for observation in remembered.iter() {
            self.history.push(Arc::clone(observation), keep);
        }
    }
}
