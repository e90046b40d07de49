use std::sync::Arc;
use std::time::Duration;

use operator_lab::process::{Readiness, SupervisorDriver};
use operator_protocols::{Driver as _, DriverError, Id};

use crate::fixture::{eventually, shell, supervisor};

#[tokio::test]
async fn a_restart_happens_once_for_one_incarnation() {
    let (supervisor, _folder) = supervisor();
    supervisor.declare(shell("a", "exec sleep 60")).expect("declare");
    let driver = SupervisorDriver::new(Arc::clone(&supervisor), "s", ["a".to_owned()]);
    let id = Id::new("s", "a");
    let first = driver.start_if(&id, None).await.expect("start").incarnation.expect("runs");
    let second = driver.restart_if(&id, &first).await.expect("restart").incarnation.expect("runs");
    assert_ne!(first, second);
    let refused = driver.restart_if(&id, &first).await.expect_err("another start");
    assert_eq!(refused, DriverError::Incarnation { expected: first, actual: Some(second.clone()) });
    driver.stop(&id).await.expect("stop");
    let refused = driver.restart_if(&id, &second).await.expect_err("gone");
    assert_eq!(refused, DriverError::Incarnation { expected: second, actual: None });
}

#[tokio::test]
async fn what_was_started_and_died_again_is_not_started_by_a_repeat() {
    let (supervisor, _folder) = supervisor();
    supervisor.declare(shell("a", "exec sleep 60")).expect("declare");
    let driver = SupervisorDriver::new(Arc::clone(&supervisor), "s", ["a".to_owned()]);
    let id = Id::new("s", "a");
    let first = driver.start_if(&id, None).await.expect("start").incarnation;
    assert_eq!(driver.start_if(&id, None).await.expect("it runs").incarnation, first, "left alone");
    supervisor.kill("a").await.expect("kill");
    let refused = driver.start_if(&id, None).await.expect_err("started since");
    assert_eq!(refused, DriverError::StartedSince { expected: None, actual: first.clone() });
    assert!(!driver.status(&id).await.expect("status").running, "not started twice");
    let second = driver.start_if(&id, first.as_deref()).await.expect("a new intent").incarnation;
    assert_ne!(first, second);
}

#[tokio::test]
async fn it_acts_on_the_named_components_of_its_subject_only() {
    let (supervisor, _folder) = supervisor();
    supervisor.declare(shell("a", "exec sleep 60")).expect("declare");
    supervisor.declare(shell("other", "exec sleep 60")).expect("declare");
    let driver = SupervisorDriver::new(supervisor, "s", ["a".to_owned()]);
    for id in [Id::new("s", "other"), Id::new("another", "a"), Id::new("s", "none")] {
        assert!(matches!(driver.start_if(&id, None).await, Err(DriverError::NoSuchComponent(_))), "{id:?}");
    }
}

#[tokio::test]
async fn a_paused_process_is_restarted_and_a_dead_one_tells_how_it_ended() {
    let (supervisor, _folder) = supervisor();
    supervisor.declare(shell("a", "exec sleep 60")).expect("declare");
    let driver = SupervisorDriver::new(Arc::clone(&supervisor), "s", ["a".to_owned()]);
    let id = Id::new("s", "a");
    let first = driver.start_if(&id, None).await.expect("start").incarnation.expect("runs");
    supervisor.pause("a").await.expect("pause");
    assert!(driver.status(&id).await.expect("status").running);
    let restarted = driver.restart_if(&id, &first).await.expect("restart");
    supervisor.kill("a").await.expect("kill");
    let status = driver.status(&id).await.expect("status");
    assert_eq!((status.running, status.exit.as_deref()), (false, Some("killed (SIGKILL)")));
    assert_eq!(status.incarnation, restarted.incarnation, "its last start");
}

#[tokio::test]
async fn a_restart_whose_caller_gave_up_is_carried_to_its_end() {
    let (supervisor, _folder) = supervisor();
    let spec = shell("a", "sleep 0.3; echo '{\"event\":\"ready\"}'; exec sleep 60").ready_when(Readiness::ReadyLine);
    supervisor.declare(spec).expect("declare");
    let driver = SupervisorDriver::new(Arc::clone(&supervisor), "s", ["a".to_owned()]);
    let id = Id::new("s", "a");
    let first = driver.start_if(&id, None).await.expect("start").incarnation.expect("runs");
    let gave_up = tokio::time::timeout(Duration::from_millis(5), driver.restart_if(&id, &first)).await;
    assert!(gave_up.is_err());
    eventually("another incarnation", || async {
        supervisor.status("a").expect("status").incarnation.filter(|now| *now != first)
    })
    .await;
}
