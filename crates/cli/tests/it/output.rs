//! What is printed where there is nothing to be connected to.

use crate::operator::Place;

#[test]
fn subjects_are_listed_with_their_kinds() {
    let place = Place::new();
    let ran = place.run(&["subjects", "list"]);
    assert_eq!(ran.code(), 0);
    assert!(ran.out().contains("ratelimiter"), "{}", ran.out());
    let json = place.run(&["subjects", "list", "--output", "json"]).json();
    assert_eq!((json["version"].as_u64(), json["kind"].as_str()), (Some(1), Some("subjects")));
}

#[test]
fn a_subject_shows_what_must_hold_and_what_can_be_done() {
    let place = Place::new();
    let args = [
        "subjects",
        "show",
        "--subject",
        "ratelimiter",
        "--set",
        "subject.ratelimiter.nodes=[\"127.0.0.1:2\"]",
        "--set",
        "subject.ratelimiter.redis_url=redis://127.0.0.1:1",
    ];
    let ran = place.run(&args);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    for expected in ["node_down", "counter_drift", "reset_counter", "observe", "127.0.0.1:2", "needs a driver"] {
        assert!(ran.out().contains(expected), "{expected}: {}", ran.out());
    }
}

#[test]
fn a_system_that_is_not_there_is_found_out_by_a_check() {
    let place = Place::new();
    let args = [
        "check",
        "--every",
        "200ms",
        "--output",
        "json",
        "--subject",
        "ratelimiter",
        "--set",
        "subject.ratelimiter.nodes=[{id=\"n1\",address=\"127.0.0.1:2\"}]",
        "--set",
        "subject.ratelimiter.redis_url=redis://127.0.0.1:1",
    ];
    let ran = place.run(&args);
    assert_eq!(ran.code(), 3, "{}{}", ran.out(), ran.err());
    let violated: Vec<_> = ran.json()["check"][0]["evaluations"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|evaluation| evaluation["verdict"].get("violated").is_some())
        .map(|evaluation| evaluation["invariant"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert!(violated.contains(&"node_down".to_owned()), "{violated:?}");
    assert!(violated.contains(&"redis_disconnected".to_owned()), "{violated:?}");
}

#[test]
fn the_doctor_says_what_is_missing_and_whom_it_would_talk_to() {
    let place = Place::new();
    place.write(
        "operator.toml",
        "[[subject]]\nname = \"prod\"\nkind = \"ratelimiter\"\n[subject.settings]\nredis_url = \"redis://127.0.0.1:1\"\nnodes = [\"127.0.0.1:2\"]\n",
    );
    let ran = place.run(&["doctor"]);
    assert_eq!(ran.code(), 3, "nothing answers");
    for expected in ["running operator             none", "subject prod talks to", "127.0.0.1:2", "reasoner"] {
        assert!(ran.out().contains(expected), "{expected}: {}", ran.out());
    }
}

#[test]
fn the_kill_switch_works_without_an_operator() {
    let place = Place::new();
    assert_eq!(place.run(&["kill-switch", "status", "--state-dir", "s"]).code(), 0);
    let engaged = place.run(&["kill-switch", "engage", "--state-dir", "s", "--reason", "test"]);
    assert_eq!(engaged.code(), 0, "{}", engaged.err());
    assert!(place.path().join("s/kill-switch").is_file());
    let status = place.run(&["kill-switch", "status", "--state-dir", "s", "--output", "json"]);
    assert_eq!(status.code(), 3);
    assert_eq!(status.json()["kill_switches"][0]["reason"], "test");
    // A file made by hand is as good.
    place.write("s/kill-switch.limiter", "");
    assert!(place.run(&["kill-switch", "status", "--state-dir", "s"]).out().contains("subject limiter"));
    assert_eq!(place.run(&["kill-switch", "release", "--state-dir", "s", "--reason", "x"]).code(), 0);
    assert!(!place.path().join("s/kill-switch").exists());
}

#[test]
fn scenarios_are_listed_with_their_truth() {
    let place = Place::new();
    let json = place.run(&["eval", "list", "--output", "json"]).json();
    let scenarios = json["scenarios"].as_array().expect("a list");
    let r1 = scenarios.iter().find(|one| one["id"] == "R1").expect("R1");
    assert_eq!(r1["truth"], "ComponentDown at component:node-1");
}
