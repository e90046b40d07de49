//! PD, asked at whichever of its members answers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use operator_prometheus::{HttpAnswer, HttpClient, HttpLimits, HttpMethod, HttpRequest};
use reqwest::Url;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::api::{Member, Members};
use super::call::{Call, Method, Reply};
use super::error::PdError;

/// Of an answer of the ordinary kind: a thousand stores take about 1.5 MB.
const MAX_BYTES: usize = 16 << 20;
/// Of an answer that may hold any number of regions.
const MAX_SAMPLE_BYTES: usize = 256 << 10;
/// A reading that a member has not answered by then is put to the next one as well.
const HEDGE_AFTER: Duration = Duration::from_millis(800);
/// More members are not asked.
const MAX_MEMBERS: usize = 16;
/// The longest caller that is written into a header.
const MAX_CALLER: usize = 120;

/// PD's HTTP API. A reading goes to the members one after another until one answers; a writing goes to one, once.
#[derive(Clone)]
pub(crate) struct PdClient {
    http: HttpClient,
    shared: Arc<Shared>,
}

struct Shared {
    seeds: Vec<Url>,
    seed_only: bool,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Where members say they are reached, by name.
    members: BTreeMap<String, Vec<Url>>,
    /// The one that leads.
    leader: Option<String>,
    /// Who answered last.
    answered: Option<Url>,
}

impl fmt::Debug for PdClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PdClient").field("seeds", &self.shared.seeds).finish_non_exhaustive()
    }
}

impl PdClient {
    /// A client that begins with `seeds`, and goes on with the members it learns of unless it is `seed_only`.
    pub(crate) fn new(http: HttpClient, seeds: Vec<Url>, seed_only: bool) -> Self {
        Self { http, shared: Arc::new(Shared { seeds, seed_only, known: Mutex::default() }) }
    }

    /// The HTTP client, with PD's certificates.
    pub(crate) fn http(&self) -> &HttpClient {
        &self.http
    }

    /// Where it begins.
    pub(crate) fn seeds(&self) -> &[Url] {
        &self.shared.seeds
    }

    /// Learns who the members are and who leads. A member that is to be reached by other means than the seeds, without
    /// TLS where they have it, is not asked.
    pub(crate) fn learn(&self, members: &Members) {
        let mut known = self.known();
        known.leader = members.leader.as_ref().map(|leader| leader.name.clone());
        known.members = members.members.iter().take(MAX_MEMBERS).map(|m| (m.name.clone(), self.urls_of(m))).collect();
    }

    /// Where a member is asked; nowhere, if it may only be asked by its seed and is none.
    pub(crate) fn urls_of(&self, member: &Member) -> Vec<Url> {
        let seeds = &self.shared.seeds;
        let secure = seeds.iter().all(|seed| seed.scheme() == "https");
        let urls = member.client_urls.iter().filter_map(|url| Url::parse(url).ok());
        let may = |url: &Url| {
            let same =
                |seed: &Url| seed.host() == url.host() && seed.port_or_known_default() == url.port_or_known_default();
            match self.shared.seed_only {
                true => seeds.iter().any(same),
                false => url.scheme() == "https" || (url.scheme() == "http" && !secure),
            }
        };
        urls.filter(|url| url.has_host() && may(url)).take(4).collect()
    }

    /// Asks any member that answers; `path` begins with `/pd/api/`.
    ///
    /// # Errors
    /// If none does, the error that says most about PD as a whole.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, PdError> {
        let limits = HttpLimits { bytes: MAX_BYTES, ..HttpLimits::default() };
        parsed(path, &self.ask(path, limits).await?.body)
    }

    /// The same, where there may be no such thing: a PD of another version does not know the question, or the thing asked
    /// for does not exist.
    ///
    /// # Errors
    /// As for [`PdClient::get`].
    pub(crate) async fn get_optional<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, PdError> {
        match self.get(path).await {
            Ok(found) => Ok(found),
            Err(PdError::Refused { status: 404 | 405, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The beginning of a list of regions of any length, as text, and whether it goes on. PD offers no shorter answer.
    ///
    /// # Errors
    /// As for [`PdClient::get`].
    pub(crate) async fn get_beginning(&self, path: &str) -> Result<(Vec<u8>, bool), PdError> {
        let limits = HttpLimits { bytes: MAX_SAMPLE_BYTES, cut: true, ..HttpLimits::default() };
        let answer = self.ask(path, limits).await?;
        Ok((answer.body, answer.is_cut))
    }

    /// Asks one member, for what it answers itself: `/ping`, `/status`, `/health`.
    ///
    /// # Errors
    /// Why it gave no answer that can be used.
    pub(crate) async fn get_from<T: DeserializeOwned>(&self, url: &Url, path: &str) -> Result<T, PdError> {
        let limits = HttpLimits { bytes: MAX_BYTES, ..HttpLimits::default() };
        parsed(path, &self.ask_at(url, path, &limits).await?.body)
    }

    /// Whether a member is alive.
    ///
    /// # Errors
    /// Why it is not known to be.
    pub(crate) async fn ping(&self, url: &Url) -> Result<(), PdError> {
        // `/ping` is what TiKV's own tools ask; it touches neither the leader nor etcd (`server/api/router.go`).
        let limits =
            HttpLimits { connect: Duration::from_secs(2), answer: Duration::from_secs(2), bytes: 64 << 10, cut: true };
        self.ask_at(url, "/pd/api/v1/ping", &limits).await.map(|_| ())
    }

    /// Sends a request that changes something: to one member, once, whatever comes of it.
    ///
    /// # Errors
    /// Why it did not come about, or may have come about all the same.
    pub(crate) async fn send(&self, call: &Call) -> Result<Reply, PdError> {
        call.check()?;
        let to = self.candidates().into_iter().next().ok_or_else(|| PdError::NotSent {
            member: "PD".to_owned(),
            why: "no address is known".to_owned(),
            refused: false,
        })?;
        let member = shown(&to);
        let url = at(&to, &call.path);
        let caller: String = call.intent.chars().filter(char::is_ascii_graphic).take(MAX_CALLER).collect();
        let caller = format!("operator/{caller}");
        let method = match call.method {
            Method::Post => HttpMethod::Post,
            Method::Delete => HttpMethod::Delete,
        };
        let headers = [("x-caller-id", caller.as_str())];
        let request = HttpRequest { method, url: &url, headers: &headers, json: call.body.as_ref() };
        let limits = HttpLimits { bytes: MAX_BYTES, ..HttpLimits::default() };
        let answer = Box::pin(self.http.send(request, &limits)).await;
        let answer = answer.map_err(|error| PdError::of_http(&member, &call.path, error))?;
        if !(200..300).contains(&answer.status) {
            return Err(PdError::of_answer(&member, &call.path, &answer));
        }
        // It was done, whatever the words are.
        let message = match serde_json::from_slice(&answer.body) {
            Ok(Value::String(text)) => text.chars().take(500).collect(),
            _ => String::new(),
        };
        Ok(Reply { message })
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.shared.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom to ask, in this order: the leader, which need not hand anything on; who answered last; everybody else.
    fn candidates(&self) -> Vec<Url> {
        let known = self.known();
        let leader = known.leader.as_ref().and_then(|leader| known.members.get(leader)).into_iter().flatten();
        let all = leader.chain(&known.answered).chain(known.members.values().flatten()).chain(&self.shared.seeds);
        let mut candidates: Vec<Url> = Vec::new();
        for url in all {
            let same = |other: &Url| shown(other) == shown(url);
            if candidates.len() < MAX_MEMBERS && !candidates.iter().any(same) {
                candidates.push(url.clone());
            }
        }
        candidates
    }

    async fn ask_at(&self, to: &Url, path: &str, limits: &HttpLimits) -> Result<HttpAnswer, PdError> {
        let member = shown(to);
        let url = at(to, path);
        // Many of these are under way at once, inside one another: each is kept small.
        let answer = Box::pin(self.http.send(HttpRequest::get(&url), limits)).await;
        let answer = answer.map_err(|error| PdError::of_http(&member, path, error))?;
        match answer.status {
            200..=299 => Ok(answer),
            _ => Err(PdError::of_answer(&member, path, &answer)),
        }
    }

    /// Puts a reading to the members: to the next one when one fails, and also when one takes its time.
    async fn ask(&self, path: &str, limits: HttpLimits) -> Result<HttpAnswer, PdError> {
        let mut waiting = self.candidates().into_iter();
        let mut asked = JoinSet::new();
        let mut worst: Option<PdError> = None;
        let ask_next = |asked: &mut JoinSet<_>, waiting: &mut std::vec::IntoIter<Url>| {
            let Some(url) = waiting.next() else { return false };
            let (client, path) = (self.clone(), path.to_owned());
            asked.spawn(async move { (client.ask_at(&url, &path, &limits).await, url) });
            true
        };
        let mut more = ask_next(&mut asked, &mut waiting);
        loop {
            let answered = tokio::select! {
                answered = asked.join_next() => answered,
                () = sleep(HEDGE_AFTER), if more => {
                    more = ask_next(&mut asked, &mut waiting);
                    continue;
                }
            };
            let error = match answered {
                Some(Ok((Ok(answer), url))) => {
                    self.known().answered = Some(url);
                    return Ok(answer);
                }
                Some(Ok((Err(error), _))) => error,
                // It was given up: the runtime ends.
                Some(Err(_)) => continue,
                None => break,
            };
            if error.is_final() {
                return Err(error);
            }
            if worst.as_ref().is_none_or(|worst| worst.weight() < error.weight()) {
                worst = Some(error);
            }
            more = ask_next(&mut asked, &mut waiting);
        }
        Err(worst.unwrap_or_else(|| PdError::NotSent {
            member: "PD".to_owned(),
            why: "no address is known".to_owned(),
            refused: false,
        }))
    }
}

/// An answer in JSON.
pub(super) fn parsed<T: DeserializeOwned>(path: &str, body: &[u8]) -> Result<T, PdError> {
    serde_json::from_slice(body)
        .map_err(|error| PdError::NotUnderstood { path: path.to_owned(), why: error.to_string() })
}

/// A member as it is shown: host and port.
pub(crate) fn shown(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let (path, query) = match path.split_once('?') {
        None => (path, None),
        Some((path, query)) => (path, Some(query)),
    };
    url.set_path(path);
    url.set_query(query);
    url.set_fragment(None);
    url
}
