//! What every invariant is judged from, and why something cannot be judged.
//!
//! A thing that cannot be judged is `Unknown`, which after a while is a ticket of its own, unless another invariant tells
//! the reason: while PD's leader is silent `pd_no_leader` does, and what nobody read from Prometheus `observability_gap`
//! names. Then it is `Suppressed`, so that one fault is not told a thousand times. Either way it is never `Ok`.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{History, Locus, Observation, Unavailable, Value, Verdict};

use super::pulse::{self, Pulse, Standing};
use crate::details::{Details, HotDetail, StoreDetail, StoreState};
use crate::names;
use crate::thresholds::{Limit, Thresholds};

/// Hot regions that go along with a finding.
const HOT_REGIONS: usize = 3;

/// A step of a judgement: what is needed for the next one, or the verdict already.
pub(super) type Step<T = Verdict> = Result<T, Verdict>;

/// One observation and the past, as the judges see it.
pub(super) struct Case<'a> {
    pub(super) subject: &'a str,
    pub(super) past: &'a History,
    pub(super) now: &'a Observation,
    pub(super) thresholds: &'a Thresholds,
    pub(super) time_scale: f64,
    pub(super) details: Details,
    /// The stores: those PD knows, or those it knew when it last said.
    pub(super) stores: BTreeMap<u64, StoreDetail>,
    /// Stores that were there and are no more.
    pub(super) gone_stores: BTreeSet<u64>,
    /// Members of PD that were there and are no more.
    pub(super) gone_members: BTreeSet<String>,
    /// The member that led before, if another does now.
    pub(super) leader_before: Option<String>,
    pub(super) pulses: BTreeMap<u64, Pulse>,
    pub(super) slow_followers: OnceCell<Vec<u64>>,
}

/// What earlier observations say of what there was.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    /// The stores, when PD last named any.
    pub(super) stores: BTreeMap<u64, StoreDetail>,
    /// The members of PD, when they were last named.
    pub(super) members: BTreeSet<String>,
    /// The member that led, as far as was known.
    pub(super) leader: Option<String>,
}

impl Earlier {
    fn of(past: &History) -> Self {
        let stores = past.iter().rev().find_map(|seen| {
            // Whether there are any is looked up before all of them are read.
            let any = matches!(seen.details.get("stores"), Some(Value::Map(stores)) if !stores.is_empty());
            any.then(|| Details::stores_of(seen).ok()).flatten()
        });
        let members = past.iter().rev().find_map(|seen| match seen.details.get("members") {
            Some(Value::Map(members)) if !members.is_empty() => Some(members.keys().cloned().collect()),
            _ => None,
        });
        let leader = past.iter().rev().find_map(|seen| {
            let leader = seen.details.get("cluster").and_then(|cluster| cluster.get("leader"));
            leader.and_then(Value::as_str).map(str::to_owned)
        });
        Self { stores: stores.unwrap_or_default(), members: members.unwrap_or_default(), leader }
    }
}

impl<'a> Case<'a> {
    pub(super) fn new(
        subject: &'a str,
        thresholds: &'a Thresholds,
        time_scale: f64,
        past: &'a History,
        now: &'a Observation,
    ) -> Result<Self, Unavailable> {
        Ok(Self::of(subject, thresholds, time_scale, past, now, Details::of(now)?, Earlier::of(past)))
    }

    pub(super) fn of(
        subject: &'a str,
        thresholds: &'a Thresholds,
        time_scale: f64,
        past: &'a History,
        now: &'a Observation,
        mut details: Details,
        earlier: Earlier,
    ) -> Self {
        let removed = |store: &StoreDetail| store.state == StoreState::Tombstone;
        let answers = details.cluster.answers;
        let mut stores = details.stores.clone();
        if !answers && stores.is_empty() {
            stores.clone_from(&earlier.stores);
        }
        stores.retain(|_, store| !removed(store));
        let mut gone_stores = BTreeSet::new();
        let mut gone_members = BTreeSet::new();
        if answers {
            let were = earlier.stores.iter().filter(|(_, store)| !removed(store)).map(|(id, _)| *id);
            gone_stores = were.chain(details.stores.keys().copied()).filter(|id| !stores.contains_key(id)).collect();
            gone_members = earlier.members.into_iter().filter(|name| !details.members.contains_key(name)).collect();
        }
        let changed =
            earlier.leader.is_some() && details.cluster.leader.is_some() && earlier.leader != details.cluster.leader;
        let leader_before = earlier.leader.clone().filter(|_| changed);
        if details.cluster.leader.is_none() {
            details.cluster.leader = earlier.leader;
        }
        let pulses = pulse::pulses(&stores, answers, &details.metrics, thresholds, now.at.as_millis());
        Self {
            subject,
            past,
            now,
            thresholds,
            time_scale,
            details,
            stores,
            gone_stores,
            gone_members,
            leader_before,
            pulses,
            slow_followers: OnceCell::new(),
        }
    }

    /// That PD's leader answers.
    pub(super) fn pd(&self) -> Step<()> {
        let cluster = &self.details.cluster;
        if cluster.answers {
            return Ok(());
        }
        match &cluster.silence {
            Some(why) => Err(Verdict::Suppressed(format!("PD's leader does not answer: {why}"))),
            None => Err(untold("everything", "PD's leader")),
        }
    }

    /// That PD's leader has heard of the regions, so that their numbers say something.
    pub(super) fn regions_are_known(&self) -> Step<()> {
        self.pd()?;
        let cluster = &self.details.cluster;
        match cluster.initialized {
            None => return Err(untold("whether it knows the regions", "PD's leader")),
            Some(false) => {
                return Err(Verdict::Suppressed("PD's leader has not heard of all regions yet".to_owned()));
            }
            Some(true) => {}
        }
        let since = cluster.leader_changed_at.map(|at| self.now.at.as_millis().saturating_sub(at) as f64 / 1000.0);
        match since {
            Some(since) if (0.0..self.duration(Limit::Settling)).contains(&since) => {
                Err(Verdict::Suppressed(format!("PD's leader changed {since:.0} s ago")))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn standing(&self, id: u64) -> Standing {
        self.pulses.get(&id).map_or(Standing::Untold, |pulse| pulse.standing)
    }

    /// Whether a store neither runs nor is reached.
    pub(super) fn lost(&self, id: u64) -> bool {
        self.pulses.get(&id).is_some_and(|pulse| pulse.lost())
    }

    /// The stores that neither run nor are reached.
    pub(super) fn lost_stores(&self) -> Vec<u64> {
        self.stores.keys().copied().filter(|id| self.lost(*id)).collect()
    }

    /// Why no leaders are on a store, if that is what somebody wants.
    pub(super) fn drained(&self, id: u64) -> Option<&'static str> {
        let cluster = &self.details.cluster;
        if cluster.drains.as_ref().is_some_and(|drains| drains.contains_key(&id)) {
            Some("its leaders are evicted by request")
        } else if cluster.slow_store_evicted == Some(id) {
            Some("PD evicts its leaders because it is slow")
        } else if self.stores.get(&id).is_some_and(|store| store.leader_in_paused) {
            Some("PD lets no leader come to it")
        } else {
            None
        }
    }

    /// The regions that make up a good part of what is written to a store, or read from it; the hottest first.
    pub(super) fn hot_regions(&self, id: u64, hot: Option<&HotDetail>) -> Vec<Locus> {
        let part = self.limit(Limit::HotRegion);
        let weighing = hot.into_iter().flat_map(|hot| hot.weighing_on(id, part));
        weighing.take(HOT_REGIONS).map(|region| names::region_locus(self.subject, region)).collect()
    }

    /// Seconds since a store started.
    pub(super) fn uptime(&self, id: u64) -> Option<f64> {
        let told = self.stores.get(&id).and_then(|store| store.started).filter(|started| *started > 0);
        let measured = self.details.metrics.store("store_started", id).filter(|at| at.is_finite() && *at > 0.0);
        let started = told.map(|started| started as f64).or(measured)?;
        Some((self.now.at.as_millis() as f64 / 1000.0 - started).max(0.0))
    }

    /// That a store is past its warm-up.
    pub(super) fn warm(&self, id: u64) -> Step<()> {
        match self.uptime(id) {
            Some(uptime) if uptime < self.duration(Limit::WarmUp) => {
                Err(Verdict::Suppressed(format!("it started {uptime:.0} s ago")))
            }
            _ => Ok(()),
        }
    }

    /// What to add to a message when nothing can be replaced; nothing, if it can.
    pub(super) fn nothing_to_spare(&self) -> Option<String> {
        let replicas = self.details.cluster.replicas?;
        let healthy = self
            .stores
            .iter()
            .filter(|(id, store)| store.state == StoreState::Up && self.standing(**id) == Standing::Heard)
            .count();
        let short = u32::try_from(healthy).unwrap_or(u32::MAX) < replicas;
        short.then(|| {
            format!(
                "with {healthy} stores that answer and {replicas} replicas of each region PD can replace nothing: only \
                 bringing it back, or another store, helps"
            )
        })
    }
}

/// Too little happens to judge.
pub(super) fn idle() -> Verdict {
    Verdict::Suppressed("idle".to_owned())
}

/// Something did not say what was needed.
pub(super) fn untold(what: &str, who: &str) -> Verdict {
    Verdict::Unknown(Unavailable::new(format!("{what} of {who}"), "it was not told in this observation"))
}
