//! A planted secret is in nothing that is sent, said or kept, but in the one header it is for.

use operator_llm::{ApiKey, Message, Piece, ProviderSettings, Request};
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::{FORMATS, Format, Messages, hear, plain, settings, tool};
use crate::server::{Scripted, Step, json, stream};

fn keyed(url: &str, key: &str, other: &str) -> ProviderSettings {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), key).expect("it can be written");
    let (key, _) = ApiKey::from_file(file.path()).expect("a key");
    ProviderSettings { key: Some(key), secrets: vec![SecretString::from(other.to_owned())], ..settings(url) }
}

/// A request with a text in every place that has room for one.
fn full_of(text: &str) -> Request {
    let call =
        Piece::ToolCall { id: "t".to_owned(), name: "look".to_owned(), arguments: json!({"at": text, text: [text]}) };
    let result = Piece::ToolResult { id: "t".to_owned(), content: text.to_owned(), failed: true };
    let mut described = tool("look");
    described.description = text.to_owned();
    Request {
        system: text.to_owned(),
        messages: vec![
            Message::User(vec![Piece::Text { text: text.to_owned(), cache: true }]),
            Message::Assistant(vec![Piece::Sealed(json!({"type": "thinking", "thinking": text})), call]),
            Message::User(vec![result]),
        ],
        tools: vec![described],
        schema: Some(json!({"type": "object", "required": ["a"], "properties": {"a": {"enum": [text]}}})),
        ..plain()
    }
}

/// Whether the text holds it, as it stands or behind the escapes of JSON.
fn holds(text: &str, secret: &str) -> bool {
    fn in_json(json: &Json, secret: &str) -> bool {
        match json {
            Json::String(text) => text.contains(secret),
            Json::Array(list) => list.iter().any(|one| in_json(one, secret)),
            Json::Object(map) => map.iter().any(|(name, value)| name.contains(secret) || in_json(value, secret)),
            _ => false,
        }
    }
    text.contains(secret) || serde_json::from_str(text).is_ok_and(|json| in_json(&json, secret))
}

/// Everything that a call leaves behind, when the server repeats the secrets in whatever it says.
async fn left_behind(format: Format, key: &str, other: &str, script: Vec<Step>) -> Vec<String> {
    let server = Scripted::start(vec![script]).await;
    let settings = keyed(server.url(), key, other);
    let provider = format.provider(&settings);
    let mut left = vec![format!("{settings:?}")];
    let (answered, heard) = hear(&*provider, &full_of(&format!("the key {key}, the password {other}."))).await;
    match answered {
        Ok(reply) => left.extend([reply.request_body.clone(), reply.response_body.clone(), format!("{reply:?}")]),
        Err(failure) => {
            left.extend([failure.to_string(), format!("{failure:?}")]);
            let sent = failure.sent.expect("it was sent");
            left.extend([sent.request_body, sent.response_body]);
        }
    }
    left.extend(heard);
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    left.push(seen[0].body.clone());
    let carried = match format {
        Messages => seen[0].header("x-api-key").map(str::to_owned),
        Format::Chat => seen[0].header("authorization").map(|value| value.replace("Bearer ", "")),
    };
    assert_eq!(carried.as_deref(), Some(key), "the key is in its header");
    assert_eq!(seen[0].head.matches(key).count(), 1, "and nowhere else");
    assert!(!seen[0].head.contains(other));
    left
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_planted_secret_is_in_nothing_that_is_sent_said_or_kept(
        key in "[A-Z0-9!-/:-@]{1}[!-~]{11,30}",
        other in "[A-Z0-9]{4}[ -~é]{8,20}[A-Z0-9]{2}",
        outcome in 0..4_usize,
    ) {
        // Values that are part of every request by themselves are no secrets.
        prop_assume!(!key.contains(&other) && !other.contains(&key));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        for format in FORMATS {
            let echo = format!("you said {key} and {other} !");
            let script = match outcome {
                0 => json(200, &format.whole(&echo)),
                1 => stream([format.events(&echo).as_bytes()]),
                2 => json(401, &json!({"error": {"type": "authentication_error", "message": echo}}).to_string()),
                _ => json(500, &echo),
            };
            for text in runtime.block_on(left_behind(format, &key, &other, script)) {
                prop_assert!(!holds(&text, &key), "{format:?} leaves the key in {text}");
                prop_assert!(!holds(&text, &other), "{format:?} leaves the password in {text}");
            }
        }
    }
}

#[tokio::test]
async fn a_secret_that_nobody_knew_of_is_told_by_its_shape() {
    for format in FORMATS {
        let server = Scripted::start(vec![json(200, &format.whole("password=hunter2 it was"))]).await;
        let provider = format.provider(&settings(server.url()));
        let evidence = r#"{"log":"login with {\"password\":\"hunter2\"} at db://app:hunter2@store:1/x"}"#;
        let (reply, heard) = hear(&*provider, &full_of(evidence)).await;
        let reply = reply.expect("an answer");
        for text in
            [&server.seen()[0].body, &reply.request_body, &reply.response_body, &format!("{reply:?}"), &heard.concat()]
        {
            assert!(!text.contains("hunter2"), "{text}");
        }
        assert!(reply.request_body.contains("‹redacted›@store:1/x"), "what is around it stays: {}", reply.request_body);
    }
}
