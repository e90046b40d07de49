//! Against what a real server was sent and answered.

use operator_llm::{Message, Piece, ProviderSettings, Request, Stop, ToolChoice, ToolDefinition};
use serde_json::Value as Json;

use super::{Chat, Format, Messages, question, send, settings, whole_settings, words};
use crate::server::{Scripted, recorded, recording};

/// The recorded request, and the same said to a provider. Only the words are taken from the recording: its shape must come
/// out of the provider.
pub(super) fn said(name: &str) -> (Json, Request) {
    let mut recorded: Json = serde_json::from_str(&recording(&format!("{name}.request.json"))).expect("JSON");
    // One of them says what is the default.
    if recorded.get("tool_choice").is_some_and(|choice| choice == "auto") {
        recorded.as_object_mut().expect("an object").remove("tool_choice");
    }
    let messages = recorded["messages"].as_array().expect("messages");
    let text = |json: &Json| json.as_str().expect("text").to_owned();
    let (system, asked) = match recorded.get("system") {
        Some(system) => (text(&system[0]["text"]), text(&messages[0]["content"])),
        None => (text(&messages[0]["content"]), text(&messages[1]["content"])),
    };
    let mut request = question(&system, &asked);
    request.max_output_tokens = u32::try_from(recorded["max_tokens"].as_u64().expect("a number")).expect("a small one");
    for tool in recorded["tools"].as_array().into_iter().flatten() {
        let (tool, schema) = match tool.get("function") {
            Some(function) => (function, &function["parameters"]),
            None => (tool, &tool["input_schema"]),
        };
        request.tools.push(ToolDefinition {
            name: text(&tool["name"]),
            description: text(&tool["description"]),
            schema: schema.clone(),
        });
    }
    (recorded, request)
}

async fn replay(
    format: Format,
    name: &str,
    request: &Request,
    settings: impl Fn(&str) -> ProviderSettings,
) -> operator_llm::Reply {
    let server = Scripted::start(vec![recorded(name)]).await;
    let provider = format.provider(&settings(server.url()));
    let reply = send(&*provider, request).await.unwrap_or_else(|failure| panic!("{name}: {failure}"));
    let seen = server.seen();
    assert_eq!(seen[0].body, reply.request_body, "{name}: what was sent is what is kept");
    reply
}

/// Byte for byte, in canonical JSON: names in order, no spaces.
fn assert_sent(name: &str, recorded: &Json, sent: &str) {
    assert_eq!(sent, recorded.to_string(), "{name}: the body is not what was recorded");
}

#[tokio::test]
async fn the_bodies_and_the_answers_of_a_real_server_are_the_recorded_ones() {
    for (format, name) in [
        (Chat, "chat-plain"),
        (Chat, "chat-plain-stream"),
        (Chat, "chat-tools"),
        (Chat, "chat-tools-stream"),
        (Chat, "chat-max-tokens"),
        (Messages, "messages-plain"),
        (Messages, "messages-plain-stream"),
        (Messages, "messages-tools"),
        (Messages, "messages-tools-stream"),
        (Messages, "messages-max-tokens"),
    ] {
        let (recorded, request) = said(name);
        let is_streamed = name.ends_with("-stream");
        let reply =
            replay(format, name, &request, |url| if is_streamed { settings(url) } else { whole_settings(url) }).await;
        assert_sent(name, &recorded, &reply.request_body);
        assert!(!words(&reply).is_empty(), "{name} has words");
        let stop = if name.contains("max-tokens") { Stop::MaxTokens } else { Stop::End };
        assert_eq!((reply.stop, reply.status), (stop, 200), "{name}");
    }
}

#[tokio::test]
async fn a_stream_adds_up_to_what_the_undivided_answer_said() {
    for (format, name) in
        [(Chat, "chat-plain"), (Messages, "messages-plain"), (Chat, "chat-tools"), (Messages, "messages-tools")]
    {
        let whole = replay(format, name, &said(name).1, whole_settings).await;
        let streamed = format!("{name}-stream");
        let streamed = replay(format, &streamed, &said(&streamed).1, settings).await;
        assert_eq!(streamed.pieces, whole.pieces, "{name}: temperature 0, the same words");
        assert_eq!(streamed.stop, whole.stop);
        assert_eq!(streamed.usage.output_tokens, whole.usage.output_tokens);
        assert_eq!(streamed.usage.input_tokens, whole.usage.input_tokens, "{name}: with those from the cache");
        assert_eq!(whole.usage.cost_micro_usd, 0, "a local model costs nothing");
    }
}

#[tokio::test]
async fn both_formats_count_the_same_prompt_alike_whatever_came_from_the_cache() {
    let chat = replay(Chat, "chat-tools", &said("chat-tools").1, whole_settings).await;
    let messages = replay(Messages, "messages-tools", &said("messages-tools").1, whole_settings).await;
    assert_eq!((chat.usage.input_tokens, chat.usage.cached_tokens), (751, 750));
    assert_eq!((messages.usage.input_tokens, messages.usage.cached_tokens), (751, 750));
}

#[tokio::test]
async fn a_tool_call_and_its_answer_are_told_as_recorded() {
    for (format, name, id) in [(Chat, "chat-tool-result", "call_1"), (Messages, "messages-tool-result", "toolu_1")] {
        let (recorded, mut request) = said(name);
        let arguments = serde_json::json!({"component": "C3", "signal": "latency_p99"});
        let call = Piece::ToolCall { id: id.to_owned(), name: "get_series".to_owned(), arguments };
        let content = "{\"unit\":\"ms\",\"values\":[4,4,5,610,655]}".to_owned();
        request.messages.push(Message::Assistant(vec![call]));
        request.messages.push(Message::User(vec![Piece::ToolResult { id: id.to_owned(), content, failed: false }]));
        let reply = replay(format, name, &request, whole_settings).await;
        assert_sent(name, &recorded, &reply.request_body);
        assert!(
            words(&reply).contains("submit_diagnosis"),
            "{name}: the call came as text, and is told as the text it is"
        );
    }
}

#[tokio::test]
async fn a_forced_tool_is_asked_for_as_recorded_and_not_relied_on() {
    for (format, name) in [(Chat, "chat-tools-named"), (Messages, "messages-tools-named")] {
        let (recorded, mut request) = said(name);
        request.tool_choice = ToolChoice::Named("submit_diagnosis".to_owned());
        let reply = replay(format, name, &request, whole_settings).await;
        assert_sent(name, &recorded, &reply.request_body);
        assert!(reply.pieces.iter().all(|piece| matches!(piece, Piece::Text { .. })), "this server does not obey");
    }
}

#[tokio::test]
async fn a_schema_is_sent_as_recorded_and_the_answer_fits_it() {
    for name in ["chat-schema", "chat-schema-stream"] {
        let (recorded, mut request) = said(name);
        request.schema = Some(recorded["response_format"]["json_schema"]["schema"].clone());
        let is_streamed = name.ends_with("-stream");
        let reply =
            replay(Chat, name, &request, |url| if is_streamed { settings(url) } else { whole_settings(url) }).await;
        assert_sent(name, &recorded, &reply.request_body);
        let answer: Json = serde_json::from_str(&words(&reply)).expect("the answer is JSON at once");
        assert_eq!(answer["component"], "C3");
    }
}

#[tokio::test]
async fn the_errors_of_a_real_server_are_told_in_its_words() {
    for (format, name, status, says) in [
        (Chat, "chat-bad-schema", 400, "unrecognized type nonsense"),
        (Chat, "chat-too-long", 400, "exceed_context_size_error: request (26430 tokens) exceeds"),
        (Messages, "messages-too-long", 400, "exceeds the available context size (16384 tokens)"),
        (Messages, "messages-missing-messages", 500, "'messages' is required"),
    ] {
        let server = Scripted::start(vec![recorded(name)]).await;
        let failure = send(&*format.provider(&settings(server.url())), &super::plain()).await.expect_err(name);
        let told = failure.to_string();
        assert!(told.contains(&format!("status {status}")) && told.contains(says), "{name}: {told}");
        let sent = failure.sent.expect("it was sent");
        assert_eq!(sent.status, Some(status));
        assert_eq!(sent.response_body, recording(&format!("{name}.response.body")), "what came is kept as it came");
    }
}
