//! A request, and what is answered.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::sim::Refusal;

/// A request as the model sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// `GET`, `POST` or `DELETE`.
    pub(crate) method: String,
    /// The path, without the query.
    pub(crate) path: String,
    /// The query's parameters, in order.
    pub(crate) query: Vec<(String, String)>,
    /// The body; null, if there is none.
    pub(crate) body: Value,
    /// Who says that they ask (`X-Caller-ID`).
    pub(crate) caller: Option<String>,
}

impl Request {
    /// The first parameter of that name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every parameter of that name.
    pub(crate) fn parameters<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// How many are wanted at most.
    pub(crate) fn limit(&self, usual: usize) -> usize {
        self.parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(usual)
    }

    /// The path with its query, as it was asked.
    pub(crate) fn whole_path(&self) -> String {
        let query: Vec<String> = self.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
        if query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, query.join("&")) }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The type of the body.
    pub(crate) content_type: &'static str,
    /// The body.
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self { status, content_type: "application/json; charset=UTF-8", body: format!("{value}\n") }
    }

    pub(crate) fn ok(value: impl Into<Value>) -> Self {
        Self::json(200, &value.into())
    }

    pub(crate) fn text(status: u16, body: impl Into<String>) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body: body.into() }
    }

    /// An empty answer.
    pub(crate) fn empty(status: u16) -> Self {
        Self::text(status, "")
    }

    /// What is not there.
    pub(crate) fn not_found() -> Self {
        Self::text(404, "404 page not found\n")
    }

    /// A follower cannot reach the leader it knows.
    pub(crate) fn leader_gone() -> Self {
        Self::text(500, "[PD:apiutil:ErrRedirect]redirect failed\n")
    }
}

impl From<Result<Value, Refusal>> for Answer {
    fn from(result: Result<Value, Refusal>) -> Self {
        match result {
            Ok(value) => Self::ok(value),
            Err(Refusal::Said(status, text)) => Self::json(status, &text.into()),
            Err(Refusal::Null(status)) => Self::json(status, &Value::Null),
            Err(Refusal::Input(why)) => {
                Self::json(400, &serde_json::json!({ "code": "input", "msg": why, "data": {} }))
            }
        }
    }
}

/// A JSON object of what is there: what is zero or empty is left out, as Go's `omitempty` does.
#[derive(Debug, Default)]
pub(super) struct Object(serde_json::Map<String, Value>);

impl Object {
    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    pub(super) fn unless_zero(self, key: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let zero = match &value {
            Value::Null => true,
            Value::Bool(flag) => !flag,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
        };
        if zero { self } else { self.with(key, value) }
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}

/// A JSON object by ids, which JSON has as text.
pub(super) fn by_id<V: Into<Value>>(values: impl IntoIterator<Item = (u64, V)>) -> Value {
    let map: BTreeMap<String, Value> = values.into_iter().map(|(id, value)| (id.to_string(), value.into())).collect();
    Value::Object(map.into_iter().collect())
}
