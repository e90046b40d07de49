//! What stores and members write into their log files, where the operator can read them.
//!
//! TiKV and PD both write the unified log format of TiDB: `[time] [LEVEL] [source] [message] [key=value]…`, one entry a
//! line, what could be misread quoted as JSON quotes it. A panic may still be followed by lines of its own.

mod entry;
mod settings;
mod tail;
mod time;

pub(crate) use entry::Entry;
pub(crate) use settings::{LogSettings, SETTINGS};
pub(crate) use tail::{LogFile, LogTails};
