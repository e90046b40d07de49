//! Both wire formats, over real connections.

mod budgets;
mod failures;
mod hosted;
mod live;
mod recordings;
mod secrets;
mod streams;
mod tls;

use std::sync::Mutex;
use std::time::Duration;

use operator_llm::{
    Anthropic, Effort, Failure, Message, OpenAiCompatible, Piece, Provider, ProviderSettings, Reply, Request,
    ToolChoice, ToolDefinition,
};
use serde_json::json;

/// Longer than any test takes that does not hang.
const LONG: Duration = Duration::from_secs(30);

/// A wire format: how to make its provider, and what a plain answer of it looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Format {
    Messages,
    Chat,
}

use Format::{Chat, Messages};

pub(crate) const FORMATS: [Format; 2] = [Messages, Chat];

impl Format {
    pub(crate) fn provider(self, settings: &ProviderSettings) -> Box<dyn Provider> {
        match self {
            Messages => Box::new(Anthropic::new(settings).expect("settings of a provider")),
            Chat => Box::new(OpenAiCompatible::new(settings).expect("settings of a provider")),
        }
    }

    /// A whole answer with these words.
    fn whole(self, words: &str) -> String {
        let answer = match self {
            Messages => json!({"type": "message", "role": "assistant", "content": [{"type": "text", "text": words}],
                "stop_reason": "end_turn", "usage": {"input_tokens": 10, "output_tokens": 5}}),
            Chat => json!({"choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": words}}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 5}}),
        };
        answer.to_string()
    }

    /// The same as a stream, a word an event.
    fn events(self, words: &str) -> String {
        let parts = words.split_inclusive(' ');
        match self {
            Messages => {
                let start = json!({"type": "message_start", "message": {"type": "message", "role": "assistant",
                    "content": [], "stop_reason": null, "usage": {"input_tokens": 10, "output_tokens": 1}}});
                let block = json!({"type": "content_block_start", "index": 0,
                    "content_block": {"type": "text", "text": ""}});
                let delta = |part| json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": part}});
                let stop = json!({"type": "content_block_stop", "index": 0});
                let end = json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
                    "usage": {"output_tokens": 5}});
                let all = [start, json!({"type": "ping"}), block].into_iter().chain(parts.map(delta));
                let all = all.chain([stop, end, json!({"type": "message_stop"})]);
                all.map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().expect("text")))
                    .collect()
            }
            Chat => {
                let chunk =
                    |part| json!({"choices": [{"index": 0, "delta": {"content": part}, "finish_reason": null}]});
                let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
                let usage = json!({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}});
                let all = parts.map(chunk).chain([end, usage]).map(|chunk| format!("data: {chunk}\n\n"));
                all.chain(["data: [DONE]\n\n".to_owned()]).collect()
            }
        }
    }
}

fn settings(url: &str) -> ProviderSettings {
    ProviderSettings::at(url, "local")
}

fn whole_settings(url: &str) -> ProviderSettings {
    ProviderSettings { is_streamed: false, ..settings(url) }
}

/// A question without tools.
fn question(system: &str, words: &str) -> Request {
    Request {
        system: system.to_owned(),
        messages: vec![Message::User(vec![text(words)])],
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        schema: None,
        max_output_tokens: 300,
        effort: Effort { temperature: Some(0.0) },
    }
}

fn plain() -> Request {
    question("You diagnose.", "What is the cause?")
}

fn text(words: &str) -> Piece {
    Piece::Text { text: words.to_owned(), cache: false }
}

fn tool(name: &str) -> ToolDefinition {
    ToolDefinition {
        name: name.to_owned(),
        description: "It tells something.".to_owned(),
        schema: json!({"type": "object", "additionalProperties": false, "required": [], "properties": {}}),
    }
}

async fn send(provider: &dyn Provider, request: &Request) -> Result<Reply, Failure> {
    send_within(provider, request, LONG).await
}

async fn send_within(provider: &dyn Provider, request: &Request, limit: Duration) -> Result<Reply, Failure> {
    provider.send(request, limit, &|_| {}).await
}

/// The answer, and what was heard while it came.
async fn hear(provider: &dyn Provider, request: &Request) -> (Result<Reply, Failure>, Vec<String>) {
    let told = Mutex::new(Vec::new());
    let reply = provider.send(request, LONG, &|words| told.lock().expect("no panic").push(words.to_owned())).await;
    (reply, told.into_inner().expect("no panic"))
}

/// All the words of an answer.
fn words(reply: &Reply) -> String {
    let texts = reply.pieces.iter().filter_map(|piece| match piece {
        Piece::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}
