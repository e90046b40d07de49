//! Where things are judged: what they are called, and every store and member in turn, those included that are gone.

use operator_protocols::{Evaluation, Id, Locus, Verdict};

use super::case::{Case, Step};
use crate::details::{MemberDetail, StoreDetail};
use crate::names;

impl Case<'_> {
    pub(super) fn store(&self, id: u64) -> Locus {
        names::store_locus(self.subject, id)
    }

    pub(super) fn member(&self, name: &str) -> Locus {
        names::member_locus(self.subject, name)
    }

    pub(super) fn all_stores(&self) -> Locus {
        names::all_stores(self.subject)
    }

    /// The link from a store to a member of PD.
    pub(super) fn link(&self, id: u64, member: &str) -> Locus {
        Locus::Edge(names::store_component(self.subject, id), Id::new(self.subject, member))
    }

    /// The link between two stores.
    pub(super) fn between(&self, from: u64, to: u64) -> Locus {
        Locus::Edge(names::store_component(self.subject, from), names::store_component(self.subject, to))
    }

    /// The member of PD that leads, as a locus; all of them, if it is not known which.
    pub(super) fn leader(&self) -> Locus {
        match &self.details.cluster.leader {
            Some(leader) => self.member(leader),
            None => names::all_members(self.subject),
        }
    }

    /// Judges every store by `judge`; one that PD does not know any more is gone.
    pub(super) fn each_store(&self, invariant: &str, judge: impl Fn(u64, &StoreDetail) -> Step) -> Vec<Evaluation> {
        let judged = self.stores.iter().map(|(&id, store)| {
            let verdict = judge(id, store).unwrap_or_else(|verdict| verdict);
            Evaluation::new(invariant, self.store(id), verdict)
        });
        judged.chain(self.gone_stores(invariant)).collect()
    }

    /// The same, of stores that run and are reached; what one that does not would say of itself is not judged.
    pub(super) fn each_living_store(
        &self,
        invariant: &str,
        judge: impl Fn(u64, &StoreDetail) -> Step,
    ) -> Vec<Evaluation> {
        self.each_store(invariant, |id, store| {
            if self.lost(id) {
                return Err(Verdict::Suppressed("the store does not answer".to_owned()));
            }
            judge(id, store)
        })
    }

    fn gone_stores(&self, invariant: &str) -> Vec<Evaluation> {
        self.gone_stores.iter().map(|&id| Evaluation::new(invariant, self.store(id), Verdict::Gone)).collect()
    }

    pub(super) fn gone(&self) -> impl Iterator<Item = u64> + '_ {
        self.gone_stores.iter().copied()
    }

    /// Judges every member of PD by `judge`; one that PD does not know any more is gone.
    pub(super) fn each_member(&self, invariant: &str, judge: impl Fn(&str, &MemberDetail) -> Step) -> Vec<Evaluation> {
        let judged = self.details.members.iter().map(|(name, member)| {
            let verdict = judge(name, member).unwrap_or_else(|verdict| verdict);
            Evaluation::new(invariant, self.member(name), verdict)
        });
        let gone = self.gone_members.iter().map(|name| Evaluation::new(invariant, self.member(name), Verdict::Gone));
        judged.chain(gone).collect()
    }

    /// One evaluation of the whole.
    pub(super) fn one(&self, invariant: &str, on: Locus, verdict: Step) -> Vec<Evaluation> {
        vec![Evaluation::new(invariant, on, verdict.unwrap_or_else(|verdict| verdict))]
    }
}
