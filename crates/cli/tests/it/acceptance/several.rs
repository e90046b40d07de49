//! One operator over several systems, two of them of one kind with components of the same names, and one that never
//! answers: what happens to one is its own.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use operator_core::store::{ExecutionFilter, Store as _, TicketFilter};
use operator_lab::environment::FaultRequest;
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::cluster::Cluster;
use super::home::Home;
use super::operator_process::{ASK_EVERY, OperatorProcess};

const PATIENCE: Duration = Duration::from_secs(60);

/// Takes connections and whatever is sent, and never answers. Gives its address.
async fn hanging() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut bytes = [0_u8; 1024];
                while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
            });
        }
    });
    address
}

fn config(east: &Cluster, west: &Cluster, stuck: &str) -> String {
    let of = |name: &str, cluster: &Cluster| {
        format!(
            "[[subject]]\nname = \"{name}\"\nkind = \"ratelimiter\"\nlab = \"{}\"\n[subject.settings]\n\
             time_scale = 0.1\n",
            cluster.folder()
        )
    };
    format!(
        "[operator]\ninterval = \"500ms\"\n[policy]\nlow_risk = \"auto\"\n{}{}[[subject]]\nname = \"stuck\"\n\
         kind = \"ratelimiter\"\n[subject.settings]\nnodes = [\"{stuck}\"]\nredis_url = \"redis://{stuck}\"\n",
        of("east", east),
        of("west", west)
    )
}

async fn cycles(operator: &OperatorProcess, subject: &str) -> u64 {
    operator.status_of(subject).await.and_then(|status| status["cycle"].as_u64()).unwrap_or(0)
}

async fn until_cycles(operator: &OperatorProcess, subject: &str, more: u64) {
    let (since, from) = (Instant::now(), cycles(operator, subject).await);
    while cycles(operator, subject).await < from + more {
        assert!(since.elapsed() < PATIENCE, "{subject} does not go on: {}", operator.said());
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// Follows the ticket of a killed node of `subject` to its end; nothing may be told of `other` meanwhile. Gives its id.
async fn mended(operator: &mut OperatorProcess, subject: &str, other: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    let mut ticket = None;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let Some(event) = operator.event(left).await else { panic!("{subject} is not mended: {}", operator.said()) };
        let kind = event["kind"].as_str().unwrap_or_default();
        assert!(!(event["subject"] == other && kind.starts_with("ticket.")), "{event}");
        if event["subject"] != subject {
            continue;
        }
        match kind {
            "ticket.opened" => ticket = event["reference"].as_str().map(str::to_owned),
            "ticket.state" if event["body"]["to"] == "resolved" => return ticket.expect("it was opened"),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_in_one_system_is_found_and_mended_there_and_nowhere_else_across_a_restart() {
    let (east, west) = (Cluster::start(|config| config).await, Cluster::start(|config| config).await);
    let home = Home::new(&config(&east, &west, &hanging().await));
    let mut operator = OperatorProcess::start(&home, &[]);
    for subject in ["east", "west"] {
        until_cycles(&operator, subject, 8).await;
    }
    let (fast, slow) = (cycles(&operator, "east").await, cycles(&operator, "stuck").await);
    println!("the systems that answer had {fast} cycles while the one that does not had {slow}");

    west.inject(FaultRequest::new("kill_node").with("node", "node-2")).await;
    let first = mended(&mut operator, "west", "east").await;
    assert_eq!(first, "west-T1");
    assert_eq!((east.starts_of("node-2"), west.starts_of("node-2")), (1, 2), "started there, and not its namesake");

    // What a person says of one is said of that one.
    home.ask(0, &["kill-switch", "engage", "--subject", "west", "--reason", "test"]).await;
    home.ask(0, &["mode", "set", "propose", "--subject", "west", "--reason", "test"]).await;
    let modes = home.ask(0, &["mode", "show"]).await;
    let of = |name: &str| -> Value {
        let modes = modes["mode"].as_array().cloned().unwrap_or_default();
        modes.into_iter().find(|mode| mode["subject"] == name).expect("its mode")
    };
    assert_eq!(
        (of("west")["autonomy"]["low"].clone(), of("east")["autonomy"]["low"].clone()),
        ("propose".into(), "auto".into())
    );
    let unnamed = home.operator(&["mode", "set", "observe", "--reason", "of which?"]).await;
    assert_eq!(unnamed.status.code(), Some(1), "{}", String::from_utf8_lossy(&unnamed.stderr));
    home.ask(3, &["kill-switch", "status", "--subject", "west"]).await;
    home.ask(0, &["kill-switch", "status", "--subject", "east"]).await;
    operator.kill_nine().await;

    // Another process knows both; the switch of the one does not stop the other.
    let mut operator = OperatorProcess::start(&home, &[]);
    for subject in ["east", "west"] {
        until_cycles(&operator, subject, 4).await;
    }
    east.inject(FaultRequest::new("kill_node").with("node", "node-3")).await;
    assert_eq!(mended(&mut operator, "east", "west").await, "east-T1");
    assert_eq!((east.starts_of("node-3"), west.starts_of("node-3")), (2, 1));
    let checked = home.ask(0, &["check", "--subject", "east", "--observations", "2", "--every", "200ms"]).await;
    assert_eq!(checked["check"][0]["subject"], "east");
    assert_eq!(checked["check"].as_array().map(Vec::len), Some(1));
    let told = home.ask(0, &["explain", "registry", "--subject", "west"]).await;
    assert_eq!(told["explained"]["answer"]["node-2"]["state"], "Up", "{told}");
    assert_eq!(operator.stop().await.code(), Some(0));

    let store = home.store();
    let tickets = store.tickets(&TicketFilter::default()).await.expect("tickets");
    let ids: BTreeSet<_> = tickets.iter().map(|ticket| ticket.id.as_str()).collect();
    assert_eq!(ids.len(), tickets.len(), "no two tickets have one id");
    let of = |subject: &str| ids.iter().filter(|id| id.starts_with(&format!("{subject}-"))).count();
    assert_eq!((of("east"), of("west")), (1, 1), "{ids:?}");
    let sent = store.executions(&ExecutionFilter::default()).await.expect("executions");
    let mut sent: Vec<_> = sent.iter().filter(|one| one.attempt > 0).map(|one| one.proposal.subject.as_str()).collect();
    sent.sort_unstable();
    assert_eq!(sent, ["east", "west"], "one action each");
    home.ask(0, &["audit", "verify"]).await;
    let listed = home.operator(&["tickets", "list", "--subject", "west", "--all"]).await;
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert_eq!(listed["tickets"].as_array().map(Vec::len), Some(1), "{listed}");
    east.end().await;
    west.end().await;
}
