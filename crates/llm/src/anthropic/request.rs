//! The body of a request to the Messages API.

use serde_json::{Map, Value as Json, json};

use super::{ANSWER_TOOL, Messages};
use crate::call::number;
use crate::schema_form::closed;
use crate::{Message, Piece, Request, ToolChoice};

/// Prefixes that may be marked for caching, beside the system prompt with the tools: the API takes four marks.
const MARKS: usize = 3;

pub(super) fn body(wire: &Messages, request: &Request) -> Json {
    let mut body = Map::new();
    body.insert("model".into(), json!(wire.model));
    body.insert("max_tokens".into(), json!(request.max_output_tokens));
    if wire.is_streamed {
        body.insert("stream".into(), json!(true));
    }
    if let Some(temperature) = request.effort.temperature.filter(|_| wire.habits.takes_temperature) {
        body.insert("temperature".into(), number(temperature));
    }
    if !request.system.is_empty() {
        // Tools go before it in the prefix that is cached, so that one mark is for both.
        body.insert("system".into(), json!([{"type": "text", "text": request.system, "cache_control": ephemeral()}]));
    }
    body.insert("messages".into(), messages(&request.messages));
    let mut tools: Vec<Json> = request
        .tools
        .iter()
        .map(|tool| json!({"name": tool.name, "description": tool.description, "input_schema": tool.schema}))
        .collect();
    let mut choice = match &request.tool_choice {
        ToolChoice::Named(name) if wire.habits.takes_forced_tool => json!({"type": "tool", "name": name}),
        ToolChoice::Named(_) | ToolChoice::Auto => json!({"type": "auto"}),
        ToolChoice::None => json!({"type": "none"}),
    };
    let mut output = Map::new();
    match &request.schema {
        Some(schema) if wire.habits.takes_schema => {
            output.insert("format".into(), json!({"type": "json_schema", "schema": closed(schema)}));
        }
        Some(schema) if wire.answers_by_tool(request) => {
            let description = "Give the answer. This is the only way to give it.";
            tools.push(json!({"name": ANSWER_TOOL, "description": description, "input_schema": schema}));
            choice = json!({"type": "tool", "name": ANSWER_TOOL});
        }
        _ => {}
    }
    if let Some(effort) = &wire.effort {
        output.insert("effort".into(), json!(effort));
    }
    if !output.is_empty() {
        body.insert("output_config".into(), Json::Object(output));
    }
    if !tools.is_empty() {
        if request.system.is_empty()
            && let Some(last) = tools.last_mut()
        {
            last["cache_control"] = ephemeral();
        }
        body.insert("tools".into(), Json::Array(tools));
        // What is the default is left out: not every server that speaks like this knows the word for it.
        if choice["type"] != "auto" {
            body.insert("tool_choice".into(), choice);
        }
    }
    Json::Object(body)
}

fn messages(messages: &[Message]) -> Json {
    let marked = |piece: &Piece| matches!(piece, Piece::Text { cache: true, .. });
    let pieces = messages.iter().map(|message| match message {
        Message::User(pieces) | Message::Assistant(pieces) => pieces,
    });
    let mut surplus = pieces.flatten().filter(|piece| marked(piece)).count().saturating_sub(MARKS);
    let mut list = Vec::new();
    for message in messages {
        let (role, pieces) = match message {
            Message::User(pieces) => ("user", pieces),
            Message::Assistant(pieces) => ("assistant", pieces),
        };
        let content: Vec<Json> = pieces.iter().filter_map(|piece| block(piece, &mut surplus)).collect();
        // A message without content is refused, and says nothing.
        match &content[..] {
            [] => {}
            [only] if only["type"] == "text" && only.get("cache_control").is_none() => {
                list.push(json!({"role": role, "content": only["text"]}));
            }
            _ => list.push(json!({"role": role, "content": content})),
        }
    }
    Json::Array(list)
}

/// A block. Of the marks for caching the last ones count, so the first `surplus` are dropped.
fn block(piece: &Piece, surplus: &mut usize) -> Option<Json> {
    let block = match piece {
        // An empty text is refused.
        Piece::Text { text, .. } if text.is_empty() => return None,
        Piece::Text { text, cache } => {
            let mut block = json!({"type": "text", "text": text});
            if *cache && *surplus > 0 {
                *surplus -= 1;
            } else if *cache {
                block["cache_control"] = ephemeral();
            }
            block
        }
        Piece::ToolCall { id, name, arguments } => {
            // What was no object when the model wrote it may not be sent as one either.
            let input = if arguments.is_object() { arguments.clone() } else { json!({}) };
            json!({"type": "tool_use", "id": id, "name": name, "input": input})
        }
        Piece::ToolResult { id, content, failed } => {
            let mut block = json!({"type": "tool_result", "tool_use_id": id, "content": content});
            if *failed {
                block["is_error"] = json!(true);
            }
            block
        }
        Piece::Sealed(block) => block.clone(),
    };
    Some(block)
}

fn ephemeral() -> Json {
    json!({"type": "ephemeral"})
}
