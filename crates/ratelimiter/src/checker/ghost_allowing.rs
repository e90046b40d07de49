//! `ghost_allowing`: all nodes together admitted more within a window than the limit in force.
//!
//! Judged over stretches of whole seconds as long as the window, of one generation, that ended within the last 15 s; for
//! windows above 660 s over what nodes still remember. A limit that cannot be told is `Unknown`.

use std::collections::BTreeSet;
use std::time::Duration;

use operator_protocols::{Discrepancy, DiscrepancyKind, Evaluation, Finding, Unavailable, Verdict};

use super::case::Case;
use super::key_findings;
use crate::details::Excess;
use crate::names;

pub(super) const NAME: &str = "ghost_allowing";
/// How much longer than the window an excess is seen.
const MARGIN: Duration = Duration::from_secs(15);

pub(super) fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let ledger = &case.details.ledger;
    if let Some(verdict) = case.books_closed(ledger.why_not.as_ref(), ledger.as_of_us) {
        return key_findings::evaluations(case, NAME, case.keys_not_judged(&verdict), verdict);
    }
    let mut verdicts = case.keys_not_judged(&Verdict::Gone);
    verdicts.extend(ledger.judged.iter().map(|key| (key.clone(), Verdict::Ok)));
    for key in &ledger.limit_unknown {
        let why = "most nodes do not have the same default limit, and none is stored";
        verdicts.insert(key.clone(), Verdict::Unknown(Unavailable::new(format!("the limit of {key}"), why)));
    }
    for excess in &ledger.excess {
        let allowed = excess.limit.saturating_add(excess.shares);
        if excess.admitted > allowed {
            verdicts.insert(excess.key.clone(), Verdict::Violated(finding(case, excess, allowed)));
        }
    }
    let otherwise = match ledger.limit_unknown.len() {
        0 => Verdict::Ok,
        n => Verdict::Unknown(Unavailable::new("limits", format!("of {n} keys it cannot be told"))),
    };
    key_findings::evaluations(case, NAME, verdicts, otherwise)
}

fn finding(case: &Case<'_>, excess: &Excess, allowed: u64) -> Finding {
    let seconds = excess.window_ms / 1000;
    let mut message =
        format!("{}: {} admitted within {seconds} s where {allowed} were allowed", excess.key, excess.admitted);
    if excess.degraded > 0 {
        message = format!("{message}, {} of them without Redis", excess.degraded);
    }
    let differs = excess.over.iter().map(|over| Discrepancy {
        what: case.key(&excess.key),
        claimed_by: Some(case.node(&over.node)),
        held_by: names::all_nodes(case.subject),
        kind: DiscrepancyKind::Differs,
        amount: over.limit.abs_diff(excess.limit) as f64,
        of: excess.limit as f64,
        agree: excess.nodes.saturating_sub(u32::try_from(excess.over.len()).unwrap_or(u32::MAX)),
        peers: excess.nodes,
    });
    let open = excess.open.iter().flat_map(|node| [case.node(node), case.edge(node)]);
    let over = excess.over.iter().map(|over| case.node(&over.node));
    // Grants that Redis does not hold are what it lets others have again.
    let unrecorded = super::counter_drift::discrepancies(case, &excess.key);
    let involves: BTreeSet<_> =
        over.chain(open).chain(unrecorded.iter().filter_map(|found| found.claimed_by.clone())).collect();
    Finding {
        discrepancies: differs.chain(unrecorded).collect(),
        involves: involves.into_iter().collect(),
        persists: Some(Duration::from_millis(excess.window_ms) + MARGIN),
        ..Finding::new(message, excess.admitted as f64, allowed as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, component, key};
    use super::*;
    use crate::details::OverLimit;

    fn excess(admitted: u64) -> Excess {
        Excess {
            key: "k".to_owned(),
            window_ms: 60_000,
            generation: 0,
            until: 100,
            admitted,
            degraded: 7,
            limit: 100,
            shares: 33,
            over: vec![OverLimit { node: "n3".to_owned(), limit: 1000 }],
            open: vec!["n2".to_owned()],
            nodes: 3,
        }
    }

    #[test]
    fn more_than_the_limit_and_the_shares_is_a_finding_that_names_who() {
        let mut scene = Scene::healthy();
        scene.details.ledger.excess.push(excess(133));
        assert_eq!(scene.judge().verdict(NAME, &key("k")), &Verdict::Ok);
        scene.details.ledger.excess[0] = excess(134);
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "key k".to_owned())]);
        let finding = judged.finding(NAME, &key("k"));
        assert_eq!((finding.measured, finding.threshold), (134.0, 133.0));
        assert_eq!(finding.persists, Some(Duration::from_secs(75)));
        let differs = &finding.discrepancies[0];
        assert_eq!(
            (differs.kind, differs.amount, differs.agree, differs.peers),
            (DiscrepancyKind::Differs, 900.0, 2, 3)
        );
        assert!(finding.involves.contains(&component("n2")) && finding.involves.contains(&component("n3")));
    }

    #[test]
    fn a_limit_that_cannot_be_told_is_unknown() {
        let mut scene = Scene::healthy();
        scene.details.ledger.limit_unknown.push("k".to_owned());
        assert!(matches!(scene.judge().verdict(NAME, &key("k")), Verdict::Unknown(_)));
    }
}
