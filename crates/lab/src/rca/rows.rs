//! Tables in files, plain or compressed, read within bounds.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use super::RcaError;

/// The largest table that is read, in bytes, unpacked.
const TABLE_BYTES: u64 = 512 << 20;

/// A table: the names of its columns, and its rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    /// The place of a column.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }
}

/// The text of a file.
pub(super) fn text(path: &Path, most: u64) -> Result<String, RcaError> {
    let file = File::open(path).map_err(RcaError::unreadable(path))?;
    bounded(file, path, most)
}

/// The table in a file; one whose name ends in `.gz` is unpacked.
pub(super) fn table(path: &Path) -> Result<Table, RcaError> {
    let file = File::open(path).map_err(RcaError::unreadable(path))?;
    let text = if path.extension().is_some_and(|extension| extension == "gz") {
        bounded(GzDecoder::new(file), path, TABLE_BYTES)?
    } else {
        bounded(file, path, TABLE_BYTES)?
    };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let columns = reader.headers().map_err(|error| RcaError::wrong(path, error))?;
    let columns = columns.iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| row.map(|row| row.iter().map(str::to_owned).collect()));
    let rows = rows.collect::<Result<_, _>>().map_err(|error| RcaError::wrong(path, error))?;
    Ok(Table { columns, rows })
}

/// The same; an empty table where there is none that can be read: what was not recorded is no evidence, and no reason to
/// leave the other cases without an answer.
pub(super) fn table_or_nothing(path: &Path) -> Table {
    table(path).unwrap_or_else(|error| {
        tracing::warn!(%error, "a part of the data is left out");
        Table::default()
    })
}

/// The files of a folder, in the order of their names; none where there is no such folder.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.sort();
    files
}

fn bounded(from: impl Read, path: &Path, most: u64) -> Result<String, RcaError> {
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes).map_err(RcaError::unreadable(path))?;
    if bytes.len() as u64 > most {
        return Err(RcaError::wrong(path, format!("more than {most} bytes")));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A number in a cell; none where it is empty or no number.
pub(super) fn number(cell: Option<&String>) -> Option<f64> {
    cell?.trim().parse().ok().filter(|number: &f64| number.is_finite())
}
