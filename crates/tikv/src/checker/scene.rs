//! A healthy cluster of three members of PD and five stores as it was observed, for tests to break in one place.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use operator_protocols::{
    Evaluation, Event, Finding, History, Id, InvariantChecker, Locus, Observation, Timestamp, Verdict,
};

use super::TikvChecker;
use super::healthy::{answer, cluster, member_detail, store_detail};
use crate::details::{Answer, Details, DrainDetail, HotDetail, HotRegionDetail, MemberDetail, Moved, StoreDetail};
use crate::queries::ALL;
use crate::thresholds::Thresholds;
use crate::{details::DriftDetail, names};

pub(super) const SUBJECT: &str = "cluster";

/// Observations so far, and the next one in the making.
pub(super) struct Scene {
    pub(super) details: Details,
    pub(super) events: Vec<Event>,
    pub(super) at: Timestamp,
    history: History,
}

impl Scene {
    pub(super) fn healthy() -> Self {
        Self::of(5)
    }

    /// As many stores as a region has replicas.
    pub(super) fn three_stores() -> Self {
        Self::of(3)
    }

    pub(super) fn of(stores: u64) -> Self {
        let at = Timestamp::from_millis(1_800_000_000_000);
        let mut details = Details {
            cluster: cluster(),
            members: ["pd-0", "pd-1", "pd-2"].map(|name| (name.to_owned(), member_detail())).into(),
            stores: (1..=stores).map(|id| (id, store_detail(id, at))).collect(),
            ..Details::default()
        };
        details.metrics.configured = true;
        details.metrics.answers = true;
        details.metrics.stores = stores;
        details.metrics.joined_stores = stores;
        for query in ALL {
            details.metrics.answers_by_query.insert(query.name.to_owned(), answer(query.name, query.by, stores));
        }
        let mut scene = Self { details, events: Vec::new(), at, history: History::new() };
        for id in 1..=stores {
            scene.drift(&DriftDetail::regions_of(id), 180.0, 0.0);
            scene.drift(&DriftDetail::snapshots_of(id), 0.0, 0.0);
        }
        for word in ["miss-peer", "down-peer", "pending-peer", "extra-peer"] {
            scene.abnormal(word, 0);
            scene.drift(word, 0.0, 0.0);
        }
        scene
    }

    // ---- Breaking it ----------------------------------------------------------------------------------------------

    pub(super) fn store(&mut self, id: u64) -> &mut StoreDetail {
        self.details.stores.get_mut(&id).expect("a store of the scene")
    }

    pub(super) fn pd(&mut self, name: &str) -> &mut MemberDetail {
        self.details.members.get_mut(name).expect("a member of the scene")
    }

    pub(super) fn drains(&mut self) -> &mut BTreeMap<u64, DrainDetail> {
        self.details.cluster.drains.get_or_insert_default()
    }

    fn answer(&mut self, query: &str) -> &mut Answer {
        self.details.metrics.answers_by_query.get_mut(query).expect("a question of the catalogue")
    }

    pub(super) fn metric(&mut self, query: &str, id: u64, value: f64) {
        self.answer(query).stores.insert(id, value);
    }

    pub(super) fn metric_by(&mut self, query: &str, label: &str, id: u64, value: f64) {
        let answer = self.answer(query);
        answer.stores_by.entry(label.to_owned()).or_default().insert(id, value);
        let greatest = answer.stores_by.values().filter_map(|stores| stores.get(&id)).copied().fold(0.0, f64::max);
        answer.stores.insert(id, greatest);
    }

    pub(super) fn member_metric(&mut self, query: &str, name: &str, value: f64) {
        self.answer(query).members.insert(name.to_owned(), value);
    }

    pub(super) fn leader_metric(&mut self, query: &str, label: &str, value: f64) {
        self.answer(query).leader.insert(label.to_owned(), value);
    }

    /// A store says nothing to a question.
    pub(super) fn no_metric(&mut self, query: &str, id: u64) {
        let answer = self.answer(query);
        answer.stores.remove(&id);
        answer.stores_by.values_mut().for_each(|stores| {
            stores.remove(&id);
        });
    }

    pub(super) fn no_member_metric(&mut self, query: &str, name: &str) {
        self.answer(query).members.remove(name);
    }

    /// Nobody answers a question.
    pub(super) fn unanswered(&mut self, query: &str, why: &str) {
        *self.answer(query) = Answer { why_not: Some(why.to_owned()), ..Answer::default() };
    }

    pub(super) fn silence_prometheus(&mut self) {
        let metrics = &mut self.details.metrics;
        metrics.answers = false;
        metrics.silence = Some("connection refused".to_owned());
        metrics.joined_stores = 0;
        metrics.answers_by_query.clear();
    }

    /// How many requests a second a store is asked, of each type.
    pub(super) fn requests(&mut self, id: u64, rate: f64) {
        let types: Vec<String> = self.answer("request_rate").stores_by.keys().cloned().collect();
        for name in types {
            self.metric_by("request_rate", &name, id, rate);
        }
    }

    pub(super) fn drift(&mut self, name: &str, now: f64, not_falling_s: f64) {
        let moved = Moved { now, not_falling_s, above_zero_s: not_falling_s, per_minute: 0.0 };
        self.details.drift.moved.insert(name.to_owned(), moved);
    }

    pub(super) fn abnormal(&mut self, word: &str, regions: u64) {
        self.details.cluster.abnormal.insert(word.to_owned(), regions);
    }

    /// The process of a store does not run; PD heard of it so many seconds ago.
    pub(super) fn kill(&mut self, id: u64, age_s: f64) {
        self.store(id).heartbeat_age_s = Some(age_s);
        for query in ALL {
            self.no_metric(query.name, id);
        }
        self.metric("store_scraped", id, 0.0);
        self.complain_of(id, 20.0);
    }

    /// It runs again.
    pub(super) fn revive(&mut self, id: u64) {
        let healthy = Self::healthy();
        self.store(id).heartbeat_age_s = Some(1.0);
        self.answer("unreachable").stores_by.remove(&id.to_string());
        for query in ALL {
            let well = &healthy.details.metrics.answers_by_query[query.name];
            for (label, stores) in &well.stores_by {
                if let Some(value) = stores.get(&id) {
                    self.metric_by(query.name, label, id, *value);
                }
            }
            if let Some(value) = well.stores.get(&id) {
                self.metric(query.name, id, *value);
            }
        }
    }

    /// The other stores fail to send to one.
    pub(super) fn complain_of(&mut self, id: u64, rate: f64) {
        let others: Vec<u64> = self.details.stores.keys().copied().filter(|other| *other != id).collect();
        for other in others {
            self.metric_by("unreachable", &id.to_string(), other, rate);
        }
    }

    /// A store started so many seconds ago.
    pub(super) fn started(&mut self, id: u64, ago_s: i64) {
        let at = self.at.as_millis() / 1000 - ago_s;
        self.store(id).started = Some(at);
        self.metric("store_started", id, at as f64);
    }

    pub(super) fn silence_pd(&mut self, why: &str) {
        self.details.cluster.answers = false;
        self.details.cluster.silence = Some(why.to_owned());
    }

    pub(super) fn restore_pd(&mut self) {
        self.details.cluster = cluster();
    }

    pub(super) fn silence_member(&mut self, name: &str) {
        let member = self.pd(name);
        member.answers = false;
        member.silence = Some("connection refused".to_owned());
        member.refused = true;
        member.healthy = Some(false);
    }

    /// Regions are hot: keys a second, and on which stores; and so many keys a second every store bears.
    pub(super) fn hot_writes(&mut self, regions: &[(u64, f64, &[u64])], store_keys: f64) {
        let region = |&(region, keys, stores): &(u64, f64, &[u64])| HotRegionDetail {
            region,
            keys,
            stores: stores.iter().copied().collect(),
        };
        self.details.cluster.hot_writes = Some(HotDetail {
            regions: regions.iter().map(region).collect(),
            stores: self.details.stores.keys().map(|id| (*id, store_keys)).collect(),
        });
    }

    // ---- Judging it -----------------------------------------------------------------------------------------------

    fn observation(&self) -> Observation {
        let mut observation = Observation::new(self.at);
        observation.events.clone_from(&self.events);
        self.details.write_to(&mut observation);
        assert_eq!(observation.unavailable, []);
        observation
    }

    /// Judges the scene as it is, and moves on by five seconds.
    pub(super) fn judge(&mut self) -> Judged {
        self.judge_observation(self.observation())
    }

    /// Judges an observation that holds nothing.
    pub(super) fn judge_blind(&mut self) -> Judged {
        self.judge_observation(Observation::new(self.at))
    }

    fn judge_observation(&mut self, observation: Observation) -> Judged {
        let checker = TikvChecker::new(SUBJECT, &Thresholds::default(), 1.0);
        let evaluations = checker.check(&self.history, &observation);
        let mut seen = std::collections::BTreeSet::new();
        for evaluation in &evaluations {
            let declared = checker.invariants().iter().any(|definition| definition.name == evaluation.invariant);
            assert!(declared, "{} is not declared", evaluation.invariant);
            let once = seen.insert((&evaluation.invariant, &evaluation.on));
            assert!(once, "{} is judged twice at {}", evaluation.invariant, evaluation.on);
        }
        self.history.push(Arc::new(observation), checker.lookback());
        self.at = self.at.plus(Duration::from_secs(5));
        Judged(evaluations)
    }
}

/// What came of it.
pub(super) struct Judged(pub(super) Vec<Evaluation>);

impl Judged {
    pub(super) fn verdict(&self, invariant: &str, on: &Locus) -> &Verdict {
        let found: Vec<_> = self.0.iter().filter(|e| e.invariant == invariant && &e.on == on).collect();
        assert_eq!(found.len(), 1, "{invariant} at {on}");
        &found[0].verdict
    }

    pub(super) fn finding(&self, invariant: &str, on: &Locus) -> &Finding {
        match self.verdict(invariant, on) {
            Verdict::Violated(finding) => finding,
            other => panic!("{invariant} at {on}: {other:?}"),
        }
    }

    pub(super) fn is_violated(&self, invariant: &str, on: &Locus) -> bool {
        matches!(self.verdict(invariant, on), Verdict::Violated(_))
    }

    /// Which loci are violated, by invariant.
    pub(super) fn violated(&self) -> Vec<(&str, String)> {
        let violated = self.0.iter().filter(|e| matches!(e.verdict, Verdict::Violated(_)));
        violated.map(|e| (e.invariant.as_str(), e.on.to_string())).collect()
    }

    /// Where one invariant is violated.
    pub(super) fn of(&self, invariant: &str) -> Vec<String> {
        self.violated().into_iter().filter(|(name, _)| *name == invariant).map(|(_, on)| on).collect()
    }

    pub(super) fn suppressed(&self, invariant: &str, on: &Locus) -> &str {
        match self.verdict(invariant, on) {
            Verdict::Suppressed(why) => why,
            other => panic!("{invariant} at {on}: {other:?}"),
        }
    }
}

pub(super) fn store(id: u64) -> Locus {
    names::store_locus(SUBJECT, id)
}

pub(super) fn region(id: u64) -> Locus {
    names::region_locus(SUBJECT, id)
}

pub(super) fn member(name: &str) -> Locus {
    names::member_locus(SUBJECT, name)
}

pub(super) fn all_stores() -> Locus {
    names::all_stores(SUBJECT)
}

pub(super) fn all_members() -> Locus {
    names::all_members(SUBJECT)
}

pub(super) fn all_regions() -> Locus {
    names::all_regions(SUBJECT)
}

pub(super) fn prometheus() -> Locus {
    names::prometheus(SUBJECT)
}

pub(super) fn link(id: u64) -> Locus {
    link_to(id, "pd-0")
}

pub(super) fn link_to(id: u64, member: &str) -> Locus {
    Locus::Edge(names::store_component(SUBJECT, id), Id::new(SUBJECT, member))
}

pub(super) fn edge(from: u64, to: u64) -> Locus {
    Locus::Edge(names::store_component(SUBJECT, from), names::store_component(SUBJECT, to))
}
