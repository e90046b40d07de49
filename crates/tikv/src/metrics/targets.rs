//! Which scraped target is which store or member.

use std::collections::{BTreeMap, BTreeSet};

use super::Join;
use super::address::Endpoint;
use crate::details::{MemberDetail, StoreDetail};

/// What PD knows: what scraped targets are joined to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    /// The stores, tombstones left out.
    pub(crate) stores: &'a BTreeMap<u64, StoreDetail>,
    /// The members of PD.
    pub(crate) members: &'a BTreeMap<String, MemberDetail>,
    /// The member that leads: only its numbers about the cluster count.
    pub(crate) leader: Option<&'a str>,
}

impl Known<'_> {
    /// The stores that are to be found among the targets: those of a column store are scraped by another job.
    pub(super) fn scraped_stores(&self) -> impl Iterator<Item = (u64, &StoreDetail)> {
        let is_other = |store: &StoreDetail| {
            store.labels.get("engine").is_some_and(|engine| engine.to_ascii_lowercase().starts_with("tiflash"))
        };
        self.stores.iter().filter(move |(_, store)| !is_other(store)).map(|(id, store)| (*id, store))
    }
}

/// What the label that names a target stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Targets {
    stores: BTreeMap<String, u64>,
    members: BTreeMap<String, String>,
    /// Targets that are no store that PD knows.
    pub(crate) strangers: Vec<String>,
    /// Stores of which it cannot be told which target they are, and why.
    pub(crate) ambiguous: BTreeMap<u64, String>,
}

impl Targets {
    /// Joins the targets that were seen, by the label that names them, to what PD knows.
    pub(crate) fn join(join: Join, known: &Known<'_>, tikv: &BTreeSet<String>, pd: &BTreeSet<String>) -> Self {
        let mut joined = Self::default();
        let targets: Vec<_> = tikv.iter().map(|label| (label, Endpoint::of(label))).collect();
        let mut claims: BTreeMap<&String, Vec<u64>> = BTreeMap::new();
        for (id, store) in known.scraped_stores() {
            match &candidates(join, store, &targets)[..] {
                [] => {}
                [one] => claims.entry(one).or_default().push(id),
                several => {
                    let several: Vec<_> = several.iter().take(5).map(|label| label.as_str()).collect();
                    joined.ambiguous.insert(id, format!("it may be any of {}", several.join(", ")));
                }
            }
        }
        for (label, ids) in claims {
            match ids[..] {
                [id] => {
                    joined.stores.insert(label.clone(), id);
                }
                _ => {
                    for id in &ids {
                        let others = ids.iter().filter(|other| *other != id).map(u64::to_string);
                        let others = others.collect::<Vec<_>>().join(", ");
                        joined.ambiguous.insert(*id, format!("{label} may also be store {others}"));
                    }
                }
            }
        }
        joined.strangers = tikv.iter().filter(|label| !joined.stores.contains_key(*label)).cloned().collect();
        for label in pd {
            let target = Endpoint::of(label);
            let mut members =
                known.members.iter().filter(|(name, member)| is_member(join, name, member, label, &target));
            if let (Some((name, _)), None) = (members.next(), members.next()) {
                joined.members.insert(label.clone(), name.clone());
            }
        }
        joined
    }

    /// The store that a target is.
    pub(crate) fn store(&self, label: &str) -> Option<u64> {
        self.stores.get(label).copied()
    }

    /// The member that a target is.
    pub(crate) fn member(&self, label: &str) -> Option<&str> {
        self.members.get(label).map(String::as_str)
    }

    /// The stores that were found, each by the label of its target.
    pub(crate) fn stores(&self) -> impl Iterator<Item = (&str, u64)> {
        self.stores.iter().map(|(label, id)| (label.as_str(), *id))
    }

    /// The members that were found, each by the label of its target.
    pub(super) fn members_by_label(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().map(|(label, name)| (label.as_str(), name.as_str()))
    }
}

/// The targets that may be the store.
fn candidates<'t>(join: Join, store: &StoreDetail, targets: &[(&'t String, Endpoint)]) -> Vec<&'t String> {
    let status = Endpoint::of(&store.status_address);
    let service = Endpoint::of(&store.address);
    let host = if status.is_anywhere() { &service } else { &status };
    let matching = |matches: &dyn Fn(&Endpoint) -> bool| -> Vec<&'t String> {
        targets.iter().filter(|(_, target)| matches(target)).map(|(label, _)| *label).collect()
    };
    match join {
        _ if host.is_anywhere() => Vec::new(),
        // A store that listens everywhere is met at the host it serves at; without a port, any port will do.
        Join::StatusAddress => {
            matching(&|target| target.host == host.host && status.port.is_none_or(|port| target.port == Some(port)))
        }
        Join::Host => matching(&|target| target.host == host.host),
        Join::Name => matching(&|target| target.host == service.host || Some(&*target.host) == service.short_name()),
    }
}

fn is_member(join: Join, name: &str, member: &MemberDetail, label: &str, target: &Endpoint) -> bool {
    let mut urls = member.urls.iter().map(|url| Endpoint::of(url));
    match join {
        Join::StatusAddress => urls.any(|url| url == *target),
        Join::Host => urls.any(|url| url.host == target.host),
        Join::Name => {
            name == label || urls.any(|url| url.host == target.host || url.short_name() == Some(&target.host))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(id: u64, address: &str, status_address: &str) -> (u64, StoreDetail) {
        let (address, status_address) = (address.to_owned(), status_address.to_owned());
        (id, StoreDetail { id, address, status_address, ..StoreDetail::default() })
    }

    fn join(how: Join, stores: &[(u64, StoreDetail)], targets: &[&str]) -> Targets {
        let stores = stores.iter().cloned().collect();
        let members = BTreeMap::from([(
            "pd-0".to_owned(),
            MemberDetail { urls: vec!["http://pd0:2379".to_owned()], ..MemberDetail::default() },
        )]);
        let known = Known { stores: &stores, members: &members, leader: None };
        let targets = targets.iter().map(|&target| target.to_owned()).collect();
        let pd = ["pd0:2379".to_owned(), "other:2379".to_owned()].into();
        Targets::join(how, &known, &targets, &pd)
    }

    fn found(targets: &Targets) -> Vec<(&str, u64)> {
        targets.stores().collect()
    }

    #[test]
    fn a_store_is_found_by_its_status_address_not_by_the_one_it_serves_at() {
        let stores = [store(1, "tikv0:20160", "tikv0:20180"), store(2, "tikv0:20161", "tikv0:20181")];
        let joined = join(Join::StatusAddress, &stores, &["tikv0:20180", "TIKV0:20181", "elsewhere:20180"]);
        assert_eq!(found(&joined), [("TIKV0:20181", 2), ("tikv0:20180", 1)]);
        assert_eq!(joined.strangers, ["elsewhere:20180"]);
        assert_eq!(joined.member("pd0:2379"), Some("pd-0"));
        assert_eq!(joined.member("other:2379"), None);

        let joined = join(Join::StatusAddress, &stores, &["tikv0:20160", "tikv0:20161"]);
        assert_eq!(found(&joined), [], "the service port is not what is scraped");
        assert_eq!(joined.strangers.len(), 2);
    }

    #[test]
    fn a_store_that_listens_everywhere_is_found_at_the_host_it_serves_at() {
        let stores = [store(1, "a:20160", "0.0.0.0:20180"), store(2, "b:20160", ""), store(3, "c:20160", "[::]:20180")];
        let joined = join(Join::StatusAddress, &stores, &["a:20180", "b:31000", "c:20180", "a:20181"]);
        assert_eq!(found(&joined), [("a:20180", 1), ("b:31000", 2), ("c:20180", 3)]);
    }

    #[test]
    fn what_could_be_two_is_neither_and_is_said() {
        let stores = [store(1, "a:20160", ""), store(2, "a:20161", "")];
        let joined = join(Join::StatusAddress, &stores, &["a:20180", "a:20181"]);
        assert_eq!(found(&joined), []);
        assert_eq!(joined.ambiguous[&1], "it may be any of a:20180, a:20181");

        let stores = [store(1, "a:20160", "a:20180"), store(2, "a:20161", "a:20181")];
        let joined = join(Join::Host, &stores, &["a:9100"]);
        assert_eq!(found(&joined), []);
        assert_eq!(joined.ambiguous[&2], "a:9100 may also be store 1");
    }

    #[test]
    fn a_pod_is_found_by_its_name() {
        let stores = [
            store(1, "basic-tikv-0.basic-tikv-peer.prod.svc:20160", "0.0.0.0:20180"),
            store(2, "10.0.0.7:20160", "10.0.0.7:20180"),
        ];
        let joined = join(Join::Name, &stores, &["basic-tikv-0", "basic-tikv-1", "10"]);
        assert_eq!(found(&joined), [("basic-tikv-0", 1)]);
    }

    #[test]
    fn a_store_without_any_address_and_one_of_another_engine_are_not_looked_for() {
        let mut column = store(2, "b:3930", "b:20292");
        column.1.labels.insert("engine".into(), "tiflash".into());
        let stores: BTreeMap<_, _> = [store(1, "", ""), column].into();
        let known = Known { stores: &stores, members: &BTreeMap::new(), leader: None };
        assert_eq!(known.scraped_stores().map(|(id, _)| id).collect::<Vec<_>>(), [1]);
        let targets = [String::new(), "b:20292".into()].into();
        assert_eq!(found(&Targets::join(Join::StatusAddress, &known, &targets, &BTreeSet::new())), []);
    }
}
