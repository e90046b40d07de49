//! The OpenAPI description of the node, made from one table of calls.

use serde_json::{Map, Value, json};

/// One call: method, path, what it does, parameters (`name:where`), body schema, answers (status, schema).
struct Call {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    parameters: &'static [(&'static str, &'static str)],
    body: Option<&'static str>,
    answers: &'static [(&'static str, &'static str)],
}

const PAGE: &[(&str, &str)] = &[("cursor", "query"), ("limit", "query")];
const CHANGE: &[(&str, &str)] = &[
    ("key", "path"),
    ("Idempotency-Key", "header"),
    ("X-Redis-Run-Id", "header"),
    ("If-Match", "header"),
    ("If-None-Match", "header"),
];
const KEY: &[(&str, &str)] = &[("key", "path")];
const ID: &[(&str, &str)] = &[("id", "path")];

macro_rules! calls {
    ($($method:literal $path:literal $summary:literal $parameters:expr, $body:expr, $answers:expr;)*) => {
        &[$(Call {
            method: $method, path: $path, summary: $summary, parameters: $parameters, body: $body, answers: $answers,
        }),*]
    };
}

const CALLS: &[Call] = calls! {
    "post" "/check" "Decides whether a request may pass" &[("X-RateLimit-Debug", "header")],
        Some("CheckRequest"), &[("200", "CheckAnswer"), ("429", "CheckAnswer")];
    "post" "/check/batch" "Decides many, in order" &[("X-RateLimit-Debug", "header")],
        Some("CheckRequests"), &[("200", "CheckAnswers")];
    "get" "/api/nodes" "Lists the nodes" &[], None, &[("200", "Object")];
    "delete" "/api/nodes/{id}" "Forgets a node" ID, None, &[("200", "Object"), ("404", "Error")];
    "get" "/api/nodes/{id}/drain" "Shows the drain of this node" ID, None, &[("200", "Drain"), ("421", "Error")];
    "put" "/api/nodes/{id}/drain" "Drains this node" ID, Some("DrainRequest"),
        &[("200", "Drain"), ("409", "Error"), ("412", "Error"), ("421", "Error")];
    "delete" "/api/nodes/{id}/drain" "Ends the drain of this node"
        &[("id", "path"), ("owner", "query"), ("if_version", "query")], None,
        &[("200", "Drain"), ("409", "Error"), ("412", "Error"), ("421", "Error")];
    "get" "/api/counters" "Lists counters" &[("cursor", "query"), ("limit", "query"), ("prefix", "query")], None,
        &[("200", "Object")];
    "get" "/api/counters/{key}" "Shows one counter"
        &[("key", "path"), ("window_ms", "query"), ("detail", "query")], None, &[("200", "Counter")];
    "post" "/api/counters/{key}/reset" "Resets a key"
        &[("key", "path"), ("Idempotency-Key", "header"), ("X-Redis-Run-Id", "header")], None,
        &[("200", "Object"), ("412", "Error"), ("422", "Error"), ("503", "Error")];
    "get" "/api/blocks" "Lists counters at or over their limit" PAGE, None, &[("200", "Object")];
    "get" "/api/admitted" "What this node itself let through" PAGE, None, &[("200", "Object")];
    "get" "/api/limits" "Lists stored limits" PAGE, None, &[("200", "Object")];
    "get" "/api/limits/{key}" "Shows a stored limit" KEY, None, &[("200", "Override"), ("404", "Error")];
    "put" "/api/limits/{key}" "Stores a limit" CHANGE, Some("LimitRequest"),
        &[("200", "Object"), ("412", "Error"), ("422", "Error"), ("503", "Error")];
    "delete" "/api/limits/{key}" "Deletes a stored limit" CHANGE, None,
        &[("200", "Object"), ("404", "Error"), ("412", "Error"), ("422", "Error"), ("503", "Error")];
    "post" "/api/resync" "Makes this node look again" &[], None, &[("200", "Object"), ("503", "Error")];
    "get" "/health" "How this node is" &[], None, &[("200", "Object")];
    "get" "/livez" "The process answers" &[], None, &[("200", "Text")];
    "get" "/readyz" "Whether traffic should come here" &[], None, &[("200", "Object"), ("503", "Object")];
    "get" "/metrics" "OpenMetrics text" &[], None, &[("200", "Text")];
    "get" "/openapi.json" "This description" &[], None, &[("200", "Object")];
};

fn schemas() -> Value {
    let quantity = json!({ "type": "integer", "minimum": 1, "maximum": crate::keys::MAX_QUANTITY });
    let count = json!({ "type": "integer", "minimum": 0 });
    let optional = |schema: &str| json!({ "type": [schema, "null"] });
    let object = |required: &[&str], properties: Value| json!({ "type": "object", "required": required, "properties": properties });
    json!({
        "Object": { "type": "object" },
        "Text": { "type": "string" },
        "Error": object(&["error", "message"], json!({
            "error": { "type": "string" }, "message": { "type": "string" }, "field": { "type": "string" },
        })),
        "CheckRequest": { "type": "object", "required": ["key"], "additionalProperties": false, "properties": {
            "key": { "type": "string", "minLength": 1, "maxLength": crate::keys::MAX_KEY_BYTES },
            "limit": quantity, "window_ms": quantity, "cost": quantity,
        } },
        "CheckRequests": { "type": "array", "minItems": 1, "maxItems": 1000,
            "items": { "$ref": "#/components/schemas/CheckRequest" } },
        "CheckAnswer": object(&["allowed", "current_count", "remaining", "retry_after_seconds"], json!({
            "allowed": { "type": "boolean" }, "current_count": count, "remaining": count,
            "retry_after_seconds": optional("integer"),
        })),
        "CheckAnswers": { "type": "array", "items": { "$ref": "#/components/schemas/CheckAnswer" } },
        "DrainRequest": { "type": "object", "required": ["owner", "ttl_s"], "additionalProperties": false,
            "properties": {
                "owner": { "type": "string", "minLength": 1, "maxLength": 128 },
                "ttl_s": { "type": "integer", "minimum": 1, "maximum": 86400 },
                "if_version": count,
            } },
        "Drain": object(&["id", "draining", "owner", "until", "version"], json!({
            "id": { "type": "string" }, "draining": { "type": "boolean" }, "owner": optional("string"),
            "until": optional("string"), "version": count,
        })),
        "Counter": object(&["key", "window_ms", "count", "limit", "remaining", "seq", "generation"], json!({
            "key": { "type": "string" }, "window_ms": quantity, "count": count, "limit": quantity,
            "remaining": count, "seq": count, "generation": count,
        })),
        "LimitRequest": { "type": "object", "required": ["limit"], "additionalProperties": false,
            "properties": { "limit": quantity, "window_ms": quantity } },
        "Override": object(&["key", "limit", "window_ms", "version", "updated_at", "by", "previous"], json!({
            "key": { "type": "string" }, "limit": quantity, "window_ms": optional("integer"), "version": count,
            "updated_at": { "type": "string", "format": "date-time" }, "by": { "type": "string" },
            "previous": { "type": "array", "items": { "type": "object" } },
        })),
    })
}

fn content(schema: &str) -> Value {
    let media = if schema == "Text" { "text/plain" } else { "application/json" };
    json!({ media: { "schema": { "$ref": format!("#/components/schemas/{schema}") } } })
}

fn operation(call: &Call) -> Value {
    let parameters: Vec<Value> = call
        .parameters
        .iter()
        .map(|(name, place)| {
            json!({ "name": name, "in": place, "required": *place == "path", "schema": { "type": "string" } })
        })
        .collect();
    let mut responses = Map::new();
    for (status, schema) in call.answers {
        let description = if *schema == "Error" { "Refused" } else { call.summary };
        responses.insert((*status).to_owned(), json!({ "description": description, "content": content(schema) }));
    }
    responses.insert("default".to_owned(), json!({ "description": "Error", "content": content("Error") }));
    let mut operation = json!({ "summary": call.summary, "parameters": parameters, "responses": responses });
    if let Some(body) = call.body {
        operation["requestBody"] = json!({ "required": true, "content": content(body) });
    }
    operation
}

/// The whole description (OpenAPI 3.1).
#[must_use]
pub fn document() -> Value {
    let mut paths = Map::new();
    for call in CALLS {
        let path = paths.entry(call.path).or_insert_with(|| json!({}));
        path[call.method] = operation(call);
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Rate limiter node", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": { "schemas": schemas() },
    })
}
