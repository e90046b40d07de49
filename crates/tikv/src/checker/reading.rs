//! The numbers that Prometheus answered, as the judges read them: a number, or the verdict that follows from its absence.

use super::case::{Case, Step, idle, untold};
use super::write_path;
use crate::details::Answer;
use crate::thresholds::Limit;
use crate::{names, queries};

use operator_protocols::Verdict;

impl Case<'_> {
    pub(super) fn limit(&self, limit: Limit) -> f64 {
        self.thresholds.of(limit)
    }

    /// A threshold that is a time, in the subject's time scale.
    pub(super) fn duration(&self, limit: Limit) -> f64 {
        self.thresholds.of(limit) * self.time_scale
    }

    /// What Prometheus answered to a question.
    pub(super) fn answer(&self, query: &str) -> Step<&Answer> {
        let metrics = &self.details.metrics;
        let why = match metrics.answers_by_query.get(query) {
            Some(answer) => match &answer.why_not {
                None => return Ok(answer),
                Some(why) => why.as_str(),
            },
            None if !metrics.configured => "there is no Prometheus in the settings",
            None => metrics.silence.as_deref().unwrap_or("Prometheus was not asked"),
        };
        Err(Verdict::Suppressed(format!("{query} was not read: {why}")))
    }

    /// A number about a store.
    pub(super) fn metric(&self, query: &str, id: u64) -> Step<f64> {
        let answer = self.answer(query)?;
        if let Some(value) = answer.stores.get(&id).filter(|value| value.is_finite()) {
            return Ok(*value);
        }
        if self.scraped(id) != Some(true) {
            return Err(untold(query, &names::store(id)));
        }
        if counts_from_zero(query) {
            return Ok(0.0);
        }
        if may_be_absent(query) || (is_quantile(query) && self.busy(id).is_err()) {
            return Err(idle());
        }
        Err(untold(query, &names::store(id)))
    }

    /// A number about a store by a further label.
    pub(super) fn metric_by(&self, query: &str, label: &str, id: u64) -> Step<Option<f64>> {
        let of_label = self.answer(query)?.stores_by.get(label);
        Ok(of_label.and_then(|stores| stores.get(&id)).copied().filter(|value| value.is_finite()))
    }

    /// A number about a member of PD.
    pub(super) fn member_metric(&self, query: &str, name: &str) -> Step<f64> {
        let answer = self.answer(query)?;
        if let Some(value) = answer.members.get(name).filter(|value| value.is_finite()) {
            return Ok(*value);
        }
        if self.details.metrics.member("member_scraped", name).is_none_or(|up| up < 0.5) {
            return Err(untold(query, name));
        }
        if counts_from_zero(query) {
            return Ok(0.0);
        }
        // Without transactions nobody asks for timestamps.
        if query == "tso_p99" { Err(idle()) } else { Err(untold(query, name)) }
    }

    pub(super) fn scraped(&self, id: u64) -> Option<bool> {
        self.pulses.get(&id).and_then(|pulse| pulse.scraped)
    }

    /// Requests a second that a store is asked, of all types.
    pub(super) fn traffic(&self, id: u64) -> Step<f64> {
        let answer = self.answer("request_rate")?;
        let rates = answer.stores_by.values().filter_map(|stores| stores.get(&id)).filter(|rate| rate.is_finite());
        let (count, sum) = rates.fold((0, 0.0), |(count, sum), rate| (count + 1, sum + rate.max(0.0)));
        match (count, self.scraped(id)) {
            // A type that nobody uses has no series.
            (0, Some(true)) => Ok(0.0),
            (0, _) => Err(untold("request_rate", &names::store(id))),
            _ => Ok(sum),
        }
    }

    /// That a store is asked enough for its latency to say something.
    pub(super) fn busy(&self, id: u64) -> Step<()> {
        if self.traffic(id)? < self.limit(Limit::Traffic) { Err(idle()) } else { Ok(()) }
    }

    /// The stores that others wait for, as the write path tells.
    pub(super) fn slow_followers(&self) -> &[u64] {
        self.slow_followers.get_or_init(|| write_path::slow_followers(self))
    }
}

/// Whether there is no such number where nothing of the kind happens, though the store is busy with other things.
fn may_be_absent(query: &str) -> bool {
    queries::find(query).is_some_and(|query| query.may_be_absent)
}

/// Whether there are no series of a question before the first event that it counts.
fn counts_from_zero(query: &str) -> bool {
    queries::find(query).is_some_and(|query| query.absent_is_zero)
}

/// Whether a question asks for a quantile, which there is none of while nothing happens.
fn is_quantile(query: &str) -> bool {
    queries::find(query).is_some_and(|query| query.expression.contains("histogram_quantile"))
}
