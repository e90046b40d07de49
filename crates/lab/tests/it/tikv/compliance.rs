//! The protocol's own checks of the subject, over a simulated cluster that is well and one of which nothing answers.

use std::time::Duration;

use operator_lab::environment::{Environment as _, FaultRequest};
use operator_lab::tikv::{Pace, TikvEnvironment};
use operator_protocols::compliance::{Compliance, Made};

use super::cluster::Cluster;

/// The kit waits in real time, and the cluster moves on meanwhile.
const FAST: Pace = Pace::Times(50.0);

fn made(environment: &TikvEnvironment) -> Made {
    operator_tikv::factory(&environment.subject_config(), Some(environment.driver())).expect("right settings")
}

/// What was asked of PD that does not only read.
fn writes(environment: &TikvEnvironment) -> u64 {
    environment.requests().iter().filter(|(method, _, _)| method != "GET").count() as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_subject_keeps_the_protocols_obligations_over_a_simulated_cluster() {
    let (watched, dead) = tokio::join!(Cluster::at(FAST), Cluster::at(FAST));
    watched.pass(120).await;
    for fault in ["F14", "F27"] {
        dead.break_it(FaultRequest::new(fault)).await;
    }
    // The last member as well.
    for member in ["pd-1", "pd-2", "pd-3"] {
        dead.environment.driver().stop(&operator_protocols::Id::new("cluster", member)).await.expect("stopped");
    }
    dead.pass(60).await;
    let clock = watched.environment.clock();
    let (healthy, of_dead, witness) =
        (watched.environment.clone(), dead.environment.clone(), watched.environment.clone());
    let report = Compliance::new(clock, move || made(&healthy))
        .dead(move || made(&of_dead))
        .pause(|duration| Box::pin(tokio::time::sleep(duration)))
        .writes(move || {
            let count = writes(&witness);
            Box::pin(async move { count })
        })
        .interval(Duration::from_millis(200))
        .run()
        .await;
    assert!(report.passed(), "{report}");
    // PD keeps no keys of requests, and in a calm cluster nothing happens.
    assert!(report.skipped().count() <= 2, "{report}");
    // Whoever had written would have been seen.
    let undrained = watched.ask_member(1, "DELETE", "/pd/api/v1/schedulers/evict-leader-scheduler-9", None).await;
    assert_eq!(undrained.expect("an answer").0, 404);
    assert_eq!(writes(&watched.environment), 1);
}
