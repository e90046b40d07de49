//! `/api/counters` and `/api/blocks`: what is counted, and resetting it.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::Uri;
use axum::response::Response;
use serde_json::{Value, json};

use super::paging::Query;
use super::{Shared, body, mutation};
use crate::error::ApiError;
use crate::keys::{LimiterKey, MAX_KEY_BYTES, MAX_QUANTITY};

/// Rows of a page.
const MOST_ROWS: u64 = 1000;
/// Counters a page of blocks looks at.
const MOST_LOOKED_AT: u64 = 10_000;

/// Lists counters.
pub async fn list(State(node): Shared, uri: Uri) -> Result<Json<Value>, ApiError> {
    let mut query = Query::new(&uri)?;
    let (cursor, limit) = (query.scan_cursor()?, query.limit(MOST_ROWS)?);
    let prefix = query.text("prefix").unwrap_or_default();
    query.end()?;
    if prefix.len() > MAX_KEY_BYTES {
        return Err(ApiError::field("prefix", format_args!("must be at most {MAX_KEY_BYTES} bytes")));
    }
    let page = node.counters(&prefix, cursor, limit).await?;
    Ok(Json(json!({ "counters": page.items, "next_cursor": page.next.map(|c| c.to_string()) })))
}

/// Lists counters at or over their limit.
pub async fn blocks(State(node): Shared, uri: Uri) -> Result<Json<Value>, ApiError> {
    let mut query = Query::new(&uri)?;
    let (cursor, limit) = (query.scan_cursor()?, query.limit(MOST_LOOKED_AT)?);
    query.end()?;
    let page = node.counters("", cursor, limit).await?;
    let blocked = page.items.iter().filter(|counter| !counter.corrupt && counter.count >= counter.limit);
    let rows: Vec<Value> = blocked
        .map(|c| json!({ "key": c.key, "window_ms": c.window_ms, "current_count": c.count, "limit": c.limit }))
        .collect();
    Ok(Json(json!({ "blocked": rows, "next_cursor": page.next.map(|c| c.to_string()) })))
}

/// Shows one counter.
pub async fn show(State(node): Shared, Path(key): Path<String>, uri: Uri) -> Result<Json<Value>, ApiError> {
    let key = LimiterKey::new(&key)?;
    let mut query = Query::new(&uri)?;
    let window = query.integer("window_ms", 1, MAX_QUANTITY)?;
    let detail = query.flag("detail")?;
    query.end()?;
    let reading = node.counter(&key, window).await?;
    let window_ms = reading.counter.window_ms;
    let mut shown = json!(reading.counter);
    shown["windows"] = json!(reading.windows);
    if detail {
        let recorded = node.recorded(&key, window_ms).await?;
        shown["recorded"] = json!(recorded.rows);
        shown["recorded_from"] = json!(recorded.from);
        shown["unparsable"] = json!(recorded.unparsable);
    }
    Ok(Json(shown))
}

/// Resets a key.
pub async fn reset(State(node): Shared, Path(key): Path<String>, request: Request) -> Result<Response, ApiError> {
    let key = LimiterKey::new(&key)?;
    let conditions = mutation::conditions(request.headers())?;
    if conditions.if_match.is_some() || conditions.if_none_match {
        return Err(ApiError::field("if-match", "does not apply to a reset"));
    }
    body::none(request).await?;
    let done = node.reset(&key, &conditions).await?;
    Ok(mutation::answer(&done, json!({ "key": key.as_str(), "reset": true, "generation": done.answer })))
}
