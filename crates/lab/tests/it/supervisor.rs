use std::time::{Duration, Instant};

use operator_lab::process::{LogStream, ProcessError, Readiness};

use crate::fixture::{eventually, is_alive, shell, supervisor};

#[tokio::test]
async fn a_declared_process_starts_stops_and_starts_as_another_incarnation() {
    let (supervisor, _folder) = supervisor();
    supervisor.declare(shell("a", "exec sleep 60")).expect("declare");
    assert_eq!(supervisor.status("a").expect("status").incarnation, None);
    let first = supervisor.start("a").await.expect("start");
    assert!(first.running);
    assert_eq!(supervisor.start("a").await.expect("again"), first, "one that runs is left alone");
    let stopped = supervisor.stop("a").await.expect("stop");
    assert!(!stopped.running);
    assert_eq!(stopped.exit.as_deref(), Some("terminated (SIGTERM)"));
    let second = supervisor.start("a").await.expect("start");
    assert_ne!(first.incarnation, second.incarnation);
}

#[tokio::test]
async fn one_that_ignores_sigterm_is_killed_after_its_grace() {
    let (supervisor, _folder) = supervisor();
    let mut spec = shell("deaf", "trap '' TERM; echo '{\"event\":\"ready\"}'; while :; do sleep 1; done");
    spec.readiness = Readiness::ReadyLine;
    spec.stop_grace = Duration::from_millis(200);
    supervisor.declare(spec).expect("declare");
    supervisor.start("deaf").await.expect("start");
    let begun = Instant::now();
    let stopped = supervisor.stop("deaf").await.expect("stop");
    assert_eq!(stopped.exit.as_deref(), Some("killed (SIGKILL)"));
    assert!(begun.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_paused_process_runs_on_paper_resumes_and_can_be_restarted() {
    let (supervisor, _folder) = supervisor();
    let mut spec = shell("a", "echo '{\"event\":\"ready\"}'; exec sleep 60").ready_when(Readiness::ReadyLine);
    spec.stop_grace = Duration::from_secs(30);
    supervisor.declare(spec).expect("declare");
    let first = supervisor.start("a").await.expect("start");
    assert!(supervisor.pause("a").await.expect("pause").running);
    assert!(supervisor.report("a").expect("report").paused);
    supervisor.resume("a").expect("resume");
    eventually("resumed", || async { (!supervisor.report("a").expect("report").paused).then_some(()) }).await;
    supervisor.pause("a").await.expect("pause");
    let begun = Instant::now();
    let second = supervisor.restart("a").await.expect("restart");
    assert!(begun.elapsed() < Duration::from_secs(10), "its grace is not waited for: it cannot end by itself");
    assert!(second.running && second.incarnation != first.incarnation);
}

#[tokio::test]
async fn an_override_runs_once_and_a_restart_brings_back_what_is_declared() {
    let (supervisor, _folder) = supervisor();
    let speak = |word: &str| {
        shell("a", "echo $WORD; echo '{\"event\":\"ready\"}'; exec sleep 60")
            .env("WORD", word)
            .ready_when(Readiness::ReadyLine)
    };
    supervisor.declare(speak("right")).expect("declare");
    supervisor.start("a").await.expect("start");
    supervisor.start_with_override("a", &speak("wrong")).await.expect("override");
    assert!(!supervisor.report("a").expect("report").declared);
    assert_eq!(supervisor.output_lines("a").expect("lines").new_lines().expect("read")[0], "wrong");
    supervisor.start("a").await.expect("one that runs is left alone");
    assert!(!supervisor.report("a").expect("report").declared);
    supervisor.restart("a").await.expect("restart");
    assert!(supervisor.report("a").expect("report").declared);
    assert_eq!(supervisor.output_lines("a").expect("lines").new_lines().expect("read")[0], "right");
}

#[tokio::test]
async fn one_that_cannot_start_says_why() {
    let (supervisor, _folder) = supervisor();
    supervisor.declare(shell("dies", "echo the disk is on fire >&2; exit 7")).expect("declare");
    supervisor
        .declare(shell("dies", "echo the disk is on fire >&2; exit 7").ready_when(Readiness::ReadyLine))
        .expect("declare");
    let error = supervisor.start("dies").await.expect_err("it ends").to_string();
    assert!(error.contains("exit code 7") && error.contains("the disk is on fire"), "{error}");
    supervisor.declare(operator_lab::process::ProcessSpec::new("absent", "/no/such/program")).expect("declare");
    let error = supervisor.start("absent").await.expect_err("no program").to_string();
    assert!(error.contains("/no/such/program"), "{error}");
    let mut slow = shell("slow", "exec sleep 60").ready_when(Readiness::ReadyLine);
    slow.start_timeout = Duration::from_millis(200);
    supervisor.declare(slow).expect("declare");
    let error = supervisor.start("slow").await.expect_err("never ready");
    assert!(matches!(error, ProcessError::NotReady { .. }), "{error}");
    assert!(supervisor.status("slow").expect("status").running, "it runs on");
    let error = supervisor.start("nobody").await.expect_err("not declared").to_string();
    assert!(error.contains("absent, dies, slow"), "{error}");
    assert!(matches!(supervisor.declare(shell("../x", "true")), Err(ProcessError::InvalidName { .. })));
}

#[tokio::test]
async fn a_child_sees_only_the_environment_it_is_given() {
    let (supervisor, _folder) = supervisor();
    let spec = shell("env", "env; echo '{\"event\":\"ready\"}'; exec sleep 60").env("GIVEN", "1");
    supervisor.declare(spec.ready_when(Readiness::ReadyLine)).expect("declare");
    supervisor.start("env").await.expect("start");
    let said = supervisor.log_tail("env", LogStream::Out, 100_000).expect("log");
    let seen: Vec<_> = said.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    assert!(seen.contains(&"GIVEN") && seen.contains(&"PATH"), "{seen:?}");
    // Those that are handed on, and those that a shell sets by itself.
    let known = ["GIVEN", "PATH", "HOME", "LANG", "TZ", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_"];
    let strange: Vec<_> = seen.iter().filter(|name| !known.contains(name)).collect();
    assert!(strange.is_empty(), "{strange:?}");
}

#[tokio::test]
async fn dropping_the_supervisor_ends_its_children() {
    let (supervisor, _folder) = supervisor();
    supervisor.declare(shell("a", "exec sleep 60")).expect("declare");
    supervisor.start("a").await.expect("start");
    let pid = supervisor.report("a").expect("report").pid.expect("runs");
    assert!(is_alive(pid));
    drop(supervisor);
    eventually("the child is gone", || async { (!is_alive(pid)).then_some(()) }).await;
}

#[tokio::test]
async fn a_child_outlives_the_runtime_and_thread_that_asked_for_it() {
    let (supervisor, _folder) = supervisor();
    supervisor.declare(shell("a", "exec sleep 60")).expect("declare");
    let asked = std::sync::Arc::clone(&supervisor);
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
        runtime.block_on(asked.start("a")).expect("start");
    })
    .join()
    .expect("thread");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(supervisor.status("a").expect("status").running);
}
