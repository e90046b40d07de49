//! PD has a leader that knows the cluster, and speaks of now.

use std::time::Duration;

use crate::actions::live::{Live, Members};
use crate::actions::verdict::{Refusal, Verdict, known};
use crate::details::StoreState;

/// If not even one store was heard of within this time, it is PD's picture that is old.
const FRESH: Duration = Duration::from_secs(30);

/// All of it; gives the members.
pub(crate) fn steers(live: &Live) -> Verdict<&Members> {
    let members = has_one_leader(live)?;
    leader_answers(live, members)?;
    knows_the_regions(live)?;
    speaks_of_now(live)?;
    Ok(members)
}

/// One member leads, and leads etcd beneath as well.
pub(crate) fn has_one_leader(live: &Live) -> Verdict<&Members> {
    let members = known(&live.members)?;
    match (&members.leader, &members.etcd_leader) {
        (None, _) => Err(Refusal::unknown("PD", "it has no leader")),
        (Some(leader), Some(etcd)) if leader != etcd => Err(Refusal::unknown(
            "PD",
            format!("{leader} leads it while {etcd} leads etcd beneath: its leader is changing"),
        )),
        (Some(_), _) if members.cluster_id == 0 => Err(Refusal::unknown("PD", "it does not say which cluster it is")),
        (Some(_), _) => Ok(members),
    }
}

fn leader_answers(live: &Live, members: &Members) -> Verdict {
    let health = known(&live.health)?;
    let leader = members.leader.as_deref().unwrap_or_default();
    match health.get(leader) {
        Some(true) => Ok(()),
        Some(false) => Err(Refusal::unknown("PD", format!("its leader {leader} does not answer the other members"))),
        None => Err(Refusal::unknown("PD", format!("nothing is said of the health of its leader {leader}"))),
    }
}

/// The leader has heard of nearly all regions: before, its counts mean nothing.
fn knows_the_regions(live: &Live) -> Verdict {
    if *known(&live.initialized)? {
        return Ok(());
    }
    Err(Refusal::unknown("PD's picture of the regions", "its leader is new and has not heard of all of them yet"))
}

fn speaks_of_now(live: &Live) -> Verdict {
    let stores = known(&live.stores)?;
    let heard = stores.values().filter(|store| store.state == StoreState::Up);
    let Some(last) = heard.filter_map(|store| store.last_heartbeat_ms).max() else {
        return Err(Refusal::unknown("PD's picture of the stores", "no store was heard of"));
    };
    let last = operator_protocols::Timestamp::from_millis(last);
    if live.at.since(last) > FRESH {
        let age = live.at.since(last).as_secs();
        return Err(Refusal::unknown("PD's picture of the stores", format!("no store was heard of for {age} s")));
    }
    if last.since(live.at) > FRESH {
        return Err(Refusal::unknown(
            "how old PD's picture of the stores is",
            format!("PD's clock is {} s ahead of ours", last.since(live.at).as_secs()),
        ));
    }
    Ok(())
}
