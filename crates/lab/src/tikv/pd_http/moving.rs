//! Operators, schedulers and checkers, as PD tells of them.

use serde_json::{Value, json};

use super::super::go;
use super::super::sim::{Operator, Simulator, Status};
use super::answer::{Answer, Request};

/// How many records are given at most.
const RECORDS: usize = 1_000;

/// `GET /operators`: as text, or as objects if asked.
pub(super) fn operators(simulator: &Simulator, request: &Request) -> Value {
    let kinds: Vec<&str> = request.parameters("kind").collect();
    let fits = |operator: &&Operator| kinds.is_empty() || kinds.iter().any(|kind| operator.class.contains(kind));
    let all = simulator.operators.running().filter(fits);
    if request.parameter("object").is_none() {
        return all.map(|operator| Value::from(simulator.printed(operator))).collect();
    }
    all.map(|operator| {
        let region = simulator.regions.get(operator.region);
        json!({
            "desc": operator.desc,
            "brief": simulator.brief(operator),
            "region_id": region.id,
            "region_epoch": { "conf_ver": region.conf_ver, "version": region.version },
            "kind": operator.class,
            "timeout": go::duration(operator.timeout),
            "status": operator.status.word(),
        })
    })
    .collect()
}

/// `GET /operators/records?from=…`.
pub(super) fn records(simulator: &Simulator, request: &Request) -> Value {
    let from = request.parameter("from").and_then(|from| from.parse::<i64>().ok()).map_or(0, |from| from * 1_000);
    let recent: Vec<&Operator> = simulator.operators.ended().filter(|operator| operator.ended >= from).collect();
    let text = |operator: &&Operator| {
        let how = match operator.status {
            Status::Success => "finished",
            Status::Timeout => "timeout",
            Status::Cancel | Status::Running => "canceled",
        };
        Value::from(format!(
            "{} {how} (finishAt:{}, duration:{})",
            simulator.printed(operator),
            go::printed(operator.ended, simulator.began),
            go::duration(operator.ended - operator.created)
        ))
    };
    recent.iter().rev().take(RECORDS).map(text).collect()
}

/// `GET /operators/{region}`.
pub(super) fn operator(simulator: &Simulator, region: &str) -> Answer {
    let found = region.parse().ok().and_then(|id| simulator.regions.find(id)).and_then(|index| {
        let ended = simulator.operators.ended().filter(|operator| operator.region == index).last();
        simulator.operators.of(index).or(ended)
    });
    match found {
        Some(operator) => {
            Answer::ok(format!("status: {}, operator: {}", operator.status.word(), simulator.printed(operator)))
        }
        None => Answer::json(500, &"[PD:operator:ErrOperatorNotFound]operator not found".into()),
    }
}

/// `GET /schedulers[?status=paused|disabled]`.
pub(super) fn schedulers(simulator: &Simulator, request: &Request) -> Value {
    let paused = |until: i64| until > simulator.now;
    let all = simulator.schedulers.present.iter();
    let fits = |until: i64| match request.parameter("status") {
        Some("paused") => paused(until),
        Some("disabled") => false,
        _ => true,
    };
    all.filter(|(_, until)| fits(**until)).map(|(name, _)| Value::from(name.as_str())).collect()
}

/// `GET /schedulers/diagnostic/{name}`.
pub(super) fn diagnostic(simulator: &Simulator, name: &str) -> Answer {
    match simulator.diagnosis(name) {
        Some((status, summary)) => Answer::ok(json!({
            "name": name,
            "status": status,
            "summary": summary,
            "timestamp": simulator.now / 1_000,
        })),
        None => Answer::json(400, &"[PD:scheduler:ErrSchedulerUndiagnosable]scheduler not support diagnosable".into()),
    }
}

/// `GET /scheduler-config/{name}/list`.
pub(super) fn scheduler_config(simulator: &Simulator, name: &str) -> Answer {
    if !simulator.schedulers.present.contains_key(name) {
        return Answer::not_found();
    }
    match name {
        "evict-leader-scheduler" => {
            let whole = json!([{ "start-key": "", "end-key": "" }]);
            let stores = simulator.schedulers.evicted.iter().map(|&store| (store, whole.clone()));
            Answer::ok(json!({ "store-id-ranges": super::answer::by_id(stores), "batch": 3 }))
        }
        "evict-slow-store-scheduler" => {
            let evicted: Vec<u64> = simulator.schedulers.slow.into_iter().collect();
            Answer::ok(json!({ "recovery-duration": 1_800, "evict-stores": evicted }))
        }
        _ => Answer::not_found(),
    }
}

/// `GET /checker/{name}`.
pub(super) fn checker(simulator: &Simulator, name: &str) -> Answer {
    let paused = simulator.schedulers.paused_checkers.get(name).is_some_and(|&until| until > simulator.now);
    Answer::ok(json!({ "paused": paused }))
}

/// `POST /regions/scatter`.
pub(super) fn scatter(simulator: &mut Simulator, body: &Value) -> Answer {
    let ids: Vec<u64> =
        body.get("regions_id").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_u64).collect();
    let mut done = 0;
    for &id in &ids {
        done += usize::from(simulator.create_operator(&json!({ "name": "scatter-region", "region_id": id })).is_ok());
    }
    let percentage = (100 * done).checked_div(ids.len()).unwrap_or(100);
    Answer::ok(json!({ "processed-percentage": percentage }))
}
