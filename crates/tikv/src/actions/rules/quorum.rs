//! No region has lost its majority or is about to. While one has, every action is another risk.

use std::collections::BTreeMap;

use crate::actions::live::Live;
use crate::actions::verdict::{Refusal, Verdict, known};
use crate::details::{StoreDetail, StoreState};

/// The stores that hold replicas and do not answer. One whose replicas were all made anew elsewhere is missed by nobody.
pub(crate) fn silent(live: &Live) -> Verdict<Vec<u64>> {
    let mut silent = Vec::new();
    let holds = |store: &&StoreDetail| store.state != StoreState::Tombstone && store.region_count > 0;
    for store in known(&live.stores)?.values().filter(holds) {
        match live.answers(store) {
            Some(true) => {}
            Some(false) => silent.push(store.id),
            None => {
                return Err(Refusal::unknown(format!("whether store {} answers", store.id), "PD does not say when"));
            }
        }
    }
    Ok(silent)
}

/// At most the stores of one place do not answer: no region has lost two replicas.
pub(crate) fn is_there(live: &Live) -> Verdict {
    let silent = silent(live)?;
    let stores = known(&live.stores)?;
    if silent.len() < 2 || in_one_place(live, stores, &silent) {
        return Ok(());
    }
    Err(Refusal::no(format!(
        "stores {} do not answer: regions may have lost their majority, and only starting those stores helps",
        list(&silent)
    )))
}

/// As [`is_there`], and no replica lags elsewhere while a store does not answer.
pub(crate) fn is_safe(live: &Live) -> Verdict {
    is_there(live)?;
    let silent = silent(live)?;
    if silent.is_empty() {
        return Ok(());
    }
    let lagging: Vec<u64> = known(&live.stores)?
        .values()
        .filter(|store| !silent.contains(&store.id) && store.pending_peers > 0)
        .map(|store| store.id)
        .collect();
    if lagging.is_empty() {
        return Ok(());
    }
    Err(Refusal::no(format!(
        "store {} does not answer while peers on {} wait for their log: one more loss may cost regions their majority",
        list(&silent),
        list(&lagging)
    )))
}

/// Whether replicas are kept apart by a label of which all these stores have the same value.
fn in_one_place(live: &Live, stores: &BTreeMap<u64, StoreDetail>, ids: &[u64]) -> bool {
    let Some(label) = live.replication.as_ref().ok().and_then(|replication| replication.isolation_level.as_ref())
    else {
        return false;
    };
    let mut values = ids.iter().map(|id| stores.get(id).and_then(|store| store.labels.get(label)));
    let first = values.next().flatten();
    first.is_some() && values.all(|value| value == first)
}

pub(crate) fn list(ids: &[u64]) -> String {
    const SHOWN: usize = 10;
    let mut text: Vec<String> = ids.iter().take(SHOWN).map(ToString::to_string).collect();
    if ids.len() > SHOWN {
        text.push(format!("{} more", ids.len() - SHOWN));
    }
    text.join(", ")
}
