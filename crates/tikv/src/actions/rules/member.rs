//! A member of PD can be done without for a while.

use crate::actions::live::{Live, Members};
use crate::actions::verdict::{Refusal, Verdict, known};

/// Every other member answers, and together they are a majority.
pub(crate) fn can_be_spared(live: &Live, name: &str) -> Verdict {
    let health = known(&live.health)?;
    if !health.contains_key(name) {
        return Err(Refusal::no(format!("PD has no member {name}")));
    }
    let sick: Vec<&str> =
        health.iter().filter(|(other, well)| other.as_str() != name && !**well).map(|(other, _)| &**other).collect();
    if !sick.is_empty() {
        return Err(Refusal::no(format!("{} does not answer either: PD could lose its majority", sick.join(", "))));
    }
    let others = health.len() - 1;
    if others * 2 <= health.len() {
        return Err(Refusal::no(format!("{others} of {} members are no majority without {name}", health.len())));
    }
    Ok(())
}

/// It leads.
pub(crate) fn leads(members: &Members, name: &str) -> Verdict {
    match members.leader.as_deref() {
        Some(leader) if leader == name => Ok(()),
        Some(leader) => Err(Refusal::no(format!("{name} does not lead PD; {leader} does"))),
        None => Err(Refusal::unknown("who leads PD", "PD has no leader")),
    }
}

/// Another member answers, has the leader's version, and may lead.
pub(crate) fn may_lead(live: &Live, members: &Members, name: &str) -> Verdict {
    let member = members.by_name.get(name).ok_or_else(|| Refusal::no(format!("PD has no member {name}")))?;
    if members.leader.as_deref() == Some(name) {
        return Err(Refusal::no(format!("{name} leads PD already")));
    }
    match known(&live.health)?.get(name) {
        Some(true) => {}
        Some(false) => return Err(Refusal::no(format!("{name} does not answer the other members"))),
        None => return Err(Refusal::unknown(format!("the health of {name}"), "PD does not tell it")),
    }
    let leaders = members.leader.as_ref().and_then(|leader| members.by_name.get(leader));
    if leaders.is_some_and(|leader| leader.version != member.version) {
        return Err(Refusal::no(format!("{name} is of version {}, the leader is not", member.version)));
    }
    Ok(())
}

/// The member that should lead next: the highest priority, then the first by name.
pub(crate) fn next_leader(live: &Live, members: &Members) -> Verdict<String> {
    let mut able: Vec<_> = members.by_name.iter().filter(|(name, _)| may_lead(live, members, name).is_ok()).collect();
    able.sort_by_key(|(name, member)| (std::cmp::Reverse(member.priority), name.as_str()));
    let first = able.first().map(|(name, _)| (*name).clone());
    first.ok_or_else(|| Refusal::no("no other member of PD answers and is of the leader's version"))
}
