//! `pd_no_leader`: no member of PD leads, as far as any of them says. Stores go on serving what they serve, but nobody gets
//! a timestamp and nothing is moved or repaired.

use operator_protocols::{Evaluation, Finding, Unavailable, Verdict};

use super::case::{Case, Step, untold};
use super::invariant::{Invariant, Source};
use super::pd_member_unhealthy::counts;
use super::pd_partial_hang;
use crate::names;

const NAME: &str = "pd_no_leader";

pub(super) const INVARIANT: Invariant = Invariant::new(NAME, "A member of PD leads and answers", judge)
    .critical()
    .at("all members of PD")
    .unit("members")
    .grace(15)
    .needs(&[Source::Leader]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    case.one(NAME, names::all_members(case.subject), verdict(case))
}

fn verdict(case: &Case<'_>) -> Step {
    let cluster = &case.details.cluster;
    let members = &case.details.members;
    if cluster.answers {
        return Ok(Verdict::Ok);
    }
    if pd_partial_hang::leader_gives_no_answer(case) {
        return Err(Verdict::Suppressed("its leader hangs, which pd_partial_hang tells".to_owned()));
    }
    let Some(why) = &cluster.silence else { return Err(untold("anything", "PD")) };
    let shut_out = |member: &crate::details::MemberDetail| member.tls && !member.answers;
    if !members.is_empty() && members.values().all(shut_out) {
        let why = "no member accepts our certificate, or we theirs";
        return Err(Verdict::Unknown(Unavailable::new("PD", why)));
    }
    let healthy = members.values().filter(|member| counts(member)).count();
    let majority = members.len() / 2 + 1;
    let state = if healthy >= majority {
        "enough for a leader: they elect one, or cannot agree"
    } else {
        "too few for a leader"
    };
    let message =
        format!("PD has no leader that answers: {why}; {healthy} of {} members answer, {state}", members.len());
    Ok(Verdict::Violated(Finding {
        involves: members.iter().filter(|(_, one)| !counts(one)).map(|(name, _)| case.member(name)).collect(),
        ..Finding::new(message, healthy as f64, majority as f64)
    }))
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, all_members, member};
    use super::*;

    #[test]
    fn a_pd_without_quorum_is_told_with_the_members_that_are_lost() {
        let mut scene = Scene::healthy();
        assert_eq!(scene.judge().verdict(NAME, &all_members()), &Verdict::Ok);
        scene.silence_pd("redirect failed");
        scene.silence_member("pd-0");
        scene.silence_member("pd-1");
        let judged = scene.judge();
        let finding = judged.finding(NAME, &all_members());
        assert!(finding.message.contains("1 of 3 members answer, too few"), "{}", finding.message);
        assert_eq!(finding.involves, [member("pd-0"), member("pd-1")]);
    }

    #[test]
    fn an_election_is_told_as_what_it_is() {
        let mut scene = Scene::healthy();
        scene.silence_pd("no leader");
        scene.silence_member("pd-0");
        assert!(scene.judge().finding(NAME, &all_members()).message.contains("they elect one"));
    }

    #[test]
    fn certificates_that_nobody_accepts_say_nothing_of_pd() {
        let mut scene = Scene::healthy();
        scene.silence_pd("handshake failed");
        for name in ["pd-0", "pd-1", "pd-2"] {
            scene.silence_member(name);
            scene.pd(name).tls = true;
        }
        assert!(matches!(scene.judge().verdict(NAME, &all_members()), Verdict::Unknown(_)));
    }
}
