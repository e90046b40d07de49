//! What every invariant is judged from, and why something cannot be judged.
//!
//! A thing that cannot be judged is `Unknown`, which after a while is a ticket of its own, unless another invariant tells
//! the reason: while PD's leader is silent `pd_no_leader` does, and what nobody read from Prometheus `observability_gap`
//! names. Then it is `Suppressed`, so that one fault is not told a thousand times. Either way it is never `Ok`.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{Evaluation, History, Id, Locus, Observation, Unavailable, Value, Verdict};

use super::pulse::{self, Pulse, Standing};
use super::write_path;
use crate::details::{Answer, Details, MemberDetail, StoreDetail, StoreState};
use crate::thresholds::{Limit, Thresholds};
use crate::{names, queries};

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
    gone_stores: BTreeSet<u64>,
    gone_members: BTreeSet<String>,
    /// The member that led before, if another does now.
    pub(super) leader_before: Option<String>,
    pub(super) pulses: BTreeMap<u64, Pulse>,
    slow_followers: OnceCell<Vec<u64>>,
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

    // ---- Names ----------------------------------------------------------------------------------------------------

    pub(super) fn store(&self, id: u64) -> Locus {
        names::store_locus(self.subject, id)
    }

    pub(super) fn member(&self, name: &str) -> Locus {
        names::member_locus(self.subject, name)
    }

    pub(super) fn all_stores(&self) -> Locus {
        names::all_stores(self.subject)
    }

    /// The link from a store to a member of PD.
    pub(super) fn link(&self, id: u64, member: &str) -> Locus {
        Locus::Edge(names::store_component(self.subject, id), Id::new(self.subject, member))
    }

    /// The link between two stores.
    pub(super) fn between(&self, from: u64, to: u64) -> Locus {
        Locus::Edge(names::store_component(self.subject, from), names::store_component(self.subject, to))
    }

    /// The member of PD that leads, as a locus; all of them, if it is not known which.
    pub(super) fn leader(&self) -> Locus {
        match &self.details.cluster.leader {
            Some(leader) => self.member(leader),
            None => names::all_members(self.subject),
        }
    }

    // ---- Numbers --------------------------------------------------------------------------------------------------

    pub(super) fn limit(&self, limit: Limit) -> f64 {
        self.thresholds.of(limit)
    }

    /// A threshold that is a time, in the subject's time scale.
    pub(super) fn duration(&self, limit: Limit) -> f64 {
        self.thresholds.of(limit) * self.time_scale
    }

    /// What Prometheus answered to a question.
    pub(super) fn answer(&self, query: &str) -> Step<&Answer> {
        let metrics = &self.details.metrics;
        let why = match metrics.answers_by_query.get(query) {
            Some(answer) => match &answer.why_not {
                None => return Ok(answer),
                Some(why) => why.as_str(),
            },
            None if !metrics.configured => "there is no Prometheus in the settings",
            None => metrics.silence.as_deref().unwrap_or("Prometheus was not asked"),
        };
        Err(Verdict::Suppressed(format!("{query} was not read: {why}")))
    }

    /// A number about a store.
    pub(super) fn metric(&self, query: &str, id: u64) -> Step<f64> {
        let answer = self.answer(query)?;
        if let Some(value) = answer.stores.get(&id).filter(|value| value.is_finite()) {
            return Ok(*value);
        }
        if self.scraped(id) != Some(true) {
            return Err(untold(query, &names::store(id)));
        }
        if counts_from_zero(query) {
            return Ok(0.0);
        }
        if may_be_absent(query) || (is_quantile(query) && self.busy(id).is_err()) {
            return Err(idle());
        }
        Err(untold(query, &names::store(id)))
    }

    /// A number about a store by a further label.
    pub(super) fn metric_by(&self, query: &str, label: &str, id: u64) -> Step<Option<f64>> {
        let of_label = self.answer(query)?.stores_by.get(label);
        Ok(of_label.and_then(|stores| stores.get(&id)).copied().filter(|value| value.is_finite()))
    }

    /// A number about a member of PD.
    pub(super) fn member_metric(&self, query: &str, name: &str) -> Step<f64> {
        let answer = self.answer(query)?;
        if let Some(value) = answer.members.get(name).filter(|value| value.is_finite()) {
            return Ok(*value);
        }
        if self.details.metrics.member("member_scraped", name).is_none_or(|up| up < 0.5) {
            return Err(untold(query, name));
        }
        if counts_from_zero(query) {
            return Ok(0.0);
        }
        // Without transactions nobody asks for timestamps.
        if query == "tso_p99" { Err(idle()) } else { Err(untold(query, name)) }
    }

    pub(super) fn scraped(&self, id: u64) -> Option<bool> {
        self.pulses.get(&id).and_then(|pulse| pulse.scraped)
    }

    /// Requests a second that a store is asked, of all types.
    pub(super) fn traffic(&self, id: u64) -> Step<f64> {
        let answer = self.answer("request_rate")?;
        let rates = answer.stores_by.values().filter_map(|stores| stores.get(&id)).filter(|rate| rate.is_finite());
        let (count, sum) = rates.fold((0, 0.0), |(count, sum), rate| (count + 1, sum + rate.max(0.0)));
        match (count, self.scraped(id)) {
            // A type that nobody uses has no series.
            (0, Some(true)) => Ok(0.0),
            (0, _) => Err(untold("request_rate", &names::store(id))),
            _ => Ok(sum),
        }
    }

    /// That a store is asked enough for its latency to say something.
    pub(super) fn busy(&self, id: u64) -> Step<()> {
        if self.traffic(id)? < self.limit(Limit::Traffic) { Err(idle()) } else { Ok(()) }
    }

    /// The stores that others wait for, as the write path tells.
    pub(super) fn slow_followers(&self) -> &[u64] {
        self.slow_followers.get_or_init(|| write_path::slow_followers(self))
    }

    // ---- What is known of PD and its stores -----------------------------------------------------------------------

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

    // ---- Loci -----------------------------------------------------------------------------------------------------

    /// Judges every store by `judge`; one that PD does not know any more is gone.
    pub(super) fn each_store(&self, invariant: &str, judge: impl Fn(u64, &StoreDetail) -> Step) -> Vec<Evaluation> {
        let judged = self.stores.iter().map(|(&id, store)| {
            let verdict = judge(id, store).unwrap_or_else(|verdict| verdict);
            Evaluation::new(invariant, self.store(id), verdict)
        });
        judged.chain(self.gone_stores(invariant)).collect()
    }

    /// The same, of stores that run and are reached; what one that does not would say of itself is not judged.
    pub(super) fn each_living_store(
        &self,
        invariant: &str,
        judge: impl Fn(u64, &StoreDetail) -> Step,
    ) -> Vec<Evaluation> {
        self.each_store(invariant, |id, store| {
            if self.lost(id) {
                return Err(Verdict::Suppressed("the store does not answer".to_owned()));
            }
            judge(id, store)
        })
    }

    fn gone_stores(&self, invariant: &str) -> Vec<Evaluation> {
        self.gone_stores.iter().map(|&id| Evaluation::new(invariant, self.store(id), Verdict::Gone)).collect()
    }

    pub(super) fn gone(&self) -> impl Iterator<Item = u64> + '_ {
        self.gone_stores.iter().copied()
    }

    /// Judges every member of PD by `judge`; one that PD does not know any more is gone.
    pub(super) fn each_member(&self, invariant: &str, judge: impl Fn(&str, &MemberDetail) -> Step) -> Vec<Evaluation> {
        let judged = self.details.members.iter().map(|(name, member)| {
            let verdict = judge(name, member).unwrap_or_else(|verdict| verdict);
            Evaluation::new(invariant, self.member(name), verdict)
        });
        let gone = self.gone_members.iter().map(|name| Evaluation::new(invariant, self.member(name), Verdict::Gone));
        judged.chain(gone).collect()
    }

    /// One evaluation of the whole.
    pub(super) fn one(&self, invariant: &str, on: Locus, verdict: Step) -> Vec<Evaluation> {
        vec![Evaluation::new(invariant, on, verdict.unwrap_or_else(|verdict| verdict))]
    }
}

/// Whether there is no such number where nothing of the kind happens, though the store is busy with other things.
fn may_be_absent(query: &str) -> bool {
    queries::find(query).is_some_and(|query| query.may_be_absent)
}

/// Whether there are no series of a question before the first event that it counts.
fn counts_from_zero(query: &str) -> bool {
    queries::find(query).is_some_and(|query| query.absent_is_zero)
}

/// Whether a question asks for a quantile, which there is none of while nothing happens.
fn is_quantile(query: &str) -> bool {
    queries::find(query).is_some_and(|query| query.expression.contains("histogram_quantile"))
}

/// Too little happens to judge.
pub(super) fn idle() -> Verdict {
    Verdict::Suppressed("idle".to_owned())
}

/// Something did not say what was needed.
pub(super) fn untold(what: &str, who: &str) -> Verdict {
    Verdict::Unknown(Unavailable::new(format!("{what} of {who}"), "it was not told in this observation"))
}

/// A number of bytes, for people.
pub(super) fn bytes(number: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut number = number;
    let mut unit = 0;
    while number.abs() >= 1024.0 && unit + 1 < UNITS.len() {
        number /= 1024.0;
        unit += 1;
    }
    format!("{number:.1} {}", UNITS[unit])
}

/// A time, for people.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        s if s < 0.001 => format!("{:.2} ms", s * 1000.0),
        s if s < 1.0 => format!("{:.0} ms", s * 1000.0),
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}
