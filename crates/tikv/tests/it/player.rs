//! A PD that answers what a real one answered: at each instant, the last that was recorded until then.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use operator_protocols::Timestamp;
use serde_json::{Value, json};

use crate::http_server::{Reply, Request, Server};

/// One line of a recording.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Line {
    pub t: f64,
    #[serde(default)]
    pub method: String,
    #[serde(default)]
    pub path: String,
    #[serde(default)]
    pub status: u16,
    #[serde(default)]
    pub body: Value,
}

/// The lines of a recording, oldest first.
pub fn lines(name: &str) -> Vec<Line> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(format!("{name}.jsonl"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("a line of a recording")).collect()
}

/// Three members of PD that play a recording. What it does not hold comes from the recording of a healthy cluster, unless
/// the leader was gone.
pub struct Player {
    pub members: Vec<Server>,
    tape: Arc<Tape>,
}

struct Tape {
    lines: Mutex<Vec<Line>>,
    healthy: Vec<Line>,
    now_ms: AtomicI64,
    /// Where the members that were recorded are reached now.
    addresses: Mutex<Vec<(&'static str, String)>>,
    /// A change of answers, where a test needs something that was not recorded.
    patch: fn(&str, &mut Value),
}

/// Where the members were reached when they were recorded, by name.
const RECORDED: [(&str, &str); 3] =
    [("pd1", "http://127.0.0.1:2379"), ("pd2", "http://127.0.0.1:2479"), ("pd3", "http://127.0.0.1:2579")];
/// What a member answers itself, whether or not there is a leader.
const LOCAL: [&str; 4] = ["/pd/api/v1/ping", "/pd/api/v1/status", "/pd/api/v1/health", "/pd/api/v1/version"];

impl Player {
    pub async fn start(recording: &str) -> Self {
        Self::patched(recording, |_, _| {}).await
    }

    pub async fn patched(recording: &str, patch: fn(&str, &mut Value)) -> Self {
        let lines = lines(recording);
        let first = lines.first().map_or(0.0, |line| line.t);
        let tape = Arc::new(Tape {
            lines: Mutex::new(lines),
            healthy: self::lines("sim-healthy"),
            now_ms: AtomicI64::new((first * 1000.0) as i64),
            addresses: Mutex::default(),
            patch,
        });
        let mut members = Vec::new();
        for (name, recorded) in RECORDED {
            let of_member = Arc::clone(&tape);
            let server = Server::start(move |request| of_member.reply(name, request)).await;
            tape.addresses.lock().expect("not poisoned").push((recorded, server.url.clone()));
            members.push(server);
        }
        Self { members, tape }
    }

    /// Another recording from now on.
    pub fn change(&self, recording: &str) {
        *self.tape.lines.lock().expect("not poisoned") = lines(recording);
    }

    /// The instants at which something was recorded, each once; the first is when it happened.
    pub fn instants(&self) -> Vec<Timestamp> {
        let lines = self.tape.lines.lock().expect("not poisoned");
        let mut instants: Vec<_> =
            lines.iter().filter(|line| line.path.ends_with("/stores")).map(|l| at(l.t)).collect();
        instants.insert(0, at(lines[0].t));
        instants.dedup();
        instants
    }

    /// Requests so far that would have changed something.
    pub fn writes(&self) -> u64 {
        let requests = self.members.iter().map(|member| member.requests.lock().expect("not poisoned").clone());
        requests.flatten().filter(|request| request.method != "GET").count() as u64
    }

    pub fn seek(&self, to: Timestamp) {
        self.tape.now_ms.store(to.as_millis(), Ordering::SeqCst);
    }
}

/// An instant of a recording; a millisecond later than it was written down, so that it is not cut off.
pub fn at(t: f64) -> Timestamp {
    Timestamp::from_millis((t * 1000.0) as i64 + 1)
}

impl Tape {
    fn reply(&self, member: &str, request: &Request) -> Reply {
        let lines = self.lines.lock().expect("not poisoned");
        let now = self.now_ms.load(Ordering::SeqCst) as f64 / 1000.0;
        let last = |path: &str| {
            let mut until = lines.iter().filter(|line| line.t <= now + 0.2);
            until.rfind(|line| line.method == "GET" && line.path == path).cloned()
        };
        let healthy = |path: &str| self.healthy.iter().find(|line| line.path == path).cloned();
        let health = last("/pd/api/v1/health").or_else(|| healthy("/pd/api/v1/health"));
        let lives = health.and_then(|line| {
            let of_member = line.body.as_array()?.iter().find(|one| one["name"] == member)?.clone();
            of_member["health"].as_bool()
        });
        if lives == Some(false) {
            return Reply::Close;
        }
        if request.method != "GET" {
            return Reply::Text(405, String::new());
        }
        let path = request.path.as_str();
        let leader = last("/pd/api/v1/leader");
        let silent =
            [&leader, &last("/pd/api/v1/stores")].into_iter().flatten().find(|line| line.status != 200).cloned();
        let line = match (last(path), silent) {
            (Some(line), _) => Some(line),
            (None, Some(silent)) if !LOCAL.contains(&path) && path.starts_with("/pd/") => Some(silent),
            (None, _) => healthy(path),
        };
        let Some(mut line) = line else { return Reply::Text(404, "404 page not found\n".to_owned()) };
        // Who leads was recorded more often than who there is.
        if let Some(leader) = leader.filter(|leader| path.ends_with("/members") && leader.t > line.t) {
            line.body["leader"] = leader.body.clone();
            line.body["etcd_leader"] = leader.body;
        }
        (self.patch)(path, &mut line.body);
        match self.rewritten(&line.body) {
            Value::String(text) if text.ends_with('\n') || text.is_empty() => Reply::Text(line.status, text),
            body => Reply::Json(line.status, body),
        }
    }

    /// The addresses that were recorded, replaced by those of the player.
    fn rewritten(&self, body: &Value) -> Value {
        let mut text = body.to_string();
        for (recorded, now) in self.addresses.lock().expect("not poisoned").iter() {
            text = text.replace(recorded, now);
        }
        serde_json::from_str(&text).unwrap_or(json!(null))
    }
}
