//! Bodies from outside: of bounded size and time, of the right type, with every field accounted for by name.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::keys::{LimiterKey, MAX_QUANTITY};

/// Largest body, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads a JSON body.
pub async fn json(request: Request) -> Result<Value, ApiError> {
    let media = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        let message = format!("the body must be application/json, not {media:?}");
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message));
    }
    let bytes = read(request).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        ApiError::new(StatusCode::BAD_REQUEST, "invalid_json", format!("the body is not valid JSON: {error}"))
    })
}

/// Takes no body, or an empty object.
pub async fn none(request: Request) -> Result<(), ApiError> {
    let bytes = read(request).await?;
    let blank = bytes.iter().all(u8::is_ascii_whitespace);
    if blank || matches!(serde_json::from_slice(&bytes), Ok(Value::Object(map)) if map.is_empty()) {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::BAD_REQUEST, "unknown_field", "this call takes no body").with("field", "body"))
}

async fn read(request: Request) -> Result<Vec<u8>, ApiError> {
    let too_large = || {
        let message = format!("the body must be at most {MAX_BODY_BYTES} bytes");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
    };
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > MAX_BODY_BYTES as u64) {
        return Err(too_large());
    }
    let body: Body = request.into_body();
    match tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the body did not arrive within 10 s")),
    }
}

/// The fields of an object, taken one by one; what is left over is unknown.
pub struct Fields {
    map: Map<String, Value>,
    known: Vec<&'static str>,
    place: String,
}

impl Fields {
    /// `place` names the object in messages: empty for the body itself, `[3].` in a list.
    pub fn new(value: Value, place: String) -> Result<Self, ApiError> {
        match value {
            Value::Object(map) => Ok(Self { map, known: Vec::new(), place }),
            other => {
                let what = if place.is_empty() { "body".to_owned() } else { place.trim_end_matches('.').to_owned() };
                Err(ApiError::field(&what, format_args!("must be an object, got {}", shown(&other))))
            }
        }
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.map.remove(name).filter(|value| !value.is_null())
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.place)
    }

    fn missing(&self, name: &str) -> ApiError {
        let field = self.name(name);
        ApiError::new(StatusCode::BAD_REQUEST, "missing_field", format!("{field} is missing")).with("field", field)
    }

    /// The limiter key.
    pub fn key(&mut self) -> Result<LimiterKey, ApiError> {
        let key = self.text("key")?;
        LimiterKey::new(&key).map_err(|error| ApiError::field(&self.name("key"), error))
    }

    /// A text that must be there.
    pub fn text(&mut self, name: &'static str) -> Result<String, ApiError> {
        match self.take(name) {
            Some(Value::String(text)) => Ok(text),
            Some(other) => {
                Err(ApiError::field(&self.name(name), format_args!("must be a string, got {}", shown(&other))))
            }
            None => Err(self.missing(name)),
        }
    }

    /// An integer from `low` to `high`, if it is there.
    pub fn integer(&mut self, name: &'static str, low: u64, high: u64) -> Result<Option<u64>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) if (low..=high).contains(&number) => Ok(Some(number)),
                _ => {
                    let must = format!("must be an integer from {low} to {high}, got {}", shown(&value));
                    Err(ApiError::field(&self.name(name), must))
                }
            },
        }
    }

    /// A limit, a window or a cost, if it is there.
    pub fn quantity(&mut self, name: &'static str) -> Result<Option<u64>, ApiError> {
        self.integer(name, 1, MAX_QUANTITY)
    }

    /// The same, if it must be there.
    pub fn required(&mut self, name: &'static str, low: u64, high: u64) -> Result<u64, ApiError> {
        self.integer(name, low, high)?.ok_or_else(|| self.missing(name))
    }

    /// Refuses what nobody asked for.
    pub fn end(self) -> Result<(), ApiError> {
        let Some(field) = self.map.keys().next() else { return Ok(()) };
        let (field, known) = (self.name(field), self.known.join(", "));
        let message = format!("{field} is not known here; known are {known}");
        Err(ApiError::new(StatusCode::BAD_REQUEST, "unknown_field", message).with("field", field))
    }
}

/// A value as a message may show it: short.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => {
            let text = other.to_string();
            if text.chars().count() > 60 { text.chars().take(60).chain("…".chars()).collect() } else { text }
        }
    }
}
