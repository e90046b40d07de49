//! Accounts that do not agree, as a checker states them.

use operator_protocols::{Discrepancy, DiscrepancyKind, Locus};

use super::{api, store};

pub fn account(
    kind: DiscrepancyKind,
    what: Locus,
    claimed_by: Option<Locus>,
    held_by: Locus,
    agree: u32,
    peers: u32,
) -> Discrepancy {
    Discrepancy { what, claimed_by, held_by, kind, amount: 50.0, of: 200.0, agree, peers }
}

/// What every caller claims of `what`, and the store does not hold.
pub fn of_all(what: &Locus, callers: usize) -> Vec<Discrepancy> {
    (1..=callers)
        .map(|n| {
            let peers = u32::try_from(callers).unwrap();
            account(DiscrepancyKind::Missing, what.clone(), Some(api(n)), store(), 0, peers)
        })
        .collect()
}
