//! Many signals over one axis of time, held as columns of 32-bit numbers: how a large system's past fits in memory. A
//! thousand components with fifty signals each, looked at 720 times, are 144 MB.

use operator_protocols::{Locus, SignalRole, Timestamp, Worse};

/// What one column is about. Its values are levels, not counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// What is measured.
    pub on: Locus,
    /// The signal.
    pub name: String,
    /// What it stands for.
    pub role: SignalRole,
    /// Its unit.
    pub unit: String,
    /// Which direction is bad.
    pub worse: Worse,
}

/// Many signals over one axis of time.
#[derive(Debug, Clone, Default)]
pub struct SignalTable {
    times: Vec<Timestamp>,
    columns: Vec<Column>,
    /// Column after column, `times.len()` of each; what is not finite was not read.
    values: Vec<f32>,
}

/// Why something does not fit into a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// The instants do not rise.
    #[error("times: instant {index} is not later than the one before it")]
    Times {
        /// Which, from 0.
        index: usize,
    },
    /// A column has another length than the axis.
    #[error("column {name} on {on}: {has} values for {needs} instants")]
    Length {
        /// The signal.
        name: String,
        /// What it is measured on.
        on: String,
        /// How many values it has.
        has: usize,
        /// How many there must be.
        needs: usize,
    },
}

impl SignalTable {
    /// A table without columns, over these instants, oldest first.
    ///
    /// # Errors
    /// When they do not rise.
    pub fn new(times: Vec<Timestamp>) -> Result<Self, TableError> {
        match times.windows(2).position(|pair| pair[0] >= pair[1]) {
            Some(before) => Err(TableError::Times { index: before + 1 }),
            None => Ok(Self { times, columns: Vec::new(), values: Vec::new() }),
        }
    }

    /// Adds a column: a value for each instant, NaN where there was no reading.
    ///
    /// # Errors
    /// When it has another length than the axis.
    pub fn push(&mut self, column: Column, values: &[f32]) -> Result<(), TableError> {
        if values.len() != self.times.len() {
            let (has, needs) = (values.len(), self.times.len());
            return Err(TableError::Length { name: column.name, on: column.on.to_string(), has, needs });
        }
        self.columns.push(column);
        self.values.extend_from_slice(values);
        Ok(())
    }

    /// The instants, oldest first.
    pub fn times(&self) -> &[Timestamp] {
        &self.times
    }

    /// The columns with their values.
    pub fn columns(&self) -> impl Iterator<Item = (&Column, &[f32])> {
        let each = self.times.len();
        self.columns.iter().enumerate().map(move |(n, column)| (column, &self.values[n * each..(n + 1) * each]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        assert_eq!(SignalTable::new(vec![at(1), at(1)]).map(|_| ()), Err(TableError::Times { index: 1 }));
        let mut table = SignalTable::new(vec![at(1), at(2)]).expect("rises");
        let column = Column {
            on: Locus::component("s", "api"),
            name: "latency".to_owned(),
            role: SignalRole::Latency,
            unit: "s".to_owned(),
            worse: Worse::Higher,
        };
        let error = table.push(column.clone(), &[1.0]).expect_err("one value for two instants");
        assert_eq!(
            error,
            TableError::Length { name: "latency".to_owned(), on: column.on.to_string(), has: 1, needs: 2 }
        );
        table.push(column, &[1.0, f32::NAN]).expect("fits");
        assert_eq!(table.columns().count(), 1);
    }
}
