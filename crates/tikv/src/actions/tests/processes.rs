//! Which processes may be restarted.

use std::sync::Arc;
use std::time::Duration;

use super::scene::{AT, SUBJECT, healthy};
use crate::actions::live::{LastLook, Live};
use crate::actions::restart_component::{member_may_restart, store_may_restart};
use crate::actions::{Context, Memory};
use crate::details::{Answer, Details};

fn store_restart(live: &Live) -> Result<(), String> {
    let memory = Memory::default();
    let pd = super::fake_pd::client(&[]);
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
