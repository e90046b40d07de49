//! A few scenarios for real: the whole loop over a system that is really broken, judged by the scenario's truth.

use std::sync::Arc;
use std::time::Duration;

use operator_lab::eval::{EvalOptions, Progress, run_campaign};
use operator_lab::scorecard::Scorecard;

/// Graces pass ten times as fast, and so do cycles, nearly: a scenario takes about a minute.
const TIME_SCALE: f64 = 0.1;
const INTERVAL: Duration = Duration::from_secs(1);

/// Runs one scenario with one seed and gives what it says, with the whole result for whoever has to find out why.
async fn run(scenario: &str) -> (Scorecard, String) {
    let out = tempfile::tempdir().expect("temporary folder");
    let options = EvalOptions {
        subject: "ratelimiter".to_owned(),
        scenarios: vec![scenario.to_owned()],
        seeds: 1,
        rate: None,
        out: out.path().to_owned(),
        time_scale: TIME_SCALE,
        interval: INTERVAL,
        diagnoser: Arc::new(operator_reasoner::Reasoner::new()),
    };
    let mut told = String::new();
    let card = run_campaign(&options, |progress| {
        if let Progress::Ends { result } = progress {
            told = format!("{result:?}");
        }
    });
    let card = card.await.expect("the campaign runs");
    (card, told)
}

fn all_right(scenario: &str, (card, told): &(Scorecard, String)) {
    assert!(card.invalid.is_empty(), "{scenario}: {:?}", card.invalid);
    assert!(card.misses.is_empty(), "{scenario}: {:?}\n{told}", card.misses);
    let score = &card.by_scenario["reasoner"][scenario];
    for (what, proportion) in score.proportions() {
        assert_eq!((proportion.hits, proportion.of), (1, 1), "{scenario}: {what}\n{told}");
    }
    assert_eq!((score.harmful, score.false_tickets), (0, 0), "{scenario}\n{told}");
    println!(
        "{scenario}: found after {} ms, over after {} ms",
        score.time_to_detect.p50_ms, score.time_to_recover.p50_ms
    );
}

/// They wait most of the time: at once, they take as long as the longest of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_node_a_cut_link_and_a_wrong_limit_are_found_explained_and_mended() {
    let (killed, cut, wrong) = tokio::join!(run("R1"), run("R5"), run("R12"));
    all_right("R1", &killed);
    all_right("R5", &cut);
    all_right("R12", &wrong);
}
