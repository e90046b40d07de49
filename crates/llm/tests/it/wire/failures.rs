//! What a real server will not do on demand.

use std::time::Duration;

use operator_llm::{ProviderError, Stop};
use serde_json::json;

use super::{Chat, FORMATS, Messages, plain, send, send_within, settings, whole_settings};
use crate::server::{Scripted, Step, answer, cut_stream, json, stream};

/// The error of one call that meets this script.
async fn error(format: super::Format, script: Vec<Step>) -> ProviderError {
    let server = Scripted::start(vec![script]).await;
    send(&*format.provider(&settings(server.url())), &plain()).await.expect_err("no answer").error
}

#[tokio::test]
async fn a_busy_provider_says_how_long_to_wait() {
    let body = r#"{"type":"error","error":{"type":"rate_limit_error","message":"too many tokens a minute"}}"#;
    for format in FORMATS {
        for (status, header, wanted) in [
            (429, "retry-after: 7\r\n", Some(7_000)),
            (429, "retry-after-ms: 250\r\nretry-after: 1\r\n", Some(250)),
            (529, "", None),
            (503, "retry-after: Wed, 21 Oct 2026 07:28:00 GMT\r\n", None),
            (429, "retry-after: -3\r\n", None),
            (429, "retry-after: 1e300\r\n", Some(86_400_000)),
        ] {
            let script = answer(status, &format!("content-type: application/json\r\n{header}"), body);
            match error(format, script).await {
                ProviderError::Busy { status: told, why, retry_after_ms } => {
                    assert_eq!((told, retry_after_ms), (status, wanted), "{header:?}");
                    assert_eq!(why, "rate_limit_error: too many tokens a minute");
                }
                other => panic!("{status} is {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_refused_request_is_told_from_a_server_that_failed() {
    let body = r#"{"error":{"message":"it is wrong","type":"invalid_request_error","code":"bad"}}"#;
    for format in FORMATS {
        for status in [400, 401, 403, 404, 413] {
            let error = error(format, json(status, body)).await;
            assert_eq!(error, ProviderError::Refused { status, why: "bad: it is wrong".to_owned() });
        }
        for status in [500, 502, 504] {
            let error = error(format, answer(status, "content-type: text/html\r\n", "<h1>oh\u{1b}[31m no</h1>")).await;
            assert_eq!(error, ProviderError::Failed { status, why: "<h1>oh [31m no</h1>".to_owned() });
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for format in FORMATS {
        let elsewhere = Scripted::start(vec![json(200, &format.whole("stolen"))]).await;
        let to = format!("content-type: text/html\r\nlocation: {}\r\n", elsewhere.url());
        for status in [301, 302, 307, 308] {
            let error = error(format, answer(status, &to, "")).await;
            assert!(matches!(error, ProviderError::Refused { status: told, .. } if told == status), "{error:?}");
        }
        assert_eq!(elsewhere.seen(), [], "nobody was sent the evidence");
    }
}

#[tokio::test]
async fn what_is_no_answer_of_the_format_is_garbled() {
    for format in FORMATS {
        for (script, says) in [
            (answer(200, "content-type: text/html\r\n", "<h1>log in</h1>"), "content type is \"text/html\""),
            (answer(200, "", "{}"), "content type is \"\""),
            (answer(200, "content-type: application/json\r\ncontent-encoding: gzip\r\n", "x"), "encoded as"),
            (json(200, "not JSON"), "not JSON"),
            (json(200, "[]"), "missing"),
            (json(200, r#"{"choices":[],"type":"message","role":"user"}"#), "not \"assistant\""),
            (json(200, &format.whole("x").replace("\"end_turn\"", "null").replace("\"stop\"", "null")), ""),
            (stream([&b"data: {\"half\n\n"[..]]), "not JSON"),
            (stream([&b"data: \xff\xfe\n\n"[..]]), "not UTF-8"),
            (stream([&b"data: {\"type\":\"content_block_delta\",\"index\":7,\"choices\":0}\n\n"[..]]), ""),
        ] {
            let shown = format!("{script:?}");
            match error(format, script).await {
                ProviderError::Garbled { why } => {
                    let is_said = why.contains(says) || why.contains('`');
                    assert!(is_said, "{format:?}: {why:?} of {shown}");
                }
                other => panic!("{format:?}: {other:?} of {shown}"),
            }
        }
    }
}

#[tokio::test]
async fn an_answer_of_ten_megabytes_is_an_error_and_not_kept_in_memory() {
    let large = "x".repeat(10 << 20);
    for format in FORMATS {
        let whole = json(200, &format.whole(&large));
        let many = "data: {\"type\":\"ping\",\"choices\":[]}\n\n".repeat(300_000);
        let line = format!("data: {large}\n\n");
        for (script, says) in [
            (whole, "longer than 4194304 bytes"),
            (stream([many.as_bytes()]), "longer than 4194304 bytes"),
            (stream([line.as_bytes()]), "a line of the stream is longer"),
        ] {
            match error(format, script).await {
                ProviderError::Garbled { why } => assert!(why.contains(says), "{format:?}: {why}"),
                other => panic!("{format:?}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn half_an_answer_is_lost_and_what_came_of_it_is_kept() {
    for format in FORMATS {
        let events = format.events("C3 is slow because of C2");
        let half = &events[..events.find("because").expect("the word is there")];
        let whole = format.whole("C3 is slow");
        let cut =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", whole.len());
        for script in [
            cut_stream([half.as_bytes()]),
            stream([half.as_bytes()]),
            vec![Step::Send([cut.as_bytes(), &whole.as_bytes()[..whole.len() - 9]].concat())],
        ] {
            let server = Scripted::start(vec![script]).await;
            let failure = send(&*format.provider(&settings(server.url())), &plain()).await.expect_err("half of it");
            assert!(matches!(failure.error, ProviderError::Lost { .. }), "{format:?}: {failure:?}");
            let sent = failure.sent.expect("it was sent");
            assert!(sent.response_body.contains("C3 is slow"), "{format:?}: {}", sent.response_body);
            assert_eq!(sent.status, Some(200));
        }
        let nothing = error(format, vec![]).await;
        assert!(matches!(nothing, ProviderError::Lost { .. }), "{nothing:?}");
    }
}

#[tokio::test]
async fn silence_ends_with_the_time_limit_wherever_it_begins() {
    for format in FORMATS {
        let events = format.events("C3 is slow");
        let half = &events.as_bytes()[..events.len() / 2];
        let mut in_stream = cut_stream([half]);
        in_stream.push(Step::Stall);
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
        for script in [vec![Step::Stall], in_stream, vec![Step::Send(head.to_vec()), Step::Stall]] {
            let server = Scripted::start(vec![script]).await;
            let provider = format.provider(&settings(server.url()));
            let request = plain();
            let call = send_within(&*provider, &request, Duration::from_millis(300));
            let (failure, ()) = tokio::join!(call, server.stalled());
            let failure = failure.expect_err("silence");
            assert_eq!(failure.error, ProviderError::Lost { why: "the time is over".to_owned() });
            assert!(failure.sent.expect("it was sent").took_ms >= 300);
        }
    }
}

#[tokio::test]
async fn nobody_there_is_lost() {
    let gone = Scripted::start(Vec::new()).await.url().to_owned();
    // Port 9 of a name that leads nowhere would take a resolver: this port was free a moment ago.
    for format in FORMATS {
        let result = send_within(&*format.provider(&settings(&gone)), &plain(), Duration::from_secs(2)).await;
        assert!(matches!(result.expect_err("nobody").error, ProviderError::Lost { .. }));
    }
}

#[tokio::test]
async fn why_a_model_stopped_is_told_and_what_is_not_known_is_told_in_its_word() {
    for (reason, wanted) in [
        ("end_turn", Stop::End),
        ("stop_sequence", Stop::End),
        ("max_tokens", Stop::MaxTokens),
        ("model_context_window_exceeded", Stop::MaxTokens),
        ("refusal", Stop::Refusal),
        ("pause_turn", Stop::Other("pause_turn".to_owned())),
        ("tired", Stop::Other("tired".to_owned())),
        ("tool_use", Stop::End),
    ] {
        let server = Scripted::start(vec![json(200, &Messages.whole("x").replace("end_turn", reason))]).await;
        let reply = send(&*Messages.provider(&whole_settings(server.url())), &plain()).await.expect(reason);
        assert_eq!(reply.stop, wanted, "{reason}");
    }
    for (reason, wanted) in [
        ("stop", Stop::End),
        ("length", Stop::MaxTokens),
        ("content_filter", Stop::Refusal),
        ("tool_calls", Stop::End),
        ("tired", Stop::Other("tired".to_owned())),
    ] {
        let server =
            Scripted::start(vec![json(200, &Chat.whole("x").replace("\"stop\"", &format!("{reason:?}")))]).await;
        let reply = send(&*Chat.provider(&whole_settings(server.url())), &plain()).await.expect(reason);
        assert_eq!(reply.stop, wanted, "{reason}");
    }
}

#[tokio::test]
async fn a_refusal_in_words_is_a_refusal() {
    let refusal = json!({"choices": [{"finish_reason": "stop",
        "message": {"role": "assistant", "content": null, "refusal": "I cannot help with that."}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1}});
    let streamed = "data: {\"choices\":[{\"delta\":{\"refusal\":\"I cannot \"}}]}\n\n\
                    data: {\"choices\":[{\"delta\":{\"refusal\":\"help with that.\"},\"finish_reason\":\"stop\"}]}\n\n\
                    data: [DONE]\n\n";
    for script in [json(200, &refusal.to_string()), stream([streamed.as_bytes()])] {
        let server = Scripted::start(vec![script]).await;
        let reply = send(&*Chat.provider(&settings(server.url())), &plain()).await.expect("an answer");
        assert_eq!((reply.stop.clone(), super::words(&reply)), (Stop::Refusal, "I cannot help with that.".to_owned()));
    }
}
