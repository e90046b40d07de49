//! `miss_peer`, `down_peer`, `pending_peer`, `extra_peer`: regions that do not have the replicas they should.
//!
//! PD counts them anew after each change of its leader; until it has heard of nearly all regions, and for five minutes, the
//! numbers say nothing. Replicas that are being moved are counted for a while, too: what matters is whether they get fewer.

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, Step, time, untold};
use super::invariant::{Invariant, Source};
use super::store_offline_stuck::no_target;
use crate::names;
use crate::thresholds::Limit;

/// Regions that go along with a finding.
const SAMPLES: usize = 5;

const fn invariant(name: &'static str, holds: &'static str, judge: fn(&Case<'_>) -> Vec<Evaluation>) -> Invariant {
    Invariant::new(name, holds, judge).at("all regions").unit("regions").needs(&[Source::Leader])
}

pub(super) const MISS_PEER: Invariant =
    invariant("miss_peer", "Regions that lack replicas get fewer", |case| judge(case, &MISS));
pub(super) const DOWN_PEER: Invariant =
    invariant("down_peer", "No region has a replica that is down", |case| judge(case, &DOWN)).grace(60);
pub(super) const PENDING_PEER: Invariant =
    invariant("pending_peer", "Replicas that lag catch up", |case| judge(case, &PENDING)).limit(Limit::PendingPeers);
pub(super) const EXTRA_PEER: Invariant =
    invariant("extra_peer", "Regions that have a replica too many get fewer", |case| judge(case, &EXTRA));

/// What is counted, and when it is too much.
struct Count {
    invariant: &'static str,
    /// PD's word for it.
    word: &'static str,
    words: &'static str,
    limit: Option<Limit>,
    /// Whether it may be above the limit as long as it gets less.
    may_fall: bool,
}

const MISS: Count = Count {
    invariant: "miss_peer",
    word: "miss-peer",
    words: "have fewer replicas than they should",
    limit: None,
    may_fall: true,
};
const DOWN: Count = Count {
    invariant: "down_peer",
    word: "down-peer",
    words: "have a replica that is down",
    limit: None,
    may_fall: false,
};
const PENDING: Count = Count {
    invariant: "pending_peer",
    word: "pending-peer",
    words: "have a replica that lags",
    limit: Some(Limit::PendingPeers),
    may_fall: true,
};
const EXTRA: Count = Count {
    invariant: "extra_peer",
    word: "extra-peer",
    words: "have a replica too many",
    limit: None,
    may_fall: true,
};

fn judge(case: &Case<'_>, count: &Count) -> Vec<Evaluation> {
    case.one(count.invariant, names::all_regions(case.subject), verdict(case, count))
}

/// How many regions are abnormal in this way: as PD says, or as its metrics do.
fn regions(case: &Case<'_>, word: &str) -> Step<f64> {
    if let Some(told) = case.details.cluster.abnormal.get(word) {
        return Ok(*told as f64);
    }
    let answer = case.answer("pd_regions")?;
    let counted = answer.leader.get(&format!("{word}-region-count")).filter(|count| count.is_finite());
    counted.copied().ok_or_else(|| untold(word, "PD's leader"))
}

fn verdict(case: &Case<'_>, count: &Count) -> Step {
    case.regions_are_known()?;
    let regions = regions(case, count.word)?;
    let limit = count.limit.map_or(0.0, |limit| case.limit(limit));
    if regions <= limit {
        return Ok(Verdict::Ok);
    }
    let mut since = String::new();
    if count.may_fall {
        let Some(moved) = case.details.drift.of(count.word) else {
            return Err(untold(&format!("the past of {}", count.word), "PD's leader"));
        };
        if moved.not_falling_s < case.duration(Limit::NotFalling) {
            return Ok(Verdict::Ok);
        }
        since = format!(", and for {} they have not got fewer", time(moved.not_falling_s));
    }
    let lost = case.lost_stores();
    let why = match (lost.is_empty(), case.nothing_to_spare()) {
        (_, Some(nothing)) => format!("; {nothing}"),
        (true, None) => no_target(case).map_or_else(String::new, str::to_owned),
        (false, None) => {
            let names: Vec<_> = lost.iter().take(SAMPLES).map(|id| names::store(*id)).collect();
            format!("; {} do not answer", names.join(", "))
        }
    };
    let samples = case.details.cluster.samples.get(count.word).into_iter().flatten();
    let samples = samples.take(SAMPLES).map(|id| names::region_locus(case.subject, *id));
    Ok(Verdict::Violated(Finding {
        involves: lost.iter().take(20).map(|id| case.store(*id)).chain(samples).collect(),
        ..Finding::new(format!("{regions:.0} regions {}{since}{why}", count.words), regions, limit)
    }))
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, all_regions, store};
    use super::*;

    #[test]
    fn what_must_not_be_is_told_at_once_and_what_may_be_moved_only_if_it_does_not_get_less() {
        for (invariant, word, regions, not_falling_s, violated) in [
            ("miss_peer", "miss-peer", 0, 9999.0, false),
            ("miss_peer", "miss-peer", 3, 599.0, false),
            ("miss_peer", "miss-peer", 3, 600.0, true),
            ("down_peer", "down-peer", 1, 0.0, true),
            ("pending_peer", "pending-peer", 100, 9999.0, false),
            ("pending_peer", "pending-peer", 101, 10.0, false),
            ("pending_peer", "pending-peer", 101, 600.0, true),
            ("extra_peer", "extra-peer", 1, 60.0, false),
            ("extra_peer", "extra-peer", 1, 660.0, true),
        ] {
            let mut scene = Scene::healthy();
            scene.abnormal(word, regions);
            scene.drift(word, regions as f64, not_falling_s);
            assert_eq!(scene.judge().is_violated(invariant, &all_regions()), violated, "{invariant} {regions}");
        }
    }

    #[test]
    fn numbers_of_a_leader_that_is_new_or_knows_little_say_nothing() {
        let mut scene = Scene::healthy();
        scene.abnormal("down-peer", 9);
        scene.details.cluster.initialized = Some(false);
        assert!(scene.judge().suppressed("down_peer", &all_regions()).contains("not heard of all regions"));
        scene.details.cluster.initialized = Some(true);
        scene.details.cluster.leader_changed_at = Some(scene.at.as_millis() - 299_000);
        assert!(scene.judge().suppressed("down_peer", &all_regions()).contains("changed 299 s ago"));
        scene.details.cluster.leader_changed_at = Some(scene.at.as_millis() - 301_000);
        assert!(scene.judge().is_violated("down_peer", &all_regions()));
        scene.details.cluster.initialized = None;
        assert!(matches!(scene.judge().verdict("down_peer", &all_regions()), Verdict::Unknown(_)));
    }

    #[test]
    fn a_number_pd_did_not_say_is_taken_from_its_metrics_or_is_unknown() {
        let mut scene = Scene::healthy();
        scene.details.cluster.abnormal.clear();
        assert!(matches!(scene.judge().verdict("down_peer", &all_regions()), Verdict::Unknown(_)));
        scene.leader_metric("pd_regions", "down-peer-region-count", 4.0);
        assert_eq!(scene.judge().finding("down_peer", &all_regions()).measured, 4.0);
    }

    #[test]
    fn the_finding_names_the_stores_that_are_lost_and_says_when_nothing_can_be_replaced() {
        let mut scene = Scene::healthy();
        scene.kill(4, 700.0);
        scene.abnormal("down-peer", 180);
        let judged = scene.judge();
        assert_eq!(judged.finding("down_peer", &all_regions()).involves, [store(4)]);
        let mut scene = Scene::three_stores();
        scene.kill(3, 700.0);
        scene.abnormal("down-peer", 300);
        assert!(scene.judge().finding("down_peer", &all_regions()).message.contains("PD can replace nothing"));
    }
}
