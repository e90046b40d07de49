//! The chunks of a streamed completion, put together.

use serde_json::{Map, Value as Json, json};

use super::reply::MAX_CALLS;
use crate::call::{Assembler, StreamError};
use crate::sse::SseEvent;

/// A completion while it comes.
#[derive(Default)]
pub(super) struct Chunks {
    /// What is said of the whole: id, model, usage.
    outer: Map<String, Json>,
    has_choice: bool,
    content: Option<String>,
    refusal: Option<String>,
    calls: Vec<Call>,
    finish_reason: Option<String>,
    is_done: bool,
}

#[derive(Default)]
struct Call {
    id: String,
    name: String,
    arguments: String,
}

impl Assembler for Chunks {
    fn event(&mut self, event: &SseEvent) -> Result<Option<String>, StreamError> {
        let garbled = |why: &str| StreamError::Garbled(format!("in a chunk of the stream: {why}"));
        if event.data.trim() == "[DONE]" {
            self.is_done = true;
            return Ok(None);
        }
        let json: Json = serde_json::from_str(&event.data).map_err(|error| garbled(&format!("not JSON: {error}")))?;
        if json.get("error").is_some_and(|error| !error.is_null()) {
            return Err(StreamError::Error(json));
        }
        let choices = json.get("choices").and_then(Json::as_array).ok_or_else(|| garbled("`choices` is no list"))?;
        for (name, value) in json.as_object().into_iter().flatten() {
            if name != "choices" && !value.is_null() {
                self.outer.insert(name.clone(), value.clone());
            }
        }
        let Some(choice) = choices.first() else { return Ok(None) };
        self.has_choice = true;
        if let Some(reason) = choice.get("finish_reason").and_then(Json::as_str) {
            self.finish_reason = Some(reason.to_owned());
        }
        let delta = choice.get("delta").unwrap_or(&Json::Null);
        for part in delta.get("tool_calls").and_then(Json::as_array).into_iter().flatten() {
            self.call(part).map_err(|why| garbled(&why))?;
        }
        let text = |name: &str| delta.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        if let Some(more) = text("refusal") {
            self.refusal.get_or_insert_default().push_str(more);
        }
        let words = text("content");
        if let Some(more) = words {
            self.content.get_or_insert_default().push_str(more);
        }
        Ok(words.map(str::to_owned))
    }

    fn is_whole(&self) -> bool {
        self.is_done && self.has_choice
    }

    /// Not every server sends the mark, but each says why it ends.
    fn may_end(&self) -> bool {
        self.is_whole() || self.finish_reason.is_some()
    }

    fn message(&self) -> Json {
        let mut message = json!({"role": "assistant", "content": self.content});
        if let Some(refusal) = &self.refusal {
            message["refusal"] = json!(refusal);
        }
        if !self.calls.is_empty() {
            let calls = self.calls.iter().map(|call| {
                json!({"id": call.id, "type": "function",
                       "function": {"name": call.name, "arguments": call.arguments}})
            });
            message["tool_calls"] = calls.collect();
        }
        let mut completion = self.outer.clone();
        let choice = json!({"index": 0, "finish_reason": self.finish_reason, "message": message});
        completion.insert("choices".to_owned(), json!([choice]));
        Json::Object(completion)
    }
}

impl Chunks {
    fn call(&mut self, part: &Json) -> Result<(), String> {
        let index = match part.get("index").and_then(Json::as_u64) {
            Some(index) => usize::try_from(index).unwrap_or(usize::MAX),
            // Servers that send each call whole leave it out.
            None => self.calls.len(),
        };
        if index > self.calls.len() || index >= MAX_CALLS {
            return Err("`index` is neither that of a call nor of the next one".to_owned());
        }
        if index == self.calls.len() {
            self.calls.push(Call::default());
        }
        let call = &mut self.calls[index];
        if let Some(id) = part.get("id").and_then(Json::as_str) {
            id.clone_into(&mut call.id);
        }
        let function = part.get("function").unwrap_or(&Json::Null);
        let text = |name: &str| function.get(name).and_then(Json::as_str).unwrap_or_default();
        call.name.push_str(text("name"));
        call.arguments.push_str(text("arguments"));
        Ok(())
    }
}
