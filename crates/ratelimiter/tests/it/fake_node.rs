//! A node that answers as the service's `docs/http-api.md` says, by script.

use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

pub const METRICS: &str = "\
# TYPE ratelimiter_requests_checked counter\n\
ratelimiter_requests_checked_total{result=\"allowed\"} 10\nratelimiter_requests_checked_total{result=\"blocked\"} 2\n\
# TYPE ratelimiter_degraded_decisions counter\nratelimiter_degraded_decisions_total{mode=\"local\"} 0\n\
# TYPE ratelimiter_redis_errors counter\nratelimiter_redis_errors_total 0\n\
# TYPE ratelimiter_unanswered counter\nratelimiter_unanswered_total 0\n\
# TYPE ratelimiter_late counter\nratelimiter_late_total 0\n\
# TYPE ratelimiter_corrupt_logs counter\nratelimiter_corrupt_logs_total 0\n\
# TYPE ratelimiter_loop_lag_seconds gauge\nratelimiter_loop_lag_seconds 0.001\n\
# TYPE ratelimiter_check_duration_seconds histogram\n\
ratelimiter_check_duration_seconds_bucket{le=\"0.1\"} 12\nratelimiter_check_duration_seconds_bucket{le=\"+Inf\"} 12\n\
ratelimiter_check_duration_seconds_sum 0.3\nratelimiter_check_duration_seconds_count 12\n\
# TYPE ratelimiter_redis_roundtrip_seconds histogram\n\
ratelimiter_redis_roundtrip_seconds_bucket{le=\"0.1\"} 12\nratelimiter_redis_roundtrip_seconds_bucket{le=\"+Inf\"} 12\n\
ratelimiter_redis_roundtrip_seconds_sum 0.1\nratelimiter_redis_roundtrip_seconds_count 12\n\
# EOF\n";

pub struct FakeNode {
    pub server: MockServer,
    pub id: String,
    mounted: AtomicU8,
}

pub fn health(id: &str, run_id: &str) -> Value {
    json!({
        "status": "ok", "node_id": id, "boot_id": format!("boot-{id}"), "version": "0.1.0", "redis_connected": true,
        "redis_run_id": run_id, "mode": "coordinated", "uptime_s": 1000.5, "unanswered": 0, "draining": false,
        "leaving": false,
        "settings": {
            "default_limit": 100, "default_window_ms": 60000, "on_redis_failure": "local", "redis_timeout_ms": 250
        }
    })
}

pub fn row(key: &str, window_ms: u64, second: u64, admitted: u64) -> Value {
    json!({
        "key": key, "window_ms": window_ms, "generation": 0, "second": second, "admitted": admitted, "degraded": 0,
        "unanswered": 0, "since": second - 300
    })
}

impl FakeNode {
    /// A node that answers nothing yet: every path is 404.
    pub async fn silent(id: &str) -> Self {
        Self { server: MockServer::start().await, id: id.to_owned(), mounted: AtomicU8::new(0) }
    }

    /// A healthy node on the Redis `run_id` that admitted `rows`.
    pub async fn healthy(id: &str, run_id: &str, rows: &[Value]) -> Self {
        let node = Self::silent(id).await;
        node.answer("GET", "/livez", ResponseTemplate::new(200).set_body_string("ok")).await;
        node.answer_json("GET", "/health", &health(id, run_id)).await;
        let metrics = ResponseTemplate::new(200)
            .set_body_raw(METRICS, "application/openmetrics-text; version=1.0.0; charset=utf-8");
        node.answer("GET", "/metrics", metrics).await;
        let admitted = json!({
            "node_id": id, "boot_id": format!("boot-{id}"), "as_of": 1, "rows": rows, "tracked": rows.len(),
            "untracked": 0, "next_cursor": null
        });
        node.answer_json("GET", "/api/admitted", &admitted).await;
        let limits = json!({
            "default_limit": 100, "default_window_ms": 60000, "next_cursor": null, "overrides": []
        });
        node.answer_json("GET", "/api/limits", &limits).await;
        let drain = json!({"id": id, "draining": false, "owner": null, "until": null, "version": 0});
        node.answer_json("GET", &format!("/api/nodes/{id}/drain"), &drain).await;
        node
    }

    pub async fn answer(&self, verb: &str, at: &str, answer: ResponseTemplate) {
        // What is mounted later goes first, so that a test can change one answer of a healthy node.
        Mock::given(method(verb))
            .and(path(at))
            .respond_with(answer)
            .with_priority(self.next_priority())
            .mount(&self.server)
            .await;
    }

    pub async fn answer_json(&self, verb: &str, at: &str, answer: &Value) {
        self.answer(verb, at, ResponseTemplate::new(200).set_body_json(answer)).await;
    }

    /// One less than the last time: wiremock tries low priorities first.
    fn next_priority(&self) -> u8 {
        self.mounted.fetch_add(1, Ordering::SeqCst);
        u8::MAX - self.mounted.load(Ordering::SeqCst)
    }

    pub fn address(&self) -> String {
        self.server.address().to_string()
    }

    /// The requests that were not `GET`.
    pub async fn changes(&self) -> Vec<wiremock::Request> {
        let all = self.server.received_requests().await.expect("recorded");
        all.into_iter().filter(|request| request.method.as_str() != "GET").collect()
    }
}
