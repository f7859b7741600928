//! The demo's figures, beside those that made people look for something better.

use std::time::Duration;

use base::ByteCount;

use crate::output::Output;

/// A line of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// What was done.
    pub(super) name: &'static str,
    /// Objects that arrived.
    pub(super) objects: u64,
    /// Their bytes.
    pub(super) bytes: ByteCount,
    /// Wall time.
    pub(super) elapsed: Duration,
}

/// What a team measured that had to collect ten million mp3s of 6.26 MB: objects a second.
const MEASURED_ELSEWHERE: [(&str, f64); 3] = [
    ("boto3 worker on an m5.xlarge", 1.3),
    ("s5cmd on a laptop", 2.25),
    ("s5cmd on a c5n.xlarge", 11.48),
];

/// Writes the table.
pub(super) fn write(out: &Output, rows: &[Row]) {
    out.text(format_args!(
        "{:<32}{:>9}{:>12}{:>9}{:>12}{:>14}",
        "", "objects", "bytes", "time", "objects/s", "rate"
    ));
    for row in rows {
        out.text(format_args!(
            "{:<32}{:>9}{:>12}{:>9}{:>12.0}{:>14}",
            row.name,
            row.objects,
            row.bytes.to_string(),
            format!("{:.2} s", row.elapsed.as_secs_f64()),
            per_second(row.objects, row.elapsed),
            row.bytes.per(row.elapsed).to_string()
        ));
    }
    out.text(format_args!("measured by others, across real networks:"));
    for (name, objects_per_second) in MEASURED_ELSEWHERE {
        let rate = base::units::Rate(objects_per_second * super::goods::MP3_BYTES_MEAN as f64);
        out.text(format_args!(
            "{name:<32}{:>9}{:>12}{:>9}{objects_per_second:>12}{:>14}",
            "",
            "",
            "",
            rate.to_string()
        ));
    }
    out.text(format_args!(
        "(this machine's loopback has no distance in it: the figures show what the program costs)"
    ));
}

fn per_second(count: u64, elapsed: Duration) -> f64 {
    let seconds = elapsed.as_secs_f64();
    if seconds > 0.0 {
        count as f64 / seconds
    } else {
        0.0
    }
}
