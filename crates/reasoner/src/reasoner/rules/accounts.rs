//! Causes that show in accounts that do not agree: who is the author, who is the holder, and what the peers say.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{DiscrepancyKind, FaultClass, Locus};

use super::{Explains, Rule};
use crate::parameters::{DECISIVE, MODERATE, STRONG, WEAK};
use crate::reasoner::accounts::{Account, Accounts, Pattern};
use crate::reasoner::case::Case;
use crate::reasoner::reach::{Reach, UNEXPLAINED};
use crate::reasoner::symptom::{Nature, Symptom};
use crate::reasoner::terms::Terms;

/// One component's idea of the shared state is not the others'.
pub(crate) struct StateDivergence;
/// One component runs with other settings than its peers.
pub(crate) struct ConfigDivergence;
/// Somebody outside the system wrote into its state.
pub(crate) struct ExternalMutation;
/// State that was there is gone.
pub(crate) struct DataLoss;

/// An invariant that is violated about the same things is the outcome of the same cause.
fn outcome(symptom: &Symptom<'_>, places: &[Locus], reach: &Reach<'_>) -> (f64, &'static str) {
    let names = |locus: &Locus| places.iter().any(|place| place == locus);
    match symptom.nature {
        Nature::Outcome if names(&symptom.on) || symptom.implicates.iter().any(|on| names(on)) => {
            (0.9, "the finding names the same thing")
        }
        Nature::Performance if symptom.violated && names(&symptom.on) => (0.9, "the violation is at this place"),
        Nature::Accounts(_) => (0.0, UNEXPLAINED),
        _ => {
            let (explained, how) = reach.explains(symptom, false);
            // Wrong state makes wrong answers, rarely slow ones.
            if symptom.nature == Nature::Outcome { (explained, how) } else { (explained.min(0.3), how) }
        }
    }
}

fn cite<'p>(accounts: &[Account<'p>], terms: &mut Terms<'p>, weight: f64, because: &str) {
    for (n, (_, item)) in accounts.iter().enumerate() {
        // The first carries the weight; the others are more of the same.
        terms.add(item, if n == 0 { weight } else { 0.01 }, because);
    }
}

impl Rule for StateDivergence {
    fn class(&self) -> FaultClass {
        FaultClass::StateDivergence
    }

    fn loci<'p>(&self, case: &Case<'p>) -> Vec<Locus> {
        let missing = case.accounts.missing.values().flat_map(|missing| missing.claimants.keys().copied());
        let differs = case.accounts.differs.keys().copied();
        missing.chain(differs).cloned().collect()
    }

    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Explains<'p> {
        let (locus, reach) = (locus.clone(), case.reach(locus));
        let alone = alone(case, &locus);
        Box::new(move |symptom| match symptom.nature {
            Nature::Accounts(DiscrepancyKind::Missing) if alone.contains_key(&symptom.on) => match alone[&symptom.on] {
                true => (1.0, "only its claims are not held"),
                false => (0.8, "its claims are not held"),
            },
            Nature::Accounts(DiscrepancyKind::Missing) if symptom.implicates.contains(&locus) => {
                (0.2, "others' claims are not held either")
            }
            Nature::Accounts(DiscrepancyKind::Differs) if symptom.on == locus => (0.6, "it says something else"),
            _ => outcome(symptom, std::slice::from_ref(&locus), &reach),
        })
    }

    fn weigh<'p>(&self, case: &Case<'p>, locus: &Locus, terms: &mut Terms<'p>) {
        for missing in case.accounts.missing.values() {
            let Some(accounts) = missing.claimants.get(locus) else { continue };
            let what = accounts.iter().map(|(one, _)| &one.what).collect::<BTreeSet<_>>().len();
            match missing.pattern() {
                Pattern::Some if what >= 2 => {
                    cite(accounts, terms, DECISIVE, "its claims are not held, and the others' are");
                }
                Pattern::Some => cite(accounts, terms, STRONG, "its claim is not held, and the others' are"),
                Pattern::Unclear(_) => cite(accounts, terms, MODERATE, "its claims are not held; nobody else claims"),
                Pattern::All => cite(accounts, terms, -STRONG, "the others' claims are not held either"),
            }
        }
        if let Some(accounts) = case.accounts.differs.get(locus) {
            cite(accounts, terms, WEAK, "it says something else than its peers");
        }
    }
}

/// The holders at which only this claimant misses something; whether there are others that miss nothing.
fn alone(case: &Case<'_>, claimant: &Locus) -> BTreeMap<Locus, bool> {
    let missing = case.accounts.missing.iter().filter(|(_, missing)| {
        missing.claimants.len() == 1 && missing.claimants.contains_key(claimant) && missing.pattern() != Pattern::All
    });
    missing.map(|(holder, missing)| ((*holder).clone(), missing.pattern() == Pattern::Some)).collect()
}

/// Whether `locus` is one of two that differ where there is no majority.
fn may_be(account: &Account<'_>, locus: &Locus) -> bool {
    !Accounts::from_majority(account) && (account.0.claimed_by.as_ref() == Some(locus) || account.0.held_by == *locus)
}

impl Rule for ConfigDivergence {
    fn class(&self) -> FaultClass {
        FaultClass::ConfigDivergence
    }

    fn loci<'p>(&self, case: &Case<'p>) -> Vec<Locus> {
        let claimants = case.accounts.differs.keys().map(|locus| (*locus).clone());
        let others = case.accounts.differs.values().flatten().filter(|account| !Accounts::from_majority(account));
        claimants.chain(others.map(|(one, _)| one.held_by.clone())).collect()
    }

    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Explains<'p> {
        let (locus, reach) = (locus.clone(), case.reach(locus));
        let alone = alone(case, &locus);
        // Without a majority, either of two that differ may be the one.
        let undecided = case.accounts.differs.values().flatten().any(|account| may_be(account, &locus));
        Box::new(move |symptom| match symptom.nature {
            Nature::Accounts(DiscrepancyKind::Differs) if symptom.on == locus => {
                (1.0, "its settings are the ones that differ")
            }
            Nature::Accounts(DiscrepancyKind::Differs) if undecided && symptom.implicates.contains(&locus) => {
                (1.0, "it or the other has other settings")
            }
            Nature::Accounts(DiscrepancyKind::Missing) if alone.contains_key(&symptom.on) => {
                (0.8, "with other settings it may write elsewhere")
            }
            _ => outcome(symptom, std::slice::from_ref(&locus), &reach),
        })
    }

    fn weigh<'p>(&self, case: &Case<'p>, locus: &Locus, terms: &mut Terms<'p>) {
        let own = case.accounts.differs.get(locus).filter(|accounts| accounts.iter().any(Accounts::from_majority));
        if let Some(accounts) = own {
            cite(accounts, terms, DECISIVE, "it differs from the majority of its peers");
            return;
        }
        let undecided: Vec<Account<'p>> =
            case.accounts.differs.values().flatten().filter(|account| may_be(account, locus)).copied().collect();
        cite(&undecided, terms, WEAK, "it and another differ, and neither is in the majority");
    }
}

impl Rule for ExternalMutation {
    fn class(&self) -> FaultClass {
        FaultClass::ExternalMutation
    }

    fn loci<'p>(&self, case: &Case<'p>) -> Vec<Locus> {
        let unclaimed = case.accounts.unclaimed.keys().copied();
        let folded = case.accounts.folded.keys().copied();
        let missing = case
            .accounts
            .missing
            .values()
            .filter(|missing| missing.what.len() == 1)
            .flat_map(|missing| missing.what.iter().copied());
        unclaimed.chain(folded).chain(missing).cloned().collect()
    }

    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Explains<'p> {
        let mut places = vec![locus.clone()];
        if let Some(folded) = case.accounts.folded.get(locus) {
            places.extend(folded.iter().map(|(one, _)| one.what.clone()));
        }
        let locus = locus.clone();
        Box::new(move |symptom| match symptom.nature {
            Nature::Accounts(DiscrepancyKind::Unclaimed) if places.contains(&symptom.on) => {
                (1.0, "what is held here has no known author")
            }
            Nature::Accounts(DiscrepancyKind::Missing) if symptom.implicates.contains(&locus) => {
                (0.8, "somebody outside may have removed it")
            }
            _ => outcome(symptom, &places, &Reach::nowhere()),
        })
    }

    fn weigh<'p>(&self, case: &Case<'p>, locus: &Locus, terms: &mut Terms<'p>) {
        let held = case.accounts.unclaimed.get(locus).or_else(|| case.accounts.folded.get(locus));
        if let Some(accounts) = held {
            cite(accounts, terms, DECISIVE, "it is held, and no known author claims it");
        }
        for (holder, missing) in &case.accounts.missing {
            if missing.what.len() != 1 || !missing.what.contains(locus) {
                continue;
            }
            match missing.pattern() {
                Pattern::All => cite(&missing.all, terms, STRONG, "all claimants miss it, and only this"),
                Pattern::Unclear(_) => cite(&missing.all, terms, MODERATE, "only this is missing"),
                Pattern::Some => cite(&missing.all, terms, -MODERATE, "not all claimants miss it"),
            }
            if let Some(item) = case.facts(holder).incarnation {
                terms.add(item, -STRONG, "its holder started again, which may have lost it");
            }
        }
    }
}

impl Rule for DataLoss {
    fn class(&self) -> FaultClass {
        FaultClass::DataLoss
    }

    fn loci<'p>(&self, case: &Case<'p>) -> Vec<Locus> {
        case.accounts.missing.keys().map(|holder| (*holder).clone()).collect()
    }

    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Explains<'p> {
        let mut places = vec![locus.clone()];
        let mut all = false;
        if let Some(missing) = case.accounts.missing.get(locus) {
            places.extend(missing.what.iter().map(|what| (*what).clone()));
            all = missing.pattern() != Pattern::Some;
        }
        let (locus, reach) = (locus.clone(), case.reach(locus));
        Box::new(move |symptom| match symptom.nature {
            Nature::Accounts(DiscrepancyKind::Missing) if symptom.on == locus => {
                if all {
                    (1.0, "what it held is gone")
                } else {
                    (0.1, "it still holds what the others claim")
                }
            }
            _ => outcome(symptom, &places, &reach),
        })
    }

    fn weigh<'p>(&self, case: &Case<'p>, locus: &Locus, terms: &mut Terms<'p>) {
        let Some(missing) = case.accounts.missing.get(locus) else { return };
        let lost = missing.pattern();
        match lost {
            Pattern::Some => cite(&missing.all, terms, -STRONG, "it still holds what the others claim"),
            Pattern::All if missing.what.len() >= 2 => {
                cite(&missing.all, terms, MODERATE, "several things are missing, for all claimants");
            }
            Pattern::All => cite(&missing.all, terms, WEAK, "all claimants miss it"),
            Pattern::Unclear(_) => cite(&missing.all, terms, WEAK, "it is claimed and not held"),
        }
        let facts = case.facts(locus);
        if let Some(item) = facts.incarnation
            && lost != Pattern::Some
        {
            terms.add(item, DECISIVE, "the holder started again");
        } else if facts.incarnation.is_none()
            && let Some((true, _, item)) = facts.healthy
        {
            terms.add(item, -WEAK, "the holder is the same start as before");
        }
    }
}
