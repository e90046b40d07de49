//! `leftover_drain`: PD evicts all leaders from a store because somebody asked it to, and nobody is known who still wants
//! that. Whoever restarts a store evicts its leaders first, and leaves that behind when interrupted; it lasts for ever.

use operator_protocols::{Discrepancy, DiscrepancyKind, Evaluation, Finding, Verdict};

use super::case::{Case, untold};
use super::invariant::{Invariant, Source};
use crate::names;

const NAME: &str = "leftover_drain";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "No store's leaders are evicted for longer than planned work takes", judge)
        .at("store")
        .grace(1800)
        .needs(&[Source::Leader]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    case.each_store(NAME, |id, store| {
        case.pd()?;
        let Some(drains) = &case.details.cluster.drains else { return Err(untold("the evictions", "PD's leader")) };
        let Some(drain) = drains.get(&id) else { return Ok(Verdict::Ok) };
        if let Some(intent) = &drain.ours {
            return Err(Verdict::Suppressed(format!("the operator evicts them itself ({intent})")));
        }
        let message = format!(
            "the leaders of {} are evicted, and nobody is known to want that; it leads {} of its {} regions",
            names::store(id),
            store.leader_count,
            store.region_count
        );
        Ok(Verdict::Violated(Finding {
            discrepancies: vec![Discrepancy {
                what: names::drain_locus(case.subject, id),
                claimed_by: None,
                held_by: case.leader(),
                kind: DiscrepancyKind::Unclaimed,
                amount: 1.0,
                of: 1.0,
                agree: 0,
                peers: 0,
            }],
            ..Finding::new(message, 1.0, 0.0)
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::super::scene::{SUBJECT, Scene, member, store};
    use super::*;
    use crate::details::DrainDetail;

    #[test]
    fn a_drain_that_nobody_claims_is_held_by_pds_leader() {
        let mut scene = Scene::healthy();
        scene.drains().insert(4, DrainDetail::default());
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "store-4".to_owned())]);
        let discrepancy = &judged.finding(NAME, &store(4)).discrepancies[0];
        assert_eq!(discrepancy.what, names::drain_locus(SUBJECT, 4));
        assert_eq!((&discrepancy.held_by, &discrepancy.claimed_by), (&member("pd-0"), &None));
        assert_eq!(discrepancy.kind, DiscrepancyKind::Unclaimed);
    }

    #[test]
    fn a_drain_of_our_own_is_not_told_and_drains_that_were_not_read_are_unknown() {
        let mut scene = Scene::healthy();
        scene.drains().insert(4, DrainDetail { ours: Some("I7".to_owned()), ..DrainDetail::default() });
        assert!(scene.judge().suppressed(NAME, &store(4)).contains("I7"));
        scene.details.cluster.drains = None;
        assert!(matches!(scene.judge().verdict(NAME, &store(4)), Verdict::Unknown(_)));
    }
}
