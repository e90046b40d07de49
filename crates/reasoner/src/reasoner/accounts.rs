//! What accounts that do not agree say of author, holder and peers, read without knowing the system.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{Discrepancy, DiscrepancyKind, Locus};

use crate::{EvidenceItem, EvidenceKind, EvidencePack};

/// One discrepancy and the item that carries it.
pub(crate) type Account<'p> = (&'p Discrepancy, &'p EvidenceItem);

/// Who misses something that a holder should hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern<'p> {
    /// A few claimants, while the others agree with the holder.
    Some,
    /// All of them, or most.
    All,
    /// There is nobody to compare with.
    Unclear(Option<&'p Locus>),
}

/// What claimants miss at one holder.
#[derive(Debug, Default)]
pub(crate) struct Missing<'p> {
    pub claimants: BTreeMap<&'p Locus, Vec<Account<'p>>>,
    pub what: BTreeSet<&'p Locus>,
    pub all: Vec<Account<'p>>,
    agree: u32,
    peers: u32,
}

impl<'p> Missing<'p> {
    pub fn pattern(&self) -> Pattern<'p> {
        let claimants = u32::try_from(self.claimants.len()).unwrap_or(u32::MAX);
        if claimants == 0
            || (self.peers >= 2 && claimants.saturating_mul(2) > self.peers)
            || (claimants >= 2 && self.agree == 0)
        {
            Pattern::All
        } else if self.peers >= 2 && self.agree >= 1 {
            Pattern::Some
        } else {
            Pattern::Unclear(self.claimants.keys().next().copied())
        }
    }
}

/// The accounts that do not agree, by what they say.
#[derive(Debug, Default)]
pub(crate) struct Accounts<'p> {
    /// Held, by no known author: by what it is about.
    pub unclaimed: BTreeMap<&'p Locus, Vec<Account<'p>>>,
    /// Claimed, not held: by holder.
    pub missing: BTreeMap<&'p Locus, Missing<'p>>,
    /// Both say something else: by claimant.
    pub differs: BTreeMap<&'p Locus, Vec<Account<'p>>>,
    /// The loci of violations that carry several unclaimed things: what was folded.
    pub folded: BTreeMap<&'p Locus, Vec<Account<'p>>>,
}

impl<'p> Accounts<'p> {
    pub fn of(pack: &'p EvidencePack) -> Self {
        let mut accounts = Self::default();
        let mut unclaimed_by_invariant: BTreeMap<&str, Vec<Account<'p>>> = BTreeMap::new();
        for item in &pack.items {
            let EvidenceKind::Discrepancy { discrepancy, invariant } = &item.kind else { continue };
            let account = (discrepancy, item);
            match discrepancy.kind {
                DiscrepancyKind::Unclaimed => {
                    accounts.unclaimed.entry(&discrepancy.what).or_default().push(account);
                    unclaimed_by_invariant.entry(invariant).or_default().push(account);
                }
                DiscrepancyKind::Missing => {
                    let missing = accounts.missing.entry(&discrepancy.held_by).or_default();
                    if let Some(claimant) = &discrepancy.claimed_by {
                        missing.claimants.entry(claimant).or_default().push(account);
                    }
                    missing.what.insert(&discrepancy.what);
                    missing.all.push(account);
                    missing.agree = missing.agree.max(discrepancy.agree);
                    missing.peers = missing.peers.max(discrepancy.peers);
                }
                DiscrepancyKind::Differs => {
                    let who = discrepancy.claimed_by.as_ref().unwrap_or(&discrepancy.held_by);
                    accounts.differs.entry(who).or_default().push(account);
                }
            }
        }
        for item in &pack.items {
            let EvidenceKind::Violation(violation) = &item.kind else { continue };
            let Some(unclaimed) = unclaimed_by_invariant.get(violation.invariant.as_str()) else { continue };
            let own: Vec<Account<'p>> =
                unclaimed.iter().filter(|(one, _)| violation.finding.discrepancies.contains(one)).copied().collect();
            let several = own.iter().map(|(one, _)| &one.what).collect::<BTreeSet<_>>().len() > 1;
            if several && !accounts.unclaimed.contains_key(&violation.on) {
                accounts.folded.insert(&violation.on, own);
            }
        }
        accounts
    }

    /// Whether a claimant differs from the majority of those it can be compared with.
    pub fn from_majority(account: &Account<'_>) -> bool {
        let others = account.0.peers.saturating_sub(1);
        others >= 2 && account.0.agree.saturating_mul(2) > others
    }
}
