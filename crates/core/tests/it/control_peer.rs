//! Another user of this host at the other end of the socket. Needs root, who alone can become somebody else; without
//! it, the mapping's own tests say the same of a user id.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::control_office::{Office, own_uid, secret};

/// Nobody, on every system there is.
const NOBODY: u32 = 65534;
const SOCKET: &str = "OPERATOR_TEST_CONTROL_SOCKET";

/// What another user does, in a process of their own: asks as themselves and with a token, and prints the answers.
#[test]
#[ignore = "run by another test, as another user"]
fn what_another_user_does() {
    let Ok(socket) = std::env::var(SOCKET) else { return };
    for token in [String::new(), format!(r#""token":"{}","#, secret("viv")), r#""token":"guess","#.to_owned()] {
        let mut stream = UnixStream::connect(&socket).expect("connected");
        writeln!(stream, r#"{{"v":1,"id":1,{token}"request":{{"kind":"ping"}}}}"#).expect("written");
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).expect("an answer");
        println!("ANSWER {}", answer.trim_end());
    }
}

#[tokio::test]
async fn another_user_is_refused_unless_they_hold_a_token() {
    if own_uid() != 0 {
        eprintln!("not root: nobody else to be");
        return;
    }
    let office = Office::open_for_everybody().await;
    let run = |socket: std::path::PathBuf| async move {
        let mut command = Command::new("/proc/self/exe");
        command.args(["--exact", "control_peer::what_another_user_does", "--ignored", "--nocapture"]);
        command.env(SOCKET, socket).uid(NOBODY).gid(NOBODY).stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let answers = text.lines().filter_map(|line| line.split_once("ANSWER ").map(|(_, answer)| answer.to_owned()));
        (output.status.success(), answers.collect::<Vec<_>>())
    };
    // As it is, they do not even reach it.
    assert_eq!(run(office.socket()).await, (false, Vec::new()));
    // Let through by the file system, they are known by their user id.
    let open = |path: &std::path::Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777));
    for path in [office.state().parent().expect("a parent"), &office.state(), &office.socket()] {
        open(path).expect("a mode");
    }
    let (ran, answers) = run(office.socket()).await;
    assert!(ran);
    let answers: Vec<serde_json::Value> =
        answers.iter().map(|answer| serde_json::from_str(answer).expect("JSON")).collect();
    let [nobody, viv, guess] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!(nobody["error"]["code"], "unauthenticated");
    assert!(nobody["error"]["message"].as_str().is_some_and(|text| text.starts_with("user 65534 may not")), "{nobody}");
    assert_eq!(viv["ok"]["you"], serde_json::json!({ "name": "viv", "role": "viewer", "identity": "token" }));
    assert_eq!(guess["error"]["code"], "unauthenticated");
    assert!(office.handler.asked().is_empty());
}
