//! What the services wrote: one file a minute.

use std::path::Path;

use operator_protocols::LogLevel;

use super::super::rows;
use super::metrics::service_of_pod;

/// The most lines of one file that are read.
const LINES: usize = 100_000;
/// The longest line that is kept, in bytes.
const LINE_BYTES: usize = 400;
/// How far into a line its level is looked for, in words.
const LEVEL_WORDS: usize = 4;

/// A line as it was written.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// In nanoseconds since 1970.
    pub(super) nanos: i64,
    pub(super) service: String,
    pub(super) level: LogLevel,
    pub(super) message: String,
}

/// The lines of one minute, in the order of the file; none where there is no such file.
pub(super) fn read(file: &Path) -> Vec<Line> {
    let table = rows::table_or_nothing(file);
    let columns = (table.column("TimeUnixNano"), table.column("PodName"), table.column("Log"));
    let (Some(nanos), Some(pod), Some(log)) = columns else { return Vec::new() };
    table
        .rows
        .iter()
        .take(LINES)
        .filter_map(|row| {
            let message = message(row.get(log)?);
            Some(Line {
                nanos: row.get(nanos)?.trim().parse().ok()?,
                service: service_of_pod(row.get(pod)?),
                level: level(&message),
                message,
            })
        })
        .collect()
}

/// The text that a container wrote, out of the envelope that its runtime put around it.
fn message(cell: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Envelope {
        log: String,
    }
    let text = serde_json::from_str::<Envelope>(cell).map_or_else(|_| cell.to_owned(), |envelope| envelope.log);
    let text = text.trim_end();
    text[..text.floor_char_boundary(LINE_BYTES)].to_owned()
}

fn level(message: &str) -> LogLevel {
    message
        .split_ascii_whitespace()
        .take(LEVEL_WORDS)
        .find_map(|word| {
            Some(match word.to_ascii_lowercase().as_str() {
                "trace" | "debug" => LogLevel::Debug,
                "info" => LogLevel::Info,
                "warn" | "warning" => LogLevel::Warn,
                "error" | "fatal" => LogLevel::Error,
                _ => return None,
            })
        })
        .unwrap_or(LogLevel::Info)
}
