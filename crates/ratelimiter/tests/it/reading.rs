//! What is read of a real Redis, and what is made of it.

use operator_protocols::{ComponentState, DiscrepancyKind, EventKind, Finding, Locus, Value, Verdict};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::fake_node::{FakeNode, health, row};
use crate::log_entry::{grant, pack, register, write_log};
use crate::redis_server::RedisServer;
use crate::scene::{SUBJECT, Scene, component, key, settings};

const WINDOW_MS: u64 = 600_000;

/// Two nodes with 40 and 30 granted ten seconds ago, all of it on record.
async fn agreeing() -> (RedisServer, FakeNode, FakeNode, u64) {
    let redis = RedisServer::start().await;
    let second = redis.clock().await / 1_000_000 - 10;
    let grants = [grant(second, 40, "n1@boot-n1"), grant(second, 30, "n2@boot-n2")];
    write_log(&redis, "k", WINDOW_MS, 100, &grants).await;
    let n1 = FakeNode::healthy("n1", &redis.run_id, &[row("k", WINDOW_MS, second, 40)]).await;
    let n2 = FakeNode::healthy("n2", &redis.run_id, &[row("k", WINDOW_MS, second, 30)]).await;
    for node in [&n1, &n2] {
        register(&redis, &node.id, &format!("boot-{}", node.id), &node.address(), 1_000_000).await;
    }
    (redis, n1, n2, second)
}

fn finding(verdict: &Verdict) -> &Finding {
    match verdict {
        Verdict::Violated(finding) => finding,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn accounts_that_agree_are_ok() {
    let (redis, n1, n2, _) = agreeing().await;
    let mut scene = Scene::new(redis.port, &[&n1, &n2]);
    let seen = scene.look().await;
    assert_eq!(seen.violated(), [""; 0], "{seen}");
    assert_eq!(seen.verdict("counter_drift", &key("k")), &Verdict::Ok);
    assert_eq!(seen.verdict("ghost_allowing", &key("k")), &Verdict::Ok);
    assert_eq!(seen.component("redis").state, ComponentState::Up);
    assert_eq!(seen.component("redis").labels["incarnation"], redis.run_id);
    assert_eq!(seen.component("n1").labels["incarnation"], "boot-n1");
}

#[tokio::test]
async fn a_write_pause_does_not_blind() {
    let (redis, n1, n2, _) = agreeing().await;
    let mut scene = Scene::new(redis.port, &[&n1, &n2]);
    redis.send(&[b"CLIENT", b"PAUSE", b"60000", b"WRITE"]).await;
    let seen = scene.look().await;
    assert_eq!(seen.verdict("counter_drift", &key("k")), &Verdict::Ok, "{seen}");
    assert_eq!(seen.component("redis").state, ComponentState::Up);
}

#[tokio::test]
async fn looking_writes_nothing_anywhere() {
    let (redis, n1, n2, second) = agreeing().await;
    // A writer that nobody knows is looked up among the boots.
    let entry = pack(second * 1_000_000 + 1, 71, 1, 3, 0, 100, "who@knows");
    redis.send(&[b"RPUSH", format!("rl:{{k}}:w:{WINDOW_MS}").as_bytes(), &entry]).await;
    redis.send(&[b"CONFIG", b"RESETSTAT"]).await;
    let mut scene = Scene::new(redis.port, &[&n1, &n2]);
    for _ in 0..3 {
        scene.look().await;
    }
    assert_eq!(redis.writes().await, Vec::<String>::new());
    for node in [&n1, &n2] {
        assert!(node.changes().await.is_empty());
    }
}

#[tokio::test]
async fn an_entry_by_nobody_known_is_unclaimed_and_one_by_a_former_boot_is_not() {
    let (redis, n1, n2, second) = agreeing().await;
    let log = format!("rl:{{k}}:w:{WINDOW_MS}");
    let former = pack(second * 1_000_000 + 1, 90, 20, 3, 0, 100, "n1@former");
    redis.send(&[b"RPUSH", log.as_bytes(), &former]).await;
    redis.send(&[b"ZADD", b"rlreg:{registry}:boots", b"1", b"n1@former"]).await;
    let mut scene = Scene::new(redis.port, &[&n1, &n2]);
    let seen = scene.look().await;
    assert_eq!(seen.verdict("counter_drift", &key("k")), &Verdict::Ok, "{seen}");

    let stranger = pack(second * 1_000_000 + 2, 98, 8, 4, 0, 100, "outside");
    redis.send(&[b"RPUSH", log.as_bytes(), &stranger]).await;
    let seen = scene.look().await;
    let found = &finding(seen.verdict("counter_drift", &key("k"))).discrepancies[0];
    assert_eq!((found.kind, &found.claimed_by, found.amount), (DiscrepancyKind::Unclaimed, &None, 8.0));
}

#[tokio::test]
async fn entries_that_are_none_are_unclaimed_whatever_they_are() {
    let (redis, n1, n2, second) = agreeing().await;
    let log = format!("rl:{{k}}:w:{WINDOW_MS}");
    let wrong_prefix = pack(second * 1_000_000 + 1, 5, 1, 3, 0, 100, "n1@boot-n1");
    for (value, undo) in
        [(b"garbage".to_vec(), true), (vec![0xff; 60], true), (wrong_prefix, true), (Vec::new(), false)]
    {
        let mut scene = Scene::new(redis.port, &[&n1, &n2]);
        if undo {
            redis.send(&[b"RPUSH", log.as_bytes(), &value]).await;
        } else {
            redis.send(&[b"DEL", log.as_bytes()]).await;
            redis.send(&[b"SET", log.as_bytes(), b"no list"]).await;
        }
        let seen = scene.look().await;
        let found = finding(seen.verdict("counter_drift", &key("k")));
        assert!(found.discrepancies.iter().all(|d| d.kind == DiscrepancyKind::Unclaimed), "{found:?}");
        if undo {
            redis.send(&[b"RPOP", log.as_bytes()]).await;
        }
    }
}

#[tokio::test]
async fn a_log_that_is_gone_is_missing_of_every_node_that_wrote_it() {
    let (redis, n1, n2, _) = agreeing().await;
    redis.send(&[b"DEL", format!("rl:{{k}}:w:{WINDOW_MS}").as_bytes()]).await;
    let seen = Scene::new(redis.port, &[&n1, &n2]).look().await;
    let found = finding(seen.verdict("counter_drift", &key("k")));
    let missing: Vec<_> = found.discrepancies.iter().map(|d| (d.claimed_by.clone(), d.amount, d.agree)).collect();
    assert_eq!(missing, [(Some(component("n1")), 40.0, 0), (Some(component("n2")), 30.0, 0)]);
}

#[tokio::test]
async fn only_the_newest_thousand_entries_are_folded_and_only_what_they_cover_is_compared() {
    let redis = RedisServer::start().await;
    let second = redis.clock().await / 1_000_000 - 10;
    let mut grants = vec![grant(second - 60, 1, "n1@boot-n1"); 200];
    grants.extend(vec![grant(second, 1, "n1@boot-n1"); 1000]);
    write_log(&redis, "k", WINDOW_MS, 100_000, &grants).await;
    let rows = [row("k", WINDOW_MS, second - 60, 200), row("k", WINDOW_MS, second, 1000)];
    let n1 = FakeNode::healthy("n1", &redis.run_id, &rows).await;
    let seen = Scene::new(redis.port, &[&n1]).look().await;
    assert_eq!(seen.verdict("counter_drift", &key("k")), &Verdict::Ok, "{seen}");
}

#[tokio::test]
async fn more_than_the_limit_is_found_and_a_node_with_a_higher_default_is_named() {
    let redis = RedisServer::start().await;
    let second = redis.clock().await / 1_000_000 - 10;
    let grants = [grant(second, 60, "n1@boot-n1"), grant(second, 60, "n3@boot-n3")];
    write_log(&redis, "k", WINDOW_MS, 1000, &grants).await;
    let n1 = FakeNode::healthy("n1", &redis.run_id, &[row("k", WINDOW_MS, second, 60)]).await;
    let n2 = FakeNode::healthy("n2", &redis.run_id, &[]).await;
    let n3 = FakeNode::healthy("n3", &redis.run_id, &[row("k", WINDOW_MS, second, 60)]).await;
    let mut other = health("n3", &redis.run_id);
    other["settings"]["default_limit"] = json!(1000);
    n3.answer_json("GET", "/health", &other).await;
    let mut scene = Scene::new(redis.port, &[&n1, &n2, &n3]);
    // n1's entry has the limit 1000 too, which is not its default: a request asked for it, so that was in force.
    assert_eq!(scene.look().await.verdict("ghost_allowing", &key("k")), &Verdict::Ok);
    redis.send(&[b"DEL", format!("rl:{{k}}:w:{WINDOW_MS}").as_bytes()]).await;
    write_log(&redis, "k", WINDOW_MS, 100, &grants[..1]).await;
    let entry = pack(second * 1_000_000, 120, 60, 2, 0, 1000, "n3@boot-n3");
    redis.send(&[b"RPUSH", format!("rl:{{k}}:w:{WINDOW_MS}").as_bytes(), &entry]).await;
    let seen = Scene::new(redis.port, &[&n1, &n2, &n3]).look().await;
    let found = finding(seen.verdict("ghost_allowing", &key("k")));
    assert_eq!((found.measured, found.threshold), (120.0, 100.0));
    assert_eq!(found.involves, [component("n3")]);
    assert_eq!(found.discrepancies[0].kind, DiscrepancyKind::Differs);
    assert!(seen.violated().contains(&"config_divergence at n3".to_owned()));
}

async fn tokens_shown(node: &FakeNode) -> usize {
    let requests = node.server.received_requests().await.expect("recorded");
    requests.iter().filter(|request| request.headers.contains_key("authorization")).count()
}

#[tokio::test]
async fn a_node_of_the_registry_is_asked_without_the_token_and_only_on_known_hosts() {
    let (redis, n1, n2, _) = agreeing().await;
    register(&redis, "far", "b", "10.255.255.1:80", 1_000_000).await;
    let directory = tempfile::tempdir().expect("a directory");
    let token = directory.path().join("token");
    std::fs::write(&token, "geheim").expect("written");
    let mut settings = settings(redis.port, &[("n1", n1.address())]);
    settings.insert("management_token_file".to_owned(), Value::from(token.to_str().expect("text")));
    let mut scene = Scene::with(settings, None);
    scene.look().await;
    let seen = scene.look().await;
    assert_eq!(seen.component("n2").state, ComponentState::Up, "{seen}");
    assert_eq!(
        (seen.component("far").state, seen.component("far").address.as_deref()),
        (ComponentState::Unknown, None)
    );
    assert!(tokens_shown(&n1).await > 0);
    assert_eq!(tokens_shown(&n2).await, 0);
    assert!(!format!("{:?}", scene.subject.descriptor()).contains("geheim"));
}

#[tokio::test]
async fn a_changed_limit_is_an_event_and_a_jump_names_it() {
    let (redis, n1, n2, second) = agreeing().await;
    let version = second * 1_000_000 + 5_000_000;
    let stored = [("limit", "1000".to_owned()), ("version", version.to_string()), ("by", "n1@boot-n1".to_owned())];
    for (field, value) in stored {
        redis.send(&[b"HSET", b"rl:{k}:limit", field.as_bytes(), value.as_bytes()]).await;
    }
    let page = json!({
        "default_limit": 100, "default_window_ms": 60000, "next_cursor": null,
        "overrides": [{"key": "k", "limit": 1000, "window_ms": null, "version": version, "previous": []}]
    });
    n1.answer_json("GET", "/api/limits", &page).await;
    let mut scene = Scene::new(redis.port, &[&n1, &n2]);
    let seen = scene.look().await;
    let found = finding(seen.verdict("limit_jump", &key("k")));
    let Locus::Change(id) = &found.involves[0] else { panic!("{found:?}") };
    let event = seen.observation.events.iter().find(|event| &event.id == id).expect("the event");
    assert_eq!((event.kind, &event.on), (EventKind::ConfigChange, &key("k")));
    let change = event.change.as_ref().expect("a change");
    assert_eq!((change.field.as_str(), &change.before, &change.after), ("limit", &Value::Int(100), &Value::Int(1000)));
    assert_eq!(scene.look().await.observation.events.iter().find(|other| &other.id == id), Some(event));
    // The list of changes cannot be read any more, and nothing of the key is left but its record.
    for node in [&n1, &n2] {
        node.answer("GET", "/api/limits", ResponseTemplate::new(500)).await;
        node.answer("GET", "/api/admitted", ResponseTemplate::new(500)).await;
    }
    redis.send(&[b"DEL", format!("rl:{{k}}:w:{WINDOW_MS}").as_bytes()]).await;
    let seen = scene.look().await;
    assert!(matches!(seen.verdict("limit_jump", &key("k")), Verdict::Violated(_)), "{seen}");
}

#[tokio::test]
async fn a_node_on_another_redis_depends_on_that_one() {
    let (redis, n1, n2, _) = agreeing().await;
    n2.answer_json("GET", "/health", &health("n2", "feedfacefeedface")).await;
    let seen = Scene::new(redis.port, &[&n1, &n2]).look().await;
    let to = |from: &str| {
        let link = seen.observation.dependencies.iter().find(|link| link.from.local == from);
        link.map(|link| link.to.local.clone())
    };
    assert_eq!((to("n1").as_deref(), to("n2").as_deref()), (Some("redis"), Some("redis@feedface")));
    assert_eq!(seen.component("redis@feedface").kind, "redis");
    assert!(seen.violated().contains(&"config_divergence at group nodes".to_owned()), "{:?}", seen.violated());
}

#[tokio::test]
async fn a_redis_that_all_nodes_reach_and_decide_without_is_degraded() {
    let (redis, n1, n2, _) = agreeing().await;
    for node in [&n1, &n2] {
        let mut alone = health(&node.id, &redis.run_id);
        alone["mode"] = json!("local");
        node.answer_json("GET", "/health", &alone).await;
    }
    let seen = Scene::new(redis.port, &[&n1, &n2]).look().await;
    assert_eq!(seen.component("redis").state, ComponentState::Degraded);
    assert_eq!(seen.component("n1").state, ComponentState::Degraded);
}

#[tokio::test]
async fn a_new_boot_is_a_restart_and_no_restart_is_told_of_what_was_there_at_first() {
    let (redis, n1, n2, _) = agreeing().await;
    let mut scene = Scene::new(redis.port, &[&n1, &n2]);
    assert!(scene.look().await.observation.events.is_empty());
    let mut reborn = health("n2", &redis.run_id);
    reborn["boot_id"] = json!("boot-again");
    n2.answer_json("GET", "/health", &reborn).await;
    n2.answer("GET", "/api/admitted", ResponseTemplate::new(500)).await;
    let seen = scene.look().await;
    let restarts: Vec<_> = seen.observation.events.iter().filter(|event| event.kind == EventKind::Restart).collect();
    assert_eq!(restarts.len(), 1, "{seen}");
    assert_eq!(restarts[0].id.local, "restart:n2:boot-again");
    assert_eq!(restarts[0].id.subject, SUBJECT);
    assert!(seen.unavailable("what n2 admitted").contains("answered 500"));
}
