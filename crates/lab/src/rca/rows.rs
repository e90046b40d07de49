//! Tables in files, plain or compressed, read within bounds.

use std::fs::File;
use std::io::Read;
use std::path::Path;

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

fn bounded(from: impl Read, path: &Path, most: u64) -> Result<String, RcaError> {
    let mut text = String::new();
    from.take(most + 1).read_to_string(&mut text).map_err(RcaError::unreadable(path))?;
    if text.len() as u64 > most {
        return Err(RcaError::wrong(path, format!("more than {most} bytes")));
    }
    Ok(text)
}

/// A number in a cell; none where it is empty or no number.
pub(super) fn number(cell: Option<&String>) -> Option<f64> {
    cell?.trim().parse().ok().filter(|number: &f64| number.is_finite())
}
