//! `/api/limits`: the limits that are stored for single keys.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::body::{self, Fields};
use super::paging::Query;
use super::{Shared, mutation};
use crate::decision::StoredLimit;
use crate::error::ApiError;
use crate::keys::{LimiterKey, MAX_QUANTITY};
use crate::limits::LimitRecord;

/// Lists stored limits and the defaults.
pub async fn list(State(node): Shared, uri: Uri) -> Result<Json<Value>, ApiError> {
    let mut query = Query::new(&uri)?;
    let (cursor, limit) = (query.scan_cursor()?, query.limit(1000)?);
    query.end()?;
    let page = node.limits(cursor, limit).await?;
    Ok(Json(json!({
        "default_limit": node.settings.default_limit,
        "default_window_ms": node.settings.default_window_ms,
        "overrides": page.items,
        "next_cursor": page.next.map(|c| c.to_string()),
    })))
}

/// Shows what is stored for a key.
pub async fn show(State(node): Shared, Path(key): Path<String>) -> Result<Response, ApiError> {
    match node.limit(&LimiterKey::new(&key)?).await? {
        LimitRecord::Stored(stored) => Ok(with_etag(Json(json!(stored)).into_response(), stored.version)),
        LimitRecord::Absent { previous } => {
            Err(ApiError::not_found("no limit is stored for this key").with("previous", json!(previous)))
        }
    }
}

/// Stores a limit.
pub async fn store(State(node): Shared, Path(key): Path<String>, request: Request) -> Result<Response, ApiError> {
    let key = LimiterKey::new(&key)?;
    let conditions = mutation::conditions(request.headers())?;
    let mut fields = Fields::new(body::json(request).await?, String::new())?;
    let limit = fields.required("limit", 1, MAX_QUANTITY)?;
    let window_ms = fields.quantity("window_ms")?;
    fields.end()?;
    let done = node.change_limit(&key, Some(StoredLimit { limit, window_ms }), &conditions).await?;
    let body = json!({
        "key": key.as_str(), "limit": limit, "window_ms": window_ms, "updated": true, "version": done.answer,
    });
    Ok(with_etag(mutation::answer(&done, body), done.answer))
}

/// Deletes a stored limit.
pub async fn delete(State(node): Shared, Path(key): Path<String>, request: Request) -> Result<Response, ApiError> {
    let key = LimiterKey::new(&key)?;
    let conditions = mutation::conditions(request.headers())?;
    body::none(request).await?;
    let done = node.change_limit(&key, None, &conditions).await?;
    Ok(mutation::answer(&done, json!({ "key": key.as_str(), "deleted": true, "version": done.answer })))
}

fn with_etag(mut response: Response, version: u64) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
