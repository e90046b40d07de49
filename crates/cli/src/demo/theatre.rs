//! The story on a screen. The terminal is given back as it was, also after a panic.

use operator_core::{Identity, Principal, Role};
use operator_lab::environment::WorkloadSample;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::director::Director;
use super::set::Set;
use super::{Cue, End};
use crate::app::App;
use crate::exit::Failure;
use crate::narrate::{NarrationLine, Tone};
use crate::screen::{Beside, Palette, Phase, ScreenModel, WorkloadSecond};
use crate::signals::Stop;
use crate::terminal::{FRAME, Key, Keys, Screen};

/// Plays it on the screen, until somebody leaves.
pub(super) async fn play(app: &App, set: &Set, mut director: Director<'_>, stop: &mut Stop) -> Result<End, Failure> {
    let mut screen = Screen::take()?;
    let mut keys = Keys::read();
    let (cues, mut heard) = mpsc::unbounded_channel();
    let (start, started) = mpsc::channel(1);
    director.cues_to(cues);
    director.wait_for(started);

    let honesty = set.honesty().map(|honesty| format!(" ({honesty})")).unwrap_or_default();
    let title = format!("demo {}{honesty}", set.kind);
    let mut model = ScreenModel::new(title, set.host.now(), app.output.zone.clone(), Palette::from_environment());
    model.beside = Beside::Workload;
    model.keys = key_help(false);
    let mut load = Load::default();
    let mut frames = interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let show = director.play();
    tokio::pin!(show);
    let mut played = None;
    loop {
        tokio::select! {
            biased;
            Some(key) = keys.next() => match key {
                Key::Start => drop(start.try_send(())),
                Key::Kill => kill(set, &mut model).await,
                Key::Quit => break,
                Key::Next | Key::Previous | Key::Number(_) | Key::Nothing => {}
            },
            () = stop.asked() => break,
            Some(cue) = heard.recv() => take(&mut model, cue),
            verdicts = &mut show, if played.is_none() => {
                let verdicts = verdicts?;
                // What it said last comes before what follows from its end.
                while let Ok(cue) = heard.try_recv() {
                    take(&mut model, cue);
                }
                if let Some(chapter) = &mut model.chapter {
                    chapter.prompt = "The end. q leaves; the verdict is printed then.".to_owned();
                }
                played = Some(verdicts);
            }
            _ = frames.tick() => {
                model.now = set.host.now();
                model.views = set.host.views();
                model.agent = set.host.agent();
                load.take(&set.stage.environment.workload_samples(), set.seconds_a_column(), &mut model);
                screen.draw(&model)?;
            }
        }
    }
    Ok(played.map_or(End::Stopped, End::Played))
}

fn take(model: &mut ScreenModel, cue: Cue) {
    match cue {
        Cue::Line(line) => model.push_narration(line),
        Cue::Chapter(state) => {
            model.keys = key_help(state.phase == Phase::Explaining);
            model.chapter = Some(state);
        }
    }
}

async fn kill(set: &Set, model: &mut ScreenModel) {
    let uid = rustix::process::geteuid().as_raw();
    let who = Principal { name: format!("uid:{uid}"), role: Role::Admin, identity: Identity::Peer { uid } };
    if let Err(error) = set.host.engage_kill_switch(&who, "pressed on the screen").await {
        model.push_narration(NarrationLine::new(set.host.now(), Tone::Bad, error.to_string()));
    }
}

fn key_help(waiting: bool) -> Vec<(String, String)> {
    let mut keys = vec![("k", "kill switch: stop every action"), ("q", "quit and clean up")];
    if waiting {
        keys.insert(0, ("Enter", "break it"));
    }
    keys.into_iter().map(|(key, does)| (key.to_owned(), does.to_owned())).collect()
}

/// Which load is on the screen already: a column a real second, however many seconds of the environment's time that is.
#[derive(Default)]
struct Load {
    next: u64,
}

impl Load {
    fn take(&mut self, samples: &[WorkloadSample], seconds: u64, model: &mut ScreenModel) {
        if let Some(first) = samples.first() {
            self.next = self.next.max(first.second);
        }
        while samples.last().is_some_and(|last| last.second >= self.next + seconds - 1) {
            let column: Vec<_> =
                samples.iter().filter(|one| (self.next..self.next + seconds).contains(&one.second)).collect();
            self.next += seconds;
            if let Some(second) = mean(&column) {
                model.push_workload(second);
            }
        }
    }
}

/// The mean second of a column; the worst latency of all.
fn mean(column: &[&WorkloadSample]) -> Option<WorkloadSecond> {
    let count = u64::try_from(column.len()).ok().filter(|count| *count > 0)?;
    let of = |number: fn(&WorkloadSample) -> u64| column.iter().map(|one| number(one)).sum::<u64>().div_ceil(count);
    let answered = column.iter().filter(|one| one.granted + one.refused > 0);
    Some(WorkloadSecond {
        sent: of(|one| one.sent),
        ok: of(|one| one.granted),
        refused: of(|one| one.refused),
        errors: of(|one| one.errors),
        p99_ms: answered.map(|one| one.p99_ms).max_by(f64::total_cmp),
    })
}

#[cfg(test)]
mod tests {
    use operator_protocols::Timestamp;

    use super::*;

    #[test]
    fn a_column_is_a_real_second_whatever_the_speed() {
        let second = |second: u64| WorkloadSample {
            second,
            sent: 10,
            granted: 9,
            refused: 0,
            errors: u64::from(second == 7),
            degraded: 0,
            p50_ms: 1.0,
            p99_ms: second as f64,
        };
        let samples: Vec<_> = (0..12).map(second).collect();
        let model = || ScreenModel::new("t", Timestamp::from_millis(0), jiff::tz::TimeZone::UTC, Palette::PLAIN);
        let (mut real, mut fast) = (model(), model());
        let mut load = Load::default();
        load.take(&samples[..5], 1, &mut real);
        load.take(&samples, 1, &mut real);
        assert_eq!(real.workload.len(), 12);
        Load::default().take(&samples, 5, &mut fast);
        assert_eq!(fast.workload.len(), 2, "the third column is not full yet");
        let last = fast.workload.back().copied().unwrap_or_default();
        assert_eq!((last.sent, last.errors, last.p99_ms), (10, 1, Some(9.0)));
    }
}
