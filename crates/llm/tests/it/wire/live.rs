//! Against a real model behind a real server, which nobody here wrote: `cargo xtask llm` starts both.

use std::time::Duration;

use operator_llm::{Message, Piece, ProviderSettings, Stop};
use serde_json::{Value as Json, json};

use super::{Chat, FORMATS, plain, text, tool, words};

const MINUTES: Duration = Duration::from_secs(300);

fn server() -> Option<ProviderSettings> {
    let Ok(url) = std::env::var("OPERATOR_LLM_URL") else {
        println!("skipped: OPERATOR_LLM_URL names no server");
        return None;
    };
    let model = std::env::var("OPERATOR_LLM_MODEL").unwrap_or_else(|_| "local".to_owned());
    Some(ProviderSettings::at(&url, &model))
}

#[tokio::test]
#[ignore = "needs a model: cargo xtask llm"]
async fn a_real_server_answers_both_formats_whole_and_streamed_with_the_same_words() {
    let Some(settings) = server() else { return };
    let mut request = plain();
    request.max_output_tokens = 24;
    let mut answers = Vec::new();
    for format in FORMATS {
        for is_streamed in [false, true] {
            let provider = format.provider(&ProviderSettings { is_streamed, ..settings.clone() });
            let heard = std::sync::Mutex::new(String::new());
            let reply = provider
                .send(&request, MINUTES, &|words| heard.lock().expect("no panic").push_str(words))
                .await
                .unwrap_or_else(|failure| panic!("{format:?}: {failure}"));
            assert_eq!(heard.into_inner().expect("no panic"), words(&reply));
            assert!(reply.usage.input_tokens > 0 && reply.usage.output_tokens > 0, "{:?}", reply.usage);
            assert!((1..=24).contains(&reply.usage.output_tokens));
            assert!(matches!(reply.stop, Stop::End | Stop::MaxTokens), "{:?}", reply.stop);
            println!("{format:?} streamed={is_streamed}: {:?} in {} ms", reply.usage, reply.took_ms);
            answers.push(words(&reply));
        }
    }
    assert!(answers.iter().all(|answer| !answer.is_empty() && *answer == answers[0]), "temperature 0: {answers:?}");
}

#[tokio::test]
#[ignore = "needs a model: cargo xtask llm"]
async fn a_real_server_takes_tools_and_their_answers_in_both_formats() {
    let Some(settings) = server() else { return };
    for format in FORMATS {
        let mut request = plain();
        request.max_output_tokens = 24;
        request.tools = vec![tool("look"), tool("submit_diagnosis")];
        let call = Piece::ToolCall { id: "call_1".to_owned(), name: "look".to_owned(), arguments: json!({}) };
        let result = Piece::ToolResult { id: "call_1".to_owned(), content: "C3 is slow".to_owned(), failed: false };
        request.messages.push(Message::Assistant(vec![text("I look."), call]));
        request.messages.push(Message::User(vec![result, text("Go on.")]));
        let reply = format.provider(&settings).send(&request, MINUTES, &|_| {}).await;
        let reply = reply.unwrap_or_else(|failure| panic!("{format:?}: {failure}"));
        assert!(!reply.pieces.is_empty(), "{format:?}: {reply:?}");
    }
}

#[tokio::test]
#[ignore = "needs a model: cargo xtask llm"]
async fn a_real_server_holds_a_model_to_a_schema_with_closed_sets() {
    let Some(settings) = server() else { return };
    let mut request = plain();
    request.messages = vec![Message::User(vec![text("C1 is fine. C2 is fine. C3 is slow. Which one is slow?")])];
    request.schema = Some(json!({"type": "object", "additionalProperties": false, "required": ["component"],
        "properties": {"component": {"type": "string", "enum": ["C1", "C2", "C3"]}}}));
    request.max_output_tokens = 60;
    let reply = Chat.provider(&settings).send(&request, MINUTES, &|_| {}).await.expect("an answer");
    let answer: Json = serde_json::from_str(&words(&reply)).expect("JSON");
    assert!(["C1", "C2", "C3"].iter().any(|one| answer["component"] == *one), "{answer}");
}
