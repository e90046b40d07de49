//! The office of a loop in the same process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use operator_protocols::{BoxFuture, Event, Locus, LogLine, ProbeAnswer, ProbeDefinition, ProbeRequest, Unavailable};
use operator_reasoner::{Answer, Investigation, LogSearch, Point, Remembered};
use tokio::sync::watch;

use super::{CaseFile, CaseSummary, Office};
use crate::engine::{Desk, EngineHandle};
use crate::{Command, CommandError, Principal};

/// How long to wait for a cycle at most before looking again.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(5);

/// The office of a loop in the same process.
pub struct LocalOffice {
    handle: EngineHandle,
    principal: Principal,
    /// What of the desk was seen, so that no change is missed between looking and waiting.
    seen: Mutex<watch::Receiver<Arc<Desk>>>,
}

impl LocalOffice {
    /// The office of this loop, for the operator's own agent.
    pub fn new(handle: EngineHandle) -> Self {
        Self { seen: Mutex::new(handle.desk.clone()), handle, principal: Principal::agent() }
    }

    /// The same, where answers are handed in by somebody else.
    #[must_use]
    pub fn on_behalf_of(mut self, principal: Principal) -> Self {
        self.principal = principal;
        self
    }
}

impl Office for LocalOffice {
    fn open_cases(&self) -> BoxFuture<'_, Result<Vec<CaseSummary>, CommandError>> {
        let cases = self.seen.lock().unwrap_or_else(PoisonError::into_inner).borrow_and_update().open_cases();
        Box::pin(std::future::ready(Ok(cases)))
    }

    fn case<'a>(&'a self, incident: &'a str) -> BoxFuture<'a, Result<CaseFile, CommandError>> {
        Box::pin(std::future::ready(self.handle.case(incident)))
    }

    fn look(&self, case: &CaseFile) -> Arc<dyn Investigation> {
        Arc::new(Look {
            past: Remembered::new(self.handle.desk.borrow().history.clone()),
            probes: case.probes.clone(),
            handle: self.handle.clone(),
        })
    }

    fn submit<'a>(
        &'a self,
        incident: &'a str,
        question: &'a str,
        answer: Answer,
    ) -> BoxFuture<'a, Result<String, CommandError>> {
        let (incident, question) = (incident.to_owned(), question.to_owned());
        let command = Command::Answer { incident, question, answer: Box::new(answer) };
        Box::pin(self.handle.command(self.principal.clone(), command))
    }

    fn wait(&self) -> BoxFuture<'_, ()> {
        let mut desk = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move {
            // A loop that has ended has nothing new.
            let changed = async {
                if desk.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            let _ = tokio::time::timeout(LOOK_AT_LEAST_EVERY, changed).await;
        })
    }
}

/// Looks at what the loop remembered when the case was taken, and at the subject as it is now.
struct Look {
    past: Remembered,
    probes: Vec<ProbeDefinition>,
    handle: EngineHandle,
}

impl Investigation for Look {
    fn series<'a>(&'a self, on: &'a Locus, signal: &'a str) -> BoxFuture<'a, Result<Vec<Point>, Unavailable>> {
        Box::pin(std::future::ready(self.past.series(on, signal)))
    }

    fn events(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Event>, Unavailable>> {
        Box::pin(std::future::ready(Ok(self.past.events(limit))))
    }

    fn logs<'a>(&'a self, search: &'a LogSearch) -> BoxFuture<'a, Result<Vec<LogLine>, Unavailable>> {
        Box::pin(std::future::ready(Ok(self.past.logs(search))))
    }

    fn probes(&self) -> &[ProbeDefinition] {
        &self.probes
    }

    fn probe<'a>(&'a self, request: &'a ProbeRequest) -> BoxFuture<'a, ProbeAnswer> {
        Box::pin(self.handle.probe(request))
    }
}
