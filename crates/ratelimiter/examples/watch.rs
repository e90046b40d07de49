//! Watches a running rate limiter and prints what is not as it should be:
//! `cargo run -p operator-ratelimiter --example watch -- redis://127.0.0.1:6379 127.0.0.1:8000 127.0.0.1:8001`

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use operator_protocols::{History, SubjectConfig, Timestamp, Value, Verdict};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let redis_url = arguments.next().ok_or("give the address of Redis, then those of the nodes")?;
    let settings = BTreeMap::from([
        ("redis_url".to_owned(), Value::from(redis_url)),
        ("nodes".to_owned(), Value::from(arguments.collect::<Vec<_>>())),
    ]);
    let config = SubjectConfig { name: "limiter".to_owned(), kind: operator_ratelimiter::KIND.to_owned(), settings };
    let (subject, checker) = operator_ratelimiter::factory(&config, None)?;
    let verbose = std::env::var_os("VERBOSE").is_some();
    let mut history = History::new();
    loop {
        let at = Timestamp::from_millis(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?);
        let begun = std::time::Instant::now();
        let observation = subject.observe(at).await;
        let observed = begun.elapsed();
        let evaluations = checker.check(&history, &observation);
        println!("--- {at}, observed in {observed:?}, judged in {:?}", begun.elapsed() - observed);
        for component in &observation.components {
            println!("{} {:?} ({})", component.id, component.state, component.raw_state);
        }
        for evaluation in &evaluations {
            match &evaluation.verdict {
                Verdict::Ok | Verdict::Suppressed(_) if !verbose => {}
                Verdict::Violated(finding) if !verbose => {
                    println!("{} at {}: {}", evaluation.invariant, evaluation.on, finding.message);
                    for d in &finding.discrepancies {
                        let claimant = d.claimed_by.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string);
                        println!(
                            "    {:?} {} of {claimant}: {} of {}, {}/{}",
                            d.kind, d.what, d.amount, d.of, d.agree, d.peers
                        );
                    }
                }
                verdict => println!("{} at {}: {verdict:?}", evaluation.invariant, evaluation.on),
            }
        }
        if verbose {
            for dependency in &observation.dependencies {
                println!("{} -> {} {:?}", dependency.from, dependency.to, dependency.state);
            }
            for signal in &observation.signals {
                println!("{} {} = {} {}", signal.on, signal.name, signal.value, signal.unit);
            }
            for event in &observation.events {
                println!("event {} {}: {}", event.id, event.on, event.message);
            }
            println!("{}", Value::Map(observation.details.clone()));
        }
        for unavailable in &observation.unavailable {
            println!("unavailable: {unavailable}");
        }
        history.push(Arc::new(observation), checker.lookback());
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}
