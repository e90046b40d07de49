//! A real operator process over a system that is not there: it finds out, says so, and obeys.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::operator::{Place, Ran, Started};

const STATE: &str = "state";

fn start(place: &Place) -> Started {
    place.start(&[
        "run",
        "--state-dir",
        STATE,
        "--subject",
        "ratelimiter",
        "--set",
        "operator.interval=200ms",
        "--set",
        "subject.ratelimiter.nodes=[{id=\"n1\",address=\"127.0.0.1:2\"}]",
        "--set",
        "subject.ratelimiter.redis_url=redis://127.0.0.1:1",
    ])
}

fn ask(place: &Place, args: &[&str]) -> Ran {
    place.run(&[args, &["--state-dir", STATE]].concat())
}

/// Asks until `right` says so.
fn until(place: &Place, args: &[&str], right: impl Fn(&Ran) -> bool) -> Ran {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let ran = ask(place, args);
        if right(&ran) {
            return ran;
        }
        let logs = || format!("{}\n{}", place.read("out.log"), place.read("err.log"));
        assert!(Instant::now() < deadline, "{args:?}: {} {}\n{}", ran.out(), ran.err(), logs());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn ticket_of(place: &Place, invariant: &str) -> Value {
    let has = |ran: &Ran| ran.code() == 3 && ran.out().contains(invariant);
    let tickets = until(place, &["tickets", "list", "--output", "json"], has).json();
    let tickets = tickets["tickets"].as_array().expect("a list").clone();
    tickets.into_iter().find(|ticket| ticket["invariant"] == invariant).expect("the ticket")
}

#[test]
fn an_operator_finds_out_is_asked_and_ends_cleanly() {
    let place = Place::new();
    let mut operator = start(&place);
    let ticket = ticket_of(&place, "redis_disconnected");
    let id = ticket["id"].as_str().expect("an id").to_owned();
    assert!(ticket["opened_at"].as_str().is_some_and(|at| at.ends_with("+00:00")), "{ticket}");

    // Whom it talks to was said before anything else.
    assert!(place.read("err.log").contains("talks to        127.0.0.1:2"), "{}", place.read("err.log"));
    assert!(place.read("out.log").contains(&format!("DETECTED {id}")), "{}", place.read("out.log"));

    let acked = ask(&place, &["tickets", "ack", &id]);
    assert_eq!(acked.code(), 0, "{}", acked.err());
    let shown = ask(&place, &["tickets", "show", id.rsplit('-').next().expect("a number")]);
    assert!(shown.out().contains("acknowledged by"), "{}", shown.out());

    let incident = ticket["incident"].as_str().expect("an incident").to_owned();
    let page = until(&place, &["incidents", "show", &incident], |ran| ran.out().contains("## Why"));
    assert!(page.out().starts_with("# Incident") && page.out().contains("## Tickets"), "{}", page.out());

    let second = ask(
        &place,
        &[
            "run",
            "--subject",
            "ratelimiter",
            "--set",
            "subject.ratelimiter.nodes=[\"127.0.0.1:2\"]",
            "--set",
            "subject.ratelimiter.redis_url=redis://127.0.0.1:1",
        ],
    );
    assert_eq!(second.code(), 1, "two operators on one state directory");
    assert!(second.err().contains("another operator owns the store"), "{}", second.err());

    assert_eq!(ask(&place, &["mode", "set", "propose", "--reason", "test"]).code(), 0);
    let mode = ask(&place, &["mode", "show", "--output", "json"]).json();
    assert_eq!(mode["mode"][0]["autonomy"]["low"], "propose");
    let unknown = ask(&place, &["tickets", "ack", "ratelimiter-T999"]);
    assert_eq!(unknown.code(), 1);
    assert!(unknown.err().contains("ratelimiter-T999"), "{}", unknown.err());

    operator.signal(Signal::TERM);
    assert_eq!(operator.ended(), Some(0), "{}", place.read("err.log"));
    assert_eq!(ask(&place, &["audit", "verify"]).code(), 0);
    let told = ask(&place, &["audit", "list", "--kind", "mode.", "--output", "json"]).json();
    assert_eq!(told["audit"][0]["event"]["body"]["reason"], "test");
    // Reading goes on without it, asking does not.
    assert_eq!(ask(&place, &["tickets", "list"]).code(), 3);
    assert_eq!(ask(&place, &["tickets", "ack", &id]).code(), 1);
}

#[test]
fn a_signal_engages_the_kill_switch_and_only_a_reason_releases_it() {
    let place = Place::new();
    let mut operator = start(&place);
    until(&place, &["mode", "show"], |ran| ran.out().contains("ratelimiter"));
    operator.signal(Signal::USR1);
    let status = until(&place, &["kill-switch", "status"], |ran| ran.code() == 3);
    assert!(status.out().contains("SIGUSR1"), "{}", status.out());
    until(&place, &["mode", "show"], |ran| ran.out().contains("ENGAGED"));
    assert_eq!(ask(&place, &["kill-switch", "release"]).code(), 2, "a reason is needed");
    assert_eq!(ask(&place, &["kill-switch", "release", "--reason", "test"]).code(), 0);
    assert_eq!(ask(&place, &["kill-switch", "status"]).code(), 0);

    // Engaged by row and file; with the operator down, only the file can be taken away.
    assert_eq!(ask(&place, &["kill-switch", "engage", "--reason", "again"]).code(), 0);
    operator.signal(Signal::INT);
    assert_eq!(operator.ended(), Some(0));
    let released = ask(&place, &["kill-switch", "release", "--reason", "x"]);
    assert_eq!(released.code(), 1);
    assert!(released.err().contains("the row stands"), "{}", released.err());
    assert_eq!(ask(&place, &["kill-switch", "status"]).code(), 3, "it still stops everything");
}

#[test]
fn what_was_recorded_replays_to_the_same_end_byte_for_byte() {
    let place = Place::new();
    let mut operator = start(&place);
    ticket_of(&place, "redis_disconnected");
    until(&place, &["incidents", "list"], |ran| ran.code() == 3);
    operator.signal(Signal::TERM);
    assert_eq!(operator.ended(), Some(0));
    let folder = place.path().join(STATE).join("recordings/ratelimiter");
    let recording = std::fs::read_dir(&folder).expect("recordings").flatten().next().expect("one").path();
    let recording = recording.to_str().expect("text");
    let first = place.run(&["replay", recording, "--output", "json"]);
    assert_eq!(first.code(), 0, "{}", first.err());
    assert_eq!(first.out(), place.run(&["replay", recording, "--output", "json"]).out());
    assert!(!first.json()["tickets"].as_array().expect("a list").is_empty());
    assert!(place.run(&["replay", recording]).out().contains("DETECTED"), "the transcript tells it");
}

#[test]
fn an_incident_is_explained_on_demand_and_shown_with_its_explanation() {
    let place = Place::new();
    let mut operator = start(&place);
    let ticket = ticket_of(&place, "redis_disconnected");
    let (id, incident) = (ticket["id"].as_str().expect("an id"), ticket["incident"].as_str().expect("an incident"));
    let shown = until(&place, &["tickets", "show", id], |ran| ran.out().contains("  cause"));
    assert!(shown.out().contains("is explained") && shown.out().contains("  for         E"), "{}", shown.out());
    let json = ask(&place, &["tickets", "show", id, "--output", "json"]).json();
    assert_eq!(json["ticket"]["id"], id);
    assert!(json["ticket"]["diagnosis"]["primary"]["supporting"].is_array(), "{json}");

    // By the ticket or by the incident, and without a word on standard error: nobody watches.
    let asked = until(&place, &["agent", "diagnose", id, "--diagnoser", "reasoner"], |ran| ran.code() == 0);
    assert!(asked.out().contains("not handed in") && asked.err().is_empty(), "{}{}", asked.out(), asked.err());
    let page = ask(&place, &["agent", "diagnose", incident, "--diagnoser", "reasoner", "--markdown"]).out();
    for section in ["**Do first:**", "## Evidence", "## To check it by hand", "operator explain ", "## Who says so"] {
        assert!(page.contains(section), "{section}: {page}");
    }
    let handed = ask(&place, &["agent", "diagnose", incident, "--submit", "--output", "json"]).json();
    let submitted = handed["explained"]["submitted"].as_str().expect("it was handed in").to_owned();
    assert!(submitted.contains("the reasoner's explanation stands"), "{submitted}");
    let story = ask(&place, &["tickets", "show", id, "--markdown"]).out();
    assert!(story.starts_with("# Ticket") && story.contains("## Evidence"), "{story}");

    let unknown = ask(&place, &["agent", "diagnose", "I999"]);
    assert_eq!(unknown.code(), 1, "{}", unknown.err());
    operator.signal(Signal::TERM);
    assert_eq!(operator.ended(), Some(0));
    let alone = ask(&place, &["agent", "diagnose", incident]);
    assert!(alone.code() == 1 && alone.err().contains("next:"), "{}", alone.err());
    // What was found is still told, from the store.
    let page = ask(&place, &["incidents", "show", incident]).out();
    assert!(page.contains("## Why") && page.contains("## Who says so"), "{page}");
}

#[test]
fn an_agent_waits_for_an_operator_outlives_it_and_ends_on_a_signal() {
    let place = Place::new();
    let agent = || place.command(&["agent", "start", "--state-dir", STATE]);
    let log = |name: &str| std::fs::File::create(place.path().join(name)).expect("a log");
    let child = agent().stdout(log("agent.log")).stderr(log("agent.err")).spawn().expect("the binary runs");
    let mut agent = Started(child);
    let said = |file: &str, what: &str| {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !place.read(file).contains(what) {
            assert!(Instant::now() < deadline, "{what}: {}{}", place.read("agent.log"), place.read("agent.err"));
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    said("agent.err", "waiting for an operator");
    let mut operator = start(&place);
    said("agent.err", "takes incidents of ratelimiter");
    said("agent.log", "answered");
    operator.signal(Signal::TERM);
    assert_eq!(operator.ended(), Some(0));
    let before = place.read("agent.log").matches("answered").count();
    let _operator = start(&place);
    let deadline = Instant::now() + Duration::from_secs(30);
    while place.read("agent.log").matches("answered").count() == before {
        assert!(Instant::now() < deadline, "{}{}", place.read("agent.log"), place.read("agent.err"));
        std::thread::sleep(Duration::from_millis(50));
    }
    agent.signal(Signal::TERM);
    assert_eq!(agent.ended(), Some(0), "{}", place.read("agent.err"));
}

#[test]
fn a_model_without_its_key_leaves_the_reasoner_and_doctor_says_so() {
    let place = Place::new();
    let ran = place.run(&["doctor", "--set", "agent.diagnoser=llm", "--state-dir", STATE, "--output", "json"]);
    assert_eq!(ran.code(), 3, "{}", ran.out());
    let findings = ran.json()["findings"].as_array().expect("a list").clone();
    let diagnoser = findings.iter().find(|one| one["what"] == "diagnoser").expect("it is looked at");
    assert_eq!(diagnoser["ok"], false);
    let found = diagnoser["found"].as_str().expect("text");
    assert!(found.starts_with("the reasoner alone") && found.contains("ANTHROPIC_API_KEY"), "{found}");

    // A model that needs no key is named, with whom it talks to.
    let local = ["llm.provider=openai-compatible", "llm.base_url=http://127.0.0.1:1/v1", "llm.model=tiny"];
    let mut args = vec!["doctor", "--state-dir", STATE, "--set", "agent.diagnoser=llm"];
    local.iter().for_each(|key| args.extend(["--set", key]));
    let out = place.run(&args).out();
    assert!(out.contains("llm:openai-compatible/tiny") && out.contains("127.0.0.1:1"), "{out}");
}
