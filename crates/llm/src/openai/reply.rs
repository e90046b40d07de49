//! A chat completion, read.

use serde_json::Value as Json;

use crate::call::Told;
use crate::price::Tokens;
use crate::{Piece, Stop};

/// More calls than any answer.
pub(super) const MAX_CALLS: usize = 256;

pub(super) fn read(completion: &Json) -> Result<Told, String> {
    let choice = completion.get("choices").and_then(|choices| choices.get(0)).ok_or("`choices` is empty or missing")?;
    let message = choice.get("message").filter(|message| message.is_object()).ok_or("`message` is missing")?;
    let mut pieces = Vec::new();
    match message.get("content") {
        None | Some(Json::Null) => {}
        Some(Json::String(text)) if text.is_empty() => {}
        Some(Json::String(text)) => pieces.push(Piece::Text { text: text.clone(), cache: false }),
        Some(_) => return Err("`content` is neither text nor null".to_owned()),
    }
    let refusal = message.get("refusal").and_then(Json::as_str).filter(|refusal| !refusal.is_empty());
    if let Some(refusal) = refusal {
        pieces.push(Piece::Text { text: refusal.to_owned(), cache: false });
    }
    let mut calls = 0_usize;
    match message.get("tool_calls") {
        None | Some(Json::Null) => {}
        Some(Json::Array(list)) if list.len() > MAX_CALLS => return Err(format!("more than {MAX_CALLS} `tool_calls`")),
        Some(Json::Array(list)) => {
            for (index, one) in list.iter().enumerate() {
                pieces.push(call(index, one)?);
            }
            calls = list.len();
        }
        Some(_) => return Err("`tool_calls` is no list".to_owned()),
    }
    let reason = choice.get("finish_reason").and_then(Json::as_str).ok_or("`finish_reason` is missing")?;
    let stop = match reason {
        _ if refusal.is_some() => Stop::Refusal,
        "content_filter" => Stop::Refusal,
        "length" => Stop::MaxTokens,
        // Some servers say `stop` after a call, and some `tool_calls` after none.
        "stop" | "tool_calls" | "function_call" if calls > 0 => Stop::ToolUse,
        "stop" | "tool_calls" | "function_call" => Stop::End,
        other => Stop::Other(other.chars().take(80).collect()),
    };
    Ok(Told { pieces, stop, tokens: tokens(completion) })
}

/// What the completion took; `None` where it does not say. What came from the cache is part of the prompt here.
fn tokens(completion: &Json) -> Option<Tokens> {
    let usage = completion.get("usage")?;
    let count = |name: &str| usage.get(name).and_then(Json::as_u64);
    let prompt = count("prompt_tokens")?;
    let details = usage.get("prompt_tokens_details");
    let cached =
        details.and_then(|details| details.get("cached_tokens")).and_then(Json::as_u64).unwrap_or(0).min(prompt);
    Some(Tokens { fresh: prompt - cached, cached, stored: 0, output: count("completion_tokens")? })
}

fn call(index: usize, call: &Json) -> Result<Piece, String> {
    let function = call.get("function").filter(|function| function.is_object()).ok_or("a call has no `function`")?;
    let name = function.get("name").and_then(Json::as_str).ok_or("a call has no `name`")?;
    // Some local servers give none.
    let id = call.get("id").and_then(Json::as_str).filter(|id| !id.is_empty());
    let id = id.map_or_else(|| format!("call_{index}"), str::to_owned);
    let arguments = match function.get("arguments") {
        None | Some(Json::Null) => Json::Object(serde_json::Map::new()),
        Some(Json::String(text)) if text.trim().is_empty() => Json::Object(serde_json::Map::new()),
        // Whatever the model wrote: what is no JSON is told as the text that it is.
        Some(Json::String(text)) => serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone())),
        Some(other) => other.clone(),
    };
    Ok(Piece::ToolCall { id, name: name.to_owned(), arguments })
}
