//! A call that a model wrote as text, read as a call: small models write the right one and never use the wire form.

use serde_json::{Map, Value as Json};

use crate::bounds::{ANSWER_BYTES, head};

/// How many opening braces are tried.
const TRIES: usize = 64;

/// A call found in text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TextCall {
    /// The tool's name; the answer's tool for a bare answer.
    pub name: String,
    /// The arguments.
    pub arguments: Json,
}

/// The first call in `text`: an object with a name and arguments, or a bare answer (an object with the member `mark`),
/// which is a call of `answer`. Fences, tags, words around it and padding after it do not matter.
pub(crate) fn read(text: &str, answer: &str, mark: &str) -> Option<TextCall> {
    let text = head(text, ANSWER_BYTES);
    let mut from = 0;
    for _ in 0..TRIES {
        let start = from + text.get(from..)?.find('{')?;
        let rest = text.get(start..)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Json>();
        match values.next() {
            Some(Ok(Json::Object(object))) => {
                if let Some(call) = call_of(object, answer, mark) {
                    return Some(call);
                }
                from = start + values.byte_offset().max(1);
            }
            // Cut off, perhaps: what is inside may still be whole.
            _ => from = start + 1,
        }
    }
    None
}

fn call_of(mut object: Map<String, Json>, answer: &str, mark: &str) -> Option<TextCall> {
    if object.contains_key(mark) {
        return Some(TextCall { name: answer.to_owned(), arguments: Json::Object(object) });
    }
    if let Some(inner @ Json::Object(_)) = object.get_mut("function") {
        return match inner.take() {
            Json::Object(inner) => call_of(inner, answer, mark),
            _ => None,
        };
    }
    let name = object.get("name").or_else(|| object.get("tool"))?.as_str()?.to_owned();
    let arguments = ["arguments", "parameters", "input"].iter().find_map(|key| object.remove(*key))?;
    let arguments = match arguments {
        // Some write the arguments as a text of JSON, as the wire form has it.
        Json::String(text) => serde_json::from_str(&text).unwrap_or(Json::Null),
        other => other,
    };
    Some(TextCall { name, arguments })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(String, String)> {
        read(text, "submit", "cause").map(|call| (call.name, call.arguments.to_string()))
    }

    #[test]
    fn a_call_is_read_in_every_form_that_models_write() {
        let call = Some(("submit".to_owned(), r#"{"cause":1}"#.to_owned()));
        for text in [
            r#"{"name": "submit", "arguments": {"cause": 1}}"#,
            r#"{"cause": 1}"#,
            "```json\n{\"name\": \"submit\", \"arguments\": {\"cause\": 1}}\n```",
            "I think so.\n<tool_call>\n{\"name\": \"submit\", \"arguments\": {\"cause\": 1}}\n</tool_call> and more",
            r#"{"name": "submit", "parameters": {"cause": 1}}{"name": "other""#,
            r#"{"name": "submit", "arguments": "{\"cause\": 1}"}"#,
            r#"{"type": "function", "function": {"name": "submit", "arguments": {"cause": 1}}}"#,
            // Padded to the limit.
            &format!("{}{}", r#"{"cause": 1}"#, " \n".repeat(5_000)),
            // Cut off after what matters.
            r#"{"name": "submit", "arguments": {"cause": 1}, "more": ["#,
            r#"Given {this}: {"cause": 1}"#,
        ] {
            assert_eq!(found(text), call, "{text}");
        }
    }

    #[test]
    fn what_is_no_call_is_none() {
        for text in ["", "no braces", "{", "{}", r#"{"name": "submit"}"#, r#"{"name": 3, "arguments": {}}"#, "[1, 2]"] {
            assert_eq!(found(text), None, "{text}");
        }
        assert_eq!(found(&"{".repeat(100_000)), None);
        assert_eq!(found(&"[{\"a\":".repeat(50_000)), None);
    }

    #[test]
    fn another_tool_keeps_its_name() {
        let call = found(r#"{"name": "get_series", "arguments": {"on": "a"}}"#);
        assert_eq!(call, Some(("get_series".to_owned(), r#"{"on":"a"}"#.to_owned())));
    }
}
