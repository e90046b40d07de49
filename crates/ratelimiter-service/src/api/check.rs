//! `POST /check` and `/check/batch`: may this request pass?

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Shared;
use super::body::{self, Fields};
use crate::decision::{CheckRequest, Decision, Source};
use crate::error::ApiError;

/// Checks in one batch.
const MOST_CHECKS: usize = 1000;

/// Decides one check.
pub async fn one(State(node): Shared, request: Request) -> Result<Response, ApiError> {
    let debug = wants_debug(request.headers());
    let check = parse(body::json(request).await?, String::new())?;
    match node.check(vec![check]).await.pop() {
        Some(decision) => Ok(answer(&decision?, debug)),
        None => Err(stopping()),
    }
}

/// Decides many, in order.
pub async fn batch(State(node): Shared, request: Request) -> Result<Response, ApiError> {
    let debug = wants_debug(request.headers());
    let Value::Array(items) = body::json(request).await? else {
        return Err(ApiError::field("body", "must be a list of checks"));
    };
    if items.is_empty() || items.len() > MOST_CHECKS {
        let must = format!("must be a list of 1 to {MOST_CHECKS} checks, got {}", items.len());
        return Err(ApiError::field("body", must));
    }
    let checks = items.into_iter().enumerate();
    let checks = checks.map(|(i, item)| parse(item, format!("[{i}]."))).collect::<Result<Vec<_>, _>>()?;
    let wanted = checks.len();
    let answers = node.check(checks).await;
    if answers.len() != wanted {
        return Err(stopping());
    }
    let rows = answers.into_iter().map(|answer| match answer {
        Ok(decision) => {
            let mut row = shown(&decision);
            if debug && let Value::Object(map) = &mut row {
                map.insert("decision".into(), decision.trace().into());
            }
            row
        }
        Err(unreadable) => ApiError::from(unreadable).into_body(),
    });
    Ok(Json(rows.collect::<Value>()).into_response())
}

fn parse(value: Value, place: String) -> Result<CheckRequest, ApiError> {
    let mut fields = Fields::new(value, place)?;
    let request = CheckRequest {
        key: fields.key()?,
        limit: fields.quantity("limit")?,
        window_ms: fields.quantity("window_ms")?,
        cost: fields.quantity("cost")?.unwrap_or(1),
    };
    fields.end()?;
    Ok(request)
}

fn wants_debug(headers: &HeaderMap) -> bool {
    headers.get("x-ratelimit-debug").is_some_and(|value| value == "1")
}

fn shown(decision: &Decision) -> Value {
    json!({
        "allowed": decision.allowed,
        "current_count": decision.current_count,
        "remaining": decision.remaining,
        "retry_after_seconds": decision.retry_after_seconds,
    })
}

fn answer(decision: &Decision, debug: bool) -> Response {
    let status = if decision.allowed { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS };
    let mut response = (status, Json(shown(decision))).into_response();
    let mut set = |name: &'static str, value: String| {
        // Numbers and fixed words only: always a valid header.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set("x-ratelimit-limit", decision.limit.to_string());
    set("x-ratelimit-remaining", decision.remaining.to_string());
    let seconds = decision.window_ms.div_ceil(1000);
    set("ratelimit-policy", format!("\"default\";q={};w={seconds}", decision.limit));
    let reset = match decision.retry_after_seconds {
        Some(retry) => {
            set("x-ratelimit-reset", retry.to_string());
            set("retry-after", retry.to_string());
            format!(";t={retry}")
        }
        None => String::new(),
    };
    set("ratelimit", format!("\"default\";r={}{reset}", decision.remaining));
    if debug {
        set("x-ratelimit-decision", decision.trace());
        if let Source::Redis { deadline_us } = decision.source {
            set("x-ratelimit-deadline", deadline_us.to_string());
        }
    }
    response
}

/// The deciding task ended without an answer: only at shutdown.
fn stopping() -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "this node is stopping")
}
