//! `/api/nodes` and `/api/resync`: who shares the work, who is drained, and making a node look again.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use serde_json::{Value, json};

use super::Shared;
use super::body::{self, Fields};
use super::paging::Query;
use crate::call::{CallError, int};
use crate::drain::{Drain, DrainError};
use crate::error::ApiError;
use crate::node::Node;
use crate::registry;
use crate::script::FORGET;
use crate::time::{rfc3339, wall_us};

/// Longest drain: a day. Every drain has an end.
const MOST_DRAIN_S: u64 = 86_400;

/// Lists the nodes.
pub async fn list(State(node): Shared) -> Result<Json<Value>, ApiError> {
    let read = node.read_registry().await?;
    Ok(Json(json!({ "nodes": read.nodes, "read_at": rfc3339(read.read_at_us), "boots": read.boots })))
}

/// Forgets a node.
pub async fn forget(State(node): Shared, Path(id): Path<String>, request: Request) -> Result<Json<Value>, ApiError> {
    body::none(request).await?;
    let answer = node.redis.write(&FORGET, registry::forget_call(&id, None)).await?;
    if int(&answer, 2)? == 0 {
        return Err(ApiError::not_found(format!("no node {id:?} is registered")));
    }
    Ok(Json(json!({ "id": id, "forgotten": true })))
}

fn own(node: &Node, id: &str) -> Result<(), ApiError> {
    if id == node.identity.node_id {
        return Ok(());
    }
    let message = format!("this is {}: a drain is sent to the node it is for", node.identity.node_id);
    Err(ApiError::new(StatusCode::MISDIRECTED_REQUEST, "wrong_node", message)
        .with("node_id", node.identity.node_id.as_str()))
}

fn until(node: &Node, drain: &Drain) -> String {
    rfc3339(wall_us() + (drain.until_us - node.time.now_us()))
}

fn shown(node: &Node) -> Json<Value> {
    let mut state = node.drain.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let drain = state.current(node.time.now_us()).cloned();
    Json(json!({
        "id": node.identity.node_id,
        "draining": drain.is_some(),
        "owner": drain.as_ref().map(|d| d.owner.as_str()),
        "until": drain.as_ref().map(|d| until(node, d)),
        "version": state.version(),
    }))
}

fn refusal(node: &Node, error: DrainError) -> ApiError {
    match error {
        DrainError::VersionDiffers => {
            let state = node.drain.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            ApiError::version_mismatch(json!(state.version()))
        }
        DrainError::OwnedBy(drain) => {
            let message = format!("{} has drained this node", drain.owner);
            let ends = until(node, &drain);
            ApiError::new(StatusCode::CONFLICT, "drain_owned", message).with("owner", drain.owner).with("until", ends)
        }
    }
}

/// Shows the drain of this node.
pub async fn drain_state(State(node): Shared, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    own(&node, &id)?;
    Ok(shown(&node))
}

fn owner(text: String) -> Result<String, ApiError> {
    if (1..=128).contains(&text.len()) && !text.chars().any(char::is_control) {
        Ok(text)
    } else {
        Err(ApiError::field("owner", "must be 1 to 128 bytes without control characters"))
    }
}

/// Drains this node.
pub async fn drain(State(node): Shared, Path(id): Path<String>, request: Request) -> Result<Json<Value>, ApiError> {
    own(&node, &id)?;
    let mut fields = Fields::new(body::json(request).await?, String::new())?;
    let owner = owner(fields.text("owner")?)?;
    let ttl_s = fields.required("ttl_s", 1, MOST_DRAIN_S)?;
    let if_version = fields.integer("if_version", 0, u64::MAX)?;
    fields.end()?;
    let now = node.time.now_us();
    let until_us = now + i64::try_from(ttl_s).unwrap_or(0) * 1_000_000;
    let drained = {
        let mut state = node.drain.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.drain(now, &owner, until_us, if_version)
    };
    drained.map_err(|error| refusal(&node, error))?;
    tracing::info!(owner, ttl_s, "drained");
    node.mirror.notify_one();
    Ok(shown(&node))
}

/// Ends the drain of this node.
pub async fn undrain(
    State(node): Shared,
    Path(id): Path<String>,
    uri: Uri,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    own(&node, &id)?;
    let mut query = Query::new(&uri)?;
    let owner = query.text("owner").map(owner).transpose()?;
    let if_version = query.integer("if_version", 0, u64::MAX)?;
    query.end()?;
    body::none(request).await?;
    let undrained = {
        let mut state = node.drain.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.undrain(node.time.now_us(), owner.as_deref(), if_version)
    };
    undrained.map_err(|error| refusal(&node, error))?;
    tracing::info!(owner, "undrained");
    node.mirror.notify_one();
    Ok(shown(&node))
}

/// Connects anew and reads again what this node knows of others.
pub async fn resync(State(node): Shared, request: Request) -> Result<Json<Value>, ApiError> {
    body::none(request).await?;
    let (nodes, limits) = node.resync().await.map_err(|error: CallError| ApiError::from(error))?;
    Ok(Json(json!({ "resynced": true, "nodes": nodes, "limits": limits })))
}
