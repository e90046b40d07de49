//! The control socket from outside: who may say what, and what becomes of those who say it badly.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use operator_core::Command;
use operator_core::control::{
    BindError, ClientError, ControlClient, ControlLimits, ControlReply, ControlRequest, ControlServer, FaultCode, Token,
};
use operator_core::store::KillScope;
use operator_core::{Identity, Role};
use operator_protocols::Locus;
use serde_json::json;

use crate::control_office::{LIMITS, Office, Raw, own_uid, principals, secret};

fn acknowledge() -> ControlRequest {
    ControlRequest::Command { command: Command::Acknowledge { ticket: "a-T1".into() } }
}

async fn client(office: &Office, name: &str) -> ControlClient {
    ControlClient::connect(&office.state()).await.expect("connected").with_token(Token::new(secret(name)))
}

fn code(result: Result<ControlReply, ClientError>) -> FaultCode {
    match result {
        Err(ClientError::Fault(fault)) => fault.code,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn two_clients_ask_at_once_and_each_gets_its_own_answer() {
    let office = Office::open().await;
    let mut root = ControlClient::connect(&office.state()).await.expect("connected");
    let mut oscar = client(&office, "oscar").await;
    let (pong, done) = tokio::join!(root.request(None, ControlRequest::Ping {}), oscar.request(None, acknowledge()));
    let ControlReply::Pong { pid, subjects, you, .. } = pong.expect("an answer") else { panic!("not a pong") };
    assert_eq!((pid, subjects), (std::process::id(), vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!((you.role, you.identity), (Role::Admin, Identity::Peer { uid: own_uid() }));
    assert_eq!(done.expect("an answer"), ControlReply::Done { message: "done on a".into() });
    for n in 0..20 {
        let reply = oscar.request(Some("a"), acknowledge()).await.expect("an answer");
        assert!(matches!(reply, ControlReply::Done { .. }), "{n}");
    }
    assert_eq!(office.handler.asked().len(), 21);
    // Which of two subjects an administrator of both means must be said.
    assert_eq!(code(root.request(None, acknowledge()).await), FaultCode::Invalid);
    let status = root.request(None, ControlRequest::Status {}).await.expect("an answer");
    assert_eq!(status, ControlReply::Status { status: json!({ "loops": ["a", "b"] }) });
}

#[tokio::test]
async fn every_request_reaches_the_handler_as_it_was_asked() {
    let office = Office::open().await;
    let mut eve = client(&office, "eve").await;
    let params = BTreeMap::from([("n".to_owned(), 3_i64.into()), ("f".to_owned(), 0.1.into())]);
    let command = Command::Request {
        action: "restart_component".into(),
        target: Locus::edge("a", "n1", "n2"),
        params,
        reason: "ü \"quoted\"\nand more".into(),
    };
    let json = serde_json::to_string(&command).expect("JSON");
    eve.request(Some("a"), ControlRequest::Command { command }).await.expect("an answer");
    let scope = KillScope::Subject("b".into());
    let engaged = eve.request(None, ControlRequest::KillEngage { scope: scope.clone(), reason: "why".into() }).await;
    let Ok(ControlReply::KillEngaged { acknowledgement }) = engaged else { panic!("{engaged:?}") };
    assert_eq!((acknowledgement.in_flight, acknowledgement.row_written), (vec!["a-A7".to_owned()], true));
    let released = eve.request(None, ControlRequest::KillRelease { scope: scope.clone(), reason: "over".into() }).await;
    assert_eq!(released.expect("an answer"), ControlReply::KillReleased { scope });
    let expected = [format!("eve a {json}"), "eve engage subject b: why".into(), "eve release subject b: over".into()];
    assert_eq!(office.handler.asked(), expected);
    let shown = |reply| match reply {
        Ok(ControlReply::KillStatus { states }) => states.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(shown(eve.request(None, ControlRequest::KillStatus {}).await), 3);
    let mut viv = client(&office, "viv").await;
    assert_eq!(
        shown(viv.request(None, ControlRequest::KillStatus {}).await),
        2,
        "nothing of a subject that is not hers"
    );
}

#[tokio::test]
async fn a_token_says_who_asks_even_where_the_user_could_do_more() {
    let office = Office::open().await;
    let settle = || ControlRequest::Command {
        command: Command::Settle { intent: "a-A1".into(), happened: true, reason: "seen".into() },
    };
    let decide = || ControlRequest::Command {
        command: Command::Decide { intent: "a-A1".into(), bind_hash: "0".into(), approve: true, reason: String::new() },
    };
    for (name, may) in
        [("viv", [false; 3]), ("oscar", [true, false, false]), ("april", [true, true, false]), ("adam", [true; 3])]
    {
        let mut client = client(&office, name).await;
        for (request, may) in [acknowledge(), decide(), settle()].into_iter().zip(may) {
            let reply = client.request(Some("a"), request).await;
            if may {
                assert!(matches!(reply, Ok(ControlReply::Done { .. })), "{name}: {reply:?}");
            } else {
                assert_eq!(code(reply), FaultCode::Forbidden, "{name}");
            }
            assert_eq!(
                code(client.request(Some("b"), acknowledge()).await),
                match name {
                    "viv" => FaultCode::Forbidden,
                    _ => FaultCode::NotFound,
                }
            );
        }
    }
    let asked = office.handler.asked.lock().expect("not poisoned");
    assert_eq!(asked.len(), 6);
    assert!(asked.iter().all(|(who, _)| who.identity == Identity::Token), "{asked:?}");
}

#[tokio::test]
async fn a_wrong_token_is_refused_slowly_and_not_taken_for_the_user() {
    let office = Office::open().await;
    let began = Instant::now();
    let guess = |text: &'static str| {
        let state = office.state();
        async move {
            let client = ControlClient::connect(&state).await.expect("connected");
            client.with_token(Token::new(text)).request(Some("a"), acknowledge()).await
        }
    };
    let (one, two, three) = tokio::join!(guess("the-long-secret-of-ev"), guess(""), guess("the-long-secret-of-evee"));
    for refused in [one, two, three] {
        let Err(ClientError::Fault(fault)) = refused else { panic!("{refused:?}") };
        assert_eq!(fault.code, FaultCode::Unauthenticated);
        assert!(!fault.message.contains("secret-of"), "{fault}");
    }
    assert!(began.elapsed() >= 3 * LIMITS.wrong_token, "one after the other: {:?}", began.elapsed());
    assert!(office.handler.asked().is_empty());
    // The connection is over after one guess.
    let mut raw = Raw::connect(&office.socket()).await;
    let refused = raw.ask(r#"{"v":1,"id":1,"token":"wrong","request":{"kind":"ping"}}"#).await.expect("an answer");
    assert_eq!(refused["error"]["code"], "unauthenticated");
    assert_eq!(raw.read().await, None);
}

#[tokio::test]
async fn what_is_not_a_request_is_answered_with_what_would_be_and_reaches_nobody() {
    let office = Office::open().await;
    let mut raw = Raw::connect(&office.socket()).await;
    let token = secret("eve");
    for (line, id, says) in [
        (String::new(), json!(null), "not a JSON object"),
        ("nonsense".into(), json!(null), "not a JSON object"),
        ("[1,2]".into(), json!(null), "not a JSON object"),
        (r#"[1,7,null,null,{"kind":"ping"}]"#.into(), json!(null), "not a JSON object"),
        ("{}".into(), json!(null), "v: expected 1, given none"),
        (r#"{"v":2,"id":7,"whatever":true}"#.into(), json!(7), "v: expected 1, given 2"),
        (r#"{"v":1,"id":-1,"request":{"kind":"ping"}}"#.into(), json!(null), "not a JSON object"),
        (r#"{"v":1,"id":8}"#.into(), json!(8), "missing field `request`"),
        (r#"{"v":1,"id":9,"request":{"kind":"shutdown"}}"#.into(), json!(9), "unknown variant `shutdown`"),
        (r#"{"v":1,"id":9,"request":{"kind":"ping","also":1}}"#.into(), json!(9), "unknown field `also`"),
        // Nobody says who they are.
        (
            r#"{"v":1,"id":10,"principal":{"name":"operator","role":"admin","identity":"operator"},"request":{"kind":"ping"}}"#
                .into(),
            json!(10),
            "unknown field `principal`",
        ),
        (
            r#"{"v":1,"id":11,"subject":"a","request":{"kind":"command","command":{"command":"acknowledge","ticket":"a-T1","role":"admin"}}}"#
                .into(),
            json!(11),
            "unknown field `role`",
        ),
        (format!(r#"{{"v":1,"id":12,"token":["{token}"],"request":{{"kind":"ping"}}}}"#), json!(12), "expected a string"),
        (format!(r#"{{"v":1,"id":13,"request":{}1{}}}"#, "[".repeat(500), "]".repeat(500)), json!(13), ""),
    ] {
        let answer = raw.ask(&line).await.expect("an answer");
        let message = answer["error"]["message"].as_str().expect("an error");
        assert_eq!(answer["error"]["code"], "invalid", "{line}: {answer}");
        assert!(message.contains(says), "{line}: {message}");
        assert!(!message.contains(&token) && message.len() < 400, "{message}");
        if !says.is_empty() {
            assert_eq!(answer["id"], id, "{line}: {answer}");
        }
    }
    // The connection goes on all the same.
    let pong = raw.ask(r#"{"v":1,"id":99,"request":{"kind":"ping"}}"#).await.expect("an answer");
    assert_eq!((&pong["id"], &pong["ok"]["kind"]), (&json!(99), &json!("pong")));
    assert!(office.handler.asked().is_empty());
}

#[tokio::test]
async fn a_line_of_ten_megabytes_is_cut_off_and_hinders_nobody() {
    let office = Office::open().await;
    let mut raw = Raw::connect(&office.socket()).await;
    let line = [r#"{"v":1,"id":1,"subject":""#.as_bytes(), &vec![b'x'; 10 * 1024 * 1024]].concat();
    assert!(raw.write(&line).await.is_err(), "nobody reads it to its end");
    let answer = raw.read().await.expect("an answer");
    assert_eq!(answer["error"]["message"], "a request has at most 2097152 bytes");
    assert_eq!(raw.read().await, None);
    let mut client = ControlClient::connect(&office.state()).await.expect("connected");
    assert!(client.request(None, ControlRequest::Ping {}).await.is_ok());
    // The operator's own client does not even send it.
    let command = Command::Diagnose { incident: "x".repeat(3_000_000) };
    let long = client.request(Some("a"), ControlRequest::Command { command }).await;
    assert!(matches!(long, Err(ClientError::TooLong { .. })), "{long:?}");
    assert!(client.request(None, ControlRequest::Ping {}).await.is_ok());
}

#[tokio::test]
async fn who_is_slow_is_cut_off_and_who_is_not_does_not_notice() {
    let limits = ControlLimits { line: Duration::from_millis(200), idle: Duration::from_millis(400), ..LIMITS };
    let office = Office::open_within(limits).await;
    let mut slow = Raw::connect(&office.socket()).await;
    slow.write(b"{\"v\":1,").await.expect("written");
    let mut idle = Raw::connect(&office.socket()).await;
    let mut quick = ControlClient::connect(&office.state()).await.expect("connected");
    let began = Instant::now();
    assert!(quick.request(None, ControlRequest::Ping {}).await.is_ok());
    assert!(began.elapsed() < limits.line, "{:?}", began.elapsed());
    let answer = slow.read().await.expect("an answer");
    assert_eq!(answer["error"]["message"], "the request did not end in time");
    assert_eq!(slow.read().await, None);
    assert_eq!(idle.read().await, None);
}

#[tokio::test]
async fn who_takes_no_answers_is_cut_off() {
    let office = Office::open_within(ControlLimits { line: Duration::from_millis(200), ..LIMITS }).await;
    let mut greedy = Raw::connect(&office.socket()).await;
    let ping = "{\"v\":1,\"id\":1,\"request\":{\"kind\":\"ping\"}}\n".repeat(1000);
    let flood = async {
        // Until the server, whose answers nobody reads, reads no more either and gives up.
        while greedy.write(ping.as_bytes()).await.is_ok() {}
    };
    tokio::time::timeout(Duration::from_secs(20), flood).await.expect("it ends");
}

#[tokio::test]
async fn a_connection_too_many_is_told_so() {
    let office = Office::open_within(ControlLimits { connections: 2, ..LIMITS }).await;
    let mut one = ControlClient::connect(&office.state()).await.expect("connected");
    let mut two = ControlClient::connect(&office.state()).await.expect("connected");
    assert!(one.request(None, ControlRequest::Ping {}).await.is_ok());
    assert!(two.request(None, ControlRequest::Ping {}).await.is_ok());
    let mut three = ControlClient::connect(&office.state()).await.expect("connected");
    assert_eq!(code(three.request(None, ControlRequest::Ping {}).await), FaultCode::Busy);
    drop(one);
    // Its place becomes free as soon as the server notices.
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let mut four = ControlClient::connect(&office.state()).await.expect("connected");
        if four.request(None, ControlRequest::Ping {}).await.is_ok() {
            break;
        }
        assert!(Instant::now() < deadline, "the place never became free");
    }
}

#[tokio::test]
async fn a_refusal_says_why_a_failure_stays_with_its_request_and_a_late_answer_is_said_to_be_late() {
    let office = Office::open_within(ControlLimits { answer: Duration::from_millis(200), ..LIMITS }).await;
    let mut client = ControlClient::connect(&office.state()).await.expect("connected");
    let ticket = || "a-T9".to_owned();
    let resolve = ControlRequest::Command { command: Command::Resolve { ticket: ticket(), reason: String::new() } };
    let refused = client.request(Some("a"), resolve).await;
    assert_eq!(refused.as_ref().expect_err("not there").to_string(), "a-T9: there is a-T1");
    assert_eq!(code(refused), FaultCode::NotFound);
    let hold = ControlRequest::Command { command: Command::Hold { ticket: ticket(), hold: true } };
    assert_eq!(code(client.request(Some("a"), hold).await), FaultCode::Refused);
    office.handler.gate.forget_permits(usize::MAX);
    let late = client.request(Some("a"), acknowledge()).await;
    assert!(late.as_ref().is_err_and(|error| error.to_string().contains("it may be carried out yet")), "{late:?}");
    assert_eq!(code(late), FaultCode::TimedOut);
    let fails = ControlRequest::Command { command: Command::HandBack { ticket: ticket(), reason: String::new() } };
    let mut other = ControlClient::connect(&office.state()).await.expect("connected");
    assert!(matches!(other.request(Some("a"), fails).await, Err(ClientError::Io(_))));
    assert!(client.request(None, ControlRequest::Ping {}).await.is_ok());
}

#[tokio::test]
async fn a_server_that_stops_answers_what_it_was_asked_and_removes_its_socket() {
    let mut office = Office::open().await;
    office.handler.gate.forget_permits(usize::MAX);
    let mut asking = ControlClient::connect(&office.state()).await.expect("connected");
    let asked = tokio::spawn(async move { asking.request(Some("a"), acknowledge()).await });
    let deadline = Instant::now() + Duration::from_secs(10);
    while office.handler.asked().is_empty() {
        assert!(Instant::now() < deadline, "it was never asked");
        tokio::task::yield_now().await;
    }
    let closed = office.close();
    while office.socket().exists() {
        assert!(Instant::now() < deadline, "the socket was never removed");
        tokio::task::yield_now().await;
    }
    let error = ControlClient::connect(&office.state()).await.expect_err("nobody listens");
    assert!(matches!(error, ClientError::NoOperator { .. }));
    assert!(error.to_string().ends_with("start one with `operator run`"), "{error}");
    office.handler.gate.add_permits(1);
    let reply = asked.await.expect("no panic").expect("an answer");
    assert_eq!(reply, ControlReply::Done { message: "done on a".into() });
    closed.await.expect("no panic");
}

#[tokio::test]
async fn the_socket_is_its_owner_s_alone_and_is_taken_over_only_from_the_dead() {
    let office = Office::open().await;
    let mode = |path: &std::path::Path| path.symlink_metadata().expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&office.state()), mode(&office.socket())), (0o700, 0o600));
    let bind = |state: std::path::PathBuf| {
        let handler = office.handler.clone();
        async move { ControlServer::bind(&state, principals(), handler as Arc<_>).await }
    };
    // From a live one: never.
    let error = bind(office.state()).await.err().expect("it runs");
    assert!(matches!(error, BindError::Running { .. }), "{error}");
    assert!(ControlClient::connect(&office.state()).await.is_ok());
    // From a dead one.
    let directory = tempfile::tempdir().expect("a directory");
    let state = directory.path().join("deep/state");
    std::fs::create_dir_all(&state).expect("a directory");
    drop(std::os::unix::net::UnixListener::bind(state.join("control.sock")).expect("bound"));
    let error = ControlClient::connect(&state).await.expect_err("nobody listens");
    assert!(matches!(error, ClientError::NoOperator { .. }), "{error}");
    let server = bind(state.clone()).await.expect("bound");
    assert_eq!(mode(server.path()), 0o600);
    drop(server);
    assert!(!state.join("control.sock").exists());
    // From something else: never.
    std::fs::write(state.join("control.sock"), "precious").expect("written");
    let error = bind(state.clone()).await.err().expect("not a socket");
    assert!(matches!(error, BindError::NotASocket { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(state.join("control.sock")).expect("there"), "precious");
    // Where others could put theirs: never.
    let open = directory.path().join("open");
    std::fs::create_dir(&open).expect("a directory");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).expect("a mode");
    let error = bind(open).await.err().expect("unsafe");
    assert!(
        error.to_string().ends_with("may be written to by others: use a directory of your own, `chmod 700`"),
        "{error}"
    );
    let error = bind(directory.path().join("x".repeat(200))).await.err().expect("too long");
    assert!(matches!(error, BindError::PathTooLong { .. }), "{error}");
}
