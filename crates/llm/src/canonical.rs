//! A request as JSON with its members in order: one request has one text, and so one hash.

use serde_json::{Value as Json, json};

use crate::prompt::sha256;
use crate::provider::{Message, Piece, Request, ToolChoice};

/// The request as JSON, whatever the wire format.
pub(crate) fn request(request: &Request) -> Json {
    let messages: Vec<Json> = request
        .messages
        .iter()
        .map(|message| match message {
            Message::User(said) => json!({"user": pieces(said)}),
            Message::Assistant(said) => json!({"assistant": pieces(said)}),
        })
        .collect();
    let tools: Vec<Json> = request
        .tools
        .iter()
        .map(|tool| json!({"name": tool.name, "description": tool.description, "schema": tool.schema}))
        .collect();
    let choice = match &request.tool_choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::Named(name) => json!({"named": name}),
        ToolChoice::None => json!("none"),
    };
    json!({
        "system": request.system,
        "messages": messages,
        "tools": tools,
        "tool_choice": choice,
        "schema": request.schema,
        "max_output_tokens": request.max_output_tokens,
        "temperature": request.effort.temperature,
    })
}

/// SHA-256 of a request put to a model, hexadecimal.
pub(crate) fn key(model: &str, one: &Request) -> String {
    sha256(&json!({"model": model, "request": request(one)}).to_string())
}

fn pieces(said: &[Piece]) -> Vec<Json> {
    said.iter()
        .map(|piece| match piece {
            Piece::Text { text, cache } => json!({"text": text, "cache": cache}),
            Piece::ToolCall { id, name, arguments } => json!({"call": id, "name": name, "arguments": arguments}),
            Piece::Sealed(block) => json!({"sealed": block}),
            Piece::ToolResult { id, content, failed } => json!({"result": id, "content": content, "failed": failed}),
        })
        .collect()
}
