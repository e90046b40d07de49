//! Which processes may be restarted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use operator_protocols::{BoxFuture, Driver, DriverError, Effect, ExecutionToken, Holds, Id, ProcessStatus, Sent};
use serde_json::json;

use super::fake_pd::{FakePd, client, five_stores, store, stores};
use super::scene::{AT, SUBJECT, at_store, healthy, request};
use crate::actions::live::{LastLook, Live};
use crate::actions::restart_component::{member_may_restart, store_may_restart};
use crate::actions::{Context, Memory, effect, execute, guard};
use crate::details::{Answer, Details};

fn store_restart(live: &Live) -> Result<(), String> {
    let memory = Memory::default();
    let pd = client(&[]);
    let context = Context { subject: SUBJECT, pd: &pd, driver: None, memory: &memory, last: None };
    store_may_restart(&context, live, 4).map_err(|refusal| refusal.to_string())
}

fn scraped(up: f64, ago: Duration) -> Option<LastLook> {
    let mut details = Details::default();
    let answer = Answer { stores: [(4, up)].into(), ..Answer::default() };
    details.metrics.answers_by_query.insert("store_scraped".into(), answer);
    Some(LastLook { at: AT.minus(ago), details: Arc::new(details) })
}

#[test]
fn a_store_that_works_is_restarted_only_when_it_leads_nothing_and_none_is_missing() {
    let mut live = healthy();
    assert!(store_restart(&live).expect_err("it leads").contains("leads 60 regions"));
    live.store_mut(4).leader_count = 0;
    assert_eq!(store_restart(&live), Ok(()));
    live.store_mut(2).pending_peers = 1;
    assert!(store_restart(&live).expect_err("one lags").contains("wait for their log"));
    live.store_mut(2).pending_peers = 0;
    live.silence(1, Duration::from_secs(30));
    assert!(store_restart(&live).expect_err("one is missing").contains("lose their majority"));
}

#[test]
fn a_store_that_hangs_is_restarted_but_not_one_whose_link_to_pd_is_cut() {
    let mut live = healthy();
    live.silence(4, Duration::from_secs(60));
    assert!(store_restart(&live).expect_err("nobody was asked").contains("not known"));
    live.last = scraped(1.0, Duration::from_secs(5));
    assert!(store_restart(&live).expect_err("it serves").contains("link to PD is cut"));
    live.last = scraped(0.0, Duration::from_secs(5));
    assert_eq!(store_restart(&live), Ok(()));
    live.last = scraped(0.0, Duration::from_secs(90));
    assert!(store_restart(&live).expect_err("that was long ago").contains("not known"));
}

#[test]
fn a_member_of_pd_is_restarted_when_it_does_not_lead_or_does_not_answer_and_all_others_do() {
    let may = |live: &Live, name: &str| member_may_restart(live, name).map_err(|refusal| refusal.to_string());
    let mut live = healthy();
    assert!(may(&live, "pd-0").expect_err("it leads").contains("leads PD"));
    assert_eq!(may(&live, "pd-1"), Ok(()));
    assert!(may(&live, "pd-7").expect_err("unknown").contains("no member pd-7"));
    live.health.as_mut().expect("health").insert("pd-0".into(), false);
    live.members = Err(operator_protocols::Unavailable::new("PD", "redirect failed"));
    assert_eq!(may(&live, "pd-0"), Ok(()), "the leader hangs: nothing can be asked of it");
    assert!(may(&live, "pd-1").expect_err("a majority would be lost").contains("pd-0 does not answer either"));
    live.health = Ok([("pd-0".to_owned(), false)].into());
    assert!(may(&live, "pd-0").expect_err("the only one").contains("no majority"));
}

/// A driver of one process, which counts its starts.
struct OneProcess {
    runs: Mutex<bool>,
    starts: Mutex<u32>,
}

impl OneProcess {
    fn driver(runs: bool) -> Arc<dyn Driver> {
        Arc::new(Self { runs: Mutex::new(runs), starts: Mutex::new(1) })
    }

    fn told(&self) -> ProcessStatus {
        let starts = self.starts.lock().expect("not poisoned");
        let running = *self.runs.lock().expect("not poisoned");
        ProcessStatus { running, incarnation: Some(format!("start-{starts}")), exit: None }
    }

    fn start(&self) -> ProcessStatus {
        *self.starts.lock().expect("not poisoned") += 1;
        *self.runs.lock().expect("not poisoned") = true;
        self.told()
    }
}

impl Driver for OneProcess {
    fn status<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        let known = id.local == "store-4";
        let told = if known { Ok(self.told()) } else { Err(DriverError::NoSuchComponent(id.local.clone())) };
        Box::pin(std::future::ready(told))
    }

    fn start_if<'a>(&'a self, _: &'a Id, last: Option<&'a str>) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        let now = self.told();
        let started = match now {
            now if now.running => Ok(now),
            now if now.incarnation.as_deref() == last => Ok(self.start()),
            now => Err(DriverError::StartedSince { expected: last.map(str::to_owned), actual: now.incarnation }),
        };
        Box::pin(std::future::ready(started))
    }

    fn stop<'a>(&'a self, _: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(std::future::ready(Err(DriverError::Refused("not here".to_owned()))))
    }

    fn restart_if<'a>(&'a self, _: &'a Id, named: &'a str) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        let now = self.told();
        let restarted = match now.incarnation.as_deref() == Some(named) {
            true => Ok(self.start()),
            false => Err(DriverError::Incarnation { expected: named.to_owned(), actual: now.incarnation }),
        };
        Box::pin(std::future::ready(restarted))
    }
}

fn token(intent: &str, attempt: u32) -> ExecutionToken {
    let limit = Duration::from_secs(20);
    ExecutionToken::new(intent, attempt, 1, AT.plus(limit), limit)
}

/// A PD that has not heard of store 4 for a minute.
async fn without_store_4() -> FakePd {
    let pd = FakePd::healthy().await;
    let heartbeat = (AT.as_millis() - 60_000) * 1_000_000;
    let mut five = five_stores();
    five[3] = store(4, json!({ "last_heartbeat": heartbeat, "state_name": "Disconnected" }), json!({}));
    pd.says_json("/stores", stores(&five));
    pd
}

#[tokio::test]
async fn a_dead_store_is_started_once_even_with_pd_gone() {
    let (pd, memory, driver) = (without_store_4().await, Memory::default(), OneProcess::driver(false));
    for client in [pd.client(), client(&["http://127.0.0.1:9".to_owned()])] {
        let driver = if client.seeds()[0].port() == Some(9) { OneProcess::driver(false) } else { Arc::clone(&driver) };
        let context = Context { subject: SUBJECT, pd: &client, driver: Some(&driver), memory: &memory, last: None };
        let start = request("start_component", at_store(4), []);
        let held = guard(&context, &start, AT).await;
        assert_eq!(held.holds, Holds::Yes);
        assert_eq!(held.incarnation.as_deref(), Some("start-1"), "the last start, so that one intent starts it once");
        assert_eq!(effect(&context, &start, AT).await, Effect::Absent);
        assert!(matches!(execute(&context, &start, &held, &token(&start.intent, 1)).await, Sent::Done(_)));
        assert!(matches!(effect(&context, &start, AT).await, Effect::Happened(_)));
        let again = guard(&context, &start, AT).await;
        assert!(matches!(again.holds, Holds::No(_)), "{}", again.holds);
        assert!(matches!(execute(&context, &start, &held, &token(&start.intent, 2)).await, Sent::Done(_)));
        assert_eq!(
            driver.status(&Id::new(SUBJECT, "store-4")).await.expect("known").incarnation.as_deref(),
            Some("start-2")
        );
    }
    assert_eq!(pd.written().await, [], "PD is not asked to do anything");
}

#[tokio::test]
async fn a_store_that_pd_hears_of_or_does_not_know_is_not_started() {
    let (pd, memory, driver) = (FakePd::healthy().await, Memory::default(), OneProcess::driver(false));
    let client = pd.client();
    let context = Context { subject: SUBJECT, pd: &client, driver: Some(&driver), memory: &memory, last: None };
    let start = request("start_component", at_store(4), []);
    let told = guard(&context, &start, AT).await;
    assert!(matches!(&told.holds, Holds::No(why) if why.contains("PD hears of store-4")), "{}", told.holds);
    pd.says_json("/stores", stores(&five_stores()[..3]));
    let told = guard(&context, &start, AT).await;
    assert!(matches!(&told.holds, Holds::No(why) if why.contains("knows no store 4")), "{}", told.holds);
    // Its next heartbeat is overdue: that it was heard of lately does not show that it lives.
    pd.says_json("/stores", stores(&five_stores()));
    assert_eq!(guard(&context, &start, AT.plus(Duration::from_secs(8))).await.holds, Holds::Yes);
}

#[tokio::test]
async fn a_hung_store_is_restarted_once() {
    let (pd, memory, driver) = (without_store_4().await, Memory::default(), OneProcess::driver(true));
    let client = pd.client();
    let last = scraped(0.0, Duration::from_secs(5));
    let context = Context { subject: SUBJECT, pd: &client, driver: Some(&driver), memory: &memory, last };
    let restart = request("restart_component", at_store(4), []);
    let held = guard(&context, &restart, AT).await;
    assert_eq!(held.holds, Holds::Yes);
    assert!(matches!(effect(&context, &restart, AT).await, Effect::Unknown(_)), "which start it was is not known yet");
    assert!(matches!(execute(&context, &restart, &held, &token(&restart.intent, 1)).await, Sent::Done(_)));
    assert!(matches!(execute(&context, &restart, &held, &token(&restart.intent, 2)).await, Sent::Done(_)));
    assert!(matches!(effect(&context, &restart, AT).await, Effect::Happened(_)));
    assert!(matches!(execute(&context, &restart, &held, &token(&restart.intent, 1)).await, Sent::NotSent(_)));
    let now = driver.status(&Id::new(SUBJECT, "store-4")).await.expect("known");
    assert_eq!(now.incarnation.as_deref(), Some("start-2"), "it was restarted once");
}
