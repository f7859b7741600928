//! `--dry-run --summary`: what a run would do, in sums.

use std::fmt;

use base::ByteCount;
use mover::Report;
use serde::Serialize;

use super::Call;

/// What would be done.
#[derive(Debug, Serialize)]
struct Summary {
    objects: u64,
    bytes: u64,
    same: u64,
    ignored: u64,
    deletions: u64,
    requests_so_far: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "would move {} objects, {}; {} are the same, {} ignored; would delete {}; {} requests made to find out",
            self.objects,
            ByteCount(self.bytes),
            self.same,
            self.ignored,
            self.deletions,
            self.requests_so_far,
        )
    }
}

/// Prints the sums of a dry run, where they were asked for.
pub(super) fn print(report: &Report, call: Call<'_>) {
    let session = call.session;
    if !session.settings.summary {
        return;
    }
    let sums = &report.sums;
    session.output.info(&Summary {
        objects: sums.copied,
        bytes: sums.bytes_copied,
        same: sums.same,
        ignored: sums.ignored,
        deletions: sums.extra_deleted,
        requests_so_far: session.requests.read().requests,
    });
}
