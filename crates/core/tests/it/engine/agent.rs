//! The agent at work: in what order, how much at a time, and what it does with a case that poisons its diagnoser.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use operator_core::agent::{
    Agent, AgentLimits, AgentProgress, CaseFile, CaseStage, CaseSummary, LocalOffice, Office, Query, QueryReply,
    RemoteOffice,
};
use operator_core::control::{ControlHandler, ControlServer, Principals, PrincipalsConfig};
use operator_core::engine::{AgentSettings, spawn};
use operator_core::policy::Autonomy;
use operator_core::store::{KillAcknowledgement, KillScope, KillState};
use operator_core::{Command, CommandError, ManualClock, Principal, TicketState};
use operator_protocols::{BoxFuture, Clock, FaultClass, ProbeRequest, Severity, Timestamp};
use operator_reasoner::{
    Answer, DiagnoseError, Diagnoser, Inquiry, Investigation, LogSearch, Outcome, Remembered, Step, Usage,
};
use tokio::sync::{Notify, watch};

use super::answering::answer;
use super::world::{Bench, World, worker};
use crate::control_office::{LIMITS, own_uid};

const LONG: Duration = Duration::from_secs(30);

/// Cases as they are told, and what was handed in.
struct Desk {
    cases: Mutex<BTreeMap<String, (CaseSummary, CaseFile)>>,
    submitted: Mutex<Vec<(String, Answer)>>,
    changed: Notify,
}

impl Office for Desk {
    fn open_cases(&self) -> BoxFuture<'_, Result<Vec<CaseSummary>, CommandError>> {
        let cases = self.cases.lock().expect("whole").values().map(|(summary, _)| summary.clone()).collect();
        Box::pin(std::future::ready(Ok(cases)))
    }

    fn case<'a>(&'a self, incident: &'a str) -> BoxFuture<'a, Result<CaseFile, CommandError>> {
        let found = self.cases.lock().expect("whole").get(incident).map(|(_, file)| file.clone());
        Box::pin(std::future::ready(found.ok_or_else(|| CommandError::refused("gone"))))
    }

    fn look(&self, _case: &CaseFile) -> Arc<dyn Investigation> {
        Arc::new(Remembered::default())
    }

    fn submit<'a>(
        &'a self,
        incident: &'a str,
        _question: &'a str,
        answer: Answer,
    ) -> BoxFuture<'a, Result<String, CommandError>> {
        self.submitted.lock().expect("whole").push((incident.to_owned(), answer));
        self.cases.lock().expect("whole").remove(incident);
        self.changed.notify_waiters();
        Box::pin(std::future::ready(Ok("taken".to_owned())))
    }

    fn wait(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let _ = tokio::time::timeout(Duration::from_millis(20), self.changed.notified()).await;
        })
    }
}

/// A real case, under as many names as asked for.
async fn desk(cases: &[(&str, Severity)]) -> Arc<Desk> {
    let mut bench = Bench::new(World::default(), Autonomy::Observe).await;
    bench.subject.world().broken = true;
    bench.cycles(2).await;
    let mut file = bench.engine().case("I1").expect("a case");
    let mut all = BTreeMap::new();
    for (n, (incident, severity)) in cases.iter().enumerate() {
        file.pack.incident = (*incident).to_owned();
        let summary = CaseSummary {
            subject: "shop".to_owned(),
            incident: (*incident).to_owned(),
            severity: *severity,
            opened_at: Timestamp::from_millis(n as i64),
            question: file.question.clone(),
        };
        all.insert((*incident).to_owned(), (summary, file.clone()));
    }
    Arc::new(Desk { cases: Mutex::new(all), submitted: Mutex::default(), changed: Notify::new() })
}

/// Panics, hangs, fails or answers, as the incident's name says.
#[derive(Default)]
struct Moody {
    seen: Mutex<Vec<String>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

impl Diagnoser for Moody {
    fn name(&self) -> &str {
        "moody"
    }

    fn diagnose<'a>(&'a self, inquiry: Inquiry<'a>) -> BoxFuture<'a, Result<Answer, DiagnoseError>> {
        Box::pin(async move {
            let incident = inquiry.pack.incident.clone();
            self.seen.lock().expect("whole").push(incident.clone());
            inquiry.investigation.progress(&Step {
                turn: 1,
                turns: 2,
                text: "looking".into(),
                usage: Usage::default(),
            });
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            match incident.as_str() {
                name if name.starts_with("panics") => panic!("poisoned"),
                name if name.starts_with("hangs") => std::future::pending().await,
                name if name.starts_with("fails") => {
                    Err(DiagnoseError::NoAnswer { diagnoser: "moody".into(), why: "no money".into() })
                }
                _ => Ok(inquiry.reasoned.expect("the reasoner's").clone().into()),
            }
        })
    }
}

fn limits() -> AgentLimits {
    AgentLimits {
        parallel: 2,
        attempts: 2,
        backoff: Duration::from_millis(10),
        case_limit: Duration::from_millis(300),
        shown: 32,
    }
}

async fn until(progress: &mut watch::Receiver<Arc<AgentProgress>>, right: impl Fn(&AgentProgress) -> bool) {
    let waited = tokio::time::timeout(LONG, progress.wait_for(|one| right(one))).await.is_ok_and(|seen| seen.is_ok());
    assert!(waited, "{:#?}", progress.borrow());
}

#[tokio::test]
async fn the_gravest_come_first_and_no_more_at_a_time_than_it_may() {
    use Severity::{Critical, Info, Warning};
    let desk = desk(&[("a", Info), ("b", Warning), ("c", Critical), ("d", Critical), ("e", Warning)]).await;
    let moody = Arc::new(Moody::default());
    let agent = Agent::new(vec![desk.clone()], moody.clone(), limits());
    let (stop, stopped) = watch::channel(false);
    let mut progress = agent.progress();
    let running = tokio::spawn(async move { agent.run(stopped).await });
    until(&mut progress, |one| one.answered == 5).await;
    stop.send_replace(true);
    running.await.expect("a clean end");
    assert_eq!(*moody.seen.lock().expect("whole"), ["c", "d", "b", "e", "a"]);
    assert_eq!(moody.most_at_once.load(Ordering::SeqCst), 2);
    assert_eq!(progress.borrow().cases["a"].step.as_ref().map(|step| step.text.as_str()), Some("looking"));
}

#[tokio::test]
async fn a_poisoned_case_is_left_to_the_reasoner_and_the_others_go_on() {
    use Severity::{Critical, Info};
    let names = ["panics", "hangs", "fails"];
    let desk = desk(&[("panics", Critical), ("hangs", Critical), ("fails", Critical), ("well", Info)]).await;
    let moody = Arc::new(Moody::default());
    let agent = Agent::new(vec![desk.clone()], moody.clone(), limits());
    let (stop, stopped) = watch::channel(false);
    let mut progress = agent.progress();
    let running = tokio::spawn(async move { agent.run(stopped).await });
    until(&mut progress, |one| one.answered == 1 && one.given_up == 3).await;
    stop.send_replace(true);
    running.await.expect("a clean end");
    let seen = moody.seen.lock().expect("whole").clone();
    for name in names {
        assert_eq!(seen.iter().filter(|one| *one == name).count(), 2, "{name} is tried twice");
        assert_eq!(progress.borrow().cases[name].stage, CaseStage::GivenUp);
    }
    let submitted = desk.submitted.lock().expect("whole").clone();
    assert_eq!(submitted.len(), 4);
    for (incident, answer) in submitted.iter().filter(|(incident, _)| incident != "well") {
        let outcome = answer.deliberation.as_ref().map(|one| one.outcome.clone());
        assert!(matches!(outcome, Some(Outcome::FallenBack { .. })), "{incident}: {outcome:?}");
    }
}

/// Never answers; says when it was asked.
struct Silent(Notify);

impl Diagnoser for Silent {
    fn name(&self) -> &str {
        "silent"
    }

    fn diagnose<'a>(&'a self, _inquiry: Inquiry<'a>) -> BoxFuture<'a, Result<Answer, DiagnoseError>> {
        Box::pin(async {
            self.0.notify_one();
            std::future::pending().await
        })
    }
}

/// Names what the reasoner names, in its own name.
struct Echo;

impl Diagnoser for Echo {
    fn name(&self) -> &str {
        "echo"
    }

    fn diagnose<'a>(&'a self, inquiry: Inquiry<'a>) -> BoxFuture<'a, Result<Answer, DiagnoseError>> {
        let case = CaseFile {
            question: String::new(),
            open: true,
            pack: inquiry.pack.clone(),
            actions: Vec::new(),
            probes: Vec::new(),
            reasoned: inquiry.reasoned.expect("the reasoner's").clone(),
        };
        Box::pin(std::future::ready(Ok(answer(&case, FaultClass::ComponentDown, worker()))))
    }
}

async fn running(patience: Duration) -> (Bench, operator_core::engine::EngineHandle, watch::Sender<bool>) {
    let mut bench = Bench::new(World { broken: true, ..World::default() }, Autonomy::Auto).await;
    bench.settings.agent = Some(AgentSettings { patience });
    bench.settings.interval = Duration::from_millis(20);
    bench.kill_and_start().await;
    let engine = bench.engine.take().expect("a loop");
    let (stop, stopped) = watch::channel(false);
    let clock = Arc::new(ManualClock::at(bench.now()));
    let ticking = clock.clone();
    // Time goes on with every cycle that is seen.
    let mut view = engine.view();
    let (handle, _task) = spawn(engine, clock, stopped);
    tokio::spawn(async move {
        while view.changed().await.is_ok() {
            view.borrow_and_update();
            ticking.set(ticking.now().plus(Duration::from_secs(1)));
        }
    });
    (bench, handle, stop)
}

#[tokio::test]
async fn a_diagnoser_that_never_answers_delays_no_cycle_and_holds_up_nothing_for_longer_than_the_patience() {
    let (bench, handle, stop) = running(Duration::from_secs(15)).await;
    let silent = Arc::new(Silent(Notify::new()));
    let office = Arc::new(LocalOffice::new(handle.clone()));
    let agent = Agent::new(vec![office], silent.clone(), AgentLimits { case_limit: LONG, ..limits() });
    let (stop_agent, stopped) = watch::channel(false);
    let working = tokio::spawn(async move { agent.run(stopped).await });
    tokio::time::timeout(LONG, silent.0.notified()).await.expect("it is asked");
    let mut view = handle.view.clone();
    let from = view.borrow().cycle;
    let gone_on = tokio::time::timeout(LONG, view.wait_for(|view| view.cycle >= from + 5)).await;
    assert!(gone_on.is_ok_and(|seen| seen.is_ok()), "cycles go on while it thinks");
    let mended = |view: &operator_core::SubjectView| view.tickets.iter().any(|one| one.state == TicketState::Resolved);
    let seen = tokio::time::timeout(LONG, view.wait_for(|view| mended(view))).await;
    assert!(seen.is_ok_and(|seen| seen.is_ok()), "the reasoner's explanation was acted on");
    assert_eq!(bench.subject.world().effects.len(), 1);
    stop_agent.send_replace(true);
    working.await.expect("a clean end");
    stop.send_replace(true);
}

#[tokio::test]
async fn from_an_open_incident_to_an_answer_that_is_acted_on() {
    let (bench, handle, stop) = running(Duration::from_secs(100_000)).await;
    let office = Arc::new(LocalOffice::new(handle.clone()));
    let agent = Agent::new(vec![office], Arc::new(Echo), limits());
    let (stop_agent, stopped) = watch::channel(false);
    let working = tokio::spawn(async move { agent.run(stopped).await });
    let mut view = handle.view.clone();
    let mended = |view: &operator_core::SubjectView| view.tickets.iter().any(|one| one.state == TicketState::Resolved);
    let seen = tokio::time::timeout(LONG, view.wait_for(|view| mended(view))).await.is_ok_and(|seen| seen.is_ok());
    assert!(seen, "{:#?}", handle.view.borrow().tickets);
    assert_eq!(bench.subject.world().effects.len(), 1);
    let diagnoses = operator_core::store::Store::diagnoses(bench.store.as_ref(), "shop-I1").await.expect("read");
    assert_eq!(diagnoses.last().map(|(_, one)| one.diagnoser.clone()), Some("llm:small".to_owned()));
    stop_agent.send_replace(true);
    working.await.expect("a clean end");
    stop.send_replace(true);
}

/// A running loop behind a real socket.
struct OneLoop(operator_core::engine::EngineHandle);

impl ControlHandler for OneLoop {
    fn subjects(&self) -> Vec<String> {
        vec![self.0.subject.clone()]
    }

    fn command<'a>(
        &'a self,
        principal: &'a Principal,
        _subject: &'a str,
        command: Command,
    ) -> BoxFuture<'a, Result<String, CommandError>> {
        Box::pin(self.0.command(principal.clone(), command))
    }

    fn query<'a>(&'a self, _subject: &'a str, query: Query) -> BoxFuture<'a, Result<QueryReply, CommandError>> {
        Box::pin(self.0.query(query))
    }

    fn engage_kill_switch<'a>(
        &'a self,
        _principal: &'a Principal,
        _scope: KillScope,
        _reason: &'a str,
    ) -> BoxFuture<'a, Result<KillAcknowledgement, CommandError>> {
        Box::pin(std::future::ready(Err(CommandError::refused("not here"))))
    }

    fn release_kill_switch<'a>(
        &'a self,
        _principal: &'a Principal,
        _scope: KillScope,
        _reason: &'a str,
    ) -> BoxFuture<'a, Result<(), CommandError>> {
        Box::pin(std::future::ready(Err(CommandError::refused("not here"))))
    }

    fn kill_switch(&self) -> BoxFuture<'_, Result<Vec<KillState>, CommandError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn status<'a>(&'a self, _subjects: &'a [String]) -> BoxFuture<'a, Result<serde_json::Value, CommandError>> {
        Box::pin(std::future::ready(Ok(serde_json::Value::Null)))
    }
}

/// Looks at everything there is to look at, and answers with long transcripts.
struct Thorough(Mutex<Vec<String>>);

impl Diagnoser for Thorough {
    fn name(&self) -> &str {
        "thorough"
    }

    fn diagnose<'a>(&'a self, inquiry: Inquiry<'a>) -> BoxFuture<'a, Result<Answer, DiagnoseError>> {
        Box::pin(async move {
            let look = inquiry.investigation;
            let series = look.series(&worker(), "requests").await.map(|points| points.len());
            let unknown = look.series(&worker(), "no_such_signal").await.is_err();
            let events = look.events(5).await.map(|events| events.len());
            let logs = look.logs(&LogSearch { limit: 3, ..LogSearch::default() }).await.map(|lines| lines.len());
            let request = ProbeRequest { probe: "any".into(), target: worker(), params: BTreeMap::new() };
            let probe = look.probe(&request).await.answer.map_err(|why| why.what);
            let seen = format!("{} {unknown} {events:?} {logs:?} {probe:?}", series.is_ok_and(|many| many > 0));
            self.0.lock().expect("whole").push(seen);
            let mut answer = Echo.diagnose(inquiry).await?;
            let made = answer.deliberation.as_mut().expect("one");
            made.exchanges[0].response = "é".repeat(200_000);
            made.exchanges = vec![made.exchanges[0].clone(); 24];
            Ok(answer)
        })
    }
}

#[tokio::test]
async fn the_same_over_the_socket_from_another_process() {
    let (bench, handle, stop) = running(Duration::from_secs(100_000)).await;
    let state = bench.dir.path().join("socket");
    let principals = Principals::new(&PrincipalsConfig::default(), own_uid(), &|_| None).expect("nothing is wrong");
    let handler = Arc::new(OneLoop(handle.clone()));
    let server = ControlServer::bind_within(&state, principals, handler, LIMITS).await.expect("bound");
    let (close, closed) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(server.serve(async {
        let _ = closed.await;
    }));
    let thorough = Arc::new(Thorough(Mutex::default()));
    let office = Arc::new(RemoteOffice::new(&state, "shop"));
    let agent = Agent::new(vec![office.clone()], thorough.clone(), AgentLimits { case_limit: LONG, ..limits() });
    let (stop_agent, stopped) = watch::channel(false);
    let working = tokio::spawn(async move { agent.run(stopped).await });
    let mut view = handle.view.clone();
    let mended = |view: &operator_core::SubjectView| view.tickets.iter().any(|one| one.state == TicketState::Resolved);
    let seen = tokio::time::timeout(LONG, view.wait_for(|view| mended(view))).await.is_ok_and(|seen| seen.is_ok());
    assert!(seen, "{:#?}", handle.view.borrow().tickets);
    let looked = thorough.0.lock().expect("whole").clone();
    assert_eq!(looked.first().map(String::as_str), Some(r#"true true Ok(0) Ok(0) Err("probe")"#));
    let missing = office.case("shop-I99").await;
    assert!(matches!(missing, Err(CommandError::NotFound { .. })), "{missing:?}");
    stop_agent.send_replace(true);
    working.await.expect("a clean end");
    drop(close);
    served.await.expect("a clean end");
    let gone = office.open_cases().await.expect_err("nobody listens");
    assert!(gone.to_string().contains("no operator runs"), "{gone}");
    stop.send_replace(true);
}
