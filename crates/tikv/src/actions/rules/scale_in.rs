//! Whether a store can be taken out for good: every condition by itself, so that all can be shown and the first that fails
//! refuses. PD would take any store for up that was not removed, whether it answers or not, and then never finish.

use crate::actions::live::{Live, Replication};
use crate::actions::memory::Memory;
use crate::actions::rules::{control_plane, maintenance, quorum, store};
use crate::actions::verdict::{Refusal, Verdict, known};
use crate::details::{StoreDetail, StoreState};

/// What is left may be used so far when it holds everything: below the share at which PD stops filling a store.
const MAX_USED: f64 = 0.75;

/// One condition and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    /// What must be so.
    pub(crate) wanted: &'static str,
    /// How it is, or why it is not so.
    pub(crate) found: Verdict<String>,
    /// What would make it so.
    pub(crate) remedy: &'static str,
}

/// Every condition, in the order in which they refuse.
pub(crate) fn conditions(live: &Live, memory: &Memory, id: u64) -> Vec<Condition> {
    let condition = |wanted, remedy, found: Verdict<String>| Condition { wanted, found, remedy };
    let well = |verdict: Verdict, text: &str| verdict.map(|()| text.to_owned());
    vec![
        condition(
            "PD steers the cluster and knows it",
            "wait until PD has a leader that has heard of all regions",
            control_plane::steers(live).map(|members| format!("{} leads", members.leader.as_deref().unwrap_or("it"))),
        ),
        condition(
            "the store belongs to the cluster",
            "choose another store",
            store::exists(live, id).and_then(store::belongs).map(|()| format!("store {id} belongs to it")),
        ),
        condition(
            "nobody else is at work on a store",
            "wait until the maintenance is over, or take the forgotten drain back",
            well(maintenance::is_nobody_elses(live, memory), "no foreign drain"),
        ),
        condition(
            "no other store is drained or removed",
            "wait until the other store is done",
            well(maintenance::is_of_one_store(live, id), "no other store is drained or removed"),
        ),
        condition(
            "no majority is at risk",
            "start the stores that do not answer first",
            well(others_answer(live, id), "every other store answers"),
        ),
        condition(
            "enough healthy stores are left for every rule",
            "add a store, or start the ones that do not answer",
            enough_stores(live, id),
        ),
        condition(
            "replicas can be kept as far apart as now",
            "add a store in the place that would be lost",
            enough_places(live, id),
        ),
        condition("what is left can hold the data", "add a store or space", enough_space(live, id)),
        condition(
            "every region has its replicas",
            "wait until the missing replicas are made, or start the store they are on",
            whole_regions(live, id),
        ),
        condition(
            "PD moves replicas",
            "put the setting back",
            movable(live).map(|()| "nothing keeps PD from moving replicas".to_owned()),
        ),
        condition("the store leads no region", "drain the store first", drained(live, id)),
    ]
}

/// The first condition that does not hold.
pub(crate) fn holds(live: &Live, memory: &Memory, id: u64) -> Verdict {
    conditions(live, memory, id).into_iter().try_for_each(|condition| condition.found.map(|_| ()))
}

/// The stores that are left and answer.
fn left(live: &Live, id: u64) -> Verdict<Vec<&StoreDetail>> {
    Ok(live.serving(known(&live.stores)?).filter(|store| store.id != id).collect())
}

fn others_answer(live: &Live, id: u64) -> Verdict {
    let silent: Vec<u64> = quorum::silent(live)?.into_iter().filter(|silent| *silent != id).collect();
    if silent.is_empty() {
        return Ok(());
    }
    Err(Refusal::no(format!("store {} does not answer", quorum::list(&silent))))
}

fn enough_stores(live: &Live, id: u64) -> Verdict<String> {
    let (left, replication) = (left(live, id)?, known(&live.replication)?);
    let wanted = replication.replicas() as usize;
    if wanted == 0 {
        return Err(Refusal::unknown("how many replicas there should be", "PD's rules ask for none"));
    }
    let mut admitted = 0;
    for rule in &replication.rules {
        let fit = left.iter().filter(|store| Replication::admits(rule, store)).count();
        if fit < rule.count as usize {
            return Err(Refusal::no(format!(
                "the rule {} wants {} replicas, and {fit} healthy stores that it admits would be left",
                rule.name, rule.count
            )));
        }
        if rule.role != "learner" {
            admitted = admitted.max(fit);
        }
    }
    if admitted < wanted {
        return Err(Refusal::no(format!(
            "regions have {wanted} replicas, and {admitted} healthy stores would be left"
        )));
    }
    Ok(format!("{admitted} healthy stores would be left for {wanted} replicas"))
}

fn enough_places(live: &Live, id: u64) -> Verdict<String> {
    let (left, replication) = (left(live, id)?, known(&live.replication)?);
    if replication.location_labels.is_empty() {
        return Ok("replicas are kept apart by store only".to_owned());
    }
    let gone = store::exists(live, id)?;
    let wanted = replication.replicas() as usize;
    for label in &replication.location_labels {
        let before = Replication::places(label, left.iter().copied().chain(std::iter::once(gone)));
        let after = Replication::places(label, left.iter().copied());
        let strict = replication.isolation_level.as_ref() == Some(label);
        let needed = if strict { wanted } else { wanted.min(before) };
        if after < needed {
            return Err(Refusal::no(format!(
                "{after} places by {label} would be left for {wanted} replicas, and {needed} are needed"
            )));
        }
    }
    Ok(format!("by {} replicas stay as far apart", replication.location_labels.join(", ")))
}

fn enough_space(live: &Live, id: u64) -> Verdict<String> {
    let size = |store: &StoreDetail, what: Option<f64>| {
        what.filter(|bytes| bytes.is_finite() && *bytes >= 0.0)
            .ok_or_else(|| Refusal::unknown(format!("the space of store {}", store.id), "PD does not say"))
    };
    let gone = store::exists(live, id)?;
    let (mut taken, mut capacity) = (size(gone, gone.used)?, 0.0);
    for store in left(live, id)? {
        let of_store = size(store, store.capacity)?;
        // What is not available is taken, by whomever.
        taken += (of_store - size(store, store.available)?).max(0.0);
        capacity += of_store;
    }
    if capacity <= 0.0 {
        return Err(Refusal::no("no healthy store would be left"));
    }
    let used = taken / capacity;
    let shown = format!("the stores that are left would be {:.0} % full", 100.0 * used);
    if used > MAX_USED {
        return Err(Refusal::no(format!("{shown}; at most {:.0} % are allowed", 100.0 * MAX_USED)));
    }
    Ok(shown)
}

fn whole_regions(live: &Live, id: u64) -> Verdict<String> {
    let abnormal = known(&live.abnormal)?;
    for word in ["miss-peer", "down-peer"] {
        let Some(count) = abnormal.get(word) else {
            return Err(Refusal::unknown(format!("how many regions are {word}"), "PD did not say"));
        };
        // The peers of a store that is dead are down; that is why it is to go.
        let its_own = word == "down-peer" && live.answers(store::exists(live, id)?) == Some(false);
        if *count > 0 && !its_own {
            return Err(Refusal::no(format!("{count} regions are {word}")));
        }
    }
    Ok("no region lacks a replica".to_owned())
}

/// Nothing in the settings keeps PD from moving replicas off a store.
pub(crate) fn movable(live: &Live) -> Verdict {
    let settings = known(&live.settings)?;
    let is = |key: &str, value: &str| settings.get(key).is_some_and(|found| found == value);
    for (key, value) in
        [("replica-schedule-limit", "0"), ("enable-replace-offline-replica", "false"), ("halt-scheduling", "true")]
    {
        if is(key, value) {
            return Err(Refusal::no(format!("PD's setting {key} is {value}")));
        }
    }
    Ok(())
}

fn drained(live: &Live, id: u64) -> Verdict<String> {
    let store = store::exists(live, id)?;
    if live.answers(store) == Some(false) && store.state == StoreState::Up {
        return Ok("it does not answer, so it leads nothing".to_owned());
    }
    if store.leader_count > 0 {
        return Err(Refusal::no(format!("store {id} leads {} regions", store.leader_count)));
    }
    Ok("it leads no region".to_owned())
}
