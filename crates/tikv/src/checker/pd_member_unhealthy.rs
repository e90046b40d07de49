//! `pd_member_unhealthy`: a member of PD does not answer, us or the other members.

use operator_protocols::{Evaluation, Finding, Unavailable, Verdict};

use super::case::{Case, Step, untold};
use super::invariant::{Invariant, Source};
use crate::details::MemberDetail;

const NAME: &str = "pd_member_unhealthy";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "Every member of PD answers the operator and the other members", judge)
        .at("member of PD")
        .grace(30)
        .needs(&[Source::Members]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    case.each_member(NAME, verdict)
}

fn verdict(name: &str, member: &MemberDetail) -> Step {
    let Some(answers) = answers(member) else {
        if member.tls {
            let why = "the certificate, ours or its, is not accepted";
            return Err(Verdict::Unknown(Unavailable::new(name, why)));
        }
        return Err(untold("any sign of life", name));
    };
    let why = member.silence.as_deref().unwrap_or("no reason is known");
    let message = match (answers, member.healthy) {
        (true, None | Some(true)) => return Ok(Verdict::Ok),
        (true, Some(false)) => format!("{name} answers the operator, but not the other members"),
        (false, Some(true)) => format!("{name} answers the other members, but not the operator: {why}"),
        (false, _) if member.refused => format!("nothing listens where {name} should: {why}"),
        (false, _) => format!("{name} does not answer: {why}"),
    };
    Ok(Verdict::Violated(Finding::new(message, 1.0, 0.0)))
}

/// Whether a member answers the operator; nothing, if that could not be told.
pub(super) fn answers(member: &MemberDetail) -> Option<bool> {
    match (member.answers, &member.silence) {
        (true, _) => Some(true),
        (false, _) if member.tls => None,
        (false, Some(_)) => Some(false),
        // It was not asked, but the others say that they do not reach it.
        (false, None) => (member.healthy == Some(false)).then_some(false),
    }
}

/// Whether a member counts towards the quorum, as far as is known: it answers somebody.
pub(super) fn counts(member: &MemberDetail) -> bool {
    match member.healthy {
        Some(healthy) => healthy,
        None => answers(member).unwrap_or(false),
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, member};
    use super::*;

    #[test]
    fn a_member_is_unhealthy_if_either_we_or_the_others_do_not_reach_it() {
        for (answers, healthy, expected) in [
            (true, Some(true), None),
            (true, None, None),
            (true, Some(false), Some("not the other members")),
            (false, Some(true), Some("not the operator")),
            (false, Some(false), Some("does not answer")),
            (false, None, Some("does not answer")),
        ] {
            let mut scene = Scene::healthy();
            let detail = scene.pd("pd-1");
            (detail.answers, detail.healthy) = (answers, healthy);
            detail.silence = (!answers).then(|| "timed out".to_owned());
            let judged = scene.judge();
            match expected {
                None => assert_eq!(judged.verdict(NAME, &member("pd-1")), &Verdict::Ok),
                Some(words) => assert!(judged.finding(NAME, &member("pd-1")).message.contains(words), "{words}"),
            }
        }
    }

    #[test]
    fn a_certificate_that_is_not_accepted_is_no_member_that_is_down() {
        let mut scene = Scene::healthy();
        scene.silence_member("pd-1");
        scene.pd("pd-1").tls = true;
        scene.pd("pd-1").healthy = None;
        assert!(matches!(scene.judge().verdict(NAME, &member("pd-1")), Verdict::Unknown(_)));
        *scene.pd("pd-1") = MemberDetail::default();
        assert!(matches!(scene.judge().verdict(NAME, &member("pd-1")), Verdict::Unknown(_)));
    }

    #[test]
    fn a_member_that_pd_does_not_know_any_more_is_gone() {
        let mut scene = Scene::healthy();
        scene.judge();
        scene.details.members.remove("pd-2");
        assert_eq!(scene.judge().verdict(NAME, &member("pd-2")), &Verdict::Gone);
    }
}
