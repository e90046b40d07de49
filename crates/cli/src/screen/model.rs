//! Everything the screen shows, and nothing else: drawing is a pure function of this.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::tz::TimeZone;
use operator_core::SubjectView;
use operator_core::agent::AgentProgress;
use operator_protocols::Timestamp;

use crate::narrate::NarrationLine;
use crate::screen::Palette;

/// How many seconds of workload are kept: the widest screen shows no more.
pub const WORKLOAD_SECONDS: usize = 200;
/// How many lines of narration are kept.
pub const NARRATION_LINES: usize = 200;

/// Everything the screen shows.
#[derive(Debug, Clone)]
pub struct ScreenModel {
    /// What the screen is about, for its first line: `demo`, `run`.
    pub title: String,
    /// The present: ages and the highlight of a detection are counted from it.
    pub now: Timestamp,
    /// The zone times are shown in.
    pub zone: TimeZone,
    /// The colours, or none.
    pub palette: Palette,
    /// The subjects, as their loops published them.
    pub views: Vec<Arc<SubjectView>>,
    /// What the agent of this process is doing, if there is one.
    pub agent: Option<Arc<AgentProgress>>,
    /// Which of them the panels are about: what its place is among them.
    pub shown: usize,
    /// What stands beside the agent panel.
    pub beside: Beside,
    /// What was asked of the subject and what came of it, a second at a time, oldest first.
    pub workload: VecDeque<WorkloadSecond>,
    /// What happened, oldest first.
    pub narration: VecDeque<NarrationLine>,
    /// Where the story stands, if one is told.
    pub chapter: Option<ChapterState>,
    /// Keys and what they do.
    pub keys: Vec<(String, String)>,
}

/// What stands beside the agent panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// The load that whoever shows the screen puts on the system.
    Workload,
    /// The tickets of every subject.
    Tickets,
}

/// One second of workload, as whoever makes it saw it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct WorkloadSecond {
    /// Requests sent.
    pub sent: u64,
    /// Those that were answered and granted.
    pub ok: u64,
    /// Those that were answered and refused.
    pub refused: u64,
    /// Those that failed, or were not answered.
    pub errors: u64,
    /// The 99th percentile of the time to an answer, in milliseconds; none without answers.
    pub p99_ms: Option<f64>,
}

/// Where the story stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChapterState {
    /// What this chapter is about.
    pub title: String,
    /// Which one it is, from 1.
    pub number: usize,
    /// Of how many.
    pub of: usize,
    /// What is going on in it.
    pub phase: Phase,
    /// What to read, or to do, now.
    pub prompt: String,
}

/// What is going on in a chapter, in the order in which it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The environment starts, or recovers from the chapter before.
    Preparing,
    /// The chapter is explained; a key starts it.
    Explaining,
    /// So many seconds until the fault.
    Countdown(u32),
    /// The fault is there, and nobody has noticed.
    Broken,
    /// A ticket is open.
    Detected,
    /// It is explained.
    Diagnosed,
    /// An action is on its way.
    Acting,
    /// Whether it worked is being watched.
    Verifying,
    /// The sick part is kept from doing harm, until it is well.
    Contained,
    /// It is over, and well.
    Over,
    /// It is over, and not well.
    Failed,
}

impl Phase {
    /// The phase in a word or two.
    pub fn words(self) -> String {
        match self {
            Self::Preparing => "preparing".to_owned(),
            Self::Explaining => "waiting for you".to_owned(),
            Self::Countdown(seconds) => format!("fault in {seconds} s"),
            Self::Broken => "fault injected".to_owned(),
            Self::Detected => "detected".to_owned(),
            Self::Diagnosed => "diagnosed".to_owned(),
            Self::Acting => "acting".to_owned(),
            Self::Verifying => "verifying".to_owned(),
            Self::Contained => "contained".to_owned(),
            Self::Over => "resolved".to_owned(),
            Self::Failed => "not resolved".to_owned(),
        }
    }

    /// How far the story is, from 0 to 8: the steps of the chapter bar.
    pub fn step(self) -> usize {
        match self {
            Self::Preparing => 0,
            Self::Explaining => 1,
            Self::Countdown(_) => 2,
            Self::Broken => 3,
            Self::Detected => 4,
            Self::Diagnosed => 5,
            Self::Acting => 6,
            Self::Verifying | Self::Contained => 7,
            Self::Over | Self::Failed => 8,
        }
    }
}

impl ScreenModel {
    /// A screen without anything on it.
    pub fn new(title: impl Into<String>, now: Timestamp, zone: TimeZone, palette: Palette) -> Self {
        Self {
            title: title.into(),
            now,
            zone,
            palette,
            views: Vec::new(),
            agent: None,
            shown: 0,
            beside: Beside::Tickets,
            workload: VecDeque::new(),
            narration: VecDeque::new(),
            chapter: None,
            keys: vec![("q".to_owned(), "quit".to_owned())],
        }
    }

    /// Adds a second of workload and forgets what no screen shows any more.
    pub fn push_workload(&mut self, second: WorkloadSecond) {
        self.workload.push_back(second);
        while self.workload.len() > WORKLOAD_SECONDS {
            self.workload.pop_front();
        }
    }

    /// Adds a line of narration and forgets what no screen shows any more.
    pub fn push_narration(&mut self, line: NarrationLine) {
        self.narration.push_back(line);
        while self.narration.len() > NARRATION_LINES {
            self.narration.pop_front();
        }
    }

    /// The subject that the panels are about; none while there is none at all.
    pub fn view(&self) -> Option<&SubjectView> {
        self.views.get(self.shown).or(self.views.first()).map(AsRef::as_ref)
    }

    /// Whether there is more than one subject.
    pub fn several(&self) -> bool {
        self.views.len() > 1
    }

    /// Shows the subject `by` places on, round and round.
    pub fn turn(&mut self, by: isize) {
        if let Ok(of @ 1..) = isize::try_from(self.views.len()) {
            let at = isize::try_from(self.shown).unwrap_or(0);
            self.shown = usize::try_from((at + by).rem_euclid(of)).unwrap_or(0);
        }
    }

    /// Shows the subject of this number, from 1, if there is one.
    pub fn turn_to(&mut self, number: usize) {
        if (1..=self.views.len()).contains(&number) {
            self.shown = number - 1;
        }
    }
}
