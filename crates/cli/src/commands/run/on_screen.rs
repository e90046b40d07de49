//! What runs, on a screen: a subject at a time in the panels, all of them on the line above.

use operator_core::{Identity, Principal, Role};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};

use super::whoever_signalled;
use crate::app::App;
use crate::exit::Failure;
use crate::host::Host;
use crate::narrate::{NarrationLine, Tone, narrate_told};
use crate::screen::{Palette, ScreenModel};
use crate::signals::{Kill, Stop};
use crate::terminal::{FRAME, Key, Keys, Screen};

/// Shows it until somebody leaves or it is stopped.
pub(super) async fn run(app: &App, host: &Host, stop: &mut Stop, kill: &mut Kill) -> Result<(), Failure> {
    let mut events = host.events();
    let mut screen = Screen::take()?;
    let mut keys = Keys::read();
    let mut model = ScreenModel::new("run", host.now(), app.output.zone.clone(), Palette::from_environment());
    model.keys = key_help(host.loops.len());
    let mut frames = interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            Some(key) = keys.next() => match key {
                Key::Next => model.turn(1),
                Key::Previous => model.turn(-1),
                Key::Number(number) => model.turn_to(number),
                Key::Kill => engage(host, &mut model, &whoever_sits_here(), "pressed on the screen").await,
                Key::Quit => return Ok(()),
                Key::Start | Key::Nothing => {}
            },
            () = stop.asked() => return Ok(()),
            () = kill.asked() => engage(host, &mut model, &whoever_signalled(), "SIGUSR1").await,
            told = events.recv() => match told {
                Ok(told) => narrate_told(&told).into_iter().for_each(|line| model.push_narration(line)),
                Err(RecvError::Lagged(missed)) => {
                    let text = format!("{missed} events are not shown; `operator audit list` has them");
                    model.push_narration(NarrationLine::new(host.now(), Tone::Warning, text));
                }
                Err(RecvError::Closed) => return Ok(()),
            },
            _ = frames.tick() => {
                model.now = host.now();
                model.views = host.views();
                model.agent = host.agent();
                screen.draw(&model)?;
            }
        }
    }
}

async fn engage(host: &Host, model: &mut ScreenModel, who: &Principal, reason: &str) {
    if let Err(error) = host.engage_kill_switch(who, reason).await {
        let text = format!("THE KILL SWITCH COULD NOT BE ENGAGED: {error}");
        model.push_narration(NarrationLine::new(host.now(), Tone::Bad, text));
    }
}

fn whoever_sits_here() -> Principal {
    let uid = rustix::process::geteuid().as_raw();
    Principal { name: format!("uid:{uid}"), role: Role::Admin, identity: Identity::Peer { uid } }
}

fn key_help(subjects: usize) -> Vec<(String, String)> {
    let last = subjects.min(9);
    let numbers = format!("1-{last}");
    let mut keys = Vec::new();
    if subjects > 1 {
        keys.extend([("Tab", "next subject"), (numbers.as_str(), "subject")]);
    }
    keys.extend([("k", "kill switch: stop every action"), ("q", "end")]);
    keys.into_iter().map(|(key, does)| (key.to_owned(), does.to_owned())).collect()
}
