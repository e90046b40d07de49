//! A system that nobody wrote Rust for: a real Prometheus, described by the file of the documentation, is broken in four
//! ways, and each time the operator finds out and names what it is.

use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::home::Home;
use super::operator_process::OperatorProcess;
use super::prometheus::{Prometheus, RULES};

const EXAMPLE: &str = include_str!("../../../../../docs/examples/prometheus.toml");
const PATIENCE: Duration = Duration::from_secs(60);

/// An operator that watches what the example describes, and `more`, at this address.
async fn watch(address: SocketAddr, more: &str) -> (Home, OperatorProcess) {
    let home = Home::new("");
    let file = home.path("system.toml");
    std::fs::write(&file, EXAMPLE.replace("127.0.0.1:9090", &address.to_string()) + more).expect("written");
    let config = format!(
        "[operator]\ninterval = \"500ms\"\n[[subject]]\nname = \"metrics\"\nkind = \"declared\"\n[subject.settings]\n\
         file = {:?}\ntime_scale = 0.1\n",
        file.display().to_string()
    );
    std::fs::write(home.path("operator.toml"), config).expect("written");
    let mut operator = OperatorProcess::start(&home, &[]);
    operator.ready().await;
    operator.await_calm(PATIENCE).await;
    (home, operator)
}

fn component(name: &str) -> Value {
    json!({ "component": { "subject": "metrics", "local": name } })
}

/// Waits for the ticket of this invariant and gives what it says.
async fn ticket(operator: &mut OperatorProcess, invariant: &str) -> Value {
    loop {
        let ticket = operator.told("ticket.opened", PATIENCE).await;
        if ticket["body"]["invariant"] == invariant {
            return ticket["body"].clone();
        }
    }
}

fn message(ticket: &Value) -> &str {
    ticket["message"].as_str().unwrap_or_default()
}

/// Waits until the diagnosis is that this component is down.
async fn named_as_down(operator: &mut OperatorProcess, name: &str) {
    loop {
        let diagnosis = operator.told("diagnosis.made", PATIENCE).await;
        if diagnosis["body"]["class"] == "ComponentDown" {
            assert_eq!(diagnosis["body"]["locus"], component(name), "{diagnosis}");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prometheus_that_is_killed_is_named_as_down() {
    let mut prometheus = Prometheus::start(&[]).await;
    let (_home, mut operator) = watch(prometheus.address, "").await;
    prometheus.kill_nine().await;
    let ticket = ticket(&mut operator, "up").await;
    assert_eq!((&ticket["on"], &ticket["severity"]), (&component("prometheus"), &json!("critical")), "{ticket}");
    assert!(message(&ticket).contains("Connection refused"), "{ticket}");
    named_as_down(&mut operator, "prometheus").await;
    assert_eq!(operator.stop().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prometheus_that_hangs_does_not_answer_and_is_well_again_when_it_goes_on() {
    let prometheus = Prometheus::start(&[]).await;
    let (_home, mut operator) = watch(prometheus.address, "").await;
    prometheus.signal(Signal::STOP);
    let ticket = ticket(&mut operator, "up").await;
    assert_eq!(ticket["on"], component("prometheus"), "{ticket}");
    assert!(message(&ticket).contains("no answer from"), "{ticket}");
    named_as_down(&mut operator, "prometheus").await;
    prometheus.signal(Signal::CONT);
    operator.await_calm(PATIENCE).await;
    assert_eq!(operator.stop().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_that_cannot_be_reloaded_is_a_ticket_until_it_is_repaired() {
    let prometheus = Prometheus::start(&[]).await;
    let (home, mut operator) = watch(prometheus.address, "").await;
    prometheus.rules("groups: [\n");
    let opened = ticket(&mut operator, "config_reload").await;
    assert_eq!(opened["on"], component("prometheus"), "{opened}");
    assert_eq!(
        message(&opened),
        "its configuration could not be reloaded; it still runs with the one before (last_reload_successful is 0, \
         below 1)"
    );
    prometheus.rules(RULES);
    operator.told("ticket.cleared", PATIENCE).await;
    operator.await_calm(PATIENCE).await;
    assert_eq!(operator.stop().await.code(), Some(0));
    let tickets = home.ask(0, &["tickets", "list", "--all"]).await;
    let tickets = tickets["tickets"].as_array().expect("a list").clone();
    assert!(tickets.len() == 1 && tickets[0]["state"] == "resolved", "{tickets:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_dies_is_named_by_who_scrapes_it() {
    // What is scraped is a second Prometheus: it has metrics, and can be killed.
    let mut exporter = Prometheus::start(&[]).await;
    let prometheus = Prometheus::start(&[exporter.address]).await;
    let declared = format!(
        "\n[[component]]\nname = \"exporter\"\nkind = \"exporter\"\n[[component.check]]\n\
         promql = 'min(up{{instance=\"{}\"}})'\n[[dependency]]\nfrom = \"prometheus\"\nto = \"exporter\"\n\
         kind = \"scrape\"\n",
        exporter.address
    );
    let (_home, mut operator) = watch(prometheus.address, &declared).await;
    exporter.kill_nine().await;
    let (mut by_target, mut by_component) = (None, None);
    while by_target.is_none() || by_component.is_none() {
        let opened = operator.told("ticket.opened", PATIENCE).await["body"].clone();
        match opened["invariant"].as_str() {
            Some("target_answers") => by_target = Some(opened),
            Some("up") => by_component = Some(opened),
            _ => panic!("nothing else is wrong: {opened}"),
        }
    }
    let (by_target, by_component) = (by_target.expect("told"), by_component.expect("told"));
    let target = json!({
        "entity": { "subject": "metrics", "kind": "target", "key": exporter.address.to_string() }
    });
    assert_eq!(by_target["on"], target, "{by_target}");
    assert!(message(&by_target).starts_with("Prometheus cannot scrape it"), "{by_target}");
    assert_eq!(by_component["on"], component("exporter"), "{by_component}");
    assert_eq!(by_target["incident"], by_component["incident"], "one death is one incident");
    let home = _home;
    let incident = by_component["incident"].as_str().expect("an incident");
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let shown = home.ask(0, &["incidents", "show", incident]).await.to_string();
        if shown.contains("ComponentDown") && shown.contains("exporter") {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{shown}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(operator.stop().await.code(), Some(0));
}
