//! The body of a request for a chat completion.

use serde_json::{Map, Value as Json, json};

use super::Chat;
use crate::call::number;
use crate::schema_form::{closed, requires_all};
use crate::{Message, Piece, Request, ToolChoice};

pub(super) fn body(wire: &Chat, request: &Request) -> Json {
    let mut body = Map::new();
    body.insert("model".into(), json!(wire.model));
    let limit = if wire.is_openai { "max_completion_tokens" } else { "max_tokens" };
    body.insert(limit.into(), json!(request.max_output_tokens));
    // OpenAI's models that think refuse any temperature but their own.
    if let Some(temperature) = request.effort.temperature.filter(|_| !wire.is_openai) {
        body.insert("temperature".into(), number(temperature));
    }
    if wire.is_streamed {
        body.insert("stream".into(), json!(true));
        body.insert("stream_options".into(), json!({"include_usage": true}));
    }
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        messages.push(json!({"role": "system", "content": request.system}));
    }
    for message in &request.messages {
        match message {
            Message::User(pieces) => messages.extend(said_by_user(pieces)),
            Message::Assistant(pieces) => messages.extend(said_by_model(pieces)),
        }
    }
    body.insert("messages".into(), Json::Array(messages));
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            let function = json!({"name": tool.name, "description": tool.description, "parameters": tool.schema});
            json!({"type": "function", "function": function})
        });
        body.insert("tools".into(), tools.collect());
        let choice = match &request.tool_choice {
            ToolChoice::Auto => json!("auto"),
            ToolChoice::None => json!("none"),
            ToolChoice::Named(name) => json!({"type": "function", "function": {"name": name}}),
        };
        body.insert("tool_choice".into(), choice);
    }
    if let Some(schema) = &request.schema {
        // OpenAI refuses what its strict decoding does not know; others ignore it, or hold the model to more of it.
        let schema = if wire.is_openai { closed(schema) } else { schema.clone() };
        let format = json!({"name": "answer", "strict": !wire.is_openai || requires_all(&schema), "schema": schema});
        body.insert("response_format".into(), json!({"type": "json_schema", "json_schema": format}));
    }
    Json::Object(body)
}

/// The answers of tools are messages of their own, and go before whatever else is said.
fn said_by_user(pieces: &[Piece]) -> Vec<Json> {
    let mut messages = Vec::new();
    for piece in pieces {
        if let Piece::ToolResult { id, content, failed } = piece {
            // There is no word for a failure in this format.
            let content = if *failed { format!("failed: {content}") } else { content.clone() };
            messages.push(json!({"role": "tool", "tool_call_id": id, "content": content}));
        }
    }
    let text = text(pieces);
    if !text.is_empty() {
        messages.push(json!({"role": "user", "content": text}));
    }
    messages
}

fn said_by_model(pieces: &[Piece]) -> Option<Json> {
    let text = text(pieces);
    let mut calls = Vec::new();
    for piece in pieces {
        if let Piece::ToolCall { id, name, arguments } = piece {
            // As the model wrote it: text that is no JSON goes back as that text.
            let arguments = arguments.as_str().map_or_else(|| arguments.to_string(), str::to_owned);
            calls.push(json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}));
        }
    }
    let content = if text.is_empty() { Json::Null } else { Json::String(text) };
    if calls.is_empty() {
        return (!content.is_null()).then(|| json!({"role": "assistant", "content": content}));
    }
    Some(json!({"role": "assistant", "content": content, "tool_calls": calls}))
}

fn text(pieces: &[Piece]) -> String {
    let texts = pieces.iter().filter_map(|piece| match piece {
        Piece::Text { text, .. } if !text.is_empty() => Some(text.as_str()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n\n")
}
