//! Questions that a target's own exposition answers, without a Prometheus in between: what is now, from one look; rates,
//! increases and quantiles, from two.

use std::collections::VecDeque;
use std::time::Duration;

use operator_prometheus::{Exposition, Histogram, HistogramError};
use operator_protocols::Timestamp;

/// Over which time rates and quantiles are taken, at least, once it is possible.
const WINDOW: Duration = Duration::from_secs(60);
/// How far back increases reach: those that the catalogue takes over ten minutes.
const LONG_WINDOW: Duration = Duration::from_secs(600);
/// Looks that are remembered.
const MAX_LOOKS: usize = 200;

/// How an answer comes about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Form {
    /// The sum of the series as they are, times this.
    Sum(f64),
    /// The greatest of the series, times this.
    Greatest(f64),
    /// By how much the sum grows a second.
    Rate,
    /// By how much the sum grew within the window.
    Increase,
    /// By how much the sum grew within ten minutes.
    LongIncrease,
    /// This quantile of what came within the window.
    Quantile(f64),
}

/// One question, and the series that answer it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Direct {
    /// The name of the question in the catalogue.
    pub(super) query: &'static str,
    /// The metric.
    pub(super) metric: &'static str,
    /// A label and its value, where not all series count.
    pub(super) label: Option<(&'static str, &'static str)>,
    /// How the answer comes about.
    pub(super) form: Form,
}

impl Direct {
    pub(super) const fn new(query: &'static str, metric: &'static str, form: Form) -> Self {
        Self { query, metric, label: None, form }
    }

    pub(super) const fn with(self, label: &'static str, value: &'static str) -> Self {
        Self { label: Some((label, value)), ..self }
    }
}

/// What was seen of one question at one look, as far as a later one needs it.
#[derive(Debug, Clone, PartialEq)]
enum Seen {
    Count(f64),
    Histogram(Histogram),
    Nothing,
}

#[derive(Debug)]
struct Look {
    at: Timestamp,
    started: Option<f64>,
    seen: Vec<Seen>,
}

/// The looks at one target.
#[derive(Debug, Default)]
pub(super) struct Looks {
    looks: VecDeque<Look>,
}

impl Looks {
    /// Adds a look at `at`; what it and the earlier ones answer, in the order of `questions`. These must be the same each
    /// time.
    pub(super) fn add(&mut self, questions: &[Direct], exposition: &Exposition, at: Timestamp) -> Vec<Option<f64>> {
        let look = Look {
            at,
            started: exposition.sum("process_start_time_seconds", &[]),
            seen: questions.iter().map(|question| seen(question, exposition)).collect(),
        };
        // Another process counts from its own start.
        if self.looks.back().is_some_and(|last| last.started != look.started || last.at >= at) {
            self.looks.clear();
        }
        while self.looks.front().is_some_and(|first| at.since(first.at) > LONG_WINDOW) || self.looks.len() >= MAX_LOOKS
        {
            self.looks.pop_front();
        }
        let window = self.looks.iter().rposition(|earlier| at.since(earlier.at) >= WINDOW).unwrap_or(0);
        let answers = questions.iter().enumerate().map(|(index, question)| {
            let labels: Vec<_> = question.label.into_iter().collect();
            let since = |earlier: Option<&Look>| since(&look, earlier?, index);
            let answer = match question.form {
                Form::Sum(factor) => exposition.sum(question.metric, &labels).map(|sum| sum * factor),
                Form::Greatest(factor) => exposition
                    .samples(question.metric, &labels)
                    .map(|sample| sample.value)
                    .filter(|value| value.is_finite())
                    .max_by(f64::total_cmp)
                    .map(|greatest| greatest * factor),
                Form::Rate => {
                    let earlier = self.looks.get(window);
                    let seconds = earlier.map(|earlier| at.since(earlier.at).as_secs_f64());
                    since(earlier).zip(seconds).map(|(growth, seconds)| growth / seconds)
                }
                Form::Increase => since(self.looks.get(window)),
                Form::LongIncrease => since(self.looks.front()),
                Form::Quantile(q) => self.looks.get(window).and_then(|earlier| quantile(&look, earlier, index, q)),
            };
            answer.filter(|value| value.is_finite())
        });
        let answers = answers.collect();
        // Of what is older than the window only the counts are needed.
        for old in self.looks.iter_mut().take(window) {
            old.seen
                .iter_mut()
                .filter(|seen| matches!(seen, Seen::Histogram(_)))
                .for_each(|seen| *seen = Seen::Nothing);
        }
        self.looks.push_back(look);
        answers
    }
}

fn seen(question: &Direct, exposition: &Exposition) -> Seen {
    let labels: Vec<_> = question.label.into_iter().collect();
    match question.form {
        Form::Sum(_) | Form::Greatest(_) => Seen::Nothing,
        Form::Quantile(_) => Histogram::of(exposition, question.metric, &labels).map_or(Seen::Nothing, Seen::Histogram),
        Form::Rate | Form::Increase | Form::LongIncrease => {
            let count = exposition.sum(question.metric, &labels).filter(|count| count.is_finite());
            count.map_or(Seen::Nothing, Seen::Count)
        }
    }
}

/// By how much a count grew; from zero, if it was not there yet.
fn since(now: &Look, earlier: &Look, index: usize) -> Option<f64> {
    match (now.seen.get(index)?, earlier.seen.get(index)?) {
        (Seen::Count(now), Seen::Count(earlier)) => Some((now - earlier).max(0.0)),
        (Seen::Count(now), Seen::Nothing) => Some(*now),
        _ => None,
    }
}

fn quantile(now: &Look, earlier: &Look, index: usize, q: f64) -> Option<f64> {
    let Seen::Histogram(now) = now.seen.get(index)? else { return None };
    match earlier.seen.get(index)? {
        Seen::Histogram(earlier) => now.since(earlier).or_else(|error| match error {
            // A series that is new has made the buckets more: what it counts came since.
            HistogramError::OtherBuckets => Ok(now.clone()),
            other => Err(other),
        }),
        _ => Ok(now.clone()),
    }
    .ok()?
    .quantile(q)
}

#[cfg(test)]
mod tests {
    use operator_prometheus::ExpositionLimits;

    use super::*;

    const QUESTIONS: [Direct; 5] = [
        Direct::new("disk_used", "size", Form::Sum(2.0)).with("type", "used"),
        Direct::new("slow_score", "score", Form::Greatest(1.0)),
        Direct::new("cpu", "cpu_total", Form::Rate),
        Direct::new("etcd_leader_changes", "changes_total", Form::LongIncrease),
        Direct::new("wal_fsync_p99", "fsync_seconds", Form::Quantile(0.99)),
    ];

    fn exposition(started: u32, cpu: u32, changes: u32, quick: u32, slow: u32) -> Exposition {
        let all = quick + slow;
        let text = format!(
            "process_start_time_seconds {started}\nsize{{type=\"used\",db=\"a\"}} 1\nsize{{type=\"used\",db=\"b\"}} 2\n\
             size{{type=\"capacity\"}} 9\nscore{{type=\"raft\"}} 1\nscore{{type=\"kv\"}} 30\ncpu_total {cpu}\n\
             changes_total {changes}\nfsync_seconds_bucket{{le=\"0.001\"}} {quick}\n\
             fsync_seconds_bucket{{le=\"0.512\"}} {all}\nfsync_seconds_bucket{{le=\"+Inf\"}} {all}\n\
             fsync_seconds_sum 1\nfsync_seconds_count {all}\n"
        );
        Exposition::parse(text.as_bytes(), &ExpositionLimits::default()).expect("well formed")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    #[test]
    fn what_is_now_is_answered_at_once_and_what_happened_from_the_second_look_on() {
        let mut looks = Looks::default();
        let first = looks.add(&QUESTIONS, &exposition(1, 100, 7, 1000, 0), at(0));
        assert_eq!(first, [Some(6.0), Some(30.0), None, None, None]);
        let second = looks.add(&QUESTIONS, &exposition(1, 110, 9, 1000, 100), at(5));
        assert_eq!(second[2..4], [Some(2.0), Some(2.0)]);
        assert!(second[4].is_some_and(|seconds| seconds > 0.5), "only slow ones came since");
        let third = looks.add(&QUESTIONS, &exposition(1, 195, 9, 2000, 100), at(90));
        assert_eq!(third[2..4], [Some(1.0), Some(2.0)], "a minute for rates, ten minutes for changes");
        assert!(third[4].is_some_and(|seconds| seconds < 0.002), "the slow ones were more than a minute ago");
        let last = looks.add(&QUESTIONS, &exposition(1, 195, 9, 2000, 100), at(650));
        assert_eq!(last[2..], [Some(0.0), Some(0.0), None], "nothing came since");
    }

    #[test]
    fn a_process_that_was_started_again_is_begun_with_afresh() {
        let mut looks = Looks::default();
        looks.add(&QUESTIONS, &exposition(1, 100, 7, 1000, 0), at(0));
        assert_eq!(looks.add(&QUESTIONS, &exposition(2, 200, 9, 2000, 0), at(5))[2..], [None, None, None]);
    }

    #[test]
    fn a_count_that_is_new_began_at_zero() {
        let mut looks = Looks::default();
        let none = Exposition::parse(b"process_start_time_seconds 1\n", &ExpositionLimits::default()).expect("one");
        assert_eq!(looks.add(&QUESTIONS, &none, at(0)), [None; 5]);
        assert_eq!(looks.add(&QUESTIONS, &exposition(1, 10, 1, 1, 0), at(5))[2..4], [Some(2.0), Some(1.0)]);
    }
}
