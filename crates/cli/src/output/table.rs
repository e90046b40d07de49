//! Rows for people, with columns that stand below each other.

use crate::harmless::{columns, fit, harmless};

/// The widest that a column gets, but for the last one.
const WIDEST: usize = 44;

/// Rows under a heading.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these headings.
    pub fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|heading| heading.to_uppercase()).collect()] }
    }

    /// Adds a row.
    pub fn row<T: ToString>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(|cell| harmless(&cell.to_string())).collect());
    }

    /// The table as text.
    pub fn render(&self) -> String {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let widths = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| columns(cell).min(WIDEST));
            widths.max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..count).map(width).collect();
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (i, cell) in row.iter().enumerate() {
                if i + 1 == row.len() {
                    line.push_str(cell);
                } else {
                    let cell = fit(cell, WIDEST);
                    line.push_str(&cell);
                    line.extend(std::iter::repeat_n(' ', widths[i].saturating_sub(columns(&cell)) + 2));
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_whatever_their_script() {
        let mut table = Table::new(&["id", "what", "why"]);
        table.row(["1", "日本語", "a"]);
        table.row(["22", "x\u{1b}[0m", "b"]);
        assert_eq!(table.render(), "ID  WHAT    WHY\n1   日本語  a\n22  x�[0m   b\n");
    }
}
