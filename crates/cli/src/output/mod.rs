//! What a command prints: text for people or JSON for programs, on standard output; everything else goes to standard
//! error.

pub mod diagnostics;
mod json;
mod table;
mod value;

use std::io::{self, IsTerminal as _, Write as _};

use jiff::tz::TimeZone;
use operator_protocols::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::exit::Failure;
use crate::harmless::harmless_lines;
use crate::screen::ages::{age, date_and_time};

pub use json::with_times_in;
pub use table::Table;
pub use value::for_people;

/// The version of every JSON document printed.
pub const JSON_VERSION: u32 = 1;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one document, stable, versioned.
    Json,
}

/// Where and how results are printed.
#[derive(Debug, Clone)]
pub struct Output {
    /// How.
    pub format: Format,
    /// The zone of times for people.
    pub zone: TimeZone,
    /// The present, for ages.
    pub now: Timestamp,
}

impl Output {
    /// Prints `text` for people, or `value` as a document called `kind` for programs.
    ///
    /// # Errors
    /// When standard output cannot be written to.
    pub fn print(&self, kind: &str, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.text(&text()),
            Format::Json => self.document(kind, value),
        }
    }

    fn document(&self, kind: &str, value: &impl Serialize) -> Result<(), Failure> {
        let mut value = serde_json::to_value(value).map_err(|error| Failure::failed("print the result", error))?;
        with_times_in(&mut value, &self.zone);
        let mut document = serde_json::Map::new();
        document.insert("version".to_owned(), JSON_VERSION.into());
        document.insert("kind".to_owned(), kind.into());
        document.insert(kind.to_owned(), value);
        let text = serde_json::to_string_pretty(&Value::Object(document));
        write_out(&text.map_err(|error| Failure::failed("print the result", error))?)
    }

    /// Prints text for people. What came from outside cannot act on their terminal.
    ///
    /// # Errors
    /// When standard output cannot be written to.
    pub fn text(&self, text: &str) -> Result<(), Failure> {
        write_out(&harmless_lines(text.trim_end()))
    }

    /// A time, and how long ago it was.
    pub fn when(&self, at: Timestamp) -> String {
        format!("{} ({} ago)", date_and_time(at, &self.zone), age(self.now.since(at)))
    }

    /// How long ago it was.
    pub fn ago(&self, at: Timestamp) -> String {
        age(self.now.since(at))
    }
}

/// Writes a line to standard output. A reader that has gone away (`| head`) is no error.
///
/// # Errors
/// When it cannot be written otherwise.
pub fn write_out(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::failed("write to standard output", error)),
        Ok(()) => Ok(()),
    }
}

/// Says something on standard error, where nobody may be listening.
pub fn say(text: &str) {
    let _ = writeln!(diagnostics::Diagnostics, "{}", harmless_lines(text));
}

/// Whether standard output is a terminal.
pub fn on_terminal() -> bool {
    io::stdout().is_terminal()
}
