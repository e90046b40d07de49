//! `kill -9` at any moment, while faults and actions go on: no ticket is lost, no effect happens twice, and the next
//! start is ready at once.
//!
//! `OPERATOR_KILLS` says how often (3 if not given), `OPERATOR_SEED` repeats a run's choices. Effects are counted at the
//! target: starts of a node by what the node said itself, resets by Redis's own log of its writes.

mod moment;
mod reckoning;

use std::sync::Arc;
use std::time::{Duration, Instant};

use operator_core::store::{ExecutionFilter, Store as _, TicketFilter};
use operator_core::{SystemClock, Ticket, TicketState};
use operator_lab::environment::FaultRequest;
use operator_protocols::{Clock as _, Timestamp};

use super::cluster::Cluster;
use super::forwarder::Forwarder;
use super::home::Home;
use super::late::Lateness;
use super::operator_process::OperatorProcess;
use moment::{Moment, Random};

/// Everything by itself, and no limit that a quick succession of faults would meet. Nodes are reached by way of `nodes`.
fn config(nodes: &[(String, Forwarder)]) -> String {
    let node = |(id, node): &(String, Forwarder)| format!("{{ id = \"{id}\", address = \"{}\" }}", node.address);
    let nodes: Vec<_> = nodes.iter().map(node).collect();
    format!("{POLICY}\n[subject.settings]\ntime_scale = 0.1\nnodes = [{}]\n", nodes.join(", "))
}

const POLICY: &str = r#"
[operator]
interval = "500ms"
incident_window = "1s"
reopen_within = "0s"
[policy]
low_risk = "auto"
medium_risk = "auto"
max_attempts = 10
actions_per_incident = 100
[policy.budget]
per_target_per_hour = 1000
per_subject_per_hour = 1000
overall_per_hour = 1000
[policy.breaker]
failures = 1000
[[subject]]
name = "limiter"
kind = "ratelimiter"
"#;

/// A window in which an outside write does not heal by itself.
const WINDOW_MS: u32 = 600_000;
/// How soon a restarted operator must be able to act again.
const READY: Duration = Duration::from_secs(3);
/// From a fault to the end of its verification takes about 15 s, and each kill begins some of it anew.
const OVER: Duration = Duration::from_secs(180);
/// How often what is stored is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Something that was broken, and what must come of it.
pub struct Fault {
    invariant: &'static str,
    on: String,
    at: Timestamp,
    request: FaultRequest,
}

impl Fault {
    /// A node is killed, a counter is written into, and so on in turn; which one is chance.
    fn pick(number: usize, random: &mut Random) -> Self {
        let at = SystemClock.now();
        if number.is_multiple_of(2) {
            let node = format!("node-{}", 1 + random.below(3));
            let request = FaultRequest::new("kill_node").with("node", node.as_str());
            Self { invariant: "node_down", on: format!("component:{node}"), at, request }
        } else {
            let key = format!("key-{}", 1 + random.below(5));
            let request = FaultRequest::new("outside_writes")
                .with("key", key.as_str())
                .with("window_ms", i64::from(WINDOW_MS))
                .with("entries", 40_i64);
            Self { invariant: "counter_drift", on: format!("entity:key:{key}"), at, request }
        }
    }

    /// Whether this ticket is about it.
    fn is_of(&self, ticket: &Ticket) -> bool {
        ticket.invariant == self.invariant && ticket.on.to_text() == self.on && ticket.opened_at >= self.at
    }
}

/// How it went.
#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    in_flight: u64,
    longest_ready: Duration,
}

/// A cluster that is broken again and again, and an operator that is killed again and again.
struct Siege {
    cluster: Cluster,
    /// What is asked of the nodes goes this way, and what changes something takes its time.
    _late: Vec<(String, Forwarder)>,
    home: Home,
    random: Random,
    faults: Vec<Fault>,
}

impl Siege {
    /// Breaks something, as soon as what was broken before is over.
    async fn keep_breaking(&mut self) {
        if self.all_over().await {
            let fault = Fault::pick(self.faults.len(), &mut self.random);
            self.cluster.inject(fault.request.clone()).await;
            self.faults.push(fault);
        }
    }

    /// Whether the last fault has a resolved ticket, and nothing else is open.
    async fn all_over(&self) -> bool {
        let store = self.home.store();
        let open = TicketFilter { open_only: true, ..TicketFilter::default() };
        let active = ExecutionFilter { active_only: true, ..ExecutionFilter::default() };
        let last_is_over = match self.faults.last() {
            None => true,
            Some(last) => {
                let tickets = store.tickets(&TicketFilter::default()).await.expect("tickets");
                tickets.iter().any(|ticket| last.is_of(ticket) && ticket.state == TicketState::Resolved)
            }
        };
        last_is_over
            && store.tickets(&open).await.expect("tickets").is_empty()
            && store.executions(&active).await.expect("executions").is_empty()
    }

    /// Lets things go on until the moment has come.
    async fn await_moment(&mut self, operator: &mut OperatorProcess, moment: Moment) {
        let begun = Instant::now();
        loop {
            self.keep_breaking().await;
            match moment {
                Moment::Any { after } | Moment::Starting { after } => {
                    let left = after.saturating_sub(begun.elapsed());
                    tokio::time::sleep(left.min(LOOK_EVERY)).await;
                    if begun.elapsed() >= after {
                        return;
                    }
                }
                Moment::InFlight { after } => {
                    let claimed = |event: serde_json::Value| event["kind"] == "action.claimed";
                    if operator.event(LOOK_EVERY).await.is_some_and(claimed) {
                        tokio::time::sleep(after).await;
                        return;
                    }
                    let status = operator.status().await;
                    assert!(begun.elapsed() < OVER, "nothing was claimed: {status:?}; {}", operator.said());
                }
            }
        }
    }

    /// Kills and starts until it was done so often; gives the operator that runs in the end.
    async fn kill(&mut self, mut operator: OperatorProcess, wanted: u64) -> (OperatorProcess, Tally) {
        let mut tally = Tally::default();
        let mut moment = Moment::InFlight { after: Duration::ZERO };
        // Enough of them must meet an action in flight.
        while tally.kills < wanted || tally.in_flight * 10 < tally.kills * 3 {
            assert!(tally.kills < 2 * wanted, "too few kills met an action in flight: {tally:?}");
            self.await_moment(&mut operator, moment).await;
            operator.kill_nine().await;
            tally.kills += 1;
            let found = self.home.store().executions(&ExecutionFilter::default()).await.expect("executions");
            let in_flight = found.iter().any(|execution| execution.state.holds_slot());
            tally.in_flight += u64::from(in_flight);
            operator = OperatorProcess::start(&self.home, &["--lab", self.cluster.folder()]);
            println!("kill {}: {moment:?}, in flight: {in_flight}", tally.kills);
            moment = Moment::pick(&mut self.random);
            if !matches!(moment, Moment::Starting { .. }) {
                let ready = operator.ready().await;
                tally.longest_ready = tally.longest_ready.max(ready);
            }
        }
        let ready = operator.ready().await;
        tally.longest_ready = tally.longest_ready.max(ready);
        (operator, tally)
    }

    async fn await_over(&self, operator: &OperatorProcess) {
        let deadline = Instant::now() + OVER;
        while !(self.all_over().await && operator.calm().await) {
            let status = operator.status().await;
            assert!(Instant::now() < deadline, "not over within {OVER:?}: {status:?}; {}", operator.said());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}: a number, not {text}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_it_loses_no_ticket_and_has_no_effect_twice() {
    let kills = number_from("OPERATOR_KILLS").unwrap_or(3).max(1);
    let seed = number_from("OPERATOR_SEED").unwrap_or_else(|| SystemClock.now().as_millis().unsigned_abs());
    println!("OPERATOR_KILLS={kills} OPERATOR_SEED={seed}");
    let lateness = Arc::new(Lateness::default());
    let cluster = Cluster::late(&lateness, |config| operator_lab::ratelimiter::RateLimiterConfig {
        default_window_ms: WINDOW_MS,
        ..config
    })
    .await;
    let mut late = Vec::new();
    for (name, address) in cluster.environment.node_addresses() {
        late.push((name, Forwarder::late(address, &lateness).await));
    }
    let home = Home::new(&config(&late));
    let mut siege = Siege { cluster, _late: late, home, random: Random::new(seed), faults: Vec::new() };
    let mut operator = OperatorProcess::start(&siege.home, &["--lab", siege.cluster.folder()]);
    operator.ready().await;
    operator.await_calm(OVER).await;

    let (operator, tally) = siege.kill(operator, kills).await;
    siege.await_over(&operator).await;
    // What was killed so often still does its work.
    siege.keep_breaking().await;
    siege.await_over(&operator).await;
    let verified = siege.home.ask(0, &["audit", "verify"]).await;
    assert_eq!(operator.stop().await.code(), Some(0));
    let Siege { cluster, home, faults, .. } = siege;
    assert_eq!(home.ask(0, &["audit", "verify"]).await["kind"], verified["kind"], "intact while it runs and after");

    let recordings = home.recordings("limiter");
    for recording in &recordings {
        // Cut off or whole, each is of what really happened: it replays without going another way, which would be 3.
        let output = home.operator(&["replay", recording.to_str().expect("a path of UTF-8")]).await;
        let said = String::from_utf8_lossy(&output.stdout[..output.stdout.len().min(2000)]).into_owned();
        assert_eq!(output.status.code(), Some(0), "{}: {said}", recording.display());
    }
    let counted = reckoning::reckon(&home, cluster, &faults).await;
    println!("{} recordings replay", recordings.len());
    println!(
        "seed {seed}: {} kills, {} with an action in flight; {} faults; {} intents done, {} effects; ready after {:?} at most",
        tally.kills,
        tally.in_flight,
        faults.len(),
        counted.intents,
        counted.effects,
        tally.longest_ready
    );
    assert!(tally.longest_ready <= READY, "ready only after {:?}", tally.longest_ready);
}
