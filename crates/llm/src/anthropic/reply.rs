//! A message of the Messages API, read.

use serde_json::Value as Json;

use super::ANSWER_TOOL;
use crate::call::Told;
use crate::price::Tokens;
use crate::{Piece, Stop};

/// More blocks than any answer.
pub(super) const MAX_BLOCKS: usize = 256;

pub(super) fn read(message: &Json, answers_by_tool: bool) -> Result<Told, String> {
    if message.get("type").and_then(Json::as_str) != Some("message") {
        return Err("`type` is not \"message\"".to_owned());
    }
    if message.get("role").and_then(Json::as_str) != Some("assistant") {
        return Err("`role` is not \"assistant\"".to_owned());
    }
    let blocks = message.get("content").and_then(Json::as_array).ok_or("`content` is not a list")?;
    if blocks.len() > MAX_BLOCKS {
        return Err(format!("`content` has more than {MAX_BLOCKS} blocks"));
    }
    let pieces = blocks.iter().map(|block| piece(block, answers_by_tool)).collect::<Result<Vec<_>, _>>()?;
    let reason = message.get("stop_reason").and_then(Json::as_str).ok_or("`stop_reason` is missing")?;
    let stop = match reason {
        "end_turn" | "stop_sequence" => Stop::End,
        "tool_use" if pieces.iter().any(|piece| matches!(piece, Piece::ToolCall { .. })) => Stop::ToolUse,
        "tool_use" => Stop::End,
        "max_tokens" | "model_context_window_exceeded" => Stop::MaxTokens,
        "refusal" => Stop::Refusal,
        other => Stop::Other(other.chars().take(80).collect()),
    };
    Ok(Told { pieces, stop, tokens: tokens(message) })
}

/// What the message took; `None` where it does not say.
pub(super) fn tokens(message: &Json) -> Option<Tokens> {
    let usage = message.get("usage")?;
    let count = |name: &str| usage.get(name).and_then(Json::as_u64);
    Some(Tokens {
        fresh: count("input_tokens")?,
        cached: count("cache_read_input_tokens").unwrap_or(0),
        stored: count("cache_creation_input_tokens").unwrap_or(0),
        output: count("output_tokens")?,
    })
}

fn piece(block: &Json, answers_by_tool: bool) -> Result<Piece, String> {
    let text = |name: &str| {
        let text = block.get(name).and_then(Json::as_str);
        text.map(str::to_owned).ok_or_else(|| format!("a block of `content` has no `{name}`"))
    };
    match &*text("type")? {
        "text" => Ok(Piece::Text { text: text("text")?, cache: false }),
        "tool_use" => {
            let arguments = block.get("input").cloned().unwrap_or_default();
            let name = text("name")?;
            if answers_by_tool && name == ANSWER_TOOL {
                return Ok(Piece::Text { text: arguments.to_string(), cache: false });
            }
            Ok(Piece::ToolCall { id: text("id")?, name, arguments })
        }
        _ => Ok(Piece::Sealed(block.clone())),
    }
}
