//! Which targets are scraped: of one that is not, numbers are stale; of one that is, a count that is absent is zero.

use std::collections::{BTreeMap, BTreeSet};

use crate::details::{Answer, MetricsDetail};
use crate::queries::{By, Query};

/// The targets that are scraped, and those that are known not to be.
#[derive(Debug, Default)]
pub(super) struct Alive {
    pub(super) stores: BTreeSet<u64>,
    pub(super) members: BTreeSet<String>,
    dead_stores: BTreeSet<u64>,
    dead_members: BTreeSet<String>,
}

impl Alive {
    pub(super) fn of(detail: &MetricsDetail) -> Self {
        let mut alive = Self::default();
        let empty = BTreeMap::new();
        for (id, up) in detail.answers_by_query.get("store_scraped").map_or(&empty, |answer| &answer.stores) {
            if *up > 0.0 { &mut alive.stores } else { &mut alive.dead_stores }.insert(*id);
        }
        let empty = BTreeMap::new();
        for (name, up) in detail.answers_by_query.get("member_scraped").map_or(&empty, |answer| &answer.members) {
            if *up > 0.0 { &mut alive.members } else { &mut alive.dead_members }.insert(name.clone());
        }
        alive
    }

    /// Takes out what is stale, and puts in the zeros that are not said.
    pub(super) fn settle(&self, query: &Query, answer: &mut Answer, leader: Option<&str>) {
        if !query.looks_back {
            answer.stores.retain(|id, _| !self.dead_stores.contains(id));
            answer.stores_by.values_mut().for_each(|stores| stores.retain(|id, _| !self.dead_stores.contains(id)));
            answer.stores_by.retain(|_, stores| !stores.is_empty());
            answer.members.retain(|name, _| !self.dead_members.contains(name));
            if leader.is_some_and(|leader| self.dead_members.contains(leader)) {
                answer.leader.clear();
            }
        }
        if query.absent_is_zero {
            match query.by {
                By::Store | By::StoreAnd(_) => self.stores.iter().for_each(|id| {
                    answer.stores.entry(*id).or_insert(0.0);
                }),
                By::Member => self.members.iter().for_each(|name| {
                    answer.members.entry(name.clone()).or_insert(0.0);
                }),
                By::StoreId(_) | By::Leader(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queries::find;

    fn alive() -> Alive {
        let mut detail = MetricsDetail::default();
        let scraped = Answer { stores: [(1, 1.0), (4, 0.0)].into(), ..Answer::default() };
        detail.answers_by_query.insert("store_scraped".into(), scraped);
        Alive::of(&detail)
    }

    fn settled(name: &str, stores: &[(u64, f64)]) -> Vec<(u64, f64)> {
        let mut answer = Answer { stores: stores.iter().copied().collect(), ..Answer::default() };
        alive().settle(find(name).expect("in the catalogue"), &mut answer, None);
        answer.stores.into_iter().collect()
    }

    #[test]
    fn a_store_that_is_not_scraped_has_no_numbers_but_those_about_the_past() {
        assert_eq!(settled("slow_score", &[(1, 1.0), (4, 80.0), (9, 1.0)]), [(1, 1.0), (9, 1.0)]);
        assert_eq!(settled("store_restarts", &[(1, 0.0), (4, 5.0)]), [(1, 0.0), (4, 5.0)]);
        assert_eq!(settled("store_scraped", &[(1, 1.0), (4, 0.0)]), [(1, 1.0), (4, 0.0)]);
    }

    #[test]
    fn a_count_that_is_absent_is_zero_where_the_store_is_scraped_and_unknown_elsewhere() {
        assert_eq!(settled("scheduler_too_busy", &[]), [(1, 0.0)]);
        assert_eq!(settled("slow_score", &[]), []);
    }
}
