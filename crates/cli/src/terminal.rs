//! The terminal as a screen: taken and given back as it was, also after a panic; keys come in on a thread of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::DefaultTerminal;
use tokio::sync::mpsc;

use crate::exit::Failure;
use crate::output::diagnostics::{self, Held};
use crate::screen::{ScreenModel, draw};

/// How often the screen is drawn: fluent enough for numbers, and little work.
pub const FRAME: Duration = Duration::from_millis(100);

/// The terminal, given back when this is dropped. What is said on standard error meanwhile is printed then.
pub struct Screen {
    // Dropped in this order: the screen is gone before anything is printed.
    terminal: Restored,
    _held: Held,
}

struct Restored(DefaultTerminal);

impl Drop for Restored {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When there is none, or it cannot be put into the mode that is needed.
    pub fn take() -> Result<Self, Failure> {
        let held = diagnostics::hold();
        Ok(Self { terminal: Restored(ratatui::try_init().map_err(failed)?), _held: held })
    }

    /// Draws `model`.
    ///
    /// # Errors
    /// When the terminal cannot be written to.
    pub fn draw(&mut self, model: &ScreenModel) -> Result<(), Failure> {
        self.terminal.0.draw(|frame| draw(frame, model)).map_err(failed)?;
        Ok(())
    }
}

fn failed(error: std::io::Error) -> Failure {
    Failure::failed("draw on the terminal", error)
}

/// Reads keys on a thread of its own until it is dropped.
pub struct Keys {
    pressed: mpsc::UnboundedReceiver<KeyEvent>,
    end: Arc<AtomicBool>,
}

impl Keys {
    /// Reads from now on.
    pub fn read() -> Self {
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

    /// The next key; none when no further one can come.
    pub async fn next(&mut self) -> Option<Key> {
        self.pressed.recv().await.map(meaning)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
    }
}

/// What a key means, on every screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Go on.
    Start,
    /// Engage the kill switch.
    Kill,
    /// Leave.
    Quit,
    /// Show the next subject.
    Next,
    /// Show the one before.
    Previous,
    /// Show the subject of this number, from 1.
    Number(usize),
    /// It means nothing.
    Nothing,
}

fn meaning(key: KeyEvent) -> Key {
    match (key.code, key.modifiers.contains(KeyModifiers::CONTROL)) {
        (KeyCode::Char('c'), true) | (KeyCode::Char('q') | KeyCode::Esc, false) => Key::Quit,
        (KeyCode::Enter | KeyCode::Char(' '), _) => Key::Start,
        (KeyCode::Char('k'), false) => Key::Kill,
        (KeyCode::Tab | KeyCode::Right, false) => Key::Next,
        (KeyCode::BackTab | KeyCode::Left, false) => Key::Previous,
        (KeyCode::Char(digit @ '1'..='9'), false) => Key::Number(digit as usize - '0' as usize),
        _ => Key::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_screens_say_they_do() {
        let means = |code| meaning(KeyEvent::new(code, KeyModifiers::NONE));
        let meant = [KeyCode::Tab, KeyCode::BackTab, KeyCode::Char('3'), KeyCode::Char('0'), KeyCode::Char('k')];
        assert_eq!(meant.map(means), [Key::Next, Key::Previous, Key::Number(3), Key::Nothing, Key::Kill]);
        let control = |c| meaning(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL));
        assert_eq!([control('c'), control('k')], [Key::Quit, Key::Nothing]);
    }
}
