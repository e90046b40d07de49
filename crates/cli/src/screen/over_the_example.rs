//! The panels over a real loop and a system that no screen has ever heard of: the example of the protocol.

use std::sync::Arc;
use std::time::Duration;

use operator_core::TicketState;
use operator_core::engine::{Engine, EngineParts, EngineSettings};
use operator_core::policy::{Autonomy, PolicySettings};
use operator_core::store::{Store, sqlite::SqliteStore};
use operator_protocols::Timestamp;
use operator_protocols::example::Workshop;
use operator_reasoner::Reasoner;

use super::fixture::model;
use super::tests::drawn;
use crate::screen::ScreenModel;

/// The loop, ticked by hand, five seconds apart.
struct Bench {
    engine: Engine,
    second: i64,
    _state: tempfile::TempDir,
}

impl Bench {
    async fn over(workshop: &Workshop) -> Self {
        let (subject, checker) = workshop.subject("shop");
        let state = tempfile::tempdir().expect("a folder");
        let store = Arc::new(SqliteStore::open(state.path()).expect("a store"));
        let second = 1_700_000_000;
        let now = Timestamp::from_millis(second * 1_000);
        let epoch = store.acquire_lease("test", now).await.expect("the lease").epoch;
        let settings =
            EngineSettings { policy: PolicySettings::everything_at(Autonomy::Auto), ..EngineSettings::default() };
        assert_eq!(settings.interval, Duration::from_secs(5));
        let parts = EngineParts {
            subject: subject.into(),
            checker,
            store,
            epoch,
            diagnoser: Arc::new(Reasoner::new()),
            settings,
            recorder: None,
            past: None,
        };
        let engine = Engine::start(parts, now).await.expect("the loop");
        Self { engine, second, _state: state }
    }

    async fn cycle(&mut self) {
        self.second += 5;
        self.engine.tick(Timestamp::from_millis(self.second * 1_000)).await;
    }

    /// Runs until the first ticket is in this state, for at most forty cycles.
    async fn until(&mut self, state: TicketState) {
        for _ in 0..40 {
            self.cycle().await;
            if self.engine.view().borrow().tickets.first().is_some_and(|ticket| ticket.state == state) {
                return;
            }
        }
        panic!("no ticket became {state}: {:#?}", self.engine.view().borrow().tickets);
    }

    fn shown(&self) -> String {
        let view = Arc::clone(&self.engine.view().borrow());
        let now = view.at;
        drawn(&ScreenModel { views: vec![view], now, ..model() }, 160, 50)
    }
}

#[tokio::test]
async fn a_system_that_no_screen_has_heard_of_is_shown_broken_explained_and_mended() {
    let workshop = Workshop::new(3);
    let mut bench = Bench::over(&workshop).await;
    for _ in 0..20 {
        bench.cycle().await;
    }
    let names = workshop.worker_names();
    let well = bench.shown();
    for name in &names {
        assert!(well.contains(name.as_str()), "{name} is not shown:\n{well}");
    }
    assert!(well.contains("nothing is wrong"), "{well}");

    workshop.stop_worker(&names[1]);
    bench.until(TicketState::Verifying).await;
    let broken = bench.shown();
    assert!(broken.contains(&format!("ComponentDown at {}", names[1])), "{broken}");
    assert!(broken.contains("start_component"), "{broken}");

    bench.until(TicketState::Resolved).await;
    let mended = bench.shown();
    assert!(mended.contains("resolved"), "{mended}");
    assert!(mended.contains("✓ verified"), "{mended}");
}
