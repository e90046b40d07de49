//! A cluster of a thousand stores and a hundred thousand regions, watched from another process, so that what the watcher
//! takes is the watcher's alone. Both tests are run on purpose only:
//! `cargo test --release -p operator-lab --test it -- --ignored --nocapture a_thousand_stores`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use operator_lab::environment::{Environment as _, WorkloadSpec};
use operator_lab::tikv::{Pace, TikvConfig, TikvEnvironment};
use operator_protocols::{History, SubjectConfig};

/// Set for the process that serves.
const SERVE: &str = "OPERATOR_LAB_SERVE_A_LARGE_CLUSTER";
/// Cycles that are measured, fifteen seconds apart, as Prometheus scrapes: more than the checker looks back.
const CYCLES: usize = 12;

/// Not a test by itself: the other process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "is started by the test below"]
async fn serves_a_large_cluster() {
    if std::env::var_os(SERVE).is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("temporary folder");
    let config =
        TikvConfig { folder: folder.path().to_owned(), stores: 1_000, regions: 100_000, ..TikvConfig::default() };
    let (environment, _) = TikvEnvironment::start(config, Pace::Asked).expect("the cluster starts");
    let load: WorkloadSpec = serde_json::from_str(r#"{"rate": 1000000}"#).expect("a load");
    environment.start_workload(&load).await.expect("load");
    let pass = async |seconds| {
        let until = environment.clock().now().plus(Duration::from_secs(seconds));
        environment.advance(until).await.expect("time passes");
    };
    pass(120).await;
    println!("READY {}", serde_json::to_string(&environment.subject_config()).expect("JSON"));
    let lines = std::io::stdin().lines();
    for line in lines {
        match line.expect("text").as_str() {
            "pass" => {
                pass(15).await;
                println!("NOW {}", environment.clock().now().as_millis());
            }
            _ => {
                let asked: BTreeSet<String> = environment.requests().into_iter().map(|(_, path, _)| path).collect();
                println!("ASKED {}", serde_json::to_string(&asked).expect("JSON"));
                return;
            }
        }
    }
}

struct Served {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Served {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--ignored", "--exact", "--nocapture", "tikv::scale::serves_a_large_cluster"])
            .env(SERVE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, output }
    }

    fn line(&mut self, begins: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.output.read_line(&mut line).expect("text") > 0, "it ended before it said {begins}");
            // The name of the test stands before its first line.
            if let Some((_, rest)) = line.split_once(begins) {
                return rest.trim().to_owned();
            }
        }
    }

    fn say(&mut self, what: &str) {
        writeln!(self.child.stdin.as_mut().expect("a pipe"), "{what}").expect("it listens");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// MiB of this process in memory: now and at most.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).expect("a line");
        let kib: u64 = line.split_ascii_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number");
        kib / 1024
    };
    (of("VmRSS:"), of("VmHWM:"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute and measures"]
async fn a_thousand_stores_are_watched_in_two_seconds_a_cycle_and_little_memory() {
    if std::env::var_os(SERVE).is_some() {
        return;
    }
    let mut served = Served::start();
    let config: SubjectConfig = serde_json::from_str(&served.line("READY ")).expect("settings");
    let (subject, checker) = operator_tikv::factory(&config, None).expect("a subject");
    let mut history = History::default();
    let mut times = Vec::new();
    for _ in 0..CYCLES {
        served.say("pass");
        let now: i64 = served.line("NOW ").parse().expect("an instant");
        let at = operator_protocols::Timestamp::from_millis(now);
        let began = Instant::now();
        let observation = subject.observe(at).await;
        let observed = began.elapsed();
        let judged = checker.check(&history, &observation);
        times.push((observed, began.elapsed()));
        assert!(observation.components.len() > 1_000, "{:?}", observation.unavailable);
        let mut verdicts = BTreeMap::new();
        for evaluation in &judged {
            let word = format!("{:?}", evaluation.verdict);
            let word: String = word.chars().take_while(char::is_ascii_alphabetic).collect();
            *verdicts.entry(word).or_insert(0) += 1;
        }
        println!(
            "observed in {observed:?}, judged after {:?}; {} signals, {verdicts:?}; MiB {:?}; not read: {:?}",
            began.elapsed(),
            observation.signals.len(),
            memory(),
            observation.unavailable.iter().take(3).collect::<Vec<_>>()
        );
        history.push(Arc::new(observation), checker.lookback());
    }
    served.say("requests");
    let asked: Vec<String> = serde_json::from_str(&served.line("ASKED ")).expect("JSON");
    let whole = |path: &&String| {
        let path = path.as_str();
        path == "/pd/api/v1/regions" || path.starts_with("/pd/api/v1/regions?") || path.contains("/regions/store/")
    };
    assert_eq!(asked.iter().filter(whole).collect::<Vec<_>>(), Vec::<&String>::new());
    let slowest = times.iter().map(|(_, whole)| *whole).max().expect("cycles");
    let (_, most) = memory();
    println!("slowest cycle {slowest:?}, at most {most} MiB; asked: {asked:?}");
    assert!(slowest <= Duration::from_secs(2), "{times:?}");
    assert!(most <= 256, "{most} MiB");
}
