//! The simulated shop: its environment, and a few scenarios through the whole loop, in virtual time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use operator_lab::environment::{Environment as _, FaultRequest, WorkloadSpec};
use operator_lab::eval::{EvalOptions, run_campaign};
use operator_lab::scenario;
use operator_lab::scorecard::Scorecard;
use operator_lab::shop::{KIND, Pace, ShopEnvironment};
use operator_protocols::{FaultClass, Id};

/// Runs scenarios, one seed each.
async fn campaign(scenarios: &[&str], out: &Path) -> Scorecard {
    let options = EvalOptions {
        subject: KIND.to_owned(),
        scenarios: scenarios.iter().map(|id| (*id).to_owned()).collect(),
        seeds: 1,
        rate: None,
        out: out.to_owned(),
        time_scale: 1.0,
        interval: Duration::from_secs(5),
        diagnoser: Arc::new(operator_reasoner::Reasoner::new()),
    };
    run_campaign(&options, |_| {}).await.expect("the campaign runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_that_leave_no_doubt_are_named_and_mended_in_a_system_nobody_tuned_for() {
    let out = tempfile::tempdir().expect("temporary folder");
    let faults = ["S1", "S2", "S3", "S7", "S8", "S10", "S11", "S12", "S15"];
    let card = campaign(&faults, out.path()).await;
    assert!(card.invalid.is_empty(), "{:?}", card.invalid);
    assert!(card.misses.is_empty(), "{:?}", card.misses);
    for id in faults {
        let score = &card.by_scenario["reasoner"][id];
        for (what, proportion) in score.proportions() {
            assert_eq!((proportion.hits, proportion.of), (1, 1), "{id}: {what}");
        }
        assert_eq!((score.harmful, score.false_tickets), (0, 0), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wave_a_planned_restart_and_a_good_version_are_nobodys_business() {
    let out = tempfile::tempdir().expect("temporary folder");
    let card = campaign(&["N1", "N2", "N3"], out.path()).await;
    assert!(card.invalid.is_empty() && card.misses.is_empty(), "{:?} {:?}", card.invalid, card.misses);
    assert_eq!(card.by_scenario["reasoner"].values().map(|score| score.false_tickets).sum::<u32>(), 0);
}

#[test]
fn the_scenarios_cover_most_classes() {
    let files = scenario::all(KIND).expect("they parse");
    let scenarios: Vec<_> = files.iter().map(|(_, file)| file.with_seed(0).expect("right")).collect();
    let covered = |class: &FaultClass| {
        scenarios.iter().any(|one| one.truth.hypotheses.iter().any(|truth| truth.classes.contains(class)))
    };
    let left: Vec<_> = FaultClass::ALL.iter().filter(|class| !covered(class)).collect();
    // The shop has nobody who steers it.
    assert_eq!(left, [&FaultClass::ControlPlaneDown, &FaultClass::Unknown]);
}

#[tokio::test]
async fn what_is_broken_is_in_the_journal_until_it_is_taken_back() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (shop, _) = ShopEnvironment::start(folder.path(), 1, Pace::Asked).expect("opens");
    let load: WorkloadSpec = serde_json::from_value(serde_json::json!({ "rate": 30 })).expect("a load");
    shop.start_workload(&load).await.expect("under load");
    let request = FaultRequest::new("S1").with("component", "packer-2");
    shop.inject(&request).await.expect("injected");
    assert_eq!(shop.status().open_faults, ["S1: kill packer-2"]);
    let packer = Id::new("shop", "packer-2");
    assert!(!shop.driver().status(&packer).await.expect("known").running);
    assert_eq!(shop.clear().await.expect("cleared").undone, ["S1: kill packer-2"]);
    let later = shop.clock().now().plus(Duration::from_secs(10));
    shop.advance(later).await.expect("time passes");
    assert!(shop.driver().status(&packer).await.expect("known").running);
    let samples = shop.workload_samples();
    assert_eq!(samples.len(), 10);
    assert!(samples.iter().map(|sample| sample.granted).sum::<u64>() > 200, "{samples:?}");

    shop.inject(&request).await.expect("injected");
    drop(shop);
    let (_, left) = ShopEnvironment::start(folder.path(), 1, Pace::Asked).expect("opens again");
    assert_eq!(left.undone, ["S1: kill packer-2"], "it ended with its shop");
}

#[tokio::test]
async fn a_wrong_fault_says_what_would_be_right() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (shop, _) = ShopEnvironment::start(folder.path(), 1, Pace::Asked).expect("opens");
    let wrong = [
        (FaultRequest::new("S1").with("component", "till-1"), "one of front-1, front-2"),
        (FaultRequest::new("S5").with("from", "front-1").with("to", "queue"), "one that front-1 calls"),
        (FaultRequest::new("S15").with("component", "queue"), "a front, a replica of orders or a packer"),
        (FaultRequest::new("S9").with("lane", "slow"), "one of express, freight, parcel"),
        (FaultRequest::new("S99"), "unknown variant `S99`"),
    ];
    for (request, expected) in wrong {
        let error = shop.inject(&request).await.expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
    for description in shop.faults() {
        assert!(shop.status().open_faults.is_empty(), "nothing was broken");
        assert!(description.description.ends_with("(simulated)"));
    }
}
