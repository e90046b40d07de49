//! The protocol's own checks of the subject, over nodes and a Redis that really run, are dead, or stand still.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use operator_core::SystemClock;
use operator_lab::environment::Environment as _;
use operator_lab::ratelimiter::RateLimiterConfig;
use operator_protocols::compliance::{Compliance, Made, Report};
use operator_protocols::{Driver, SubjectConfig, Value};

use super::counting_forwarder::CountingForwarder;
use super::limiter::{Limiter, light_load};
use crate::fixture::eventually;

/// From one look to the next.
const INTERVAL: Duration = Duration::from_secs(1);
/// Redis's account of the subject.
const ACCOUNT: &str = "watcher";
const PASSWORD: &str = "only-to-look";

/// A limiter under load, and three witnesses of what the subject does to it.
///
/// Redis has an account for the subject that may do no more than read, and keeps a record of everything that was denied
/// to it; the nodes are behind forwarders that count; and of each process it is known which starts there were. The
/// limiter's own writes, which never stop, are none of this.
struct Watched {
    limiter: Limiter,
    nodes: Vec<(String, CountingForwarder)>,
    redis: redis::Client,
    starts: Mutex<BTreeSet<(String, String)>>,
}

impl Watched {
    async fn start() -> Self {
        let limits = [("key-1".to_owned(), 500)].into();
        let limiter = Limiter::with(|config| RateLimiterConfig { limits, ..config }).await;
        limiter.settled().await;
        limiter.environment.start_workload(&light_load()).await.expect("load");
        eventually("some load was answered", || async {
            limiter.environment.workload_samples().iter().any(|second| second.granted > 0).then_some(())
        })
        .await;
        let mut nodes = Vec::new();
        for (name, address) in limiter.environment.node_addresses() {
            nodes.push((name, CountingForwarder::start(address).await));
        }
        std::fs::write(limiter.folder.path().join("password"), PASSWORD).expect("written");
        let address = limiter.environment.redis_address();
        let redis = redis::Client::open(format!("redis://{address}")).expect("an address");
        let watched = Self { limiter, nodes, redis, starts: Mutex::default() };
        watched.open_account().await;
        watched.processes_started();
        watched
    }

    async fn open_account(&self) {
        let mut account = redis::cmd("ACL");
        account.arg("SETUSER").arg(ACCOUNT).arg("on").arg(format!(">{PASSWORD}")).arg("~*");
        account.arg(&["-@all", "+@read", "+@connection", "+info", "+time", "+eval_ro"]);
        let _: () = account.query_async(&mut self.ask_redis().await).await.expect("an account");
    }

    async fn ask_redis(&self) -> redis::aio::MultiplexedConnection {
        self.redis.get_multiplexed_async_connection().await.expect("Redis answers")
    }

    fn config(&self) -> SubjectConfig {
        let mut config = self.limiter.environment.subject_config();
        let node = |(name, forwarder): &(String, CountingForwarder)| {
            Value::map([("id", name.as_str().into()), ("address", forwarder.address.to_string().into())])
        };
        config.settings.insert("nodes".to_owned(), Value::List(self.nodes.iter().map(node).collect()));
        let url = format!("redis://{ACCOUNT}@{}", self.limiter.environment.redis_address());
        config.settings.insert("redis_url".to_owned(), url.into());
        let password = self.limiter.folder.path().join("password").display().to_string();
        config.settings.insert("redis_password_file".to_owned(), password.into());
        config
    }

    /// Everything that the subject wrote, or tried to.
    async fn writes(&self) -> u64 {
        let to_nodes: u64 = self.nodes.iter().map(|(_, forwarder)| forwarder.writing()).sum();
        self.denied_by_redis().await + to_nodes + self.processes_started()
    }

    /// What Redis denied to the subject's account: whatever does not read only.
    async fn denied_by_redis(&self) -> u64 {
        let mut log = redis::cmd("ACL");
        log.arg("LOG").arg(1000);
        let entries: Vec<std::collections::HashMap<String, redis::Value>> =
            log.query_async(&mut self.ask_redis().await).await.expect("Redis's record");
        let count = |entry: &std::collections::HashMap<String, redis::Value>| {
            let text = |name: &str| redis::from_redis_value_ref::<String>(&entry[name]).expect("text");
            let count = redis::from_redis_value_ref::<u64>(&entry["count"]).expect("a number");
            if text("username") == ACCOUNT { count } else { 0 }
        };
        entries.iter().map(count).sum()
    }

    /// How many starts of processes were seen beyond the first of each.
    fn processes_started(&self) -> u64 {
        let supervisor = self.limiter.environment.supervisor();
        let components = self.limiter.environment.components();
        let mut starts = self.starts.lock().expect("not poisoned");
        for name in &components {
            if let Some(incarnation) = supervisor.status(name).expect("declared").incarnation {
                starts.insert((name.clone(), incarnation));
            }
        }
        starts.len().saturating_sub(components.len()) as u64
    }
}

fn made(config: &SubjectConfig, driver: Arc<dyn Driver>) -> Made {
    operator_ratelimiter::factory(config, Some(driver)).expect("right settings")
}

/// Tries everything on `watched`, and what can be tried on `dead`.
async fn try_on(watched: &Arc<Watched>, dead: &Limiter) -> Report {
    let (config, driver) = (watched.config(), watched.limiter.environment.driver());
    let (config_of_dead, driver_of_dead) = (dead.environment.subject_config(), dead.environment.driver());
    let witness = Arc::clone(watched);
    Compliance::new(Arc::new(SystemClock), move || made(&config, driver))
        .dead(move || made(&config_of_dead, driver_of_dead))
        .pause(|duration| Box::pin(tokio::time::sleep(duration)))
        .writes(move || {
            let witness = Arc::clone(&witness);
            Box::pin(async move { witness.writes().await })
        })
        .interval(INTERVAL)
        .run()
        .await
}

fn kept(report: &Report) {
    assert!(report.passed(), "{report}");
    assert_eq!(report.skipped().count(), 0, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_subject_keeps_the_protocols_obligations_over_a_running_a_dead_and_a_standing_limiter() {
    let (watched, dead) = tokio::join!(Watched::start(), Limiter::start());
    let watched = Arc::new(watched);
    let supervisor = dead.environment.supervisor();

    for component in dead.environment.components() {
        supervisor.kill(&component).await.expect("killed");
    }
    kept(&try_on(&watched, &dead).await);

    // What stands still takes connections, and never answers.
    for component in dead.environment.components() {
        supervisor.start(&component).await.expect("started");
    }
    dead.settled().await;
    for component in dead.environment.components() {
        supervisor.pause(&component).await.expect("paused");
    }
    kept(&try_on(&watched, &dead).await);

    let samples = watched.limiter.environment.workload_samples();
    assert!(samples.iter().all(|second| second.errors == 0), "the load met nothing of it: {samples:?}");
    for (name, forwarder) in &watched.nodes {
        assert!(forwarder.reading() > 10, "{name} was looked at");
    }
    whoever_had_written_would_have_been_seen(&watched).await;
}

/// Each witness, in turn.
async fn whoever_had_written_would_have_been_seen(watched: &Watched) {
    let before = watched.writes().await;
    let login = format!("redis://{ACCOUNT}:{PASSWORD}@{}", watched.limiter.environment.redis_address());
    let client = redis::Client::open(login).expect("an address");
    let mut account = client.get_multiplexed_async_connection().await.expect("it may look");
    for script in ["EVAL", "EVAL_RO"] {
        let write = redis::cmd(script).arg("return redis.call('SET', 'written', '1')").arg(0).clone();
        let denied: redis::RedisResult<redis::Value> = write.query_async(&mut account).await;
        assert!(denied.is_err(), "{script}: {denied:?}");
    }
    let denied = redis::cmd("SET").arg("written").arg("1").clone();
    let _ = denied.query_async::<redis::Value>(&mut account).await.expect_err("it may not write");
    assert!(watched.denied_by_redis().await >= 2, "EVAL and SET");

    let (_, forwarder) = &watched.nodes[0];
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let asked = http.post(format!("http://{}/api/resync", forwarder.address)).send().await.expect("an answer");
    assert!(asked.status().is_success(), "{asked:?}");
    assert_eq!(forwarder.writing(), 1);

    watched.limiter.environment.supervisor().restart("node-2").await.expect("restarted");
    assert_eq!(watched.processes_started(), 1);
    assert!(watched.writes().await >= before + 4);
}
