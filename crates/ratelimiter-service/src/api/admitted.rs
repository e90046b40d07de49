//! `GET /api/admitted`: what this node itself let through.

use std::sync::PoisonError;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde_json::{Value, json};

use super::Shared;
use super::paging::{Query, invalid_cursor};
use crate::admitted::Position;
use crate::error::ApiError;
use crate::keys::{encode, parse_log};

/// Lists rows.
pub async fn list(State(node): Shared, uri: Uri) -> Result<Json<Value>, ApiError> {
    let mut query = Query::new(&uri)?;
    let from = query.text("cursor").map(|text| parse(&text).ok_or_else(invalid_cursor)).transpose()?;
    let limit = query.limit(10_000)?;
    query.end()?;
    let admitted = node.admitted.lock().unwrap_or_else(PoisonError::into_inner);
    let (rows, next) = admitted.page(from.as_ref(), limit);
    let (tracked, untracked) = admitted.coverage();
    drop(admitted);
    Ok(Json(json!({
        "node_id": node.identity.node_id,
        "boot_id": node.identity.boot_id,
        "as_of": node.redis.now_us(),
        "rows": rows,
        "tracked": tracked,
        "untracked": untracked,
        "next_cursor": next.as_ref().map(show),
    })))
}

/// A cursor is the log's name, its generation and second: readable, and checked like a name from Redis.
fn show(position: &Position) -> String {
    let (key, window_ms) = &position.counter;
    format!("rl:{{{}}}:w:{window_ms}!{}!{}", encode(key), position.generation, position.second)
}

fn parse(text: &str) -> Option<Position> {
    let mut parts = text.splitn(3, '!');
    let (key, window_ms) = parse_log(parts.next()?)?;
    let (generation, second) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(Position { counter: (key.as_str().into(), window_ms), generation, second })
}
