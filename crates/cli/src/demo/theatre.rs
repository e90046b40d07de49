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
                load.take(&set.stage.environment.workload_samples(), &mut model);
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

/// Which seconds of load are on the screen already.
#[derive(Default)]
struct Load {
    shown: Option<u64>,
}

impl Load {
    fn take(&mut self, samples: &[WorkloadSample], model: &mut ScreenModel) {
        for sample in samples.iter().filter(|sample| self.shown.is_none_or(|shown| sample.second > shown)) {
            let answered = sample.granted + sample.refused > 0;
            model.push_workload(WorkloadSecond {
                sent: sample.sent,
                ok: sample.granted,
                refused: sample.refused,
                errors: sample.errors,
                p99_ms: answered.then_some(sample.p99_ms),
            });
        }
        self.shown = samples.last().map(|sample| sample.second).max(self.shown);
    }
}
