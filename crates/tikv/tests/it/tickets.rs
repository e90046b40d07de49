//! Which invariants break in the recordings, and when there would be a ticket: the page `docs/tikv-recordings.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use operator_protocols::{Locus, Timestamp, Value, Verdict};
use serde_json::json;

use crate::http_server::{Reply, Request, Server};
use crate::player::{Player, at, lines};
use crate::scene::Scene;

const HEAD: &str = "\
# What the invariants say of a real PD's answers

Written by a test from the recordings in `crates/tikv/tests/recordings` (`UPDATE_DOCS=1` rewrites it): a real PD with
simulated stores. Seconds count from when it happened. An invariant is *violated* from the first recorded answer on that shows
it, and there is a *ticket* once it has been violated for its grace; answers were recorded every few seconds, at
the leader's kill every half second. A dash says that the recording ends before that.

Where there is no Prometheus, PD is the only witness, and is believed: that it is deaf to stores that serve can be seen only
by somebody who reaches them.
";

/// One recording, played.
struct Case {
    title: &'static str,
    recording: &'static str,
    prometheus: bool,
}

const CASES: [Case; 6] = [
    Case {
        title: "`stores-down`: all stores are killed; PD is asked alone",
        recording: "stores-down",
        prometheus: false,
    },
    Case {
        title: "`stores-down`, and a Prometheus that does not reach the stores either",
        recording: "stores-down",
        prometheus: true,
    },
    Case {
        title: "`store-decommission`: a store that was killed before is deleted, and emptied",
        recording: "store-decommission",
        prometheus: false,
    },
    Case { title: "`pd-leader-kill`: the leader of PD is killed", recording: "pd-leader-kill", prometheus: false },
    Case { title: "`pd-quorum-lost`: a second member of PD is killed", recording: "pd-quorum-lost", prometheus: false },
    Case { title: "`pd-leader`: the leader of PD is moved, and resigns", recording: "pd-leader", prometheus: false },
];

/// Stores show a status address, as real ones do.
fn with_status_addresses(path: &str, body: &mut serde_json::Value) {
    if !path.ends_with("/stores") {
        return;
    }
    for store in body["stores"].as_array_mut().into_iter().flatten() {
        let id = store["store"]["id"].clone();
        store["store"]["status_address"] = json!(format!("tikv-{id}:20180"));
    }
}

/// A Prometheus that reaches no store.
async fn prometheus() -> Server {
    let vector = |result: serde_json::Value| {
        Reply::Json(200, json!({"status": "success", "data": {"resultType": "vector", "result": result}}))
    };
    Server::start(move |request: &Request| {
        if !request.path.starts_with("/api/v1/query?") {
            return Reply::Json(200, json!({"status": "success", "data": []}));
        }
        // The question `up{job="tikv"}`, as it stands in a query.
        if !request.path.contains("query=up%7Bjob%3D%22tikv%22%7D&") {
            return vector(json!([]));
        }
        let time = request.path.split("time=").nth(1).and_then(|time| time.parse::<f64>().ok()).unwrap_or_default();
        let target =
            |id| json!({"metric": {"job": "tikv", "instance": format!("tikv-{id}:20180")}, "value": [time, "0"]});
        vector((1..=5).map(target).collect())
    })
    .await
}

/// How invariants fared at loci, by both names.
type Courses = BTreeMap<(String, String), Course>;

#[derive(Default)]
struct Course {
    first: Option<Duration>,
    since: Option<Timestamp>,
    ticket: Option<Duration>,
    over: Option<Duration>,
}

async fn play(case: &Case) -> Courses {
    let patch = if case.prometheus { with_status_addresses } else { |_: &str, _: &mut serde_json::Value| {} };
    let player = Player::patched("sim-healthy", patch).await;
    let urls: Vec<String> = player.members.iter().map(|member| member.url.clone()).collect();
    let server = prometheus().await;
    let mut settings = vec![("pd", Value::from(urls))];
    if case.prometheus {
        settings.push(("prometheus_url", Value::from(server.url.clone())));
    }
    let mut scene = Scene::with(&settings);
    let graces = scene.graces();
    let healthy = at(lines("sim-healthy").last().expect("lines").t);
    player.seek(healthy);
    scene.look(healthy).await;
    player.change(case.recording);
    let instants = player.instants();
    let began = instants[0];
    let mut courses: Courses = BTreeMap::new();
    for instant in instants {
        player.seek(instant);
        let seen = scene.look(instant).await;
        for evaluation in &seen.evaluations {
            let key = (evaluation.invariant.clone(), place(&evaluation.on));
            if !matches!(evaluation.verdict, Verdict::Violated(_)) {
                if let Some(course) = courses.get_mut(&key).filter(|course| course.since.is_some()) {
                    course.since = None;
                    course.over = Some(instant.since(began));
                }
                continue;
            }
            let course = courses.entry(key).or_default();
            course.first.get_or_insert(instant.since(began));
            let since = *course.since.get_or_insert(instant);
            course.over = None;
            let grace = graces.get(&evaluation.invariant).copied().unwrap_or_default();
            if instant.since(since) >= grace {
                course.ticket.get_or_insert(instant.since(began));
            }
        }
    }
    courses
}

fn place(on: &Locus) -> String {
    on.to_string()
}

fn page(played: &[(&Case, Courses)]) -> String {
    let mut page = HEAD.to_owned();
    for (case, courses) in played {
        let _ = write!(page, "\n## {}\n\n", case.title);
        if courses.is_empty() {
            page.push_str("Nothing is violated.\n");
            continue;
        }
        page.push_str("| invariant | at | violated after | ticket after | over after |\n|---|---|---|---|---|\n");
        for ((invariant, on), course) in courses {
            let shown = |time: Option<Duration>| {
                time.map_or_else(|| "–".to_owned(), |time| format!("{:.1} s", time.as_secs_f64()))
            };
            let (first, ticket, over) = (shown(course.first), shown(course.ticket), shown(course.over));
            let _ = writeln!(page, "| `{invariant}` | {on} | {first} | {ticket} | {over} |");
        }
    }
    page
}

#[tokio::test]
async fn what_is_said_of_the_recordings_is_what_the_page_says_and_tickets_are_the_right_ones() {
    let mut played = Vec::new();
    for case in &CASES {
        played.push((case, play(case).await));
    }
    let tickets = |index: usize| -> Vec<(&str, &str, f64)> {
        let courses = played[index].1.iter();
        let tickets = courses.filter_map(|((invariant, on), course)| {
            Some((invariant.as_str(), on.as_str(), course.ticket?.as_secs_f64()))
        });
        tickets.collect()
    };
    let of = |index: usize, invariant: &str| tickets(index).iter().find(|ticket| ticket.0 == invariant).map(|t| t.2);

    for index in [0, 1] {
        let disconnected = of(index, "store_disconnected").expect("a ticket");
        assert!((50.0..60.0).contains(&disconnected), "silent after 20 s, and the grace is 30 s: {disconnected}");
        let down = of(index, "store_down").expect("a ticket");
        assert!((60.0..66.0).contains(&down), "the settings say one minute: {down}");
    }
    for invariant in ["store_disconnected", "store_down", "store_offline_stuck"] {
        assert_eq!(of(2, invariant), None, "{invariant}: a store that is being removed");
    }
    assert_eq!(tickets(3), [], "it takes 12 s to elect another leader, which is no ticket");
    assert!(of(4, "pd_no_leader").is_some_and(|after| (15.0..17.0).contains(&after)));
    for index in [3, 4, 5] {
        assert!(tickets(index).iter().all(|ticket| !ticket.0.starts_with("store_")), "{:?}", tickets(index));
    }

    let page = page(&played);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tikv-recordings.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(there, page, "docs/tikv-recordings.md is not what the recordings say; UPDATE_DOCS=1 rewrites it");
}
