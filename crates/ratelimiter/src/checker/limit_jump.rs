//! `limit_jump`: a key's stored limit is far from what it used to be.
//!
//! The baseline is what was in force longest in the last hour; the present change counts only once it is half an hour
//! old, since a mistake does not become right by lasting a few minutes. Without another value in that hour, the record's
//! previous one stands for it. While none was stored, what the key was used with counts, if it was seen in use.

use std::collections::BTreeMap;

use operator_protocols::{Evaluation, Finding, Locus, Verdict};

use super::case::Case;
use super::key_findings;
use crate::details::{LimitsDetail, RecentLimit};
use crate::observe::limit_event;

pub(super) const NAME: &str = "limit_jump";
/// So many times the baseline, or this part of it.
pub(super) const FACTOR: f64 = 5.0;
const HOUR_US: u64 = 3600 * 1_000_000;

pub(super) fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let limits = &case.details.limits;
    if let Some(verdict) = case.books_closed(limits.why_not.as_ref()) {
        return key_findings::evaluations(case, NAME, BTreeMap::new(), verdict);
    }
    let Some(now_us) = limits.as_of_us else { return Vec::new() };
    let verdicts = limits.recent.iter().map(|(key, limit)| (key.clone(), verdict(case, limits, key, limit, now_us)));
    key_findings::evaluations(case, NAME, verdicts.collect(), Verdict::Ok)
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
            *lasted.entry(limit).or_default() += until.min(now_us).saturating_sub(from.max(hour_ago));
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
