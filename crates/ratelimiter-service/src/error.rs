//! What a client gets when something is wrong: one JSON shape, with the field that is to blame and what would be right.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::call::CallError;
use crate::decision::Unreadable;
use crate::keys::KeyError;
use crate::once::OnceError;

/// An error answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    status: StatusCode,
    body: Map<String, Value>,
}

impl ApiError {
    /// An error with its machine-readable name and a sentence for people.
    #[must_use]
    pub fn new(status: StatusCode, error: &str, message: impl Into<String>) -> Self {
        let mut body = Map::new();
        body.insert("error".into(), error.into());
        body.insert("message".into(), Value::String(message.into()));
        Self { status, body }
    }

    /// Adds a field to the body.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.body.insert(name.to_owned(), value.into());
        self
    }

    /// A field has a value it must not have.
    #[must_use]
    pub fn field(field: &str, must: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_field", format!("{field} {must}")).with("field", field)
    }

    /// What was asked for is not there.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// The body alone, for a place in a list.
    #[must_use]
    pub fn into_body(self) -> Value {
        Value::Object(self.body)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        Self::field("key", error)
    }
}

impl From<Unreadable> for ApiError {
    fn from(error: Unreadable) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "corrupt_log", error.to_string())
            .with("key", error.key.as_str())
            .with("part", error.part)
    }
}

impl From<CallError> for ApiError {
    fn from(error: CallError) -> Self {
        let outcome = if error.without_effect() { "none" } else { "unknown" };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "redis_unavailable", error.to_string()).with("outcome", outcome)
    }
}

impl From<OnceError> for ApiError {
    fn from(error: OnceError) -> Self {
        let message = error.to_string();
        match error {
            OnceError::UsedForAnother => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_conflict", message),
            OnceError::AnotherRedis { run_id } => {
                Self::new(StatusCode::PRECONDITION_FAILED, "run_id_mismatch", message).with("redis_run_id", run_id)
            }
            OnceError::VersionDiffers { version } => Self::version_mismatch(version.into()),
            OnceError::NotFound => Self::not_found("no limit is stored for this key"),
            OnceError::Call(error) => error.into(),
        }
    }
}

impl ApiError {
    /// The version a caller required is not the one that is there.
    #[must_use]
    pub fn version_mismatch(version: Value) -> Self {
        let message = "the version is not the one required";
        Self::new(StatusCode::PRECONDITION_FAILED, "version_mismatch", message).with("version", version)
    }
}
