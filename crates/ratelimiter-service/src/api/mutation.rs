//! Headers of calls with a lasting effect: under which conditions, and on which Redis it happened.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::error::ApiError;
use crate::once::{Conditions, Done};

const RUN_ID: &str = "x-redis-run-id";

/// Reads the conditions a caller sets.
pub fn conditions(headers: &HeaderMap) -> Result<Conditions, ApiError> {
    let get = |name: &'static str, most: usize| match headers.get(name) {
        None => Ok(None),
        Some(value) => match value.to_str() {
            Ok(text) if (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(Some(text.to_owned()))
            }
            _ => Err(ApiError::field(name, format_args!("must be 1 to {most} visible ASCII characters"))),
        },
    };
    let if_match = match get("if-match", 64)? {
        Some(text) if text == "*" => Some(text),
        Some(text) => match text.trim_matches('"').parse::<u64>() {
            Ok(version) => Some(version.to_string()),
            Err(_) => return Err(ApiError::field("if-match", "must be a version, as ETag gave it, or *")),
        },
        None => None,
    };
    let if_none_match = match get("if-none-match", 64)?.as_deref() {
        None => false,
        Some("*") => true,
        Some(_) => return Err(ApiError::field("if-none-match", "must be *")),
    };
    Ok(Conditions { idempotency_key: get("idempotency-key", 255)?, run_id: get(RUN_ID, 64)?, if_match, if_none_match })
}

/// The answer to what was done.
pub fn answer(done: &Done, body: Value) -> Response {
    let mut response = Json(body).into_response();
    if let Ok(run_id) = HeaderValue::from_str(&done.run_id) {
        response.headers_mut().insert(RUN_ID, run_id);
    }
    if done.replayed {
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    response
}
