//! `jobs`, `resume` and `uploads`.

use std::time::Duration;

use clap::Args;

use super::help;
use super::values::GoDuration;

/// List jobs that can be gone on with, or forget one (rm ID)
#[derive(Debug, Clone, Args)]
#[command(before_help = help::JOBS)]
pub(crate) struct JobsArgs {
    /// With rm: leave the job's unfinished uploads at the store
    #[arg(long)]
    pub(crate) keep_uploads: bool,
    /// Nothing, or rm and an ID
    #[arg(value_name = "rm ID")]
    pub(crate) arguments: Vec<String>,
}

/// Go on with a cp, mv or sync that was interrupted, killed, or left failures
#[derive(Debug, Clone, Args)]
#[command(before_help = help::RESUME)]
pub(crate) struct ResumeArgs {
    /// The job that began last and is not running
    #[arg(long)]
    pub(crate) last: bool,
    /// As longhaul jobs shows it
    #[arg(value_name = "ID")]
    pub(crate) arguments: Vec<String>,
}

/// List unfinished uploads (ls), or abort them (abort)
#[derive(Debug, Clone, Args)]
#[command(before_help = help::UPLOADS)]
pub(crate) struct UploadsArgs {
    /// With abort: also uploads that no job of this machine knows; needs --older-than
    #[arg(long)]
    pub(crate) all: bool,
    /// With abort: only uploads that began this long ago, as 7d or 12h
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub(crate) older_than: Option<Duration>,
    /// ls or abort, and a bucket or prefix
    #[arg(value_name = "ls|abort [s3://BUCKET[/PREFIX]]")]
    pub(crate) arguments: Vec<String>,
}

/// A length of time: Go's units, and `d` for days.
fn age(text: &str) -> Result<Duration, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    if let Some(days) = days {
        return Ok(Duration::from_secs(
            u64::from(u32::min(days, 36_500)) * 86_400,
        ));
    }
    let parsed: Option<GoDuration> = text.parse().ok();
    let positive = parsed.and_then(GoDuration::positive);
    positive.ok_or_else(|| "write an age, as 7d or 12h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_days_or_go_s_durations() {
        assert_eq!(age("7d"), Ok(Duration::from_secs(7 * 86_400)));
        assert_eq!(age("12h"), Ok(Duration::from_secs(12 * 3_600)));
        assert!(age("d").is_err() && age("-1h").is_err() && age("7").is_err());
    }
}
