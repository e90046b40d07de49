//! The settings of PD that may be changed, each within its bounds; everything else is left alone.
//!
//! Names and defaults are those of PD's `schedule` section (`server/config/config.go`); the bounds are this operator's.

use std::time::Duration;

use serde_json::{Value, json};

use crate::pd::api::go_duration;

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Takes {
    /// A whole number within bounds, both included.
    Count { min: u64, max: u64, usual: u64 },
    /// A duration within bounds, both included.
    Span { min: Duration, max: Duration, usual: Duration },
    /// It may be put back to `true`, never set to `false`.
    OnlyOn,
}

/// A setting that may be changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Setting {
    key: &'static str,
    takes: Takes,
}

const fn count(key: &'static str, min: u64, max: u64, usual: u64) -> Setting {
    Setting { key, takes: Takes::Count { min, max, usual } }
}

const fn on(key: &'static str) -> Setting {
    Setting { key, takes: Takes::OnlyOn }
}

/// Every setting that may be changed.
pub(crate) const ALLOWED: &[Setting] = &[
    count("leader-schedule-limit", 1, 16, 4),
    count("region-schedule-limit", 16, 2048, 2048),
    count("replica-schedule-limit", 8, 128, 64),
    count("merge-schedule-limit", 0, 16, 8),
    count("hot-region-schedule-limit", 1, 16, 4),
    count("max-snapshot-count", 8, 128, 64),
    count("max-pending-peer-count", 16, 256, 64),
    count("scheduler-max-waiting-operator", 1, 10, 5),
    Setting {
        key: "max-store-down-time",
        takes: Takes::Span {
            min: Duration::from_secs(600),
            max: Duration::from_secs(86_400),
            usual: Duration::from_secs(1_800),
        },
    },
    Setting {
        key: "patrol-region-interval",
        takes: Takes::Span {
            min: Duration::from_millis(10),
            max: Duration::from_millis(100),
            usual: Duration::from_millis(10),
        },
    },
    on("enable-remove-down-replica"),
    on("enable-replace-offline-replica"),
    on("enable-make-up-replica"),
    on("enable-remove-extra-replica"),
    on("enable-location-replacement"),
];

impl Setting {
    /// The setting of that name, if it may be changed.
    pub(crate) fn named(key: &str) -> Option<&'static Self> {
        ALLOWED.iter().find(|setting| setting.key == key)
    }

    /// Its name.
    pub(crate) fn key(&self) -> &'static str {
        self.key
    }

    /// What it is when nobody changed it, as PD writes it.
    pub(crate) fn usual(&self) -> String {
        match self.takes {
            Takes::Count { usual, .. } => usual.to_string(),
            Takes::Span { usual, .. } => written(usual),
            Takes::OnlyOn => "true".to_owned(),
        }
    }

    /// Whether two ways of writing it mean the same.
    pub(crate) fn same(&self, a: &str, b: &str) -> bool {
        match self.takes {
            Takes::Count { .. } => a.parse::<u64>().is_ok_and(|a| b.parse() == Ok(a)),
            Takes::Span { .. } => parse_duration(a).is_some_and(|a| parse_duration(b) == Some(a)),
            Takes::OnlyOn => a == b,
        }
    }

    /// Whether it only makes sense to raise it: a dead store's replicas are copied sooner otherwise.
    pub(crate) fn only_upward(&self) -> bool {
        self.key == "max-store-down-time"
    }

    /// Whether `to` is more than `from`; none, if one of them is no value of it.
    pub(crate) fn raises(&self, from: &str, to: &str) -> Option<bool> {
        match self.takes {
            Takes::Count { .. } => Some(from.parse::<u64>().ok()? < to.parse().ok()?),
            Takes::Span { .. } => Some(parse_duration(from)? < parse_duration(to)?),
            Takes::OnlyOn => None,
        }
    }

    /// What it takes, in words.
    pub(crate) fn expectation(&self) -> String {
        match self.takes {
            Takes::Count { min, max, .. } => format!("a whole number from {min} to {max}"),
            Takes::Span { min, max, .. } => format!("a duration from {} to {}", written(min), written(max)),
            Takes::OnlyOn => "true".to_owned(),
        }
    }
}

/// A setting with a value that it may have: nothing else can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    key: &'static str,
    value: Assigned,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Assigned {
    Count(u64),
    Span(Duration),
    On,
}

impl Assignment {
    /// `setting` with the value written as `text`.
    ///
    /// # Errors
    /// What the setting takes, if it is not that.
    pub(crate) fn new(setting: &Setting, text: &str) -> Result<Self, String> {
        let value = match setting.takes {
            Takes::Count { min, max, .. } => {
                text.parse().ok().filter(|count| (min..=max).contains(count)).map(Assigned::Count)
            }
            Takes::Span { min, max, .. } => {
                parse_duration(text).filter(|span| (min..=max).contains(span)).map(Assigned::Span)
            }
            Takes::OnlyOn => (text == "true").then_some(Assigned::On),
        };
        let value = value.ok_or_else(|| format!("{} takes {}, not {text:?}", setting.key, setting.expectation()))?;
        Ok(Self { key: setting.key, value })
    }

    /// The setting's name.
    pub(crate) fn key(&self) -> &'static str {
        self.key
    }

    /// The value as PD reads it; flags are written as text, as PD itself writes them.
    pub(crate) fn json(&self) -> Value {
        match self.value {
            Assigned::Count(count) => json!(count),
            Assigned::Span(span) => json!(written(span)),
            Assigned::On => json!("true"),
        }
    }

    /// The value as text.
    pub(crate) fn text(&self) -> String {
        match self.value {
            Assigned::Count(count) => count.to_string(),
            Assigned::Span(span) => written(span),
            Assigned::On => "true".to_owned(),
        }
    }
}

/// A duration as Go writes it: `30m0s`, `10ms`, `1h0m0s`.
fn written(span: Duration) -> String {
    let millis = span.as_millis();
    if millis < 1_000 {
        return format!("{millis}ms");
    }
    let seconds = span.as_secs();
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

/// Reads a duration as Go writes it, in whole milliseconds.
fn parse_duration(text: &str) -> Option<Duration> {
    // Ten years: what is longer is no setting of PD.
    const LONGEST_S: f64 = 3.2e8;
    let seconds = go_duration(text).filter(|seconds| (0.0..=LONGEST_S).contains(seconds))?;
    Some(Duration::from_millis((seconds * 1_000.0).round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_settings_take_only_what_is_within_their_bounds() {
        for key in ["halt-scheduling", "enable-placement-rules", "max-replicas", "low-space-ratio", "", "schedule.x"] {
            assert_eq!(Setting::named(key), None, "{key}");
        }
        let assigned = |key: &str, text: &str| {
            let setting = Setting::named(key).expect(key);
            Assignment::new(setting, text).map(|assignment| assignment.json())
        };
        assert_eq!(assigned("region-schedule-limit", "2048"), Ok(json!(2048)));
        assert_eq!(assigned("max-store-down-time", "1h"), Ok(json!("1h0m0s")));
        assert_eq!(assigned("max-store-down-time", "30m0s"), Ok(json!("30m0s")));
        assert_eq!(assigned("patrol-region-interval", "10ms"), Ok(json!("10ms")));
        assert_eq!(assigned("enable-make-up-replica", "true"), Ok(json!("true")));
        for (key, text) in [
            ("region-schedule-limit", "0"),
            ("region-schedule-limit", "15"),
            ("region-schedule-limit", "-1"),
            ("region-schedule-limit", "1e3"),
            ("max-store-down-time", "1m"),
            ("max-store-down-time", "25h"),
            ("max-store-down-time", "9999999999999h"),
            ("max-store-down-time", ""),
            ("enable-make-up-replica", "false"),
        ] {
            assert!(assigned(key, text).is_err(), "{key} = {text}");
        }
    }

    #[test]
    fn every_usual_value_is_within_the_bounds_and_reads_back() {
        for setting in ALLOWED {
            let assigned = Assignment::new(setting, &setting.usual()).expect(setting.key);
            assert!(setting.same(&assigned.text(), &setting.usual()), "{}", setting.key);
        }
    }

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, millis) in
            [("30m0s", 1_800_000), ("10ms", 10), ("1h0m0s", 3_600_000), ("1.5s", 1_500), ("48h0m0s", 172_800_000)]
        {
            assert_eq!(parse_duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "s", "-1s", "1x", "1h-", "1 h", "∞", "9999999h"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
