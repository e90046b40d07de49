//! The typed facets of who is there: members, stores and Prometheus with their states, and who depends on whom.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{Component, ComponentState, Dependency, DependencyState, Id, Observation};

use crate::checker::pulse::{Pulse, Standing};
use crate::details::{Details, MemberDetail, StoreDetail, StoreState};
use crate::names::{self, MEMBER, PROMETHEUS, STORE};

/// The label that tells one start of a component from the next.
const INCARNATION: &str = "incarnation";
/// A store that was not heard of for longer is gone, whoever else knows (PD calls it unhealthy from then on,
/// `pkg/statistics/store_collection.go`).
const GONE_AFTER_S: f64 = 600.0;
/// PD takes a store of this slow score for too slow to lead (`pkg/core/store.go`).
const SLOW_SCORE: u64 = 80;
/// TiKV's own measure of a link, from which on it is slow (`network_slow_score`).
const NETWORK_SLOW: u64 = 95;
/// Links between stores that are told at most.
const MAX_LINKS: usize = 500;

/// Writes components and dependencies.
pub(super) fn write(
    subject: &str,
    prometheus: Option<&str>,
    details: &Details,
    pulses: &BTreeMap<u64, Pulse>,
    waits: &[(u64, u64)],
    observation: &mut Observation,
) {
    for (name, member) in &details.members {
        observation.components.push(member_component(subject, name, member, details));
    }
    for (id, store) in &details.stores {
        observation.components.push(store_component(subject, store, pulses.get(id).copied(), details));
    }
    if let Some(url) = prometheus {
        observation.components.push(prometheus_component(subject, url, details));
    }
    let leader = details.cluster.leader.as_ref().filter(|leader| details.members.contains_key(*leader));
    if let Some(leader) = leader {
        // A store serves without PD for as long as nothing moves. Told always, that every store depends on PD would make PD
        // the cause of whatever several stores suffer from.
        let cut = |id: &&u64| pulses.get(id).is_some_and(|pulse| pulse.link() == DependencyState::Down);
        for id in details.stores.keys().filter(|id| details.cluster.answers && cut(id)) {
            observation.dependencies.push(Dependency {
                from: names::store_component(subject, *id),
                to: Id::new(subject, leader),
                kind: MEMBER.to_owned(),
                state: DependencyState::Down,
            });
        }
    }
    observation.dependencies.extend(links(subject, details, waits));
}

/// The links between stores of which there is something to say: one waits for the other, says that the way to it is slow, or
/// cannot send to it.
fn links(subject: &str, details: &Details, waits: &[(u64, u64)]) -> Vec<Dependency> {
    let mut links: BTreeMap<(u64, u64), DependencyState> = BTreeMap::new();
    links.extend(waits.iter().map(|link| (*link, DependencyState::Up)));
    for (from, store) in &details.stores {
        for (to, score) in store.network_slow_score.iter().filter(|(_, score)| **score >= NETWORK_SLOW) {
            if details.stores.contains_key(to) && from != to && *score > 0 {
                links.insert((*from, *to), DependencyState::Up);
            }
        }
    }
    let complaints = complaints(details);
    for (to, by) in &complaints {
        for from in by {
            let mutual = complaints.get(from).is_some_and(|of_from| of_from.contains(to));
            let link = if mutual { one_of_both(&complaints, *from, *to) } else { (*from, *to) };
            links.insert(link, DependencyState::Down);
        }
    }
    let dependency = |((from, to), state)| Dependency {
        from: names::store_component(subject, from),
        to: names::store_component(subject, to),
        kind: STORE.to_owned(),
        state,
    };
    links.into_iter().take(MAX_LINKS).map(dependency).collect()
}

/// Which stores cannot send to a store, by the store that they complain of.
fn complaints(details: &Details) -> BTreeMap<u64, BTreeSet<u64>> {
    let mut complaints: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    let unreachable = details.metrics.answers_by_query.get("unreachable");
    for (to, by) in unreachable.into_iter().flat_map(|answer| &answer.stores_by) {
        let Some(to) = to.parse().ok().filter(|to| details.stores.contains_key(to)) else { continue };
        let from = by.iter().filter(|(from, rate)| **rate > 0.0 && **from != to && details.stores.contains_key(from));
        complaints.entry(to).or_default().extend(from.map(|(from, _)| *from));
    }
    complaints
}

/// What both ends complain of is one link. It leads to the end that more stores complain of: that one is cut off, and the
/// others are its witnesses.
fn one_of_both(complaints: &BTreeMap<u64, BTreeSet<u64>>, one: u64, other: u64) -> (u64, u64) {
    let of = |store: u64| complaints.get(&store).map_or(0, BTreeSet::len);
    let (low, high) = (one.min(other), one.max(other));
    if of(low) > of(high) { (high, low) } else { (low, high) }
}

fn member_component(subject: &str, name: &str, member: &MemberDetail, details: &Details) -> Component {
    let leads = details.cluster.leader.as_deref() == Some(name);
    let (state, raw_state) = match (member.answers, member.healthy) {
        (true, _) if leads && !details.cluster.answers => (ComponentState::Degraded, "leads, and gives no answers"),
        (true, Some(false)) => (ComponentState::Degraded, "answers, but not the other members"),
        (true, _) if leads => (ComponentState::Up, "leads"),
        (true, _) => (ComponentState::Up, "follows"),
        (false, Some(true)) if member.silence.is_some() => {
            (ComponentState::Unknown, "does not answer the operator, but the other members")
        }
        (false, Some(true)) => (ComponentState::Up, "answers the other members"),
        (false, _) if member.tls => (ComponentState::Unknown, "no TLS with it"),
        (false, _) if member.refused => (ComponentState::Down, "no process listens"),
        (false, Some(false)) => (ComponentState::Down, "does not answer"),
        (false, None) if member.silence.is_some() => (ComponentState::Down, "does not answer"),
        (false, None) => (ComponentState::Unknown, "was not asked"),
    };
    let mut labels = BTreeMap::from([("plane".to_owned(), "control".to_owned())]);
    labels.extend(member.started.map(|started| (INCARNATION.to_owned(), started.to_string())));
    Component {
        id: Id::new(subject, name),
        kind: MEMBER.to_owned(),
        address: member.urls.first().cloned(),
        state,
        raw_state: raw_state.to_owned(),
        version: member.version.clone(),
        labels,
    }
}

fn store_component(subject: &str, store: &StoreDetail, pulse: Option<Pulse>, details: &Details) -> Component {
    let raw_state = match details.cluster.answers {
        true => store.state_name.clone(),
        false => "not told while PD's leader does not answer".to_owned(),
    };
    let state = store_state(store, pulse);
    let mut labels = BTreeMap::new();
    for label in &details.cluster.location_labels {
        labels.extend(store.labels.get(label).map(|value| (label.clone(), value.clone())));
    }
    labels.extend(store.started.map(|started| (INCARNATION.to_owned(), started.to_string())));
    let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    Component {
        id: names::store_component(subject, store.id),
        kind: STORE.to_owned(),
        address: text(&store.address),
        state,
        raw_state,
        version: text(&store.version),
        labels,
    }
}

/// A store that was silent for a moment may only be restarting: until somebody else knows better or ten minutes have
/// passed, it is not known how it is. One that PD calls down is down.
fn store_state(store: &StoreDetail, pulse: Option<Pulse>) -> ComponentState {
    let Some(pulse) = pulse else { return ComponentState::Unknown };
    let state = match pulse.standing {
        Standing::Unheard if store.state_name == "Down" || pulse.age_s.is_some_and(|age| age > GONE_AFTER_S) => {
            ComponentState::Down
        }
        // It may be PD that is deaf; but nobody says that the store serves, either.
        Standing::PdHearsNobody if pulse.scraped != Some(true) => ComponentState::Unknown,
        _ => pulse.component(),
    };
    let ails = store.is_busy || store.slow_score.is_some_and(|score| score >= SLOW_SCORE);
    match state {
        ComponentState::Up if ails && store.state == StoreState::Up => ComponentState::Degraded,
        state => state,
    }
}

fn prometheus_component(subject: &str, url: &str, details: &Details) -> Component {
    let metrics = &details.metrics;
    let (state, raw_state) = match metrics.answers {
        true if metrics.joined_stores == 0 && metrics.stores > 0 => {
            (ComponentState::Degraded, "answers, and scrapes none of the stores")
        }
        true => (ComponentState::Up, "answers"),
        false => (ComponentState::Down, "does not answer"),
    };
    Component {
        id: Id::new(subject, PROMETHEUS),
        kind: PROMETHEUS.to_owned(),
        address: Some(url.to_owned()),
        state,
        raw_state: raw_state.to_owned(),
        version: None,
        labels: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thresholds::Thresholds;

    fn state(store: &StoreDetail, scraped: Option<f64>) -> ComponentState {
        let mut details = Details::default();
        let other = StoreDetail { id: 9, heartbeat_age_s: Some(1.0), ..StoreDetail::default() };
        details.cluster.answers = true;
        details.stores.extend([(store.id, store.clone()), (9, other)]);
        if let Some(up) = scraped {
            let answer = details.metrics.answers_by_query.entry("store_scraped".to_owned()).or_default();
            answer.stores.insert(store.id, up);
        }
        let pulses = crate::checker::pulse::of(&details, &Thresholds::default(), 0);
        store_state(store, pulses.get(&store.id).copied())
    }

    #[test]
    fn a_store_that_was_just_silent_is_not_down_until_somebody_knows_or_long_has_passed() {
        let store = |word: &str, age: f64| StoreDetail {
            id: 4,
            state_name: word.to_owned(),
            heartbeat_age_s: Some(age),
            ..StoreDetail::default()
        };
        assert_eq!(state(&store("Up", 10.0), None), ComponentState::Up);
        assert_eq!(state(&store("Disconnected", 25.0), None), ComponentState::Unknown);
        assert_eq!(state(&store("Disconnected", 25.0), Some(0.0)), ComponentState::Down);
        assert_eq!(state(&store("Disconnected", 601.0), None), ComponentState::Down);
        assert_eq!(state(&store("Down", 61.0), None), ComponentState::Down, "PD gave it up");
        assert_eq!(state(&store("Offline", 10.0), None), ComponentState::Up);
    }

    #[test]
    fn a_store_that_says_that_it_is_slow_or_busy_is_degraded() {
        let well = StoreDetail { id: 4, heartbeat_age_s: Some(3.0), ..StoreDetail::default() };
        assert_eq!(state(&StoreDetail { slow_score: Some(80), ..well.clone() }, None), ComponentState::Degraded);
        assert_eq!(state(&StoreDetail { slow_score: Some(79), ..well.clone() }, None), ComponentState::Up);
        assert_eq!(state(&StoreDetail { is_busy: true, ..well }, None), ComponentState::Degraded);
    }

    #[test]
    fn a_link_that_both_ends_complain_of_leads_to_the_end_that_more_stores_complain_of() {
        let mut details = Details::default();
        details.stores.extend((1..=4).map(|id| (id, StoreDetail { id, ..StoreDetail::default() })));
        let cut = |details: &mut Details, of: u64, by: &[u64]| {
            let answer = details.metrics.answers_by_query.entry("unreachable".to_owned()).or_default();
            answer.stores_by.insert(of.to_string(), by.iter().map(|id| (*id, 5.0)).collect());
        };
        let found = |details: &Details| {
            let mut found: Vec<String> =
                links("s", details, &[]).iter().map(|link| format!("{}>{}", link.from.local, link.to.local)).collect();
            found.sort();
            found
        };
        // Store 2 is cut off: everybody complains of it, and it of everybody.
        cut(&mut details, 2, &[1, 3, 4]);
        for other in [1, 3, 4] {
            cut(&mut details, other, &[2]);
        }
        assert_eq!(found(&details), ["store-1>store-2", "store-3>store-2", "store-4>store-2"]);
        // Only the way between two is cut.
        details.metrics.answers_by_query.clear();
        cut(&mut details, 3, &[1]);
        cut(&mut details, 1, &[3]);
        assert_eq!(found(&details), ["store-1>store-3"]);
    }
}
