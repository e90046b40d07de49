//! Judges decisions afterwards, by nothing but what each said of itself: `t`, `seq`, `gen`, `limit`, and its answer.
//!
//! It shares no code with the limiter: sums are made anew from the accepted decisions.

use std::collections::{BTreeMap, BTreeSet};

/// One decision Redis made, as its caller saw it.
#[derive(Clone, Debug)]
pub struct Judged {
    pub key: String,
    pub window_us: u64,
    pub cost: u64,
    /// Limit in the request, if any.
    pub asked: Option<u64>,
    pub allowed: bool,
    pub t: u64,
    pub seq: u64,
    pub generation: u64,
    pub limit: u64,
    pub deadline: u64,
    pub current_count: u64,
    pub remaining: u64,
    pub retry_after: Option<u64>,
    /// Generation of the youngest reset that was answered before this check started.
    pub reset_before: u64,
}

/// When limits and generations of one key changed, by Redis's clock.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// version → limit stored from then on.
    pub limits: BTreeMap<u64, Option<u64>>,
    pub resets: BTreeSet<u64>,
}

/// What came out.
#[derive(Debug, Default)]
pub struct Verdict {
    pub violations: Vec<String>,
    /// Sequence numbers nobody was answered for.
    pub missing: u64,
    pub accepted: u64,
    pub refused: u64,
}

/// The accepted decisions of one log from its first grant to its expiry.
struct Life<'a> {
    accepted: Vec<&'a Judged>,
    prefix: Vec<u64>,
}

impl<'a> Life<'a> {
    fn new(accepted: Vec<&'a Judged>) -> Self {
        let mut sum = 0;
        let mut prefix = vec![0];
        prefix.extend(accepted.iter().map(|d| {
            sum += d.cost;
            sum
        }));
        Self { accepted, prefix }
    }

    /// Range of the accepted decisions that count in (t − window, t] up to `seq`, of this generation.
    fn range(&self, d: &Judged) -> std::ops::Range<usize> {
        let high = self.accepted.partition_point(|a| a.seq <= d.seq);
        let low = self.accepted.partition_point(|a| a.generation < d.generation || a.t + d.window_us <= d.t);
        low.min(high)..high
    }

    fn sum(&self, range: &std::ops::Range<usize>) -> u64 {
        self.prefix[range.end] - self.prefix[range.start]
    }

    /// Missing numbers among those that count.
    fn gaps(&self, d: &Judged, range: &std::ops::Range<usize>) -> u64 {
        // Numbers before the first known one may count too.
        let before = if range.start > 0 { self.accepted[range.start - 1].seq } else { 0 };
        d.seq.saturating_sub(before).saturating_sub((range.end - range.start) as u64)
    }
}

/// Judges all decisions. `tails`: the last sequence number each log (key, window in µs) had at the end.
pub fn judge(
    decisions: &[Judged],
    changes: &BTreeMap<String, Changes>,
    tails: &BTreeMap<(String, u64), u64>,
    most_cost: u64,
) -> Verdict {
    let mut logs: BTreeMap<(String, u64), Vec<&Judged>> = BTreeMap::new();
    for decision in decisions {
        logs.entry((decision.key.clone(), decision.window_us)).or_default().push(decision);
    }
    let mut verdict = Verdict::default();
    for (log, mut decisions) in logs {
        decisions.sort_by_key(|d| (d.t, d.seq, !d.allowed));
        let lives = lives(&log, &decisions, tails.get(&log).copied(), &mut verdict);
        for decision in decisions {
            let changes = changes.get(&log.0).cloned().unwrap_or_default();
            judge_one(decision, &lives, &changes, most_cost, &mut verdict);
        }
    }
    verdict
}

fn lives<'a>(log: &(String, u64), decisions: &[&'a Judged], tail: Option<u64>, verdict: &mut Verdict) -> Vec<Life<'a>> {
    let mut lives: Vec<Vec<&Judged>> = Vec::new();
    for decision in decisions.iter().filter(|d| d.allowed) {
        let expired = lives.last().and_then(|life| life.last()).is_none_or(|last| {
            // A log expires a second after its newest grant has left the window.
            decision.seq <= last.seq && decision.t >= last.t + log.1 + 900_000
        });
        if expired {
            lives.push(Vec::new());
        }
        if let Some(life) = lives.last_mut() {
            life.push(decision);
        }
    }
    for (i, life) in lives.iter().enumerate() {
        for pair in life.windows(2) {
            if pair[1].seq <= pair[0].seq {
                verdict.violations.push(format!("{log:?}: seq {} follows {}", pair[1].seq, pair[0].seq));
            }
            if pair[1].generation < pair[0].generation {
                verdict.violations.push(format!("{log:?}: generation goes back at seq {}", pair[1].seq));
            }
        }
        let known = life.len() as u64;
        let mut last = life.last().map_or(0, |d| d.seq);
        if i + 1 == lives.len() {
            last = last.max(tail.unwrap_or(0));
        }
        verdict.missing += last.saturating_sub(known);
    }
    lives.into_iter().map(Life::new).collect()
}

fn judge_one(d: &Judged, lives: &[Life<'_>], changes: &Changes, most_cost: u64, verdict: &mut Verdict) {
    let mut blame = |what: String| verdict.violations.push(format!("{what}: {d:?}"));
    let empty = Life::new(Vec::new());
    let born_before =
        |life: &&Life<'_>| life.accepted.first().is_some_and(|first| first.t <= d.t && first.seq <= d.seq);
    let life = lives.iter().rfind(born_before).unwrap_or(&empty);
    let range = life.range(d);
    let (sum, gaps) = (life.sum(&range), life.gaps(d, &range));
    if d.t > d.deadline {
        blame("an effect after its deadline".to_owned());
    }
    if d.remaining != d.limit.saturating_sub(d.current_count) {
        blame("remaining is not limit − count".to_owned());
    }
    if d.current_count < sum || (d.current_count - sum) > gaps * most_cost {
        blame(format!("the sum in the window is {sum} (with {gaps} unknown)"));
    }
    if d.generation < d.reset_before {
        blame("a reset that was answered before is not seen".to_owned());
    }
    let last_reset = changes.resets.range(..=d.t).next_back().copied().unwrap_or(0);
    if d.generation != last_reset && !changes.resets.contains(&d.t) {
        blame(format!("the generation then was {last_reset}"));
    }
    if !limit_in_force(d, changes) {
        blame("that limit was not in force".to_owned());
    }
    if d.allowed {
        verdict.accepted += 1;
        if sum > d.limit || d.current_count > d.limit {
            verdict.violations.push(format!("more than the limit: sum {sum}: {d:?}"));
        }
        return;
    }
    verdict.refused += 1;
    if d.current_count + d.cost <= d.limit {
        verdict.violations.push(format!("refused although it fits: {d:?}"));
    }
    if d.cost > d.limit {
        if d.retry_after.is_some() {
            verdict.violations.push(format!("what never fits has no retry: {d:?}"));
        }
    } else if gaps == 0 {
        let enough = (sum + d.cost).saturating_sub(d.limit);
        let freed = range.clone().find(|&i| life.prefix[i + 1] - life.prefix[range.start] >= enough);
        let wait = freed.map(|i| (life.accepted[i].t + d.window_us - d.t).max(1).div_ceil(1_000_000));
        if d.retry_after != wait {
            verdict.violations.push(format!("it would fit after {wait:?} s: {d:?}"));
        }
    }
}

fn limit_in_force(d: &Judged, changes: &Changes) -> bool {
    let effective = |stored: Option<u64>| stored.or(d.asked).unwrap_or(100);
    let at = |t: u64| changes.limits.range(..=t).next_back().and_then(|(_, limit)| *limit);
    // In the very microsecond of a change both are right.
    d.limit == effective(at(d.t)) || (changes.limits.contains_key(&d.t) && d.limit == effective(at(d.t - 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(t: u64, seq: u64, allowed: bool, current_count: u64) -> Judged {
        Judged {
            key: "k".into(),
            window_us: 1_000_000,
            cost: 3,
            asked: Some(5),
            allowed,
            t,
            seq,
            generation: 0,
            limit: 5,
            deadline: u64::MAX,
            current_count,
            remaining: 5_u64.saturating_sub(current_count),
            retry_after: (!allowed).then_some(1),
            reset_before: 0,
        }
    }

    fn violations(decisions: &[Judged]) -> Vec<String> {
        judge(decisions, &BTreeMap::new(), &BTreeMap::new(), 10).violations
    }

    #[test]
    fn right_decisions_are_not_blamed() {
        let right = [decision(1, 1, true, 3), decision(2, 1, false, 3), decision(1_000_001, 2, true, 3)];
        assert_eq!(violations(&right), Vec::<String>::new());
    }

    #[test]
    fn wrong_ones_are() {
        let wrong = [
            vec![decision(1, 1, true, 3), decision(2, 2, true, 6)],
            vec![decision(1, 1, true, 3), decision(1_000_001, 1, false, 0)],
            vec![decision(1, 1, true, 3), decision(2, 1, false, 2)],
            vec![decision(5, 1, true, 3), decision(1_000_004, 2, true, 3)],
            vec![Judged { deadline: 0, ..decision(1, 1, true, 3) }],
            vec![Judged { limit: 7, remaining: 4, ..decision(1, 1, true, 3) }],
            vec![Judged { generation: 9, ..decision(1, 1, true, 3) }],
            vec![decision(1, 1, true, 3), Judged { retry_after: Some(2), ..decision(2, 1, false, 3) }],
            vec![decision(1, 1, true, 3), decision(700_000, 1, true, 3)],
        ];
        for decisions in wrong {
            assert!(!violations(&decisions).is_empty(), "not blamed: {decisions:?}");
        }
    }

    #[test]
    fn a_number_nobody_was_answered_for_is_missing() {
        let gap = [decision(1, 1, true, 3), decision(1_500_000, 3, true, 5)];
        assert_eq!(judge(&gap, &BTreeMap::new(), &BTreeMap::new(), 10).missing, 1);
        let tails = BTreeMap::from([(("k".to_owned(), 1_000_000), 2)]);
        assert_eq!(judge(&gap[..1], &BTreeMap::new(), &tails, 10).missing, 1);
    }
}
