//! The HTTP API: one file for each group of calls, and here how they are put together.

mod access;
mod admitted;
mod body;
mod check;
mod counters;
mod health;
mod limits;
mod mutation;
mod nodes;
mod paging;

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use tower_http::catch_panic::CatchPanicLayer;

use crate::error::ApiError;
use crate::node::Node;

type Shared = axum::extract::State<Arc<Node>>;

/// All routes of a node.
pub fn router(node: Arc<Node>) -> Router {
    let management = Router::new()
        .route("/api/nodes", get(nodes::list))
        .route("/api/nodes/{id}", delete(nodes::forget))
        .route("/api/nodes/{id}/drain", put(nodes::drain).delete(nodes::undrain).get(nodes::drain_state))
        .route("/api/counters", get(counters::list))
        .route("/api/counters/{key}", get(counters::show))
        .route("/api/counters/{key}/reset", post(counters::reset))
        .route("/api/blocks", get(counters::blocks))
        .route("/api/admitted", get(admitted::list))
        .route("/api/limits", get(limits::list))
        .route("/api/limits/{key}", get(limits::show).put(limits::store).delete(limits::delete))
        .route("/api/resync", post(nodes::resync))
        .route_layer(from_fn_with_state(node.clone(), access::management));
    Router::new()
        .route("/check", post(check::one))
        .route("/check/batch", post(check::batch))
        .route("/health", get(health::health))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(health::openapi))
        .merge(management)
        .fallback(async || ApiError::not_found("there is no such path; GET /openapi.json lists them"))
        .method_not_allowed_fallback(async || {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path does not take that method")
        })
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(node)
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "this node failed; see its log").into_response()
}
