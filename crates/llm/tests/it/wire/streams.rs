//! Answers that come bit by bit.

use operator_llm::{Piece, ProviderError, Stop};
use proptest::prelude::*;
use serde_json::json;

use super::{Chat, FORMATS, Format, Messages, hear, plain, send, settings, words};
use crate::server::{Scripted, Step, cut_stream, json, stream};

const SAID: &str = "C3 ist langsam: 漢字 🦀 é, und C2 wartet";

async fn reply(format: Format, script: Vec<Step>) -> operator_llm::Reply {
    let server = Scripted::start(vec![script]).await;
    send(&*format.provider(&settings(server.url())), &plain())
        .await
        .unwrap_or_else(|failure| panic!("{format:?}: {failure}"))
}

#[tokio::test]
async fn characters_may_be_cut_anywhere_and_lines_may_end_in_two_characters() {
    for format in FORMATS {
        let events = format.events(SAID);
        let with_returns = events.replace('\n', "\r\n");
        let bytes: Vec<&[u8]> = events.as_bytes().chunks(1).collect();
        for script in [stream(bytes), stream([with_returns.as_bytes()]), stream(with_returns.as_bytes().chunks(7))] {
            let reply = reply(format, script).await;
            assert_eq!(words(&reply), SAID);
            assert_eq!((reply.usage.input_tokens, reply.usage.output_tokens), (10, 5));
        }
    }
}

#[tokio::test]
async fn words_are_heard_as_they_come_and_add_up_to_the_answer() {
    for format in FORMATS {
        let events = format.events(SAID);
        let server = Scripted::start(vec![stream([events.as_bytes()]), json(200, &format.whole(SAID))]).await;
        let provider = format.provider(&settings(server.url()));
        let (streamed, heard) = hear(&*provider, &plain()).await;
        assert!(heard.len() > 5, "in parts: {heard:?}");
        assert_eq!(heard.concat(), words(&streamed.expect("an answer")));
        let (whole, heard) = hear(&*provider, &plain()).await;
        assert_eq!(words(&whole.expect("a server may answer undivided, too")), SAID);
        assert_eq!(heard.concat(), SAID);
    }
}

#[tokio::test]
async fn an_answer_that_is_whole_is_not_waited_on() {
    for format in FORMATS {
        let mut script = cut_stream([format.events(SAID).as_bytes()]);
        script.push(Step::Stall);
        assert_eq!(words(&reply(format, script).await), SAID);
    }
}

#[tokio::test]
async fn a_completion_without_its_mark_is_whole_if_it_says_why_it_ends() {
    let events = Chat.events(SAID);
    let unmarked = events.strip_suffix("data: [DONE]\n\n").expect("the mark");
    assert_eq!(words(&reply(Chat, stream([unmarked.as_bytes()])).await), SAID);
    let uncounted = &unmarked[..unmarked.rfind("data: ").expect("the count")];
    let reply = reply(Chat, stream([uncounted.as_bytes()])).await;
    assert!(reply.usage.input_tokens > 10 && reply.usage.output_tokens > 5, "what is not counted is estimated");
}

#[tokio::test]
async fn the_arguments_of_a_tool_come_in_pieces() {
    let messages = [
        json!({"type": "message_start", "message": {"type": "message", "role": "assistant", "content": [], "usage": {"input_tokens": 3, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 5, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2ln"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "something_new", "index": 9}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "toolu_7", "name": "look", "input": {}}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": ""}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{\"at\": [\"C"}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "3\"]}"}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "toolu_8", "name": "look", "input": {}}}),
        json!({"type": "content_block_stop", "index": 2}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 30}}),
        json!({"type": "message_stop"}),
    ];
    let chunks = [
        json!({"choices": [{"delta": {"role": "assistant", "content": null, "tool_calls": [{"index": 0, "id": "toolu_7", "type": "function", "function": {"name": "look", "arguments": ""}}]}}]}),
        json!({"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "{\"at\": [\"C"}}]}}]}),
        json!({"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "3\"]}"}}]}}]}),
        json!({"choices": [{"delta": {"tool_calls": [{"index": 1, "id": "toolu_8", "function": {"name": "look", "arguments": "{}"}}]}}]}),
        json!({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}),
        json!({"choices": [], "usage": {"prompt_tokens": 12, "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens": 30}}),
    ];
    let call = |id: &str, arguments| Piece::ToolCall { id: id.to_owned(), name: "look".to_owned(), arguments };
    let calls = [call("toolu_7", json!({"at": ["C3"]})), call("toolu_8", json!({}))];
    let told: String = messages.iter().map(|event| format!("data: {event}\n\n")).collect();
    let from_messages = reply(Messages, stream([told.as_bytes()])).await;
    let sealed = Piece::Sealed(json!({"type": "thinking", "thinking": "hm", "signature": "c2ln"}));
    assert_eq!(from_messages.pieces[0], sealed);
    assert_eq!(from_messages.pieces[1..], calls);
    let told: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    let from_chat = reply(Chat, stream([told.as_bytes(), b"data: [DONE]\n\n"])).await;
    assert_eq!(from_chat.pieces, calls);
    for reply in [from_messages, from_chat] {
        assert_eq!(reply.stop, Stop::ToolUse);
        assert_eq!((reply.usage.input_tokens, reply.usage.cached_tokens, reply.usage.output_tokens), (12, 4, 30));
    }
}

#[tokio::test]
async fn arguments_that_break_off_are_told_as_the_text_they_are() {
    let told = Messages
        .events("x")
        .replace(r#"{"text":"","type":"text"}"#, r#"{"type":"tool_use","id":"t","name":"look","input":{}}"#);
    let told =
        told.replace(r#"{"text":"x","type":"text_delta"}"#, r#"{"type":"input_json_delta","partial_json":"{\"at\":"}"#);
    let reply = reply(Messages, stream([told.replace("end_turn", "max_tokens").as_bytes()])).await;
    let half = Piece::ToolCall { id: "t".to_owned(), name: "look".to_owned(), arguments: json!("{\"at\":") };
    assert_eq!((reply.pieces, reply.stop), (vec![half], Stop::MaxTokens));
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_stream_is_told_by_its_kind() {
    for format in FORMATS {
        let events = format.events("C3 is slow because");
        let half = &events[..events.find("because").expect("the word")];
        let half = &half[..half.rfind("\n\n").expect("an event") + 2];
        for (kind, wanted) in [("overloaded_error", Some(529)), ("rate_limit_error", Some(429)), ("api_error", None)] {
            let error = json!({"type": "error", "error": {"type": kind, "message": "too much"}});
            let broken = format!("{half}event: error\ndata: {error}\n\n");
            let server = Scripted::start(vec![stream([broken.as_bytes()])]).await;
            let failure = send(&*format.provider(&settings(server.url())), &plain()).await.expect_err("an error");
            match (&failure.error, wanted) {
                (ProviderError::Busy { status, .. }, Some(wanted)) => assert_eq!(*status, wanted),
                (ProviderError::Failed { status: 200, .. }, None) => {}
                (other, _) => panic!("{kind} is {other:?}"),
            }
            assert!(failure.to_string().contains("too much"), "{failure}");
            assert!(failure.sent.expect("it was sent").response_body.contains("C3 is slow"), "what came is kept");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever a server sends, the call ends, and in no panic.
    #[test]
    fn no_stream_does_harm(
        is_chat in any::<bool>(),
        at in 0..2000_usize,
        instead in prop::collection::vec(any::<u8>(), 0..40),
        left_out in 0..60_usize,
    ) {
        let format = if is_chat { Chat } else { Messages };
        let mut bytes = format.events(SAID).into_bytes();
        let at = at % bytes.len();
        let end = (at + left_out).min(bytes.len());
        bytes.splice(at..end, instead);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let server = Scripted::start(vec![stream([&*bytes])]).await;
            let provider = format.provider(&settings(server.url()));
            let request = plain();
            let ended = tokio::time::timeout(super::LONG, send(&*provider, &request)).await;
            assert!(ended.is_ok(), "it ends");
        });
    }
}
