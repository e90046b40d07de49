//! The whole loop over the simulated cluster, judged by the truth of scenarios: half an hour of its time in seconds of
//! ours.

use std::sync::Arc;
use std::time::Duration;

use operator_lab::environment::Environment as _;
use operator_lab::eval::{EvalOptions, run_campaign};
use operator_lab::scorecard::Scorecard;
use operator_lab::tikv::{Pace, TikvConfig, TikvEnvironment};

async fn run(scenarios: &[&str]) -> Scorecard {
    let out = tempfile::tempdir().expect("temporary folder");
    let options = EvalOptions {
        subject: "tikv".to_owned(),
        scenarios: scenarios.iter().map(|&id| id.to_owned()).collect(),
        seeds: 1,
        rate: None,
        out: out.path().to_owned(),
        time_scale: 1.0,
        interval: Duration::from_secs(10),
        diagnoser: Arc::new(operator_reasoner::Reasoner::new()),
    };
    let card = run_campaign(&options, |_| {}).await.expect("the campaign runs");
    assert!(card.invalid.is_empty(), "{:?}", card.invalid);
    card
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_store_a_dead_member_and_a_changed_setting_are_found_explained_and_mended() {
    let card = run(&["F1", "F13", "F21"]).await;
    for (id, score) in &card.by_scenario["reasoner"] {
        for (what, proportion) in score.proportions() {
            assert_eq!(proportion.hits, proportion.of, "{id}: {what}: {card}");
        }
        assert_eq!((score.harmful, score.false_tickets), (0, 0), "{id}: {card}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planned_work_raises_no_ticket() {
    let card = run(&["F3", "P1"]).await;
    for (id, score) in &card.by_scenario["reasoner"] {
        assert_eq!((score.harmful, score.false_tickets), (0, 0), "{id}: {card}");
    }
}

#[tokio::test]
async fn time_passes_by_itself_where_it_is_asked_to() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let config = TikvConfig { folder: folder.path().to_owned(), ..TikvConfig::default() };
    let (environment, _) = TikvEnvironment::start(config, Pace::Times(100.0)).expect("it starts");
    assert!((environment.speed() - 100.0).abs() < f64::EPSILON);
    let began = environment.clock().now();
    environment.advance(began.plus(Duration::from_secs(20))).await.expect("time passes");
    assert!(environment.clock().now().since(began) >= Duration::from_secs(18));
    for wrong in [0.0, -1.0, f64::NAN, 1e9] {
        let config = TikvConfig { folder: folder.path().join("other"), ..TikvConfig::default() };
        let error = TikvEnvironment::start(config, Pace::Times(wrong)).expect_err("no such speed");
        assert!(error.to_string().starts_with("speed: "), "{error}");
    }
}

#[tokio::test]
async fn a_fault_that_an_earlier_run_left_behind_is_told() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let config = TikvConfig { folder: folder.path().to_owned(), ..TikvConfig::default() };
    let (environment, cleared) = TikvEnvironment::start(config.clone(), Pace::Asked).expect("it starts");
    assert_eq!(cleared.undone, Vec::<String>::new());
    let second = TikvEnvironment::start(config.clone(), Pace::Asked).expect_err("the folder is in use");
    assert!(second.to_string().contains("another folder"), "{second}");
    for wrong in ["kill_everything", "kill_store"] {
        let request = operator_lab::environment::FaultRequest::new(wrong);
        environment.inject(&request).await.expect_err("no such fault, or no store named");
    }
    let request = operator_lab::environment::FaultRequest::new("f1").with("store", "store-9");
    let error = environment.inject(&request).await.expect_err("no such store").to_string();
    assert!(error.contains("store-1, store-2"), "{error}");
    let request = operator_lab::environment::FaultRequest::new("f1").with("store", "store-2");
    environment.inject(&request).await.expect("injected");
    assert_eq!(environment.status().open_faults, ["F1: kill store-2"]);
    drop(environment);
    let (again, cleared) = TikvEnvironment::start(config, Pace::Asked).expect("it starts");
    assert_eq!(cleared.undone, ["F1: kill store-2"]);
    assert_eq!(again.status().open_faults, Vec::<String>::new());
}
