//! What targets expose themselves, for when no Prometheus answers: the members of PD, and in a small cluster the stores.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use operator_prometheus::{Exposition, ExpositionLimits, HttpClient, HttpError, HttpLimits, HttpRequest, Sample};
use operator_protocols::Timestamp;
use reqwest::Url;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use super::Known;
use super::address::Endpoint;
use super::direct::{Direct, Form, Looks};
use super::own_answers::{OF_LEADER_BY_STORE, OF_MEMBER, OF_STORE, REQUESTS};
use crate::details::{Answer, StoreDetail};
use crate::queries::{self, By};

/// More stores are not asked one by one: that is what a Prometheus is for.
const MAX_STORES: usize = 20;
/// More members of PD than anybody has.
const MAX_MEMBERS: usize = 9;
/// Targets asked at once.
const AT_ONCE: usize = 8;
/// How long one may take.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How long all may take.
const WITHIN: Duration = Duration::from_secs(4);
/// A store with many threads and regions shows some 20,000 series.
const LIMITS: ExpositionLimits =
    ExpositionLimits { bytes: 16 << 20, line_bytes: 16 << 10, series: 100_000, labels: 64 };

/// Which target it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Member(String),
    Store(u64),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(name) => f.write_str(name),
            Self::Store(id) => write!(f, "store {id}"),
        }
    }
}

/// Why a target could not be read.
#[derive(Debug)]
struct Unread {
    why: String,
    /// Whether nobody listens there.
    refused: bool,
}

/// Reads what targets expose, and remembers earlier looks at them.
#[derive(Debug, Default)]
pub(super) struct Fallback {
    looks: Mutex<BTreeMap<Target, Looks>>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct FellBack {
    /// The answers.
    pub(super) answers: BTreeMap<String, Answer>,
    /// The member that leads, if it could be read.
    pub(super) leader: Option<String>,
    /// How many stores could be read.
    pub(super) stores: u64,
    /// What could not be read, and why.
    pub(super) unread: Vec<(String, String)>,
}

impl Fallback {
    /// Reads the members of PD and, if `stores_too` and they are few, the stores.
    pub(super) async fn read(&self, http: &HttpClient, known: &Known<'_>, stores_too: bool, at: Timestamp) -> FellBack {
        let mut back = FellBack::default();
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let mut under_way = JoinSet::new();
        let deadline = Instant::now() + WITHIN;
        let mut waiting = BTreeSet::new();
        for (target, urls) in targets(known, stores_too) {
            waiting.insert(target.clone());
            let (http, turns) = (http.clone(), Arc::clone(&turns));
            under_way.spawn(async move {
                let _turn = turns.acquire_owned().await;
                let mut read = Err(Unread { why: "it is not known where it is reached".to_owned(), refused: false });
                for url in urls {
                    read = fetch(&http, &url).await;
                    if read.is_ok() {
                        break;
                    }
                }
                (target, read)
            });
        }
        let (mut reached, mut refused) = (BTreeSet::new(), Vec::new());
        while let Ok(Some(done)) = timeout_at(deadline, under_way.join_next()).await {
            if let Ok((target, _)) = &done {
                waiting.remove(target);
            }
            match done {
                Ok((Target::Member(name), Ok(exposition))) => {
                    self.take_member(&name, &exposition, at, &mut back.answers);
                    if known.leader == Some(name.as_str()) {
                        take_leader(known, &exposition, &mut back.answers);
                        back.leader = Some(name);
                    }
                }
                Ok((Target::Store(id), Ok(exposition))) => {
                    self.take_store(id, &exposition, at, &mut back.answers);
                    reached.insert(id);
                }
                Ok((target, Err(error))) => {
                    back.unread.push((format!("metrics of {target}"), error.why));
                    if let (Target::Store(id), true) = (target, error.refused) {
                        refused.push(id);
                    }
                }
                Err(_) => {}
            }
        }
        let late = |target: &Target| (format!("metrics of {target}"), format!("no answer within {WITHIN:?}"));
        back.unread.extend(waiting.iter().map(late));
        back.unread.sort();
        back.stores = reached.len() as u64;
        back.settle(&reached, &refused);
        back
    }

    fn take_member(&self, name: &str, exposition: &Exposition, at: Timestamp, answers: &mut BTreeMap<String, Answer>) {
        let values = self.add(Target::Member(name.to_owned()), &OF_MEMBER, exposition, at);
        let mut of_member = |query: &str, value: f64| {
            answers.entry(query.to_owned()).or_default().members.insert(name.to_owned(), value);
        };
        let (alone, [size, quota]) = values.split_at(OF_MEMBER.len() - 2) else { return };
        for (question, value) in OF_MEMBER.iter().zip(alone) {
            if let Some(value) = value {
                of_member(question.query, *value);
            }
        }
        if let (Some(size), Some(quota)) = (size, quota.filter(|quota| *quota > 0.0)) {
            of_member("etcd_quota_used", size / quota);
        }
        of_member("member_scraped", 1.0);
    }

    fn take_store(&self, id: u64, exposition: &Exposition, at: Timestamp, answers: &mut BTreeMap<String, Answer>) {
        let requests = queries::REQUEST_TYPES.iter().flat_map(|kind| {
            [("request_rate", Form::Rate), ("request_duration_p99", Form::Quantile(0.99))]
                .map(|(query, form)| Direct::new(query, REQUESTS, form).with("type", kind))
        });
        let questions: Vec<Direct> = OF_STORE
            .into_iter()
            .chain(requests.map(|question| match question.form {
                Form::Rate => Direct { metric: "tikv_grpc_msg_duration_seconds_count", ..question },
                _ => question,
            }))
            .collect();
        let values = self.add(Target::Store(id), &questions, exposition, at);
        for (question, value) in questions.iter().zip(values) {
            let Some(value) = value else { continue };
            let answer = answers.entry(question.query.to_owned()).or_default();
            match (question.query, question.label) {
                ("request_rate" | "request_duration_p99", Some((_, kind))) => {
                    answer.stores_by.entry(kind.to_owned()).or_default().insert(id, value);
                    if let Some(query) = queries::find(question.query) {
                        super::merge(query, answer.stores.entry(id).or_insert(f64::NAN), value);
                    }
                }
                _ => {
                    answer.stores.insert(id, value);
                }
            }
        }
    }

    fn add(&self, target: Target, questions: &[Direct], exposition: &Exposition, at: Timestamp) -> Vec<Option<f64>> {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        // Stores come and go over months.
        if looks.len() > 2 * (MAX_STORES + MAX_MEMBERS) && !looks.contains_key(&target) {
            looks.clear();
        }
        looks.entry(target).or_default().add(questions, exposition, at)
    }
}

impl FellBack {
    /// Says which stores are there, and puts in the zeros that they do not say.
    fn settle(&mut self, reached: &BTreeSet<u64>, refused: &[u64]) {
        // That nobody listens says something only where others can be reached from here.
        if reached.is_empty() {
            return;
        }
        let scraped = &mut self.answers.entry("store_scraped".to_owned()).or_default().stores;
        scraped.extend(reached.iter().map(|id| (*id, 1.0)));
        scraped.extend(refused.iter().map(|id| (*id, 0.0)));
        for query in queries::ALL.iter().filter(|query| query.absent_is_zero && query.by == By::Store) {
            if OF_STORE.iter().any(|question| question.query == query.name) {
                let answer = self.answers.entry(query.name.to_owned()).or_default();
                reached.iter().for_each(|id| {
                    answer.stores.entry(*id).or_insert(0.0);
                });
            }
        }
    }
}

/// What the member that leads says of the cluster.
fn take_leader(known: &Known<'_>, exposition: &Exposition, answers: &mut BTreeMap<String, Answer>) {
    let finite = |sample: &&Sample| sample.value.is_finite();
    for sample in exposition.samples("pd_regions_status", &[]).filter(finite) {
        if let Some(kind) = sample.labels.get("type") {
            answers.entry("pd_regions".to_owned()).or_default().leader.insert(kind.clone(), sample.value);
        }
    }
    for (query, kind) in OF_LEADER_BY_STORE {
        for sample in exposition.samples("pd_scheduler_store_status", &[("type", kind)]).filter(finite) {
            let id = sample.labels.get("store").and_then(|id| id.parse().ok());
            if let Some(id) = id.filter(|id| known.stores.contains_key(id)) {
                // What the store says of itself is exact.
                answers.entry(query.to_owned()).or_default().stores.entry(id).or_insert(sample.value);
            }
        }
    }
}

/// Who is asked, and where.
fn targets(known: &Known<'_>, stores_too: bool) -> Vec<(Target, Vec<String>)> {
    let members = known.members.iter().filter(|(_, member)| member.silence.is_none()).take(MAX_MEMBERS);
    let mut targets: Vec<_> =
        members.map(|(name, member)| (Target::Member(name.clone()), member.urls.clone())).collect();
    if stores_too && known.scraped_stores().count() <= MAX_STORES {
        let tls = known.members.values().flat_map(|member| &member.urls).any(|url| url.starts_with("https://"));
        let urls = |store| status_url(store, tls).into_iter().collect();
        targets.extend(known.scraped_stores().map(|(id, store)| (Target::Store(id), urls(store))));
    }
    targets
}

/// Where a store shows its metrics; none, if PD does not know.
fn status_url(store: &StoreDetail, tls: bool) -> Option<String> {
    let status = Endpoint::of(&store.status_address);
    let port = status.port?;
    let host = if status.is_anywhere() { Endpoint::of(&store.address).host } else { status.host };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let scheme = if tls { "https" } else { "http" };
    (!host.is_empty()).then(|| format!("{scheme}://{host}:{port}"))
}

async fn fetch(http: &HttpClient, url: &str) -> Result<Exposition, Unread> {
    let url = format!("{}/metrics", url.trim_end_matches('/'));
    let unread = |why: String| Unread { why: format!("{url}: {why}"), refused: false };
    let address = Url::parse(&url).map_err(|error| unread(error.to_string()))?;
    let limits = HttpLimits { connect: TIMEOUT, answer: TIMEOUT, bytes: LIMITS.bytes, ..HttpLimits::default() };
    let asked = timeout(TIMEOUT, http.send(HttpRequest::get(&address), &limits)).await;
    let asked = asked.map_err(|_| unread(format!("no answer within {TIMEOUT:?}")))?;
    let answer = asked.map_err(|error| {
        let refused = matches!(error, HttpError::Connect { refused: true, .. });
        Unread { why: error.to_string(), refused }
    })?;
    if !(200..300).contains(&answer.status) {
        return Err(unread(format!("status {}", answer.status)));
    }
    Exposition::parse(&answer.body, &LIMITS).map_err(|error| unread(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_shows_its_metrics_at_its_status_address() {
        let url = |address: &str, status: &str, tls| {
            let (address, status_address) = (address.to_owned(), status.to_owned());
            status_url(&StoreDetail { address, status_address, ..StoreDetail::default() }, tls)
        };
        assert_eq!(url("a:20160", "b:20180", false).as_deref(), Some("http://b:20180"));
        assert_eq!(url("a:20160", "0.0.0.0:20180", true).as_deref(), Some("https://a:20180"));
        assert_eq!(url("[::1]:20160", "[::]:20180", false).as_deref(), Some("http://[::1]:20180"));
        assert_eq!(url("a:20160", "", false), None);
    }
}
