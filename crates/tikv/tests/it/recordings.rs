//! What the subject sees when it is shown what a real PD answered.

use operator_protocols::ComponentState::{Down, Unknown, Up};
use operator_protocols::{Locus, Timestamp, Value, Verdict};

use crate::player::{Player, at, lines};
use crate::scene::{SUBJECT, Scene, Seen};

fn urls(player: &Player) -> Vec<String> {
    player.members.iter().map(|member| member.url.clone()).collect()
}

/// A subject that has seen the cluster well, and then is shown a recording.
async fn after_health(recording: &str) -> (Player, Scene) {
    let player = Player::start("sim-healthy").await;
    let mut scene = Scene::over(&urls(&player));
    let healthy = at(lines("sim-healthy").last().expect("lines").t);
    player.seek(healthy);
    let seen = scene.look(healthy).await;
    assert_eq!(seen.stores().len(), 5, "{:?}", seen.observation.unavailable);
    player.change(recording);
    (player, scene)
}

async fn look(player: &Player, scene: &mut Scene, instant: Timestamp) -> Seen {
    player.seek(instant);
    scene.look(instant).await
}

#[tokio::test]
async fn a_healthy_cluster_is_seen_whole() {
    let player = Player::start("sim-healthy").await;
    let mut scene = Scene::over(&urls(&player)[..1]);
    let instant = at(lines("sim-healthy").last().expect("lines").t);
    let seen = look(&player, &mut scene, instant).await;
    assert_eq!(seen.stores().iter().filter(|(_, state, word)| (*state, word.as_str()) == (Up, "Up")).count(), 5);
    for (member, word) in [("pd1", "follows"), ("pd2", "follows"), ("pd3", "leads")] {
        assert_eq!((seen.state(member), seen.component(member).raw_state.as_str()), (Up, word));
        assert_eq!(seen.component(member).version.as_deref(), Some("v9.0.0"));
        assert_eq!(seen.component(member).labels["plane"], "control");
    }
    let all = [
        ("cluster.answers", Value::from(true)),
        ("cluster.cluster_id", Value::from(7_711_473_329_502_372_226_u64)),
        ("cluster.leader", Value::from("pd3")),
        ("cluster.initialized", Value::from(true)),
        ("cluster.replicas", Value::from(3_i64)),
        ("cluster.max_store_down_s", Value::from(1800.0)),
        ("cluster.region_count", Value::from(300_i64)),
        ("cluster.settings.leader-schedule-limit", Value::from("4")),
        ("cluster.settings.enable-joint-consensus", Value::from("true")),
        ("cluster.settings.max-replicas", Value::from("3")),
        ("cluster.settings.store-limit", Value::Null),
        ("cluster.limits.4.add_peer", Value::from(15.0)),
        ("cluster.abnormal.miss-peer", Value::from(0_i64)),
        ("cluster.operator_count", Value::from(1_i64)),
        ("cluster.without_quorum", Value::List(Vec::new())),
        ("cluster.looked_at", Value::Null),
        ("stores.1.region_count", Value::from(180_i64)),
        ("stores.1.capacity", Value::from(1024.0 * 1024.0 * 1024.0 * 1024.0)),
    ];
    for (path, expected) in all {
        assert_eq!(seen.detail(path), expected, "{path}");
    }
    assert!(seen.detail("cluster.schedulers.balance-region-scheduler.paused") == Value::from(false));
    assert_eq!(seen.violated(), [""; 0]);
    // One seed is enough: the others were learnt of and asked.
    assert!(player.members.iter().all(|member| !member.requests.lock().expect("not poisoned").is_empty()));
}

#[tokio::test]
async fn a_cluster_that_no_store_ever_joined_is_empty_and_not_ill() {
    let player = Player::start("pd-empty").await;
    let mut scene = Scene::over(&urls(&player));
    let instant = at(lines("pd-empty").last().expect("lines").t);
    let seen = look(&player, &mut scene, instant).await;
    assert_eq!((seen.detail("cluster.answers"), seen.detail("cluster.empty")), (true.into(), true.into()));
    assert_eq!(seen.stores(), []);
    assert_eq!(seen.violated(), [""; 0]);
}

#[tokio::test]
async fn stores_that_die_are_up_then_disconnected_then_down() {
    let (player, mut scene) = after_health("stores-down").await;
    let instants = player.instants();
    let mut words = Vec::new();
    for instant in &instants {
        let seen = look(&player, &mut scene, *instant).await;
        let since = instant.since(instants[0]).as_secs_f64();
        for (store, state, word) in seen.stores() {
            // Nobody but PD can be asked; what it does not hear of may only be restarting, until PD gives it up.
            let expected = match word.as_str() {
                "Up" => Up,
                "Down" => Down,
                _ => Unknown,
            };
            assert_eq!(state, expected, "{store} {word} after {since} s");
            if words.last() != Some(&word) {
                words.push(word);
            }
        }
    }
    assert_eq!(words, ["Up", "Disconnected", "Down"]);
}

#[tokio::test]
async fn a_deleted_store_is_told_as_offline_and_silent_and_its_removal_as_an_event() {
    let (player, mut scene) = after_health("store-decommission").await;
    let instants = player.instants();
    let mut last = None;
    for instant in &instants {
        let seen = look(&player, &mut scene, *instant).await;
        let since = instant.since(instants[0]).as_secs_f64();
        for (store, state, word) in seen.stores() {
            match store.as_str() {
                "store-3" if since > 1.0 => assert_eq!(word, "Offline"),
                "store-3" => {}
                _ => assert_eq!((state, word.as_str()), (Up, "Up"), "{store} after {since} s"),
            }
        }
        last = Some((since, seen));
    }
    let (since, seen) = last.expect("a recording");
    assert!(since > 140.0);
    assert_eq!(seen.state("store-3"), Unknown, "nobody else can say whether it runs");
    assert!(seen.events().contains(&"store-3 is to be emptied and removed"), "{:?}", seen.events());
    assert_eq!(seen.detail("stores.3.state"), Value::from("offline"));
    let per_minute = seen.detail("drift.moved.regions of store-3.per_minute").as_f64().expect("followed");
    assert!((-100.0..-10.0).contains(&per_minute), "about a region a second leaves it: {per_minute}");
    let not_falling = seen.detail("drift.moved.regions of store-3.not_falling_s").as_f64().expect("followed");
    assert!(not_falling < 30.0, "{not_falling}");
}

#[tokio::test]
async fn while_pd_has_no_leader_its_stores_are_remembered_and_unknown_and_nothing_is_gone() {
    let (player, mut scene) = after_health("pd-leader-kill").await;
    let instants = player.instants();
    let mut silent_for: f64 = 0.0;
    for instant in &instants {
        let seen = look(&player, &mut scene, *instant).await;
        let since = instant.since(instants[0]).as_secs_f64();
        assert_eq!(seen.stores().len(), 5, "after {since} s");
        let gone =
            seen.evaluations.iter().filter(|e| e.verdict == Verdict::Gone && matches!(e.on, Locus::Component(_)));
        assert_eq!(gone.count(), 0, "after {since} s");
        if seen.detail("cluster.answers") == Value::from(true) {
            continue;
        }
        silent_for = since;
        assert!(seen.stores().iter().all(|(_, state, _)| *state == Unknown), "{:?}", seen.stores());
        assert!(seen.unavailable("PD's leader").contains("redirect failed"), "after {since} s");
        assert_eq!(seen.state("pd2"), Down);
        assert_eq!(seen.state("pd1"), Up);
        let of_stores = seen.observation.signals.iter().filter(|signal| signal.on.name().starts_with("store-"));
        assert_eq!(of_stores.count(), 0, "what was counted before is no reading of now");
        assert!(seen.violated().iter().all(|what| !what.contains("store")), "{:?}", seen.violated());
    }
    assert!((11.0..12.2).contains(&silent_for), "{silent_for}");
    let seen = look(&player, &mut scene, instants[instants.len() - 1].plus(std::time::Duration::from_secs(1))).await;
    assert!(seen.events().contains(&"pd1 leads PD after pd3"), "{:?}", seen.events());
    assert_eq!(seen.detail("cluster.leader_changes"), Value::from(1_i64));
}

#[tokio::test]
async fn without_quorum_pd_is_silent_for_good_and_says_which_members_are_gone() {
    let (player, mut scene) = after_health("pd-quorum-lost").await;
    let instants = player.instants();
    for instant in instants {
        let seen = look(&player, &mut scene, instant).await;
        assert_eq!(seen.detail("cluster.answers"), Value::from(false));
        let members =
            ["pd1", "pd2", "pd3"].map(|name| (seen.state(name), seen.detail(&format!("members.{name}.healthy"))));
        assert_eq!(members[..2], [(Down, Value::from(false)), (Down, Value::from(false))]);
        assert_eq!(members[2].1, Value::from(true));
        let on = Locus::Group(operator_protocols::GroupId::new(SUBJECT, "pd"));
        assert!(matches!(seen.verdict("pd_no_leader", &on), Verdict::Violated(_)));
    }
}

#[tokio::test]
async fn a_leader_that_is_moved_and_one_that_resigns_are_events() {
    let player = Player::start("pd-leader").await;
    let mut scene = Scene::over(&urls(&player));
    let leaders: Vec<f64> =
        lines("pd-leader").iter().filter(|line| line.path.ends_with("/leader")).map(|l| l.t).collect();
    let mut seen = None;
    for t in leaders {
        seen = Some(look(&player, &mut scene, at(t)).await);
    }
    let seen = seen.expect("a recording");
    let leaders: Vec<_> = seen.events().into_iter().filter(|event| event.contains(" leads ")).collect();
    assert_eq!(leaders, ["pd1 leads PD after pd3", "pd2 leads PD after pd1"]);
    assert_eq!(seen.detail("cluster.leader_changes"), Value::from(2_i64));
    assert_eq!(seen.state("pd2"), Up);
}
