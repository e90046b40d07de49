//! How many replicas there should be, on which stores, and how far apart.

use crate::details::{RuleDetail, StoreDetail};

/// The label that tells stores of another engine (TiFlash) from TiKV's. Only rules that name it place replicas there
/// (`engineKey` in `pkg/core/constant`).
const ENGINE: &str = "engine";

/// How many replicas there should be, on which stores, and how far apart.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Replication {
    /// The placement rules; one made of `max-replicas`, where rules are off.
    pub(crate) rules: Vec<RuleDetail>,
    /// The labels by which replicas are kept apart, outermost first.
    pub(crate) location_labels: Vec<String>,
    /// The label whose values replicas must not share at all, if one is set.
    pub(crate) isolation_level: Option<String>,
}

impl Replication {
    /// How many voting replicas a region has by the rules: the most that the rules of one group ask for.
    pub(crate) fn replicas(&self) -> u32 {
        let mut by_group = std::collections::BTreeMap::<&str, u32>::new();
        for rule in self.rules.iter().filter(|rule| rule.role != "learner") {
            let group = rule.name.split('/').next().unwrap_or_default();
            let sum = by_group.entry(group).or_default();
            *sum = sum.saturating_add(rule.count);
        }
        by_group.into_values().max().unwrap_or_default()
    }

    /// Whether a rule lets a replica be on a store.
    pub(crate) fn admits(rule: &RuleDetail, store: &StoreDetail) -> bool {
        let names_engine = rule.constraints.iter().any(|(key, ..)| key == ENGINE);
        if store.labels.contains_key(ENGINE) && !names_engine {
            return false;
        }
        rule.constraints.iter().all(|(key, op, values)| {
            let value = store.labels.get(key);
            match op.as_str() {
                "in" => value.is_some_and(|value| values.contains(value)),
                "notIn" => value.is_none_or(|value| !values.contains(value)),
                "exists" => value.is_some(),
                "notExists" => value.is_none(),
                _ => false,
            }
        })
    }

    /// In how many different places of a level of labels the stores are; a store without the label is nowhere.
    pub(crate) fn places<'a>(label: &str, stores: impl IntoIterator<Item = &'a StoreDetail>) -> usize {
        let values: std::collections::BTreeSet<_> =
            stores.into_iter().filter_map(|store| store.labels.get(label)).collect();
        values.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(labels: &[(&str, &str)]) -> StoreDetail {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        StoreDetail { labels, ..StoreDetail::default() }
    }

    fn rule(name: &str, role: &str, count: u32, constraints: &[(&str, &str, &[&str])]) -> RuleDetail {
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        RuleDetail {
            name: name.into(),
            role: role.into(),
            count,
            constraints: constraints.iter().map(|(k, op, v)| ((*k).into(), (*op).into(), owned(v))).collect(),
        }
    }

    #[test]
    fn replicas_are_what_the_rules_say_not_max_replicas() {
        let replication = Replication {
            rules: vec![
                rule("pd/a", "voter", 3, &[]),
                rule("pd/b", "follower", 2, &[]),
                rule("tiflash/x", "learner", 9, &[]),
            ],
            ..Replication::default()
        };
        assert_eq!(replication.replicas(), 5);
    }

    #[test]
    fn a_rule_admits_stores_by_their_labels_and_no_other_engine_unless_it_names_it() {
        let plain = rule("pd/default", "voter", 3, &[]);
        let zone = rule("pd/z", "voter", 1, &[("zone", "in", &["z1"])]);
        let flash = rule("tiflash/x", "learner", 1, &[("engine", "in", &["tiflash"])]);
        assert!(Replication::admits(&plain, &store(&[])));
        assert!(!Replication::admits(&plain, &store(&[("engine", "tiflash")])));
        assert!(Replication::admits(&flash, &store(&[("engine", "tiflash")])));
        assert!(Replication::admits(&zone, &store(&[("zone", "z1")])));
        assert!(!Replication::admits(&zone, &store(&[("zone", "z2")])));
        assert!(!Replication::admits(&rule("a/b", "voter", 1, &[("x", "strange", &[])]), &store(&[])));
    }
}
