//! What happened since the last observation, told by what is not as it was: starts, who leads, settings, drains,
//! schedulers, stores that come, go and change.

use std::collections::BTreeMap;

use operator_protocols::{Change, Event, EventId, EventKind, Locus, Timestamp, Value};

use super::memory::{EVENTS_FOR, Memory};
use crate::details::{ClusterDetail, Details, SchedulerDetail, StoreDetail, StoreState};
use crate::names::{self, SCHEDULER, SETTING};

/// Changes of one kind in one observation, of which more are told as one.
const MAX_EACH: usize = 20;

/// Takes note of everything that happened.
pub(super) fn note(subject: &str, memory: &mut Memory, details: &Details, at: Timestamp) {
    let mut diff = Diff { subject, at, events: Vec::new() };
    diff.starts(memory, details);
    if let Some(leader) = &details.cluster.leader
        && details.cluster.answers
        && let Some(before) = memory.lead(leader, at)
    {
        let on = names::member_locus(subject, leader);
        let change = Some(text_change("leader", Some(&before), Some(leader)));
        let message = format!("{leader} leads PD after {before}");
        diff.add(&format!("leader {leader}"), on, EventKind::LeaderChange, change, message);
    }
    if let Some(before) = memory.cluster.as_ref().filter(|_| details.cluster.answers) {
        diff.settings(before, &details.cluster);
        diff.schedulers(before, &details.cluster);
        diff.drains(before, &details.cluster);
        diff.stores(&memory.stores, &details.stores);
    }
    for event in diff.events {
        memory.note(event);
    }
}

struct Diff<'a> {
    subject: &'a str,
    at: Timestamp,
    events: Vec<Event>,
}

fn text_change(field: &str, before: Option<&str>, after: Option<&str>) -> Change {
    Change {
        field: field.to_owned(),
        before: Value::from(before.map(str::to_owned)),
        after: Value::from(after.map(str::to_owned)),
    }
}

impl Diff<'_> {
    /// Something that was seen to have happened since the last look; its name is made unique by when it was seen.
    fn add(&mut self, name: &str, on: Locus, kind: EventKind, change: Option<Change>, message: String) {
        let id = EventId::new(self.subject, format!("{name} at {}", self.at.as_millis()));
        self.events.push(Event { id, at: self.at, on, kind, change, message });
    }

    fn starts(&mut self, memory: &Memory, details: &Details) {
        let horizon = self.at.minus(EVENTS_FOR);
        let mut start = |name: &str, on: Locus, started: Option<i64>, known: Option<i64>| {
            let Some(started) = started else { return };
            let when = Timestamp::from_millis(started.saturating_mul(1000));
            if known == Some(started) || when < horizon || when > self.at {
                return;
            }
            let id = EventId::new(self.subject, format!("{name} started {started}"));
            let message = match known {
                Some(_) => format!("{name} was started again"),
                None => format!("{name} was started"),
            };
            self.events.push(Event { id, at: when, on, kind: EventKind::Restart, change: None, message });
        };
        for (id, store) in &details.stores {
            let known = memory.stores.get(id).and_then(|store| store.started);
            start(&names::store(*id), names::store_locus(self.subject, *id), store.started, known);
        }
        for (name, member) in &details.members {
            let known = memory.member_details.get(name).and_then(|member| member.started);
            start(name, names::member_locus(self.subject, name), member.started, known);
        }
    }

    fn settings(&mut self, before: &ClusterDetail, now: &ClusterDetail) {
        if before.settings.is_empty() || now.settings.is_empty() {
            return;
        }
        for (name, was, is) in changed(&before.settings, &now.settings) {
            let on = Locus::entity(self.subject, SETTING, name);
            let shown = |value: Option<&String>| value.map_or_else(|| "nothing".to_owned(), Clone::clone);
            let message = format!("{name} was changed from {} to {}", shown(was), shown(is));
            let change = text_change(name, was.map(String::as_str), is.map(String::as_str));
            self.add(&format!("setting {name}"), on, EventKind::ConfigChange, Some(change), message);
        }
    }

    fn schedulers(&mut self, before: &ClusterDetail, now: &ClusterDetail) {
        if before.schedulers.is_empty() || now.schedulers.is_empty() {
            return;
        }
        let word = |scheduler: Option<&SchedulerDetail>| match scheduler {
            None => "absent",
            Some(SchedulerDetail { disabled: true, .. }) => "disabled",
            Some(SchedulerDetail { paused: true, .. }) => "paused",
            Some(_) => "running",
        };
        for (name, was, is) in changed(&before.schedulers, &now.schedulers) {
            // Its stores come and go, which is told of each.
            if name == super::reading::EVICT_LEADER {
                continue;
            }
            let on = Locus::entity(self.subject, SCHEDULER, name);
            let (was, is) = (word(was), word(is));
            let change = text_change("state", Some(was), Some(is));
            let message = format!("{name} is {is}, and was {was}");
            self.add(&format!("scheduler {name}"), on, EventKind::ConfigChange, Some(change), message);
        }
    }

    fn drains(&mut self, before: &ClusterDetail, now: &ClusterDetail) {
        let (Some(before), Some(now)) = (&before.drains, &now.drains) else { return };
        let none = BTreeMap::new();
        let all = if before.is_empty() && now.is_empty() { &none } else { before };
        let begun = now.keys().filter(|id| !all.contains_key(id)).map(|id| (*id, true));
        let ended = all.keys().filter(|id| !now.contains_key(id)).map(|id| (*id, false));
        let changes: Vec<(u64, bool)> = begun.chain(ended).collect();
        for (id, begins) in changes {
            let store = names::store(id);
            let by = now.get(&id).and_then(|drain| drain.ours.as_ref()).map_or("", |_| " by this operator");
            let message = if begins {
                format!("the leaders of {store} are evicted by request{by}")
            } else {
                format!("the leaders of {store} are not evicted any more")
            };
            self.add(&format!("drain {store}"), names::drain_locus(self.subject, id), EventKind::Action, None, message);
        }
    }

    fn stores(&mut self, before: &BTreeMap<u64, StoreDetail>, now: &BTreeMap<u64, StoreDetail>) {
        let mut words: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
        for (id, store) in now {
            let on = names::store_locus(self.subject, *id);
            let name = names::store(*id);
            let Some(was) = before.get(id) else {
                self.add(&format!("{name} joined"), on, EventKind::Other, None, format!("{name} joined the cluster"));
                continue;
            };
            if was.version != store.version && !was.version.is_empty() && !store.version.is_empty() {
                let change = text_change("version", Some(&was.version), Some(&store.version));
                let message = format!("{name} runs {} after {}", store.version, was.version);
                self.add(&format!("{name} version"), on.clone(), EventKind::Deploy, Some(change), message);
            }
            if was.state != store.state {
                let message = match store.state {
                    StoreState::Offline => format!("{name} is to be emptied and removed"),
                    _ => format!("{name} is not to be removed any more"),
                };
                self.add(&format!("{name} removal"), on, EventKind::Action, None, message);
            } else if was.state_name != store.state_name {
                words.entry((was.state_name.clone(), store.state_name.clone())).or_default().push(*id);
            }
        }
        for id in before.keys().filter(|id| !now.contains_key(id)) {
            let name = names::store(*id);
            let on = names::store_locus(self.subject, *id);
            self.add(&format!("{name} left"), on, EventKind::Other, None, format!("{name} left the cluster"));
        }
        for ((was, is), ids) in words {
            if ids.len() > MAX_EACH {
                let message = format!("PD calls {} stores {is}, and called them {was}", ids.len());
                let on = names::all_stores(self.subject);
                self.add(&format!("stores {is}"), on, EventKind::Other, None, message);
                continue;
            }
            for id in ids {
                let name = names::store(id);
                let on = names::store_locus(self.subject, id);
                let message = format!("PD calls {name} {is}, and called it {was}");
                self.add(&format!("{name} {is}"), on, EventKind::Other, None, message);
            }
        }
    }
}

/// What differs between two maps.
fn changed<'a, T: PartialEq>(
    before: &'a BTreeMap<String, T>,
    now: &'a BTreeMap<String, T>,
) -> Vec<(&'a str, Option<&'a T>, Option<&'a T>)> {
    let names = now.keys().chain(before.keys().filter(|name| !now.contains_key(*name)));
    let pairs = names.map(|name| (name.as_str(), before.get(name), now.get(name)));
    pairs.filter(|(_, was, is)| was != is).collect()
}
