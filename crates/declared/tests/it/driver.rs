//! Acting through a driver: what is aimed, guarded and refused.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use operator_protocols::{
    ActionRequest, BoxFuture, Driver, DriverError, Effect, ExecutionToken, Holds, Id, Locus, ProcessStatus,
    RESTART_COMPONENT, START_COMPONENT, Sent,
};

use crate::world::{component, made, now};

/// Processes that are only told of.
#[derive(Default)]
pub struct Processes {
    starts: Mutex<BTreeMap<String, (bool, u64)>>,
    acts: AtomicU64,
}

impl Processes {
    pub fn running(names: &[&str]) -> Self {
        let starts = names.iter().map(|name| ((*name).to_owned(), (true, 1))).collect();
        Self { starts: Mutex::new(starts), acts: AtomicU64::new(0) }
    }

    /// How often it was told to act.
    pub fn acts(&self) -> u64 {
        self.acts.load(Ordering::Relaxed)
    }

    fn change(
        &self,
        id: &Id,
        change: impl FnOnce(&mut (bool, u64)) -> Result<(), DriverError>,
    ) -> Result<ProcessStatus, DriverError> {
        let mut starts = self.starts.lock().expect("nobody panics with it");
        let start = starts.get_mut(&id.local).ok_or_else(|| DriverError::NoSuchComponent(id.local.clone()))?;
        change(start)?;
        Ok(ProcessStatus { running: start.0, incarnation: Some(start.1.to_string()), exit: None })
    }
}

impl Driver for Processes {
    fn status<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(std::future::ready(self.change(id, |_| Ok(()))))
    }

    fn start_if<'a>(&'a self, id: &'a Id, last: Option<&'a str>) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        self.acts.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::ready(self.change(id, |start| {
            let actual = Some(start.1.to_string());
            if !start.0 && actual.as_deref() != last {
                return Err(DriverError::StartedSince { expected: last.map(str::to_owned), actual });
            }
            if !start.0 {
                *start = (true, start.1 + 1);
            }
            Ok(())
        })))
    }

    fn stop<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        self.acts.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::ready(self.change(id, |start| {
            start.0 = false;
            Ok(())
        })))
    }

    fn restart_if<'a>(&'a self, id: &'a Id, incarnation: &'a str) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        self.acts.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::ready(self.change(id, |start| {
            if start.1.to_string() != incarnation {
                let (expected, actual) = (incarnation.to_owned(), Some(start.1.to_string()));
                return Err(DriverError::Incarnation { expected, actual });
            }
            start.1 += 1;
            Ok(())
        })))
    }
}

const FILE: &str = "[[component]]\nname = \"a\"\nkind = \"api\"\n[[component.check]]\ntcp = \"127.0.0.1:1\"\n";

fn request(action: &str, target: Locus) -> ActionRequest {
    ActionRequest { intent: format!("to {action}"), action: action.to_owned(), target, params: BTreeMap::new() }
}

fn token(request: &ActionRequest, attempt: u32) -> ExecutionToken {
    ExecutionToken::new(&*request.intent, attempt, 1, now().plus(Duration::from_secs(5)), Duration::from_secs(5))
}

#[tokio::test]
async fn a_component_that_does_not_run_is_started_and_one_that_runs_is_started_again_once() {
    let processes = Arc::new(Processes::running(&["a"]));
    let driver: Arc<dyn Driver> = Arc::clone(&processes) as Arc<dyn Driver>;
    let (subject, _) = made(FILE, Some(Arc::clone(&driver))).expect("right");

    let start = request(START_COMPONENT, component("a"));
    let guard = subject.guard(&start, now()).await;
    assert_eq!(guard.holds, Holds::No("the process of a runs".to_owned()));
    driver.stop(&Id::new("shop", "a")).await.expect("stopped");
    let guard = subject.guard(&start, now()).await;
    assert_eq!(guard.holds, Holds::Yes);
    assert_eq!(subject.effect(&start, now()).await, Effect::Absent);
    assert!(matches!(subject.execute(&start, &guard, &token(&start, 1)).await, Sent::Done(_)));
    assert!(matches!(subject.effect(&start, now()).await, Effect::Happened(_)));
    // It ends again: a repeat starts it no second time, and finds that it was started.
    driver.stop(&Id::new("shop", "a")).await.expect("stopped");
    assert!(matches!(subject.execute(&start, &guard, &token(&start, 1)).await, Sent::NoEffect(_)));
    assert!(matches!(subject.execute(&start, &guard, &token(&start, 2)).await, Sent::Done(_)));
    assert!(matches!(subject.effect(&start, now()).await, Effect::Happened(_)));
    driver.start_if(&Id::new("shop", "a"), Some("2")).await.expect("started by somebody");

    let restart = request(RESTART_COMPONENT, component("a"));
    assert!(matches!(subject.effect(&restart, now()).await, Effect::Unknown(_)), "it was never sent");
    let guard = subject.guard(&restart, now()).await;
    assert_eq!((guard.holds.clone(), guard.incarnation.as_deref()), (Holds::Yes, Some("3")));
    assert!(matches!(subject.execute(&restart, &guard, &token(&restart, 1)).await, Sent::Done(_)));
    // Repeated, it ends no second start, and finds that it was done.
    assert!(matches!(subject.execute(&restart, &guard, &token(&restart, 2)).await, Sent::Done(_)));
    let status = driver.status(&Id::new("shop", "a")).await.expect("known");
    assert_eq!(status.incarnation.as_deref(), Some("4"));
    assert!(matches!(subject.effect(&restart, now()).await, Effect::Happened(_)));
}

#[tokio::test]
async fn nothing_is_offered_without_a_driver_and_nothing_undeclared_is_acted_on() {
    let (subject, _) = made(FILE, None).expect("right");
    assert!(subject.actions().is_empty());
    let guard = subject.guard(&request(START_COMPONENT, component("a")), now()).await;
    assert_eq!(guard.holds, Holds::No("there is no action start_component".to_owned()));

    let processes = Arc::new(Processes::running(&["a", "b"]));
    let (subject, _) = made(FILE, Some(Arc::clone(&processes) as Arc<dyn Driver>)).expect("right");
    for target in [component("b"), Locus::component("other", "a"), Locus::Nothing] {
        let request = request(RESTART_COMPONENT, target);
        let mut guard = subject.guard(&request, now()).await;
        assert!(matches!(guard.holds, Holds::No(_)), "{guard:?}");
        guard.holds = Holds::Yes;
        assert!(matches!(subject.execute(&request, &guard, &token(&request, 1)).await, Sent::NotSent(_)));
    }
    assert_eq!(processes.acts(), 0);
}
