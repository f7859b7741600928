//! When a run is to be done.

use std::fmt;
use std::str::FromStr;

use clap::Args;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// By when, and how much that matters.
#[derive(Debug, Clone, Args)]
pub(crate) struct DeadlineArgs {
    /// Say whether the run will be done by then, as 2026-12-31T18:00 in this machine's time zone,
    /// or with an offset; counts the source with a listing of its own
    #[arg(long, value_name = "TIME", help_heading = "How")]
    pub(crate) deadline: Option<Deadline>,
    /// With --deadline: stop and exit with 3 once it cannot hold
    #[arg(long, help_heading = "How")]
    pub(crate) deadline_strict: bool,
}

/// A moment, read in the machine's time zone unless it names another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline(pub(crate) Timestamp);

/// Why a text is no deadline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write a time as 2026-12-31T18:00, 2026-12-31T18:00Z or 2026-12-31T18:00+09:00")]
pub(crate) struct InvalidDeadline;

impl FromStr for Deadline {
    type Err = InvalidDeadline;

    fn from_str(text: &str) -> Result<Deadline, InvalidDeadline> {
        Deadline::read(text, TimeZone::system())
    }
}

impl Deadline {
    fn read(text: &str, here: TimeZone) -> Result<Deadline, InvalidDeadline> {
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(Deadline(time));
        }
        if let Ok(time) = text.parse::<Zoned>() {
            return Ok(Deadline(time.timestamp()));
        }
        let time: DateTime = text.parse().map_err(|_| InvalidDeadline)?;
        let time = time.to_zoned(here).map_err(|_| InvalidDeadline)?;
        Ok(Deadline(time.timestamp()))
    }
}

/// Reads a moment as a deadline is written.
pub(crate) fn moment(text: &str) -> Result<Timestamp, InvalidDeadline> {
    text.parse::<Deadline>().map(|moment| moment.0)
}

/// In the machine's time zone.
impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let here = self.0.to_zoned(TimeZone::system());
        here.strftime("%Y-%m-%dT%H:%M%:z").fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz;

    use super::*;

    #[test]
    fn a_time_without_zone_is_the_machines() {
        let seoul = TimeZone::fixed(tz::offset(9));
        let read = |text: &str| Deadline::read(text, seoul.clone()).map(|it| it.0.to_string());
        let utc = Ok("2026-12-31T09:00:00Z".to_owned());
        assert_eq!(read("2026-12-31T18:00"), utc);
        assert_eq!(read("2026-12-31 18:00"), utc);
        assert_eq!(read("2026-12-31T09:00Z"), utc);
        assert_eq!(read("2026-12-31T11:00+02:00"), utc);
        assert_eq!(read("2026-12-31"), Ok("2026-12-30T15:00:00Z".to_owned()));
        assert_eq!(read("tomorrow"), Err(InvalidDeadline));
    }
}
