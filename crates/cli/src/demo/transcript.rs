//! The story on paper: the same lines that the screen narrates.

use tokio::sync::mpsc;

use super::director::Director;
use super::set::Set;
use super::{Cue, End, for_programs};
use crate::app::App;
use crate::commands::run::line_text;
use crate::exit::Failure;
use crate::output::{say, write_out};
use crate::screen::Phase;
use crate::signals::Stop;

/// Plays it and prints what is said; on standard error, where the result is for programs.
pub(super) async fn play(app: &App, set: &Set, mut director: Director<'_>, stop: &mut Stop) -> Result<End, Failure> {
    let (cues, mut heard) = mpsc::unbounded_channel();
    director.cues_to(cues);
    let mut printer = Printer { app, set, last: None };
    let show = director.play();
    tokio::pin!(show);
    let verdicts = loop {
        tokio::select! {
            biased;
            Some(cue) = heard.recv() => printer.print(&cue)?,
            () = stop.asked() => return Ok(End::Stopped),
            verdicts = &mut show => break verdicts,
        }
    };
    while let Ok(cue) = heard.try_recv() {
        printer.print(&cue)?;
    }
    Ok(End::Played(verdicts?))
}

struct Printer<'a> {
    app: &'a App,
    set: &'a Set,
    last: Option<Phase>,
}

impl Printer<'_> {
    fn print(&mut self, cue: &Cue) -> Result<(), Failure> {
        match cue {
            Cue::Line(line) => self.write(&line_text(&self.app.output, line)),
            Cue::Chapter(state) => {
                let news = self.last.replace(state.phase) != Some(state.phase);
                // What the load feels, when it is broken and when it is well again.
                if news && matches!(state.phase, Phase::Broken | Phase::Detected | Phase::Over) {
                    self.write(&self.load())?;
                }
                Ok(())
            }
        }
    }

    fn load(&self) -> String {
        let samples = self.set.stage.environment.workload_samples();
        let last = samples.last().map_or_else(
            || "nothing yet".to_owned(),
            |last| {
                format!(
                    "{} sent, {} granted, {} refused, {} errors in the last second; p99 {:.1} ms",
                    last.sent, last.granted, last.refused, last.errors, last.p99_ms
                )
            },
        );
        format!("         load: {last}")
    }

    fn write(&self, text: &str) -> Result<(), Failure> {
        if for_programs(self.app) {
            say(text);
            return Ok(());
        }
        write_out(text)
    }
}
