//! Goes through the chapters: waits for calm, explains, breaks something, watches what the operator makes of it, and
//! judges.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use operator_core::{SubjectView, TicketState};
use operator_protocols::{ComponentState, Timestamp};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::set::Set;
use super::verdict::{self, ChapterVerdict};
use super::{Cue, Planned};
use crate::exit::Failure;
use crate::host::Told;
use crate::narrate::{NarrationLine, Tone, narrate_told};
use crate::screen::{ChapterState, Phase};

/// How many cycles without any violation are calm.
const CALM_CYCLES: u32 = 3;
/// How many seconds are counted down where somebody watches.
const COUNTDOWN: u32 = 3;

/// Goes through the chapters.
pub(super) struct Director<'a> {
    set: &'a Set,
    chapters: Vec<Planned>,
    fail_repair: bool,
    events: broadcast::Receiver<Told>,
    view: watch::Receiver<Arc<SubjectView>>,
    cues: mpsc::UnboundedSender<Cue>,
    /// Says that a chapter may begin; nobody is waited for without one.
    start: Option<mpsc::Receiver<()>>,
}

impl<'a> Director<'a> {
    pub(super) fn new(set: &'a Set, chapters: Vec<Planned>, fail_repair: bool) -> Self {
        let (cues, _) = mpsc::unbounded_channel();
        // One subject is set up, always.
        let view = set.host.loops[0].view.clone();
        Self { set, chapters, fail_repair, events: set.host.events(), view, cues, start: None }
    }

    /// Where cues go.
    pub(super) fn cues_to(&mut self, cues: mpsc::UnboundedSender<Cue>) {
        self.cues = cues;
    }

    /// Waits for a word before each chapter.
    pub(super) fn wait_for(&mut self, start: mpsc::Receiver<()>) {
        self.start = Some(start);
    }

    /// Plays every chapter. One that ends badly ends the show, if what it leaves cannot be mended.
    pub(super) async fn play(mut self) -> Result<Vec<ChapterVerdict>, Failure> {
        let about = crate::registry::find(&self.set.kind).map_or("a system", |kind| kind.about);
        let system = about.split(':').next().unwrap_or(about);
        self.say(Tone::Chapter, format!("{system} runs under load, and an operator watches it."));
        if let Some(honesty) = self.set.honesty() {
            self.say(Tone::Chapter, format!("It is {honesty}: every time that is told is its own."));
        }
        for line in self.set.policy() {
            self.say(Tone::Plain, line);
        }
        let warm_at = Instant::now() + self.set.real(self.set.time().warm_up);
        let mut verdicts = Vec::new();
        for planned in std::mem::take(&mut self.chapters) {
            let verdict = self.chapter(&planned, warm_at).await?;
            let right = verdict.right();
            verdicts.push(verdict);
            if self.fail_repair {
                break;
            }
            if !right {
                self.set
                    .stage
                    .environment
                    .clear()
                    .await
                    .map_err(|error| Failure::failed("take the fault back", error))?;
            }
        }
        Ok(verdicts)
    }

    async fn chapter(&mut self, planned: &Planned, warm_at: Instant) -> Result<ChapterVerdict, Failure> {
        let scenario = &planned.scenario;
        self.phase(planned, Phase::Preparing, "The system gets calm, and load gives the operator a baseline.");
        self.say(Tone::Chapter, format!("CHAPTER {} of {}: {}", planned.number, planned.of, scenario.title));
        self.say(Tone::Chapter, scenario.story.split_whitespace().collect::<Vec<_>>().join(" "));
        self.say(Tone::Chapter, planned.watch.clone());
        self.until_calm(warm_at).await?;
        self.until_started(planned).await?;
        let before: BTreeSet<String> = self.view.borrow().tickets.iter().map(|ticket| ticket.id.clone()).collect();
        if self.fail_repair {
            let component = verdict::component(scenario).unwrap_or_default();
            let Some(break_repair) = &self.set.stage.break_repair else {
                return Err(Failure::usage(
                    "here no repair can be made to fail; --fail-repair is for what really runs",
                ));
            };
            let broken = break_repair(&component).map_err(|error| Failure::failed("make the repair fail", error))?;
            self.say(Tone::Bad, format!("made to fail: {broken}"));
        }
        let injected = self.set.stage.environment.inject(&scenario.fault).await;
        let injected = injected.map_err(|error| Failure::failed(format!("inject {}", scenario.fault.kind), error))?;
        let fault_at = self.set.host.now();
        self.phase(planned, Phase::Broken, "Nobody has told the operator.");
        self.say(Tone::Bad, format!("FAULT {}", injected.what));
        let deadline = planned.deadline;
        let over = self.watch(planned, &before, self.set.real(deadline)).await?;
        let view = self.view.borrow().clone();
        let verdict = verdict::judge(planned, &view, &before, fault_at, self.set.host.store().as_ref()).await?;
        self.phase(planned, if verdict.right() { Phase::Over } else { Phase::Failed }, &verdict.headline());
        if !over {
            self.say(Tone::Bad, format!("{} s are over, and it is not resolved", deadline.as_secs()));
        }
        for (tone, line) in verdict.lines() {
            self.say(tone, line);
        }
        Ok(verdict)
    }

    async fn until_calm(&mut self, warm_at: Instant) -> Result<(), Failure> {
        let time = self.set.time();
        let deadline = Instant::now() + self.set.real(time.calm.max(time.warm_up));
        let mut calm = 0;
        let reached = self
            .pump(deadline, |view| {
                let open = view.tickets.iter().any(|ticket| ticket.state != TicketState::Resolved);
                let up = view
                    .observation
                    .as_ref()
                    .is_some_and(|seen| seen.components.iter().all(|component| component.state == ComponentState::Up));
                let well = view.violations.is_empty() && !open && up;
                calm = if well { calm + 1 } else { 0 };
                calm >= CALM_CYCLES && Instant::now() >= warm_at
            })
            .await?;
        if reached {
            return Ok(());
        }
        let view = self.view.borrow().clone();
        let wrong: Vec<_> = view.violations.iter().map(|one| format!("{} on {}", one.invariant, one.on)).collect();
        let why = if wrong.is_empty() { "not every component is up".to_owned() } else { wrong.join(", ") };
        Err(Failure::failed("begin the chapter: the system does not get calm", why))
    }

    async fn until_started(&mut self, planned: &Planned) -> Result<(), Failure> {
        if self.start.is_none() {
            return Ok(());
        }
        self.phase(planned, Phase::Explaining, &planned.watch);
        let Some(mut start) = self.start.take() else { return Ok(()) };
        // What was pressed before the question was asked is no answer.
        while start.try_recv().is_ok() {}
        loop {
            tokio::select! {
                _ = start.recv() => break,
                event = self.events.recv() => self.tell(event),
            }
        }
        self.start = Some(start);
        for second in (1..=COUNTDOWN).rev() {
            self.phase(planned, Phase::Countdown(second), &planned.scenario.title);
            sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }

    /// Watches until everything that the fault brought is resolved and calm, a person is needed, or time is up. Where the
    /// operator could only keep the sick part from doing harm, somebody mends it meanwhile. Gives whether it ended before
    /// time was up.
    async fn watch(&mut self, planned: &Planned, before: &BTreeSet<String>, limit: Duration) -> Result<bool, Failure> {
        let deadline = Instant::now() + limit;
        if !self.watch_until(planned, before, deadline, true).await? {
            return Ok(false);
        }
        if phase_of(&self.view.borrow(), before) != Phase::Contained {
            return Ok(true);
        }
        self.say(Tone::Chapter, "The sick part does no harm any more. Now somebody mends it.".to_owned());
        let mended = self.set.stage.environment.clear().await;
        let mended = mended.map_err(|error| Failure::failed("take the fault back", error))?;
        for what in mended.undone {
            self.say(Tone::Good, format!("MENDED: {what}"));
        }
        self.watch_until(planned, before, deadline, false).await
    }

    async fn watch_until(
        &mut self,
        planned: &Planned,
        before: &BTreeSet<String>,
        deadline: Instant,
        or_contained: bool,
    ) -> Result<bool, Failure> {
        let (cues, state) = (self.cues.clone(), |phase| chapter_state(planned, phase, prompt(phase)));
        let (mut last, mut calm) = (Phase::Broken, 0);
        self.pump(deadline, |view| {
            let phase = phase_of(view, before);
            if phase != last {
                last = phase;
                // Nobody may be listening.
                let _ = cues.send(Cue::Chapter(state(phase)));
            }
            let ended = match phase {
                Phase::Over => view.violations.is_empty(),
                Phase::Failed => true,
                Phase::Contained => or_contained,
                _ => false,
            };
            calm = if ended { calm + 1 } else { 0 };
            calm >= CALM_CYCLES
        })
        .await
    }

    /// Tells what happens until `done` says so of a view (true) or the deadline is over (false).
    async fn pump(&mut self, deadline: Instant, mut done: impl FnMut(&SubjectView) -> bool) -> Result<bool, Failure> {
        loop {
            tokio::select! {
                biased;
                event = self.events.recv() => self.tell(event),
                changed = self.view.changed() => {
                    changed.map_err(|_| Failure::failed("watch the operator", "its loop has ended"))?;
                    let view = self.view.borrow_and_update().clone();
                    if done(&view) {
                        self.tell_the_rest();
                        return Ok(true);
                    }
                }
                () = sleep_until(deadline) => {
                    self.tell_the_rest();
                    return Ok(false);
                }
            }
        }
    }

    fn tell_the_rest(&mut self) {
        loop {
            match self.events.try_recv() {
                Ok(event) => self.tell(Ok(event)),
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn tell(&self, told: Result<Told, RecvError>) {
        let Ok(told) = told else { return };
        for line in narrate_told(&told) {
            let _ = self.cues.send(Cue::Line(line));
        }
    }

    fn say(&self, tone: Tone, text: String) {
        let _ = self.cues.send(Cue::Line(NarrationLine::new(self.set.host.now(), tone, text)));
    }

    fn phase(&self, planned: &Planned, phase: Phase, prompt: &str) {
        let _ = self.cues.send(Cue::Chapter(chapter_state(planned, phase, prompt)));
    }
}

fn chapter_state(planned: &Planned, phase: Phase, prompt: &str) -> ChapterState {
    let (title, number, of) = (planned.scenario.title.clone(), planned.number, planned.of);
    ChapterState { title, number, of, phase, prompt: prompt.to_owned() }
}

fn prompt(phase: Phase) -> &'static str {
    match phase {
        Phase::Detected => "A ticket is open. Next: why?",
        Phase::Diagnosed => "It is explained, with evidence. Another look must agree before anything is done.",
        Phase::Acting => "The policy lets it act: claimed, written down, sent once.",
        Phase::Verifying => "It was done. Whether it helped is watched, not assumed.",
        Phase::Contained => {
            "It cannot be mended from here, and does no harm meanwhile. When it is well, that is undone."
        }
        Phase::Over => "The violation is over, and nothing else broke.",
        Phase::Failed => "The operator cannot mend it and says so: a person is needed.",
        Phase::Preparing | Phase::Explaining | Phase::Countdown(_) | Phase::Broken => "Nobody has told the operator.",
    }
}

/// Where the handling of what is new stands: the least advanced of its tickets says it.
fn phase_of(view: &SubjectView, before: &BTreeSet<String>) -> Phase {
    let states: Vec<_> =
        view.tickets.iter().filter(|ticket| !before.contains(&ticket.id)).map(|ticket| ticket.state).collect();
    let any = |state| states.contains(&state);
    if states.is_empty() {
        Phase::Broken
    } else if any(TicketState::NeedsHuman) {
        Phase::Failed
    } else if any(TicketState::Acting) {
        Phase::Acting
    } else if any(TicketState::Verifying) {
        Phase::Verifying
    } else if any(TicketState::Contained) {
        // What joined later waits for what comes of the containment.
        Phase::Contained
    } else if any(TicketState::Diagnosed) {
        Phase::Diagnosed
    } else if any(TicketState::Open) {
        Phase::Detected
    } else {
        Phase::Over
    }
}

/// How long after the fault something was.
pub(super) fn after(fault_at: Timestamp, at: Timestamp) -> String {
    format!("{:.1} s after the fault", at.since(fault_at).as_secs_f64())
}
