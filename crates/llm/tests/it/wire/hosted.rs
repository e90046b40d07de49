//! What is said to hosted models: no recording of ours shows it, the provider's documents do.

use operator_llm::{
    Anthropic, Budget, DEFAULT_ANTHROPIC_MODEL, Message, OpenAiCompatible, Piece, Price, Provider, ProviderSettings,
    ToolChoice,
};
use serde_json::{Value as Json, json};

use super::{Chat, Messages, plain, send, settings, text, tool, whole_settings, words};
use crate::server::{Scripted, json as answered};

fn schema() -> Json {
    json!({"type": "object", "required": ["p"], "properties": {"p": {"type": "number", "maximum": 1}}})
}

async fn sent(settings: ProviderSettings, format: super::Format, request: &operator_llm::Request) -> Json {
    let server = Scripted::start(vec![answered(200, &format.whole("x"))]).await;
    let provider = format.provider(&ProviderSettings { base_url: server.url().to_owned(), ..settings });
    let reply = send(&*provider, request).await.expect("an answer");
    serde_json::from_str(&reply.request_body).expect("JSON")
}

#[tokio::test]
async fn the_default_model_is_sent_nothing_that_it_refuses() {
    let request = operator_llm::Request {
        tools: vec![tool("look")],
        tool_choice: ToolChoice::Named("look".to_owned()),
        schema: Some(schema()),
        ..plain()
    };
    let settings = ProviderSettings { model: DEFAULT_ANTHROPIC_MODEL.to_owned(), ..whole_settings("") };
    let body = sent(settings, Messages, &request).await;
    for refused in ["temperature", "tool_choice", "thinking"] {
        assert_eq!(body.get(refused), None, "{refused}");
    }
    let closed = json!({"type": "object", "required": ["p"], "additionalProperties": false,
                        "properties": {"p": {"type": "number"}}});
    assert_eq!(body["output_config"], json!({"effort": "medium", "format": {"type": "json_schema", "schema": closed}}));
    assert_eq!(body["model"], DEFAULT_ANTHROPIC_MODEL);
}

#[tokio::test]
async fn a_model_without_schemas_is_given_the_schema_as_a_tool_and_answers_in_text() {
    let request = operator_llm::Request { schema: Some(schema()), ..plain() };
    let answer = json!({"type": "message", "role": "assistant", "stop_reason": "tool_use",
        "content": [{"type": "tool_use", "id": "t", "name": "submit_diagnosis", "input": {"p": 0.5}}],
        "usage": {"input_tokens": 1, "output_tokens": 1}});
    let server = Scripted::start(vec![answered(200, &answer.to_string())]).await;
    let reply = send(&*Messages.provider(&whole_settings(server.url())), &request).await.expect("an answer");
    let body: Json = serde_json::from_str(&reply.request_body).expect("JSON");
    assert_eq!(body["tools"][0]["input_schema"], schema());
    assert_eq!(body["tool_choice"], json!({"type": "tool", "name": "submit_diagnosis"}));
    assert_eq!((words(&reply), reply.stop), (r#"{"p":0.5}"#.to_owned(), operator_llm::Stop::End));
}

#[tokio::test]
async fn prefixes_are_marked_for_the_cache_at_most_four_times_and_the_last_ones_count() {
    let marked = |words: &str| Piece::Text { text: words.to_owned(), cache: true };
    let mut request = plain();
    request.messages = vec![Message::User((0..6).map(|index| marked(&index.to_string())).collect())];
    let body = sent(settings(""), Messages, &request).await;
    assert_eq!(body["system"][0]["cache_control"], json!({"type": "ephemeral"}));
    let blocks = body["messages"][0]["content"].as_array().expect("blocks");
    let marks: Vec<bool> = blocks.iter().map(|block| block.get("cache_control").is_some()).collect();
    assert_eq!(marks, [false, false, false, true, true, true]);
    request.system = String::new();
    request.tools = vec![tool("a"), tool("b")];
    let body = sent(settings(""), Messages, &request).await;
    assert_eq!((body["tools"][0].get("cache_control"), body["tools"][1]["cache_control"].is_object()), (None, true));
}

#[tokio::test]
async fn sealed_blocks_go_back_as_they_came_to_whom_they_came_from() {
    let sealed = json!({"type": "thinking", "thinking": "", "signature": "c2lnbmVk"});
    let mut request = plain();
    request.messages.push(Message::Assistant(vec![Piece::Sealed(sealed.clone()), text("so it is C3")]));
    request.messages.push(Message::User(vec![text("are you sure?")]));
    let body = sent(settings(""), Messages, &request).await;
    assert_eq!(body["messages"][1]["content"], json!([sealed, {"type": "text", "text": "so it is C3"}]));
    let body = sent(settings(""), Chat, &request).await;
    assert_eq!(body["messages"][2], json!({"role": "assistant", "content": "so it is C3"}), "nobody else is sent them");
}

#[tokio::test]
async fn the_head_is_that_of_the_format_and_the_path_follows_the_prefix() {
    for (format, prefix, path) in [
        (Messages, "/llm/", "/llm/v1/messages"),
        (Messages, "", "/v1/messages"),
        (Chat, "/llm", "/llm/v1/chat/completions"),
        (Chat, "/llm/v1/", "/llm/v1/chat/completions"),
    ] {
        let server = Scripted::start(vec![answered(200, &format.whole("x"))]).await;
        let provider = format.provider(&settings(&format!("{}{prefix}", server.url())));
        send(&*provider, &plain()).await.expect("an answer");
        let seen = &server.seen()[0];
        assert!(seen.head.starts_with(&format!("POST {path} HTTP/1.1\r\n")), "{}", seen.head);
        assert_eq!(seen.header("content-type"), Some("application/json"));
        assert_eq!(seen.header("accept-encoding"), None, "what is compressed cannot be bounded as it comes");
        assert_eq!(seen.header("anthropic-version").is_some(), format == Messages);
        assert_eq!((seen.header("x-api-key"), seen.header("authorization")), (None, None), "no key, no header");
    }
}

#[test]
fn a_hosted_model_needs_a_key_tls_and_has_a_price() {
    let hosted = ProviderSettings::at("https://api.example", DEFAULT_ANTHROPIC_MODEL);
    let refused = Anthropic::new(&hosted).expect_err("no key").to_string();
    assert_eq!(refused, "key: a hosted model needs one");
    let clear = ProviderSettings::at("http://api.example", "x");
    for refused in [Anthropic::new(&clear).expect_err("in clear"), OpenAiCompatible::new(&clear).expect_err("in clear")]
    {
        assert!(refused.to_string().contains("in clear"), "{refused}");
    }
    let unnamed = OpenAiCompatible::new(&ProviderSettings::at("http://127.0.0.1:1", "")).expect_err("no model");
    assert_eq!(unnamed.field, "model");
    let open = OpenAiCompatible::new(&hosted).expect("a gateway may need none");
    assert_eq!(open.price(), Price::of_model(DEFAULT_ANTHROPIC_MODEL));
    let local = OpenAiCompatible::new(&settings("http://127.0.0.1:1")).expect("settings");
    assert_eq!(local.price(), Price::FREE);
    let dearest = Price::of_model("nobody knows");
    assert!(dearest.output >= open.price().output && Budget::LOCAL.micro_usd == 0);
}
