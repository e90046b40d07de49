//! The events of a streamed message, put together.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::reply::MAX_BLOCKS;
use crate::call::{Assembler, StreamError};
use crate::sse::SseEvent;

/// A message while it comes.
#[derive(Default)]
pub(super) struct Events {
    message: Option<Json>,
    /// The arguments of tools, by the index of their block, as text until they are whole.
    arguments: BTreeMap<usize, String>,
    is_whole: bool,
}

impl Assembler for Events {
    fn event(&mut self, event: &SseEvent) -> Result<Option<String>, StreamError> {
        let garbled = |why: &str| StreamError::Garbled(format!("in an event of the stream: {why}"));
        let json: Json = serde_json::from_str(&event.data).map_err(|error| garbled(&format!("not JSON: {error}")))?;
        let kind = json.get("type").and_then(Json::as_str).unwrap_or(&event.event);
        if kind == "error" || json.get("error").is_some_and(|error| !error.is_null()) {
            return Err(StreamError::Error(json));
        }
        match kind {
            "message_start" => {
                let message = json.get("message").filter(|message| message.get("content").is_some_and(Json::is_array));
                let message =
                    message.ok_or_else(|| garbled("`message_start` has no message with a list of `content`"))?;
                self.message = Some(message.clone());
                return Ok(None);
            }
            "message_stop" => {
                self.message.as_ref().ok_or_else(|| garbled("`message_stop` comes before `message_start`"))?;
                self.is_whole = true;
                return Ok(None);
            }
            "content_block_start" | "content_block_delta" | "content_block_stop" | "message_delta" => {}
            // Pings, and kinds that are not known yet: the API says that more may come.
            _ => return Ok(None),
        }
        let message = self.message.as_mut().ok_or_else(|| garbled("it comes before `message_start`"))?;
        if kind == "message_delta" {
            for part in ["delta", "usage"] {
                let into = if part == "usage" { &mut message["usage"] } else { &mut *message };
                merge(into, json.get(part));
            }
            return Ok(None);
        }
        let index = json.get("index").and_then(Json::as_u64).and_then(|index| usize::try_from(index).ok());
        let index = index.ok_or_else(|| garbled("`index` is no number"))?;
        let blocks = message["content"].as_array_mut().ok_or_else(|| garbled("`content` is no list"))?;
        if kind == "content_block_start" {
            if index != blocks.len() || index >= MAX_BLOCKS {
                return Err(garbled("`index` is not that of the next block"));
            }
            let block = json.get("content_block").filter(|block| block.is_object());
            blocks.push(block.ok_or_else(|| garbled("`content_block` is missing"))?.clone());
            return Ok(None);
        }
        let block = blocks.get_mut(index).ok_or_else(|| garbled("`index` is that of no block"))?;
        if kind == "content_block_stop" {
            if let Some(text) = self.arguments.remove(&index).filter(|text| !text.is_empty()) {
                // Whatever the model wrote: half an object is told as the text that it is.
                block["input"] = serde_json::from_str(&text).unwrap_or(Json::String(text));
            }
            return Ok(None);
        }
        let delta = json.get("delta").unwrap_or(&Json::Null);
        let text = |name: &str| delta.get(name).and_then(Json::as_str).unwrap_or_default();
        match delta.get("type").and_then(Json::as_str).unwrap_or_default() {
            "text_delta" => {
                append(block, "text", text("text"));
                return Ok(Some(text("text").to_owned()));
            }
            "thinking_delta" => append(block, "thinking", text("thinking")),
            "signature_delta" => append(block, "signature", text("signature")),
            "input_json_delta" => self.arguments.entry(index).or_default().push_str(text("partial_json")),
            _ => {}
        }
        Ok(None)
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn may_end(&self) -> bool {
        self.is_whole
    }

    fn message(&self) -> Json {
        let mut message = self.message.clone().unwrap_or_default();
        for (&index, text) in &self.arguments {
            if let Some(block) = message["content"].get_mut(index) {
                block["input"] = json!(text);
            }
        }
        message
    }
}

fn append(block: &mut Json, name: &str, more: &str) {
    match block.get_mut(name) {
        Some(Json::String(text)) => text.push_str(more),
        _ => block[name] = json!(more),
    }
}

fn merge(into: &mut Json, from: Option<&Json>) {
    if !into.is_object() {
        *into = json!({});
    }
    for (name, value) in from.and_then(Json::as_object).into_iter().flatten() {
        into[name] = value.clone();
    }
}
