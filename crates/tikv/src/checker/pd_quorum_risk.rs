//! `pd_quorum_risk`: a member of PD is lost, and with one more PD cannot decide anything.

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, Step, untold};
use super::invariant::{Invariant, Source};
use super::pd_member_unhealthy::{answers, counts};
use crate::names;

const NAME: &str = "pd_quorum_risk";

pub(super) const INVARIANT: Invariant = Invariant::new(NAME, "PD can lose another member", judge)
    .critical()
    .at("all members of PD")
    .unit("members")
    .grace(30)
    .needs(&[Source::Members]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    case.one(NAME, names::all_members(case.subject), verdict(case))
}

fn verdict(case: &Case<'_>) -> Step {
    let members = &case.details.members;
    let lost: Vec<&String> = members.iter().filter(|(_, member)| !counts(member)).map(|(name, _)| name).collect();
    if members.is_empty() {
        return Err(untold("the members", "PD"));
    }
    if let Some((name, _)) = members.iter().find(|(_, member)| answers(member).is_none() && member.healthy.is_none()) {
        return Err(untold("any sign of life", name));
    }
    let majority = members.len() / 2 + 1;
    let healthy = members.len() - lost.len();
    if healthy < majority {
        return Err(Verdict::Suppressed("the quorum is lost, which pd_no_leader tells".to_owned()));
    }
    if lost.is_empty() || healthy > majority {
        return Ok(Verdict::Ok);
    }
    let message = format!(
        "{healthy} of {} members of PD are left, and PD needs {majority}: with one more lost, nothing is scheduled and \
         transactions get no timestamps",
        members.len()
    );
    Ok(Verdict::Violated(Finding {
        involves: lost.into_iter().map(|name| case.member(name)).collect(),
        ..Finding::new(message, healthy as f64, majority as f64)
    }))
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, all_members, member};
    use super::*;

    #[test]
    fn one_lost_of_three_leaves_nothing_to_lose_and_one_of_five_does() {
        let mut scene = Scene::healthy();
        assert_eq!(scene.judge().verdict(NAME, &all_members()), &Verdict::Ok);
        scene.silence_member("pd-2");
        assert_eq!(scene.judge().finding(NAME, &all_members()).involves, [member("pd-2")]);
        for name in ["pd-3", "pd-4"] {
            let healthy = scene.pd("pd-0").clone();
            scene.details.members.insert(name.to_owned(), healthy);
        }
        assert_eq!(scene.judge().verdict(NAME, &all_members()), &Verdict::Ok);
    }

    #[test]
    fn a_quorum_that_is_lost_is_told_elsewhere_and_a_single_member_is_no_quorum_at_risk() {
        let mut scene = Scene::healthy();
        scene.silence_member("pd-2");
        scene.silence_member("pd-1");
        assert!(scene.judge().suppressed(NAME, &all_members()).contains("pd_no_leader"));
        let mut scene = Scene::healthy();
        scene.details.members.retain(|name, _| name == "pd-0");
        assert_eq!(scene.judge().verdict(NAME, &all_members()), &Verdict::Ok);
    }
}
