//! `limit_jump`: a key's stored limit is far from what it used to be.
//!
//! The baseline is what was in force longest in the last hour; the present change counts only once it is half an hour
//! old, since a mistake does not become right by lasting a few minutes. Without another value in that hour, the record's
//! previous one stands for it. While none was stored, what the key was used with counts, if it was seen in use.

use std::collections::BTreeMap;

use operator_protocols::{Evaluation, Finding, Locus, Verdict};

use super::case::Case;
use super::key_findings;
use crate::details::{Details, LimitsDetail, RecentLimit};
use crate::observe::limit_event;

pub(super) const NAME: &str = "limit_jump";
/// So many times the baseline, or this part of it.
pub(super) const FACTOR: f64 = 5.0;
const HOUR_US: u64 = 3600 * 1_000_000;

pub(super) fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let limits = &case.details.limits;
    let before = case.past.iter().flat_map(|past| Details::changed_limits_of(past)).map(str::to_owned);
    if let Some(verdict) = case.books_closed(limits.why_not.as_ref(), limits.as_of_us) {
        let verdicts = before.map(|key| (key, verdict.clone())).collect();
        return key_findings::evaluations(case, NAME, verdicts, verdict);
    }
    let now_us = limits.as_of_us.unwrap_or_default();
    let mut verdicts: BTreeMap<String, Verdict> = before.map(|key| (key, Verdict::Gone)).collect();
    verdicts.extend(limits.recent.iter().map(|(key, limit)| (key.clone(), verdict(case, limits, key, limit, now_us))));
    key_findings::evaluations(case, NAME, verdicts, Verdict::Ok)
}

fn verdict(case: &Case<'_>, limits: &LimitsDetail, key: &str, limit: &RecentLimit, now_us: u64) -> Verdict {
    let Some(present) = limit.record.limit.or(limit.unstored) else {
        return Verdict::Suppressed("no limit is stored, and the key was not seen in use".to_owned());
    };
    let Some(baseline) = baseline(limit, now_us) else {
        return Verdict::Suppressed("there is no earlier limit to compare with".to_owned());
    };
    let ratio = present as f64 / baseline as f64;
    if ratio < FACTOR && ratio > 1.0 / FACTOR {
        return Verdict::Ok;
    }
    let restored = limit.record.previous.iter().any(|previous| previous.limit == Some(present));
    let own = limits.own.get(key).is_some_and(|own| own.version == limit.record.version);
    if own {
        // The operator put back what was there: its baseline is what it restored, not the mistake that outlasted it.
        let why = "the operator itself set this limit";
        return if restored { Verdict::Ok } else { Verdict::Suppressed(why.to_owned()) };
    }
    let message = format!("the limit of {key} is {present}, where it used to be {baseline}");
    let measured = if ratio >= 1.0 { ratio } else { 1.0 / ratio };
    Verdict::Violated(Finding {
        involves: vec![Locus::Change(limit_event(case.subject, key, limit.record.version))],
        ..Finding::new(message, measured, FACTOR)
    })
}

/// What the limit used to be; none if nothing is known of it.
fn baseline(limit: &RecentLimit, now_us: u64) -> Option<u64> {
    let record = &limit.record;
    let hour_ago = now_us.saturating_sub(HOUR_US);
    let mut lasted: BTreeMap<u64, u64> = BTreeMap::new();
    let mut enter = |limit: Option<u64>, from: u64, until: u64| {
        if let Some(limit) = limit.filter(|limit| *limit > 0) {
            let time = lasted.entry(limit).or_default();
            *time = time.saturating_add(until.min(now_us).saturating_sub(from.max(hour_ago)));
        }
    };
    if now_us.saturating_sub(record.version) >= HOUR_US / 2 {
        enter(record.limit.or(limit.unstored), record.version, now_us);
    }
    for previous in &record.previous {
        enter(previous.limit.or(limit.unstored), previous.from_us, previous.until_us);
    }
    // Before the first change that the record remembers, none was stored.
    let oldest = record.previous.last().map_or(record.version, |previous| previous.from_us);
    enter(limit.unstored, 0, oldest);
    let longest = lasted.iter().filter(|(_, time)| **time > 0).max_by_key(|(_, time)| **time);
    longest.map(|(limit, _)| *limit).or_else(|| record.previous.iter().find_map(|previous| previous.limit))
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, key};
    use super::*;
    use crate::details::OwnChange;
    use crate::inspector::{LimitRecord, Previous};

    const MINUTE: u64 = 60_000_000;
    const NOW: u64 = 1_000_000 * MINUTE;

    /// A record out of (limit, for how many minutes), oldest first; the last one is in force. 0 = none stored.
    fn scene(past: &[(u64, u64)], unstored: Option<u64>) -> Scene {
        let mut scene = Scene::healthy();
        let stored = |limit: u64| (limit > 0).then_some(limit);
        let (mut until, mut previous) = (NOW, Vec::new());
        let mut version = NOW;
        for (index, (limit, minutes)) in past.iter().rev().enumerate() {
            let from = until - minutes * MINUTE;
            if index == 0 {
                version = from;
            } else {
                previous.push(Previous { limit: stored(*limit), from_us: from, until_us: until });
            }
            until = from;
        }
        let limit = past.last().and_then(|(limit, _)| stored(*limit));
        let record = LimitRecord { limit, window_ms: None, version, by: String::new(), previous };
        scene.details.limits.as_of_us = Some(NOW);
        scene.details.limits.recent.insert("k".to_owned(), RecentLimit { record, unstored });
        scene
    }

    fn jumps(past: &[(u64, u64)], unstored: Option<u64>) -> Option<f64> {
        match scene(past, unstored).judge().verdict(NAME, &key("k")) {
            Verdict::Violated(finding) => Some(finding.measured),
            Verdict::Ok => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn five_times_the_baseline_or_a_fifth_of_it_is_a_jump() {
        assert_eq!(jumps(&[(100, 50), (499, 1)], None), None);
        assert_eq!(jumps(&[(100, 50), (500, 1)], None), Some(5.0));
        assert_eq!(jumps(&[(100, 50), (21, 1)], None), None);
        assert_eq!(jumps(&[(100, 50), (20, 1)], None), Some(5.0));
    }

    #[test]
    fn the_baseline_is_what_was_in_force_longest_in_the_last_hour() {
        assert_eq!(jumps(&[(100, 500), (1000, 40), (990, 5)], None), None, "1000 for 40 min, 100 for 15");
        assert_eq!(jumps(&[(100, 500), (1000, 10), (990, 5)], None), Some(9.9));
        assert_eq!(jumps(&[(100, 500), (1000, 29)], None), Some(10.0));
        assert_eq!(jumps(&[(100, 500), (1000, 31)], None), None, "it is what has been longest");
        assert_eq!(
            jumps(&[(100, 2), (1000, 10)], None),
            Some(10.0),
            "a mistake is not right for being the longest so far"
        );
        assert_eq!(jumps(&[(100, 9), (1000, 1), (100, 3)], None), None, "somebody put it right");
    }

    #[test]
    fn before_the_first_record_the_key_was_limited_by_what_it_was_used_with() {
        assert_eq!(jumps(&[(1000, 1)], Some(100)), Some(10.0));
        assert_eq!(jumps(&[(0, 30), (1000, 1)], Some(100)), Some(10.0));
        assert_eq!(jumps(&[(1000, 55), (0, 1)], Some(100)), Some(10.0), "a deleted limit is a changed limit");
        let judged = scene(&[(1000, 1)], None).judge();
        assert!(judged.suppressed(NAME, &key("k")).contains("no earlier limit"));
    }

    #[test]
    fn the_finding_names_the_change() {
        let judged = scene(&[(100, 50), (1000, 1)], None).judge();
        let finding = judged.finding(NAME, &key("k"));
        let Locus::Change(event) = &finding.involves[0] else { panic!("{finding:?}") };
        assert_eq!(event.local, format!("limit:k:{}", NOW - MINUTE));
    }

    #[test]
    fn what_the_operator_restored_is_right_however_long_the_mistake_lasted() {
        let past = [(100, 500), (1000, 50), (100, 1)];
        assert_eq!(jumps(&past, None), Some(10.0), "somebody else's change");
        let mut scene = scene(&past, None);
        let own = OwnChange { intent: "i".to_owned(), version: NOW - MINUTE };
        scene.details.limits.own.insert("k".to_owned(), own);
        assert_eq!(scene.judge().verdict(NAME, &key("k")), &Verdict::Ok);
        scene.details.limits.own.get_mut("k").expect("own").version -= 1;
        assert_eq!(scene.judge().violated(), [(NAME, "key k".to_owned())], "changed again since");
    }
}
