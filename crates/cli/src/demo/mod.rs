//! The demonstration: a real system is broken for real, chapter by chapter, and a real operator that was told nothing
//! finds out, explains and mends it.
//!
//! - `set`: what is set up, and struck at the end whatever happened.
//! - `director`: goes through the chapters and says what is going on.
//! - `verdict`: whether a chapter went as it should, held against what the scenario knows to be true.
//! - `transcript`, `theatre`: who listens, on paper or on a screen.

mod director;
mod set;
mod theatre;
mod transcript;
mod verdict;

use std::time::Duration;

use operator_lab::scenario::Scenario;

use crate::app::App;
use crate::exit::{Exit, Failure};
use crate::host::AgentPlan;
use crate::output::{Format, on_terminal};
use crate::registry::{self, DemoChapter, Lab};
use crate::signals::Stop;
use director::Director;
use set::Set;
use verdict::ChapterVerdict;

use crate::narrate::NarrationLine;
use crate::screen::ChapterState;

/// What to show.
pub struct Show {
    /// The kind of system.
    pub kind: String,
    /// As a transcript.
    pub headless: bool,
    /// Only this chapter, from 1.
    pub chapter: Option<usize>,
    /// This scenario, in its own environment, in place of the chapters.
    pub scenario: Option<String>,
    /// Who explains, beside the embedded reasoner.
    pub agent: Option<AgentPlan>,
    /// The first repair is made to fail.
    pub fail_repair: bool,
}

/// A chapter with its scenario.
#[derive(Debug, Clone)]
struct Planned {
    number: usize,
    of: usize,
    /// What to watch, for people.
    watch: String,
    /// From the fault to the end of the chapter, at most, by the environment's clock.
    deadline: Duration,
    scenario: Scenario,
}

/// What the director says.
#[derive(Debug)]
enum Cue {
    /// Something happened.
    Line(NarrationLine),
    /// Where the story stands.
    Chapter(ChapterState),
}

/// How the show ended.
enum End {
    /// It went through to its end.
    Played(Vec<ChapterVerdict>),
    /// Somebody stopped it.
    Stopped,
}

/// Shows it.
///
/// # Errors
/// When it cannot be set up.
pub async fn run(app: &App, show: Show) -> Result<Exit, Failure> {
    let lab = crate::commands::deploy::lab(&show.kind)?;
    if show.fail_repair && lab.simulated {
        return Err(Failure::usage(format!("{} is simulated: its processes always start again", show.kind))
            .next("leave --fail-repair out, or show a system that really runs"));
    }
    let patience = show.agent.as_ref().map_or(Duration::ZERO, |agent| agent.patience);
    let mut chapters = match &show.scenario {
        Some(id) => vec![of_scenario(lab, id)?],
        None => planned(lab, show.chapter)?,
    };
    for chapter in &mut chapters {
        // Patience is real time; a simulated system's goes faster.
        chapter.deadline += patience.mul_f64(lab.demo_time.speed);
    }
    if !show.headless && !on_terminal() {
        return Err(Failure::usage("the demonstration needs a terminal").next("add --headless for a transcript"));
    }
    let environment = (lab.scenario)(show.scenario.as_deref().unwrap_or(lab.demo_environment), 0)
        .map_err(|error| Failure::failed("read the scenario of the demonstration", error))?;
    let mut stop = Stop::listen()?;
    let set = tokio::select! {
        set = Set::build(&show.kind, lab, &environment, show.agent) => set?,
        // What was started so far is dropped, and ends with that.
        () = stop.asked() => return Err(stopped()),
    };
    let director = Director::new(&set, chapters, show.fail_repair);
    let ended = if show.headless {
        transcript::play(app, &set, director, &mut stop).await
    } else {
        theatre::play(app, &set, director, &mut stop).await
    };
    set.strike().await?;
    match ended? {
        End::Stopped => Err(stopped()),
        End::Played(verdicts) => {
            app.output.print("demo", &verdicts, || {
                // The transcript has said it all; a screen is gone by now.
                if show.headless { verdict::sum(&verdicts) } else { verdict::page(&verdicts) }
            })?;
            Ok(if verdicts.iter().all(ChapterVerdict::right) { Exit::Clean } else { Exit::Found })
        }
    }
}

fn stopped() -> Failure {
    Failure::failed("show it to its end", "it was stopped")
}

fn planned(lab: &'static Lab, only: Option<usize>) -> Result<Vec<Planned>, Failure> {
    let of = lab.demo.len();
    if let Some(number) = only.filter(|number| !(1..=of).contains(number)) {
        return Err(Failure::usage(format!("there is no chapter {number}; there are 1 to {of}")));
    }
    let mut chapters = Vec::new();
    for (i, chapter) in lab.demo.iter().enumerate().filter(|(i, _)| only.is_none_or(|number| number == i + 1)) {
        chapters.push(of_chapter(lab, chapter, i + 1, of)?);
    }
    Ok(chapters)
}

fn of_chapter(lab: &'static Lab, chapter: &DemoChapter, number: usize, of: usize) -> Result<Planned, Failure> {
    let mut scenario =
        (lab.scenario)(chapter.scenario, chapter.seed).map_err(|error| Failure::failed("read the scenario", error))?;
    if let Some(story) = chapter.story {
        story.clone_into(&mut scenario.story);
    }
    for (name, value) in chapter.fault {
        scenario.fault = scenario.fault.with(*name, *value);
    }
    let (watch, deadline) = (chapter.watch.to_owned(), Duration::from_secs(chapter.deadline_s));
    Ok(Planned { number, of, watch, deadline, scenario })
}

/// A scenario as the only chapter, in the environment that it is written for.
fn of_scenario(lab: &'static Lab, id: &str) -> Result<Planned, Failure> {
    let scenario = (lab.scenario)(id, 0).map_err(|error| {
        Failure::usage(format!("--scenario {id}: {error}")).next("`operator eval list` lists the scenarios")
    })?;
    let times = &scenario.deadlines;
    let seconds = [times.detect_s, times.diagnose_s, times.recover_s].map(u64::from).iter().sum();
    let watch = scenario.truth.traps.join(" ");
    Ok(Planned { number: 1, of: 1, watch, deadline: Duration::from_secs(seconds), scenario })
}

/// Whether the result is for programs: then standard output is theirs.
fn for_programs(app: &App) -> bool {
    app.output.format == Format::Json
}

/// The kinds that can be shown.
pub fn kinds() -> Vec<&'static str> {
    registry::KINDS.iter().filter(|kind| kind.lab.is_some()).map(|kind| kind.kind).collect()
}
