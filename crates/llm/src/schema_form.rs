//! A schema in the narrower form that hosted models are held to: every object closed, and no bounds that constrained decoding
//! does not know. Nothing is lost by it: what an answer must be is checked in code afterwards, whatever the model was told.

use serde_json::{Map, Value as Json};

/// What may stay; everything else is a bound on numbers, lengths or patterns.
const KEPT: &[&str] = &[
    "$defs",
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "description",
    "enum",
    "items",
    "properties",
    "required",
    "title",
    "type",
];

/// `schema` in the narrower form.
pub(crate) fn closed(schema: &Json) -> Json {
    let Json::Object(map) = schema else { return schema.clone() };
    let mut narrowed = Map::new();
    for (name, value) in map.iter().filter(|(name, _)| KEPT.contains(&&***name)) {
        let value = match (&**name, value) {
            ("properties" | "$defs", Json::Object(schemas)) => {
                Json::Object(schemas.iter().map(|(name, schema)| (name.clone(), closed(schema))).collect())
            }
            ("items", schema) => closed(schema),
            ("anyOf", Json::Array(schemas)) => Json::Array(schemas.iter().map(closed).collect()),
            _ => value.clone(),
        };
        narrowed.insert(name.clone(), value);
    }
    if map.contains_key("properties") {
        narrowed.insert("additionalProperties".to_owned(), Json::Bool(false));
    }
    Json::Object(narrowed)
}

/// Whether every object requires all of its properties, as strict decoding of OpenAI's demands.
pub(crate) fn requires_all(schema: &Json) -> bool {
    match schema {
        Json::Object(map) => {
            let is_complete = match map.get("properties").and_then(Json::as_object) {
                Some(properties) => {
                    let required = map.get("required").and_then(Json::as_array);
                    properties.keys().all(|name| required.is_some_and(|all| all.iter().any(|one| one == name)))
                }
                None => true,
            };
            is_complete && map.values().all(requires_all)
        }
        Json::Array(list) => list.iter().all(requires_all),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_closed_and_bounds_are_gone_at_every_depth() {
        let schema = json!({"type": "object", "required": ["maximum"], "properties": {
            "maximum": {"type": "number", "maximum": 1, "minimum": 0},
            "list": {"type": "array", "maxItems": 4, "items": {"type": "string", "enum": ["a"], "maxLength": 3}},
            "one": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {}}]},
        }});
        let wanted = json!({"type": "object", "additionalProperties": false, "required": ["maximum"], "properties": {
            "maximum": {"type": "number"},
            "list": {"type": "array", "items": {"type": "string", "enum": ["a"]}},
            "one": {"anyOf": [{"type": "null"}, {"type": "object", "additionalProperties": false, "properties": {}}]},
        }});
        assert_eq!(closed(&schema), wanted, "a property may be called what a bound is called");
        assert!(!requires_all(&schema));
        assert!(requires_all(&json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}})));
    }
}
