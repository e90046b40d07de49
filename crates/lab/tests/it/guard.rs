use std::process::{Command, Output};

use crate::fixture::guard;

fn run(args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = Command::new(guard()).args(args).output().expect("it runs");
    (status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

#[test]
fn it_becomes_the_program_with_its_arguments_and_exit_code() {
    let own = std::process::id().to_string();
    assert_eq!(run(&[&own, "/bin/sh", "-c", "echo \"$1\"; exit 7", "x", "a b"]), (Some(7), "a b\n".to_owned()));
}

#[test]
fn without_the_expected_parent_nothing_is_run() {
    let (code, said) = run(&["1", "/bin/sh", "-c", "echo ran"]);
    assert_eq!(code, Some(125));
    assert!(said.contains("the parent is gone") && !said.contains("ran"), "{said}");
}

#[test]
fn what_cannot_be_run_is_named_and_wrong_usage_is_said() {
    let own = std::process::id().to_string();
    let (code, said) = run(&[&own, "/no/such/program"]);
    assert_eq!(code, Some(126));
    assert!(said.contains("/no/such/program"), "{said}");
    for args in [&[][..], &["x", "/bin/true"], &["0", "/bin/true"], &[own.as_str()]] {
        assert_eq!(run(args).0, Some(2), "{args:?}");
    }
}
