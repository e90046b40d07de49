//! Query parameters, above all those of paged lists. Unknown ones are errors, as unknown fields are.

use std::collections::BTreeMap;

use axum::http::{StatusCode, Uri};

use crate::error::ApiError;

/// The parameters of one request, taken one by one; what is left over is unknown.
pub struct Query {
    values: BTreeMap<String, String>,
    known: Vec<&'static str>,
}

impl Query {
    /// Reads the query of a request.
    pub fn new(uri: &Uri) -> Result<Self, ApiError> {
        let values = axum::extract::Query::<BTreeMap<String, String>>::try_from_uri(uri)
            .map_err(|_| ApiError::field("query", "must be name=value pairs in UTF-8"))?;
        Ok(Self { values: values.0, known: Vec::new() })
    }

    /// A text; empty counts as absent.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        self.values.remove(name).filter(|text| !text.is_empty())
    }

    /// An integer in a range.
    pub fn integer(&mut self, name: &'static str, low: u64, high: u64) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| (low..=high).contains(number));
        number.map(Some).ok_or_else(|| ApiError::field(name, format_args!("must be an integer from {low} to {high}")))
    }

    /// `true` or `false`, absent = false.
    pub fn flag(&mut self, name: &'static str) -> Result<bool, ApiError> {
        match self.text(name).as_deref() {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(ApiError::field(name, "must be true or false")),
        }
    }

    /// The rows wanted on a page: `limit`, at most `most`, which is also the default.
    pub fn limit(&mut self, most: u64) -> Result<usize, ApiError> {
        let limit = self.integer("limit", 1, most)?.unwrap_or(most);
        Ok(usize::try_from(limit).unwrap_or(1))
    }

    /// The `cursor` of a list that is read from Redis; 0 = start.
    pub fn scan_cursor(&mut self) -> Result<u64, ApiError> {
        self.text("cursor").map_or(Ok(0), |text| text.parse().map_err(|_| invalid_cursor()))
    }

    /// Refuses what nobody asked for.
    pub fn end(self) -> Result<(), ApiError> {
        let Some(field) = self.values.keys().next() else { return Ok(()) };
        let message = format!("{field} is not known here; known are {}", self.known.join(", "));
        Err(ApiError::new(StatusCode::BAD_REQUEST, "unknown_field", message).with("field", field.as_str()))
    }
}

/// The cursor is none this node gave out.
pub fn invalid_cursor() -> ApiError {
    let message = "cursor must be the next_cursor of an earlier page, unchanged";
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_cursor", message).with("field", "cursor")
}
