//! One run: the schedule is followed, requests are sent, answers are counted.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

use super::keyspace::Keyspace;
use super::report::{Finished, Outcome, Tally};
use super::schedule::Schedule;
use super::settings::{Pattern, Settings};
use super::targets::Targets;

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The HTTP client cannot be made.
    #[error("cannot make an HTTP client")]
    Client(#[from] reqwest::Error),
    /// The histogram cannot be made.
    #[error("cannot make a histogram")]
    Histogram(#[from] hdrhistogram::CreationError),
}

/// Runs to the end of the schedule or until `stop` is ready, and returns the summary. `line` gets the JSON of each interval.
///
/// # Errors
/// The run could not be started; what happens to single requests is in the summary.
pub async fn run(
    settings: Settings,
    stop: impl Future<Output = ()>,
    mut line: impl FnMut(&Value) + Send + 'static,
) -> Result<Value, RunError> {
    let timeout = Duration::from_millis(settings.timeout_ms);
    let client = reqwest::Client::builder()
        .connect_timeout(timeout)
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    let targets = Arc::new(Targets::new(&settings.targets));
    let mut polls = Vec::new();
    for index in 0..targets.all().len() {
        targets.ask(&client, index).await;
        polls.push(tokio::spawn(targets.clone().poll(client.clone(), index)));
    }
    let (sender, receiver) = mpsc::unbounded_channel();
    let tally = Tally::new(targets.all().len())?;
    let started = Instant::now();
    let every = settings.stats_interval;
    let seen = targets.clone();
    let counting = tokio::spawn(async move { count(tally, receiver, started, every, &seen, &mut line).await });

    let sending = Sending {
        client,
        targets: targets.clone(),
        slots: Arc::new(Semaphore::new(settings.max_in_flight as usize)),
        sender,
        started,
    };
    tokio::select! {
        () = sending.follow(&settings) => {}
        () = stop => {}
    }
    let duration = started.elapsed();
    // Those under way are waited for; each ends by its time-out.
    drop(sending);
    let tally = counting.await;
    polls.iter().for_each(tokio::task::JoinHandle::abort);
    let Ok(tally) = tally else { return Ok(json!({ "event": "summary" })) };
    let mut summary = tally.show();
    summary["event"] = json!("summary");
    summary["pattern"] = json!(format!("{:?}", settings.pattern).to_lowercase());
    summary["seed"] = json!(settings.seed);
    summary["duration_s"] = json!(duration.as_secs_f64());
    summary["rate"] = json!(settings.rate);
    summary["targets"] = tally.show_targets(targets.all().iter().map(|t| t.url.as_str()));
    Ok(summary)
}

struct Sending {
    client: reqwest::Client,
    targets: Arc<Targets>,
    slots: Arc<Semaphore>,
    sender: mpsc::UnboundedSender<Finished>,
    started: Instant,
}

impl Sending {
    async fn follow(&self, settings: &Settings) {
        let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
        let hot = if settings.pattern == Pattern::Hotkey { settings.hot_share } else { 0.0 };
        let keyspace = Keyspace::new(&settings.key_prefix, settings.keys, settings.zipf, hot);
        for due in Schedule::new(settings) {
            let due = self.started + due;
            let now = Instant::now();
            if due > now {
                tokio::time::sleep_until(due.into()).await;
            }
            let mut body = json!({ "key": keyspace.draw(&mut random), "cost": settings.cost });
            if let Some(limit) = settings.limit {
                body["limit"] = json!(limit);
            }
            if let Some(window_ms) = settings.window_ms {
                body["window_ms"] = json!(window_ms);
            }
            let Some(target) = self.targets.next() else {
                let outcome = Outcome::Error("no_ready_target");
                let latency_us = micros(due.elapsed());
                let _ = self.sender.send(Finished { target: None, outcome, degraded: false, latency_us });
                continue;
            };
            let Ok(slot) = self.slots.clone().acquire_owned().await else { return };
            let request = self
                .client
                .post(format!("{}/check", self.targets.all()[target].url))
                .header("x-ratelimit-debug", "1")
                .json(&body);
            let sender = self.sender.clone();
            tokio::spawn(async move {
                let (outcome, degraded) = send(request).await;
                drop(slot);
                let latency_us = micros(due.elapsed());
                let _ = sender.send(Finished { target: Some(target), outcome, degraded, latency_us });
            });
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

async fn send(request: reqwest::RequestBuilder) -> (Outcome, bool) {
    let failed = |error: &reqwest::Error| {
        if error.is_timeout() {
            Outcome::Error("timeout")
        } else if error.is_connect() {
            Outcome::Error("connect")
        } else {
            Outcome::Error("connection")
        }
    };
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return (failed(&error), false),
    };
    let decision = response.headers().get("x-ratelimit-decision").and_then(|v| v.to_str().ok());
    let degraded = decision.is_some_and(|d| d.ends_with("source=degraded"));
    let status = response.status().as_u16();
    // The answer counts when it is whole; reading it also frees the connection for the next request.
    if let Err(error) = response.bytes().await {
        return (failed(&error), degraded);
    }
    let outcome = match status {
        200 => Outcome::Allowed,
        429 => Outcome::Blocked,
        other => Outcome::Status(other),
    };
    (outcome, degraded)
}

async fn count(
    mut total: Tally,
    mut receiver: mpsc::UnboundedReceiver<Finished>,
    started: Instant,
    every: Option<Duration>,
    targets: &Targets,
    line: &mut impl FnMut(&Value),
) -> Tally {
    let mut interval = total.clone();
    let terminal = std::io::stderr().is_terminal();
    let period = every.unwrap_or(Duration::from_secs(1));
    let mut next = tokio::time::interval_at(tokio::time::Instant::from_std(started) + period, period);
    next.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            finished = receiver.recv() => match finished {
                Some(finished) => {
                    total.add(&finished);
                    interval.add(&finished);
                }
                None => break,
            },
            _ = next.tick() => {
                if every.is_some() {
                    let mut shown = interval.show();
                    shown["event"] = json!("second");
                    shown["at"] = json!(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64()));
                    shown["elapsed_s"] = json!(started.elapsed().as_secs_f64());
                    shown["interval_s"] = json!(period.as_secs_f64());
                    shown["ready_targets"] = json!(targets.ready());
                    line(&shown);
                }
                if terminal {
                    show_progress(&total, &interval, targets, started);
                }
                interval.clear();
            }
        }
    }
    if terminal {
        eprintln!();
    }
    total
}

fn show_progress(total: &Tally, interval: &Tally, targets: &Targets, started: Instant) {
    let (sent, allowed, blocked, errors) = total.totals();
    let mut err = std::io::stderr();
    // A terminal that went away is no reason to stop.
    let _ = write!(
        err,
        "\r\x1b[K{:.0} s  sent {sent}  allowed {allowed}  blocked {blocked}  errors {errors}  p99 {:.1} ms  ready {}/{}",
        started.elapsed().as_secs_f64(),
        interval.quantile_ms(0.99).unwrap_or(0.0),
        targets.ready(),
        targets.all().len(),
    );
    let _ = err.flush();
}
