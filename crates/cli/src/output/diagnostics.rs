//! What is said on standard error: at once, or, while a screen is drawn on the terminal, when the screen is gone.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many bytes are held back at most; the oldest go first.
const HELD_BYTES: usize = 64 << 10;

/// What is held back, while anybody holds.
static HELD: Mutex<Option<VecDeque<u8>>> = Mutex::new(None);

fn held() -> MutexGuard<'static, Option<VecDeque<u8>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Standard error, for `say` and for the log.
#[derive(Debug, Clone, Copy)]
pub struct Diagnostics;

impl Write for Diagnostics {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match held().as_mut() {
            None => io::stderr().write(bytes),
            Some(back) => {
                back.extend(bytes);
                let over = back.len().saturating_sub(HELD_BYTES);
                back.drain(..over);
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Holds back what is said until this is dropped.
#[derive(Debug)]
pub struct Held(());

/// Holds back what is said from now on.
pub fn hold() -> Held {
    held().get_or_insert_default();
    Held(())
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(back) = held().take() {
            // Nobody may be listening.
            let _ = io::stderr().write_all(&Vec::from(back));
        }
    }
}
