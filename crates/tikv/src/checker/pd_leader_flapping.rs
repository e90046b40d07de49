//! `pd_leader_flapping`: PD's leader changes again and again: each time nobody gets a timestamp for a moment.

use std::time::Duration;

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, Step};
use super::invariant::{Invariant, Source};
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "pd_leader_flapping";

/// Changes are counted over ten minutes.
const WINDOW: Duration = Duration::from_secs(600);

pub(super) const INVARIANT: Invariant = Invariant::new(NAME, "PD keeps its leader", judge)
    .at("all members of PD")
    .limit(Limit::LeaderChanges)
    .needs(&[Source::Leader]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    case.one(NAME, names::all_members(case.subject), verdict(case))
}

fn verdict(case: &Case<'_>) -> Step {
    case.pd()?;
    let seen = f64::from(case.details.cluster.leader_changes);
    // A rate over a window is extrapolated: 1.1 changes were one.
    let names = case.details.members.keys();
    let counted = names.filter_map(|name| case.member_metric("etcd_leader_changes", name).ok()).map(f64::round);
    let changes = counted.fold(seen, f64::max);
    let limit = case.limit(Limit::LeaderChanges);
    if changes < limit {
        return Ok(Verdict::Ok);
    }
    let slow =
        case.details.members.keys().filter(|name| {
            case.member_metric("wal_fsync_p99", name).is_ok_and(|p99| p99 > case.limit(Limit::WalFsync))
        });
    let slow: Vec<&String> = slow.collect();
    let why = match slow.first() {
        Some(name) => format!("; {name} is slow to write to its disk"),
        None => String::new(),
    };
    let message = format!("PD's leader changed {changes:.0} times within ten minutes{why}");
    Ok(Verdict::Violated(Finding {
        involves: slow.into_iter().map(|name| case.member(name)).collect(),
        persists: Some(WINDOW),
        ..Finding::new(message, changes, limit)
    }))
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, all_members, member};
    use super::*;

    #[test]
    fn two_changes_within_ten_minutes_are_a_finding_and_one_is_not() {
        for (seen, counted, violated) in [(0, 0.0, false), (1, 1.2, false), (2, 0.0, true), (0, 1.9, true)] {
            let mut scene = Scene::healthy();
            scene.details.cluster.leader_changes = seen;
            scene.member_metric("etcd_leader_changes", "pd-1", counted);
            assert_eq!(scene.judge().is_violated(NAME, &all_members()), violated, "{seen} {counted}");
        }
    }

    #[test]
    fn a_member_with_a_slow_disk_is_named() {
        let mut scene = Scene::healthy();
        scene.details.cluster.leader_changes = 3;
        scene.member_metric("wal_fsync_p99", "pd-2", 0.7);
        assert_eq!(scene.judge().finding(NAME, &all_members()).involves, [member("pd-2")]);
    }
}
