//! The past, from a Prometheus.

use std::time::Duration;

use operator_protocols::{Locus, Timestamp, Value};
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::scene::{SUBJECT, Scene, component, settings};

async fn scene(answer: ResponseTemplate) -> (MockServer, Scene) {
    let prometheus = MockServer::start().await;
    Mock::given(method("GET")).and(path("/api/v1/query_range")).respond_with(answer).mount(&prometheus).await;
    let mut settings = settings(1, &[("n1", "127.0.0.1:1".to_owned())]);
    settings.insert("prometheus_url".to_owned(), Value::from(prometheus.uri()));
    (prometheus, Scene::with(settings, None))
}

const FROM: Timestamp = Timestamp::from_millis(1_000_000);

#[tokio::test]
async fn signals_of_known_nodes_are_told_oldest_first() {
    let series =
        |node: &str| json!({"metric": {"node_id": node}, "values": [[1000, "0.5"], [1015, "NaN"], [1030, "0.7"]]});
    let answer =
        json!({"status": "success", "data": {"resultType": "matrix", "result": [series("n1"), series("stranger")]}});
    let (prometheus, scene) = scene(ResponseTemplate::new(200).set_body_json(answer)).await;
    let past = scene.subject.history(FROM, FROM.plus(Duration::from_secs(30))).await.expect("a past");
    assert_eq!(past.iter().map(|seen| seen.at.as_millis()).collect::<Vec<_>>(), [1_000_000, 1_030_000]);
    assert_eq!(past[0].signal(&component("n1"), "check_duration_p99").map(|signal| signal.value), Some(0.5));
    assert!(past[1].signal(&Locus::edge(SUBJECT, "n1", "redis"), "roundtrip_mean").is_some());
    assert!(past.iter().all(|seen| seen.signals.iter().all(|signal| signal.on.name() == "n1")));
    assert_eq!(prometheus.received_requests().await.expect("recorded").len(), 8);
}

#[tokio::test]
async fn a_prometheus_that_fails_is_unavailable_and_none_is_an_empty_past() {
    let (_prometheus, failing) = scene(ResponseTemplate::new(502)).await;
    let error = failing.subject.history(FROM, FROM.plus(Duration::from_secs(30))).await.expect_err("no past");
    assert!(error.why.contains("status 502"), "{error}");
    let none = Scene::with(settings(1, &[("n1", "127.0.0.1:1".to_owned())]), None);
    assert_eq!(none.subject.history(FROM, FROM.plus(Duration::from_secs(30))).await, Ok(Vec::new()));
}
