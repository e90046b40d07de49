//! The story on a screen. The terminal is given back as it was, also after a panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use operator_core::{Identity, Principal, Role};
use operator_lab::environment::WorkloadSample;
use ratatui::DefaultTerminal;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::director::Director;
use super::set::Set;
use super::{Cue, End};
use crate::app::App;
use crate::exit::Failure;
use crate::host::now;
use crate::narrate::{NarrationLine, Tone};
use crate::screen::{Palette, Phase, ScreenModel, WorkloadSecond, draw};
use crate::signals::Stop;

/// How often the screen is drawn: fluent enough for numbers, and little work.
const FRAME: Duration = Duration::from_millis(100);

/// The terminal, given back when this is dropped.
struct Screen(DefaultTerminal);

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Reads keys on a thread of its own until it is dropped.
struct Keys {
    pressed: mpsc::UnboundedReceiver<KeyEvent>,
    end: Arc<AtomicBool>,
}

impl Keys {
    fn read() -> Self {
        let (press, pressed) = mpsc::unbounded_channel();
        let end = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&end);
        std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                match event::poll(FRAME) {
                    Ok(true) => match event::read() {
                        Ok(Event::Key(key)) if key.kind == KeyEventKind::Press && press.send(key).is_err() => return,
                        Ok(_) => {}
                        Err(_) => return,
                    },
                    Ok(false) => {}
                    Err(_) => return,
                }
            }
        });
        Self { pressed, end }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
    }
}

/// Plays it on the screen, until somebody leaves.
pub(super) async fn play(app: &App, set: &Set, mut director: Director<'_>, stop: &mut Stop) -> Result<End, Failure> {
    let failed = |error: std::io::Error| Failure::failed("draw on the terminal", error);
    let mut screen = Screen(ratatui::try_init().map_err(failed)?);
    let mut keys = Keys::read();
    let (cues, mut heard) = mpsc::unbounded_channel();
    let (start, started) = mpsc::channel(1);
    director.cues_to(cues);
    director.wait_for(started);

    let title = format!("demo {}", set.kind);
    let mut model = ScreenModel::new(title, now(), app.output.zone.clone(), Palette::from_environment());
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
            Some(key) = keys.pressed.recv() => match key_means(key) {
                Key::Start => drop(start.try_send(())),
                Key::Kill => kill(set, &mut model).await,
                Key::Quit => break,
                Key::Nothing => {}
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
                model.now = now();
                model.views = set.host.loops.iter().map(|handle| handle.view.borrow().clone()).collect();
                load.take(&set.stage.environment.workload_samples(), &mut model);
                screen.0.draw(|frame| draw(frame, &model)).map_err(failed)?;
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
        model.push_narration(NarrationLine::new(now(), Tone::Bad, error.to_string()));
    }
}

enum Key {
    Start,
    Kill,
    Quit,
    Nothing,
}

fn key_means(key: KeyEvent) -> Key {
    match (key.code, key.modifiers.contains(KeyModifiers::CONTROL)) {
        (KeyCode::Char('c'), true) | (KeyCode::Char('q') | KeyCode::Esc, false) => Key::Quit,
        (KeyCode::Enter | KeyCode::Char(' '), _) => Key::Start,
        (KeyCode::Char('k'), false) => Key::Kill,
        _ => Key::Nothing,
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
