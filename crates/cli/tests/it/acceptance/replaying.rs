//! What a live operator recorded of an incident replays to the same end, byte for byte, as often as it is asked to.

use std::path::Path;
use std::time::Duration;

use operator_core::canonical_json;
use operator_core::store::{ExecutionFilter, Store as _, TicketFilter};
use operator_lab::environment::FaultRequest;
use serde::Serialize;
use serde_json::Value;

use super::cluster::Cluster;
use super::home::Home;
use super::operator_process::OperatorProcess;

const CONFIG: &str = r#"
[operator]
interval = "1s"
incident_window = "1s"
[policy]
low_risk = "auto"
medium_risk = "auto"
[[subject]]
name = "limiter"
kind = "ratelimiter"
settings = { time_scale = 0.1 }
"#;

/// From a fault to the end of its verification takes about 20 s.
const CURED: Duration = Duration::from_secs(90);

/// What the live run left in its store.
struct Live {
    tickets: Vec<Value>,
    diagnoses: Vec<Value>,
    executions: Vec<Value>,
    verifications: Vec<Value>,
}

impl Live {
    async fn of(home: &Home) -> Self {
        let store = home.store();
        let executions = store.executions(&ExecutionFilter::default()).await.expect("executions");
        let (mut diagnoses, mut verifications) = (Vec::new(), Vec::new());
        for incident in store.incidents(None, 100).await.expect("incidents") {
            diagnoses.extend(store.diagnoses(&incident.id).await.expect("diagnoses"));
        }
        for execution in &executions {
            verifications.extend(store.verifications(&execution.proposal.id).await.expect("verifications"));
        }
        Self {
            tickets: values(&store.tickets(&TicketFilter::default()).await.expect("tickets")),
            diagnoses: values(&diagnoses),
            executions: values(&executions),
            verifications: values(&verifications),
        }
    }
}

fn values<T: Serialize>(rows: &[T]) -> Vec<Value> {
    rows.iter().map(|row| serde_json::from_str(&canonical_json(row)).expect("JSON")).collect()
}

/// Replays a recording twice: both times the same bytes, and nothing went another way.
async fn replayed(home: &Home, recording: &Path) -> Value {
    let file = recording.to_str().expect("a path of UTF-8");
    let first = home.operator(&["replay", file]).await;
    let said = String::from_utf8_lossy(&first.stderr).into_owned();
    let report: Value = serde_json::from_slice(&first.stdout).unwrap_or_else(|error| panic!("{file}: {error}: {said}"));
    assert_eq!(report["divergences"], serde_json::json!([]), "{file}");
    assert_eq!(first.status.code(), Some(0), "{file}: {said}");
    let second = home.operator(&["replay", file]).await;
    assert!(first.stdout == second.stdout, "{file}: two replays differ");
    report
}

fn rows(report: &Value, of: &str) -> Vec<Value> {
    report[of].as_array().cloned().unwrap_or_else(|| panic!("{of} in {report}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_incidents_with_their_actions_replay_to_what_the_live_run_stored() {
    let cluster = Cluster::start(|config| operator_lab::ratelimiter::RateLimiterConfig {
        limits: [("key-1".to_owned(), 50)].into(),
        ..config
    })
    .await;
    let home = Home::new(CONFIG);
    let mut operator = OperatorProcess::start(&home, &["--lab", cluster.folder()]);
    operator.ready().await;
    operator.await_calm(CURED).await;

    // One that the operator mends by itself …
    cluster.inject(FaultRequest::new("kill_node").with("node", "node-2")).await;
    let done = operator.told("action.finished", CURED).await;
    assert_eq!((&done["body"]["action"], &done["body"]["state"]), (&"start_component".into(), &"done".into()));
    operator.told("incident.closed", CURED).await;

    // … and one for which it asks a person.
    cluster.inject(FaultRequest::new("raise_limit").with("key", "key-1").with("factor", 10_i64)).await;
    let proposed = operator.told("action.proposed", CURED).await;
    assert_eq!(proposed["body"]["state"], "awaiting_approval", "{proposed}");
    let (intent, hash) = (proposed["reference"].as_str(), proposed["body"]["bind_hash"].as_str());
    let (intent, hash) = (intent.expect("an id"), hash.expect("a hash"));
    home.ask(0, &["actions", "approve", intent, "--hash", hash, "--reason", "it was a mistake"]).await;
    operator.told("incident.closed", CURED).await;
    assert_eq!(operator.stop().await.code(), Some(0));

    let live = Live::of(&home).await;
    let (node, limit) = (&live.executions[1], &live.executions[0]);
    assert_eq!((&node["proposal"]["action"], &node["state"]), (&"start_component".into(), &"done".into()));
    assert_eq!((&limit["proposal"]["action"], &limit["state"]), (&"update_limit".into(), &"done".into()));
    let recordings = home.recordings("limiter");
    assert_eq!(recordings.len(), 2, "{recordings:?}");

    // The first ends with the first incident; what belongs to that is as it was stored.
    let first = replayed(&home, &recordings[0]).await;
    let of_first = |rows: &[Value]| -> Vec<Value> {
        rows.iter().filter(|row| canonical_json(row).contains("limiter-I1\"")).cloned().collect()
    };
    assert_eq!(rows(&first, "tickets"), of_first(&live.tickets));
    assert_eq!(rows(&first, "diagnoses"), of_first(&live.diagnoses));
    assert_eq!(rows(&first, "executions"), std::slice::from_ref(node));

    // The second began before both.
    let second = replayed(&home, &recordings[1]).await;
    assert_eq!(rows(&second, "tickets"), live.tickets);
    assert_eq!(rows(&second, "diagnoses"), live.diagnoses);
    assert_eq!(rows(&second, "executions"), live.executions);
    assert_eq!(rows(&second, "verifications"), live.verifications);
    let cited =
        |diagnosis: &Value| diagnosis[1]["primary"]["supporting"].as_array().is_some_and(|list| !list.is_empty());
    assert!(!live.diagnoses.is_empty() && live.diagnoses.iter().all(cited), "each diagnosis cites evidence");

    // The third is of another start, which took over what the first one left.
    let mut operator = OperatorProcess::start(&home, &["--lab", cluster.folder()]);
    operator.ready().await;
    cluster.inject(FaultRequest::new("kill_node").with("node", "node-3")).await;
    operator.told("incident.closed", CURED).await;
    assert_eq!(operator.stop().await.code(), Some(0));
    let live = Live::of(&home).await;
    let recordings = home.recordings("limiter");
    assert_eq!(recordings.len(), 3, "{recordings:?}");
    let third = replayed(&home, &recordings[2]).await;
    assert_eq!(rows(&third, "tickets"), live.tickets);
    assert_eq!(rows(&third, "diagnoses"), live.diagnoses);
    assert_eq!(without_epochs(rows(&third, "executions")), without_epochs(live.executions.clone()));
    println!(
        "{} tickets, {} diagnoses, {} intents came out twice as they were stored",
        live.tickets.len(),
        live.diagnoses.len(),
        live.executions.len()
    );
    cluster.end().await;
}

/// A replay has a lease of its own.
fn without_epochs(mut executions: Vec<Value>) -> Vec<Value> {
    for execution in &mut executions {
        execution.as_object_mut().expect("an object").remove("epoch");
    }
    executions
}
