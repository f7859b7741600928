//! The demo's figures, beside those that made people look for something better.

use std::time::Duration;

use base::ByteCount;

use super::leg::Leg;
use crate::output::Output;

/// What a team measured that had to collect ten million mp3s of 6.26 MB: objects a second.
const MEASURED_ELSEWHERE: [(&str, f64); 3] = [
    ("boto3 worker on an m5.xlarge", 1.3),
    ("s5cmd on a laptop", 2.25),
    ("s5cmd on a c5n.xlarge", 11.48),
];

/// Writes the table.
pub(super) fn write(out: &Output, legs: &[&Leg]) {
    out.text(format_args!(
        "{:<32}{:>9}{:>12}{:>9}{:>12}{:>14}",
        "", "objects", "bytes", "time", "objects/s", "rate"
    ));
    for leg in legs {
        let bytes = ByteCount(leg.sums.bytes_copied);
        out.text(format_args!(
            "{:<32}{:>9}{:>12}{:>9}{:>12.0}{:>14}",
            leg.name,
            leg.sums.copied,
            bytes.to_string(),
            format!("{:.2} s", leg.elapsed.as_secs_f64()),
            per_second(leg.sums.copied, leg.elapsed),
            bytes.per(leg.elapsed).to_string()
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
