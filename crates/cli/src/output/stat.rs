//! The table of `--stat`.

use std::collections::BTreeMap;
use std::fmt;

use parking_lot::Mutex;
use serde::Serialize;

use super::Output;

/// Commands counted by name. Kept always, printed with `--stat`.
#[derive(Debug, Default)]
pub(crate) struct Stat {
    rows: Mutex<BTreeMap<String, Counts>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    success: u64,
    error: u64,
}

#[derive(Debug, Serialize)]
struct StatRow<'a> {
    operation: &'a str,
    success: u64,
    error: u64,
}

impl Stat {
    /// Counts one command.
    pub(crate) fn count(&self, operation: &str, failed: bool) {
        let mut rows = self.rows.lock();
        let counts = rows.entry(operation.to_owned()).or_default();
        if failed {
            counts.error += 1;
        } else {
            counts.success += 1;
        }
    }

    /// Counts what a `sync` did, which s5cmd does by commands of their own.
    pub(crate) fn add(&self, operation: &str, success: u64, error: u64) {
        if success + error > 0 {
            let mut rows = self.rows.lock();
            let counts = rows.entry(operation.to_owned()).or_default();
            counts.success += success;
            counts.error += error;
        }
    }

    /// Prints the table, if anything was counted.
    pub(crate) fn print(&self, output: &Output) {
        let rows = self.rows.lock();
        if rows.is_empty() {
            return;
        }
        if output.is_json() {
            for (operation, counts) in rows.iter() {
                let row = StatRow {
                    operation,
                    success: counts.success,
                    error: counts.error,
                };
                output.text(format_args!("{}", super::go_json(&row)));
            }
            output.text(format_args!(""));
        } else {
            output.text(format_args!("{}", Table(&rows)));
        }
    }
}

/// Columns end at tab stops of eight, one blank apart at least.
struct Table<'a>(&'a BTreeMap<String, Counts>);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["Operation", "Total", "Error", "Success"].map(str::to_owned);
        let rows = self.0.iter().map(|(operation, counts)| {
            [
                operation.clone(),
                (counts.error + counts.success).to_string(),
                counts.error.to_string(),
                counts.success.to_string(),
            ]
        });
        let rows: Vec<[String; 4]> = std::iter::once(head).chain(rows).collect();
        let widths: [usize; 4] = std::array::from_fn(|column| {
            let longest = rows.iter().map(|row| row[column].len()).max();
            (longest.unwrap_or(0) + 1).next_multiple_of(8)
        });
        for row in &rows {
            writeln!(f)?;
            for (cell, width) in row.iter().zip(widths) {
                let tabs = (width - cell.len()).div_ceil(8);
                write!(f, "{cell}{}", "\t".repeat(tabs))?;
            }
        }
        writeln!(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_end_at_tab_stops() {
        let stat = Stat::default();
        stat.count("ls", false);
        stat.count("ls", true);
        stat.count("bucket-version", false);
        assert_eq!(
            Table(&stat.rows.lock()).to_string(),
            "\nOperation\tTotal\tError\tSuccess\t\nbucket-version\t1\t0\t1\t\nls\t\t2\t1\t1\t\n"
        );
    }
}
