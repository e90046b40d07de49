//! How the node is: `/health`, `/livez`, `/readyz`, `/metrics` and `/openapi.json`.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Shared;
use crate::metrics::CONTENT_TYPE;
use crate::openapi;

/// What a person or an operator asks first.
pub async fn health(State(node): Shared) -> Json<Value> {
    let settings = &node.settings;
    let mode = node.mode();
    Json(json!({
        "status": if mode == "coordinated" { "ok" } else { "degraded" },
        "node_id": node.identity.node_id,
        "boot_id": node.identity.boot_id,
        "version": env!("CARGO_PKG_VERSION"),
        "redis_connected": node.redis.connected(),
        "redis_run_id": node.redis.run_id(),
        "mode": mode,
        "uptime_s": micros_to_seconds(node.time.now_us()),
        "unanswered": node.metrics.unanswered.get(),
        "draining": node.is_draining(),
        "leaving": node.is_leaving(),
        "settings": {
            "default_limit": settings.default_limit,
            "default_window_ms": settings.default_window_ms,
            "on_redis_failure": settings.on_redis_failure,
            "redis_timeout_ms": settings.redis_timeout_ms,
        },
    }))
}

fn micros_to_seconds(us: i64) -> f64 {
    std::time::Duration::from_micros(us.unsigned_abs()).as_secs_f64()
}

/// The process answers.
pub async fn livez() -> &'static str {
    "ok"
}

/// Whether traffic should come here.
pub async fn readyz(State(node): Shared) -> Response {
    let reason = match (node.is_leaving(), node.is_draining()) {
        (true, _) => "leaving",
        (false, true) => "draining",
        (false, false) => return Json(json!({ "ready": true })).into_response(),
    };
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "ready": false, "reason": reason }))).into_response()
}

/// All metrics.
pub async fn metrics(State(node): Shared) -> Response {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], node.metrics.render()).into_response()
}

/// The API described for programs.
pub async fn openapi() -> Json<Value> {
    Json(openapi::document())
}
