//! The protocol's own checks, over a healthy cluster and over one of which nothing answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use operator_protocols::compliance::Compliance;
use operator_protocols::{Clock, Timestamp, Value};
use tokio::net::TcpListener;

use crate::player::{Player, at, lines};
use crate::scene::config;

/// A clock that begins when the recording ends, and goes as the real one does.
struct RecordedClock {
    offset: AtomicI64,
}

impl Clock for RecordedClock {
    fn now(&self) -> Timestamp {
        let offset = self.offset.load(Ordering::SeqCst);
        Timestamp::from_millis(crate::scene::now().as_millis() - offset)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_subject_keeps_the_protocols_obligations() {
    let player = Arc::new(Player::start("sim-healthy").await);
    let instant = at(lines("sim-healthy").last().expect("lines").t);
    player.seek(instant);
    let offset = crate::scene::now().as_millis() - instant.as_millis();
    let clock = Arc::new(RecordedClock { offset: AtomicI64::new(offset) });
    let urls: Vec<String> = player.members.iter().map(|member| member.url.clone()).collect();
    let alive = config(&[("pd", Value::from(urls))]);
    let mut nowhere = Vec::new();
    for _ in 0..3 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        nowhere.push(format!("http://{}", listener.local_addr().expect("bound")));
    }
    let dead = config(&[("pd", Value::from(nowhere))]);
    let report = Compliance::new(clock, move || operator_tikv::factory(&alive, None).expect("right settings"))
        .dead(move || operator_tikv::factory(&dead, None).expect("right settings"))
        .pause(|duration| Box::pin(tokio::time::sleep(duration)))
        .writes(move || {
            let player = Arc::clone(&player);
            Box::pin(async move { player.writes() })
        })
        .interval(Duration::from_millis(300))
        .run()
        .await;
    assert!(report.passed(), "{report}");
}
