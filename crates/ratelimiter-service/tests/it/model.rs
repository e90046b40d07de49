//! The scripts against a model in plain Rust: random costs, limits, windows, resets and bursts, one after the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use ratelimiter_service::call::{Call, int};
use ratelimiter_service::decision::{self, CheckRequest, Defaults, retry_seconds};
use ratelimiter_service::keys::{self, LimiterKey};
use ratelimiter_service::link::Link;
use ratelimiter_service::log_entry::LogEntry;
use ratelimiter_service::once::{self, Conditions};
use ratelimiter_service::script::{CHECK, LIMIT, RESET, Script};
use ratelimiter_service::time::Monotonic;

use crate::harness::Redis;

const DEFAULTS: Defaults = Defaults { limit: 9, window_ms: 7 };

#[derive(Clone, Debug)]
enum Step {
    /// So many checks in one go.
    Checks {
        times: usize,
        limit: Option<u64>,
        window_ms: Option<u64>,
        cost: u64,
    },
    Reset,
    Store {
        limit: u64,
        window_ms: Option<u64>,
    },
    Delete,
    Sleep(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let window = || prop_oneof![Just(None), Just(Some(1)), Just(Some(6)), Just(Some(25))];
    let limit = prop_oneof![Just(None), (1_u64..12).prop_map(Some), Just(Some(400)), Just(Some(1_000_000_000))];
    let cost = prop_oneof![5 => 1_u64..5, 1 => Just(1_000_000_000), 1 => 1_u64..500];
    let times = prop_oneof![6 => 1_usize..4, 1 => 60_usize..200];
    let step = prop_oneof![
        8 => (times, limit, window(), cost)
            .prop_map(|(times, limit, window_ms, cost)| Step::Checks { times, limit, window_ms, cost }),
        1 => Just(Step::Reset),
        1 => (1_u64..300, window()).prop_map(|(limit, window_ms)| Step::Store { limit, window_ms }),
        1 => Just(Step::Delete),
        3 => (0_u64..9).prop_map(Step::Sleep),
    ];
    proptest::collection::vec(step, 1..40)
}

/// All grants ever, with nothing forgotten: the sums are made by looking at every one.
#[derive(Default)]
struct Log {
    /// t, cost, generation
    grants: Vec<(i64, u64, u64)>,
}

#[derive(Default)]
struct Model {
    logs: BTreeMap<u64, Log>,
    generation: u64,
    stored: Option<(u64, Option<u64>)>,
}

#[derive(Debug, PartialEq)]
struct Expected {
    allowed: bool,
    t: i64,
    seq: u64,
    generation: u64,
    limit: u64,
    window_ms: u64,
    sum: u64,
    retry: Option<u64>,
}

impl Model {
    fn check(&mut self, now: i64, limit: Option<u64>, window_ms: Option<u64>, cost: u64) -> Expected {
        let window_ms = window_ms.or(self.stored.and_then(|s| s.1)).unwrap_or(DEFAULTS.window_ms);
        let limit = self.stored.map(|s| s.0).or(limit).unwrap_or(DEFAULTS.limit);
        let window = i64::try_from(window_ms).unwrap() * 1000;
        let log = self.logs.entry(window_ms).or_default();
        let t = log.grants.last().map_or(now, |last| now.max(last.0));
        let inside: Vec<_> =
            log.grants.iter().filter(|g| g.2 == self.generation && g.0 > t - window).copied().collect();
        let sum: u64 = inside.iter().map(|g| g.1).sum();
        let allowed = sum + cost <= limit;
        let mut freed = 0;
        let enough = (sum + cost).saturating_sub(limit);
        let first = inside.iter().find(|grant| {
            freed += grant.1;
            freed >= enough
        });
        let fits = !allowed && cost <= limit;
        let retry = first.filter(|_| fits).map(|grant| retry_seconds((grant.0 + window - now).max(0)));
        if allowed {
            log.grants.push((t, cost, self.generation));
        }
        let (seq, generation) = (log.grants.len() as u64, self.generation);
        let sum = if allowed { sum + cost } else { sum };
        Expected { allowed, t, seq, generation, limit, window_ms, sum, retry }
    }

    /// Whether some log may have expired in Redis meanwhile, so that its numbers start again.
    fn may_have_expired(&self, now: i64) -> bool {
        self.logs.iter().any(|(window_ms, log)| {
            let window = i64::try_from(*window_ms).unwrap() * 1000;
            log.grants.last().is_some_and(|last| now > last.0 + window + 900_000)
        })
    }
}

async fn run(link: &Arc<Link>, script: &'static Script, call: Call) -> Vec<redis::Value> {
    run_many(link, script, vec![call]).await.remove(0)
}

async fn run_many(link: &Arc<Link>, script: &'static Script, calls: Vec<Call>) -> Vec<Vec<redis::Value>> {
    let deadline = link.redis_now().expect("the clock is known") + 10_000_000;
    let answers = link.call(script, calls, Some(deadline)).await.expect("Redis answers");
    answers.into_iter().map(|answer| answer.expect("the script runs")).collect()
}

async fn follow(link: &Arc<Link>, key: &LimiterKey, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Sleep(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Step::Checks { times, limit, window_ms, cost } => {
                let request = CheckRequest { key: key.clone(), limit, window_ms, cost };
                let call = decision::call(&request, "node@boot", DEFAULTS);
                for answer in run_many(link, &CHECK, vec![call; times]).await {
                    let now = int(&answer, 1).unwrap();
                    if model.may_have_expired(now) {
                        return Ok(());
                    }
                    let decided = decision::parse(&request, &answer, 0).unwrap().expect("a readable log").decision;
                    let expected = model.check(now, limit, window_ms, cost);
                    let seen = Expected {
                        allowed: decided.allowed,
                        t: decided.t_us,
                        seq: decided.seq,
                        generation: decided.generation,
                        limit: decided.limit,
                        window_ms: decided.window_ms,
                        sum: decided.current_count,
                        retry: decided.retry_after_seconds,
                    };
                    prop_assert_eq!(seen, expected);
                }
            }
            Step::Reset => {
                let keys = [keys::hash(key), keys::log_prefix(key)];
                let call = once::call(key, &Conditions::default(), String::new(), &keys, vec![]);
                let answer = run(link, &RESET, call).await;
                let now = u64::try_from(int(&answer, 1).unwrap()).unwrap();
                let generation = once::parse(&answer).expect("it is done").answer;
                prop_assert_eq!(generation, now.max(model.generation + 1));
                model.generation = generation;
            }
            Step::Store { limit, window_ms } => {
                let window = window_ms.map(|w| w.to_string()).unwrap_or_default();
                change_limit(link, key, limit.to_string(), window).await;
                model.stored = Some((limit, window_ms));
            }
            Step::Delete => {
                change_limit(link, key, String::new(), String::new()).await;
                model.stored = None;
            }
        }
    }
    logs_are_sound(link, key, &model).await
}

async fn change_limit(link: &Arc<Link>, key: &LimiterKey, limit: String, window: String) {
    let args = vec!["node@boot".into(), String::new(), String::new(), limit, window];
    let call = once::call(key, &Conditions::default(), String::new(), &[keys::limit(key)], args);
    let answer = run(link, &LIMIT, call).await;
    assert!(matches!(int(&answer, 0).unwrap(), 0 | 6));
}

/// What is left in Redis reads as documented: numbers and prefixes follow, and old entries leave in chunks.
async fn logs_are_sound(link: &Arc<Link>, key: &LimiterKey, model: &Model) -> Result<(), TestCaseError> {
    for (window_ms, log) in &model.logs {
        let command = redis::cmd("LRANGE").arg(keys::log(key, *window_ms)).arg(0).arg(-1).to_owned();
        let raw: Vec<Vec<u8>> = link.query(&command).await.expect("Redis answers");
        let entries: Vec<LogEntry> = raw.iter().map(|raw| LogEntry::decode(raw).expect("an entry")).collect();
        for pair in entries.windows(2) {
            prop_assert_eq!(pair[1].seq, pair[0].seq + 1);
            prop_assert_eq!(pair[1].prefix, pair[0].prefix + pair[1].cost);
            prop_assert!(pair[1].t_us >= pair[0].t_us);
        }
        if let Some(last) = entries.last() {
            let grant = log.grants.last().expect("the model granted too");
            prop_assert_eq!((i64::try_from(last.t_us).unwrap(), last.cost, last.generation), *grant);
            prop_assert_eq!(last.seq, log.grants.len() as u64);
        }
    }
    Ok(())
}

#[test]
fn the_scripts_decide_as_the_model_does() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let redis = runtime.block_on(Redis::start());
    let client = redis::Client::open(redis.url()).unwrap();
    let link = runtime.block_on(Link::open(&client, Monotonic::start(), Duration::from_secs(5))).unwrap();
    let link = Arc::new(link);
    let count = AtomicU64::new(0);
    let config = ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in steps())| {
        let key = LimiterKey::new(&format!("case-{}", count.fetch_add(1, Ordering::Relaxed))).unwrap();
        runtime.block_on(follow(&link, &key, steps))?;
    });
}

#[tokio::test]
async fn prefixes_go_round_without_anybody_noticing() {
    let redis = Redis::start().await;
    let client = redis::Client::open(redis.url()).unwrap();
    let link = Arc::new(Link::open(&client, Monotonic::start(), Duration::from_secs(5)).await.unwrap());
    let key = LimiterKey::new("k").unwrap();
    let now = u64::try_from(link.redis_now().unwrap()).unwrap();
    let entry = LogEntry {
        t_us: now,
        prefix: (1 << 48) - 2,
        cost: 1,
        seq: 1,
        generation: 0,
        limit: 10,
        writer: "node@boot".into(),
    };
    let push = redis::cmd("RPUSH").arg(keys::log(&key, 60_000)).arg(entry.encode()).to_owned();
    let _: i64 = link.query(&push).await.unwrap();
    let request = CheckRequest { key, limit: Some(10), window_ms: Some(60_000), cost: 4 };
    let call = decision::call(&request, "node@boot", DEFAULTS);
    let sums: Vec<i64> =
        run_many(&link, &CHECK, vec![call; 3]).await.iter().map(|answer| int(answer, 7).unwrap()).collect();
    assert_eq!(sums, [5, 9, 9]);
}
