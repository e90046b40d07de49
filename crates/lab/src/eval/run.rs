//! One run: start, load, break, watch, mend, end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use operator_core::SystemClock;
use operator_core::engine::{Engine, EngineParts, EngineSettings};
use operator_core::policy::{Autonomy, PolicySettings};
use operator_core::recorder::{Recorder, RecorderSettings};
use operator_core::store::{Store, sqlite::SqliteStore};
use operator_protocols::{Clock, Subject, Timestamp, Value};
use tokio::sync::watch::Receiver;

use super::approver;
use super::campaign::{EvalError, EvalOptions};
use super::pacing::Pacing;
use super::stage::Stage;
use super::watch::Watch;
use crate::environment::Environment;
use crate::scenario::Scenario;
use crate::scorecard::{Cost, RunKey, RunOutcome, RunResult};

/// How many cycles a calm system is watched before the run ends: what comes back at once has not recovered.
const CALM_CYCLES: u32 = 5;

/// How long a containment is left in place before the lab mends the cause, in cycles.
const CONTAINED_CYCLES: u32 = 5;

/// Runs one scenario and gives what came of it. A failure of the lab makes the run invalid, it does not end a campaign.
pub(super) async fn run(
    key: &RunKey,
    scenario: &Scenario,
    options: &EvalOptions,
    folder: &Path,
) -> Result<RunResult, EvalError> {
    let started_at = SystemClock.now();
    let mut result = RunResult {
        key: key.clone(),
        started_at_ms: started_at.as_millis(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        outcome: RunOutcome::Finished,
        ticket_expected: scenario.truth.ticket,
        false_tickets: Vec::new(),
        detected_after_ms: None,
        detection_bound_ms: None,
        diagnosis: None,
        truth: scenario
            .truth
            .hypotheses
            .iter()
            .flat_map(|truth| truth.classes.iter().map(|class| format!("{} {class}", truth.locus)))
            .collect(),
        actions: Vec::new(),
        // Where waiting is right, doing nothing is.
        action_expected: scenario.truth.ticket
            && !scenario
                .truth
                .actions
                .iter()
                .any(|action| ["wait", "log_message"].iter().any(|nothing| action.name.matches(nothing))),
        recovered_after_ms: None,
        cost: Cost::default(),
        recording: None,
    };
    match play(key, scenario, options, folder).await {
        Ok(played) => {
            let since = |at: Timestamp| u64::try_from(at.since(played.fault_at).as_millis()).unwrap_or(u64::MAX);
            result.false_tickets = played.watch.false_tickets;
            result.detected_after_ms = played.watch.detected_at.map(since);
            result.detection_bound_ms = played.watch.grace.map(|grace| {
                let bound = grace + options.interval * 2 + Duration::from_secs(2);
                u64::try_from(bound.as_millis()).unwrap_or(u64::MAX)
            });
            result.diagnosis = played.watch.diagnosis;
            result.actions = played.watch.actions;
            result.recovered_after_ms = played.watch.recovered_at.map(since);
            result.recording = Some(played.recording);
            if let Some(why) = played.residue {
                result.outcome = RunOutcome::Invalid { why };
            }
        }
        Err(why) => result.outcome = RunOutcome::Invalid { why },
    }
    Ok(result)
}

struct Played {
    watch: Watch,
    fault_at: Timestamp,
    recording: String,
    residue: Option<String>,
}

async fn play(key: &RunKey, scenario: &Scenario, options: &EvalOptions, folder: &Path) -> Result<Played, String> {
    let stage = Stage::of(&scenario.subject).map_err(|error| error.to_string())?;
    let environment =
        (stage.start)(scenario.clone(), folder.join("environment")).await.map_err(|error| error.to_string())?;
    let played = play_in(key, scenario, options, folder, stage, environment.as_ref()).await;
    // Whatever happened, nothing is left broken or running.
    let cleared = environment.clear().await;
    let ended = environment.shut_down().await;
    let mut played = played?;
    let left = cleared.map_err(|error| error.to_string())?.left;
    if !left.is_empty() {
        played.residue = Some(format!("left broken: {}", left.join(", ")));
    }
    ended.map_err(|error| error.to_string())?;
    Ok(played)
}

async fn play_in(
    key: &RunKey,
    scenario: &Scenario,
    options: &EvalOptions,
    folder: &Path,
    stage: Stage,
    environment: &dyn Environment,
) -> Result<Played, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let recording = format!("recordings/{}-{}-{}.jsonl", key.scenario, key.diagnoser, key.seed);
    let recorder = start_recorder(&options.out.join(&recording)).map_err(|error| text(&error))?;
    let mut pacing = Pacing::of(environment, options.interval);
    let begun = pacing.now();
    let mut engine = start_engine(options, folder, stage, environment, Arc::clone(&recorder), begun).await?;
    let view = engine.view();
    let load = crate::environment::WorkloadSpec {
        seed: key.seed,
        rate: options.rate.unwrap_or(scenario.workload.rate),
        ..scenario.workload.clone()
    };
    environment.start_workload(&load).await.map_err(|error| text(&error))?;

    let mut watch = Watch::default();
    let warm_up = Duration::from_secs(scenario.deadlines.warm_up_s.into());
    while pacing.now().since(begun) < warm_up {
        cycle(&mut engine, &mut pacing).await?;
        watch.before_fault(&view.borrow().clone());
    }
    environment.inject(&scenario.fault).await.map_err(|error| text(&error))?;
    let fault_at = pacing.now();
    after_fault(scenario, &mut engine, &mut pacing, &view, &mut watch, environment, fault_at).await?;
    recorder.close().await;
    Ok(Played { watch, fault_at, recording, residue: None })
}

async fn after_fault(
    scenario: &Scenario,
    engine: &mut Engine,
    pacing: &mut Pacing<'_>,
    view: &Receiver<Arc<operator_core::SubjectView>>,
    watch: &mut Watch,
    environment: &dyn Environment,
    fault_at: Timestamp,
) -> Result<(), String> {
    let deadlines = scenario.deadlines;
    let longest = deadlines.recover_s.max(deadlines.detect_s + deadlines.diagnose_s);
    let longest = Duration::from_secs(longest.into());
    let (mut calm, mut contained) = (0, 0);
    let mut mended = false;
    while pacing.now().since(fault_at) < longest {
        let at = cycle(engine, pacing).await?;
        let seen = view.borrow().clone();
        watch.after_fault(&seen, &scenario.truth);
        approver::decide(engine, &seen.executions, &scenario.truth, at).await;
        contained += u32::from(watch.contained);
        if contained >= CONTAINED_CYCLES && !mended {
            // What was contained ends, so that it can be seen whether the containment is taken back.
            environment.clear().await.map_err(|error| error.to_string())?;
            mended = true;
        }
        calm = if watch.recovered_at.is_some() { calm + 1 } else { 0 };
        if scenario.truth.ticket && calm >= CALM_CYCLES {
            break;
        }
    }
    Ok(())
}

async fn cycle(engine: &mut Engine, pacing: &mut Pacing<'_>) -> Result<Timestamp, String> {
    let at = pacing.tick().await.map_err(|error| error.to_string())?;
    engine.tick(at).await;
    Ok(at)
}

fn start_recorder(path: &PathBuf) -> std::io::Result<Arc<Recorder>> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // A run that is repeated replaces its recording.
    for old in [path.clone(), PathBuf::from(format!("{}.part", path.display()))] {
        match std::fs::remove_file(&old) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let recorder = Recorder::start(RecorderSettings::default())?;
    recorder.record_to(path)?;
    Ok(Arc::new(recorder))
}

async fn start_engine(
    options: &EvalOptions,
    folder: &Path,
    stage: Stage,
    environment: &dyn Environment,
    recorder: Arc<Recorder>,
    now: Timestamp,
) -> Result<Engine, String> {
    let mut config = environment.subject_config();
    config.settings.insert("time_scale".to_owned(), Value::from(options.time_scale));
    let (subject, checker) = (stage.factory)(&config, Some(environment.driver())).map_err(|error| error.to_string())?;
    let store = SqliteStore::open(&folder.join("state")).map_err(|error| error.to_string())?;
    let lease = store.acquire_lease("eval", now).await.map_err(|error| error.to_string())?;
    let settings = EngineSettings {
        interval: options.interval,
        policy: PolicySettings::everything_at(Autonomy::Auto),
        approvers: vec![approver::NAME.to_owned()],
        subject: config,
        ..EngineSettings::default()
    };
    let subject: Arc<dyn Subject> = Arc::from(subject);
    let parts = EngineParts {
        subject,
        checker,
        store: Arc::new(store),
        epoch: lease.epoch,
        diagnoser: Arc::clone(&options.diagnoser),
        settings,
        recorder: Some(recorder),
        past: None,
    };
    Engine::start(parts, now).await.map_err(|error| error.to_string())
}
