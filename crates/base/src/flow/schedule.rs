//! How many bytes a second may go over the wire, by the time of day. Pure.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;

use crate::units::Rate;

/// Seconds of a day.
const DAY: u32 = 24 * 3_600;

/// A rate for each time of day; outside every window the plain value holds, or none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Schedule {
    windows: Vec<Window>,
    /// Outside every window; none: no bound.
    plain: Option<Rate>,
}

/// From one time of day to another, perhaps over midnight.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Window {
    /// Seconds after midnight.
    from: u32,
    /// The end itself is outside. At or before `from`: on the next day.
    until: u32,
    /// None: no bound.
    rate: Option<Rate>,
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchedule {
    /// Not `RATE`, nor `HH:MM-HH:MM=RATE`.
    #[error("{0:?} is neither a rate such as 200MB/s nor a window such as 08:00-19:00=200MB/s")]
    Form(String),
    /// A rate of nothing would stop everything.
    #[error("{0:?} lets nothing through")]
    Nothing(String),
    /// Two windows for one time of day.
    #[error("windows {0} and {1} overlap")]
    Overlap(String, String),
    /// Two plain values.
    #[error("more than one rate without a window")]
    TwoPlain,
}

impl Window {
    fn holds(&self, second: u32) -> bool {
        if self.from < self.until {
            (self.from..self.until).contains(&second)
        } else {
            second >= self.from || second < self.until
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |second: u32| (second / 3_600, second / 60 % 60);
        let ((from_hour, from_minute), (hour, minute)) = (clock(self.from), clock(self.until));
        write!(f, "{from_hour:02}:{from_minute:02}-{hour:02}:{minute:02}")
    }
}

impl Schedule {
    /// The same rate all day.
    pub fn plain(rate: Rate) -> Schedule {
        Schedule {
            windows: Vec::new(),
            plain: Some(rate),
        }
    }

    /// Whether nothing is ever held back.
    pub fn is_unlimited(&self) -> bool {
        self.plain.is_none() && self.windows.iter().all(|window| window.rate.is_none())
    }

    /// The rate at a time of day; none: no bound.
    pub fn at(&self, time: Time) -> Option<Rate> {
        let second = |part: i8| u32::try_from(part).unwrap_or(0);
        let second =
            second(time.hour()) * 3_600 + second(time.minute()) * 60 + second(time.second());
        let window = self.windows.iter().find(|window| window.holds(second));
        window.map_or(self.plain, |window| window.rate)
    }
}

impl FromStr for Schedule {
    type Err = InvalidSchedule;

    fn from_str(text: &str) -> Result<Schedule, InvalidSchedule> {
        let mut schedule = Schedule::default();
        let mut plain_seen = false;
        for part in text.split(',') {
            let form = || InvalidSchedule::Form(part.to_owned());
            match part.split_once('=') {
                None if plain_seen => return Err(InvalidSchedule::TwoPlain),
                None => {
                    plain_seen = true;
                    schedule.plain = rate(part)?;
                }
                Some((times, value)) => {
                    let (from, until) = times.split_once('-').ok_or_else(form)?;
                    let window = Window {
                        from: time_of_day(from).filter(|at| *at < DAY).ok_or_else(form)?,
                        until: time_of_day(until).ok_or_else(form)? % DAY,
                        rate: rate(value)?,
                    };
                    schedule.add(window)?;
                }
            }
        }
        Ok(schedule)
    }
}

impl Schedule {
    fn add(&mut self, window: Window) -> Result<(), InvalidSchedule> {
        let overlaps = |other: &&Window| window.holds(other.from) || other.holds(window.from);
        if let Some(other) = self.windows.iter().find(overlaps) {
            return Err(InvalidSchedule::Overlap(
                other.to_string(),
                window.to_string(),
            ));
        }
        self.windows.push(window);
        Ok(())
    }
}

/// `HH:MM`, up to `24:00`, in seconds after midnight.
fn time_of_day(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    let at = hour * 3_600 + minute * 60;
    (minute < 60 && at <= DAY).then_some(at)
}

/// `200MB/s`, `25MiB/s`, `1.6Gb/s`, `off`.
fn rate(text: &str) -> Result<Option<Rate>, InvalidSchedule> {
    if text == "off" {
        return Ok(None);
    }
    let form = || InvalidSchedule::Form(text.to_owned());
    let amount = text.strip_suffix("/s").ok_or_else(form)?;
    let digits = amount
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .ok_or_else(form)?;
    let (number, unit) = amount.split_at(digits);
    let number: f64 = number.parse().map_err(|_| form())?;
    let (_, scale) = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(form)?;
    let rate = number * scale;
    // Below a byte in ten seconds nothing would ever end.
    if rate < 0.1 {
        return Err(InvalidSchedule::Nothing(text.to_owned()));
    }
    Ok(Some(Rate(rate)))
}

/// Bytes a second of each unit: `B` are bytes, `b` are bits.
const UNITS: [(&str, f64); 11] = [
    ("B", 1.0),
    ("kB", 1e3),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("kb", 125.0),
    ("Mb", 125_000.0),
    ("Gb", 125_000_000.0),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn at(schedule: &str, hour: i8, minute: i8) -> Option<f64> {
        let schedule: Schedule = schedule.parse().unwrap();
        schedule
            .at(Time::constant(hour, minute, 59, 0))
            .map(|rate| rate.0)
    }

    #[test]
    fn windows_hold_from_their_begin_to_before_their_end_and_over_midnight() {
        let schedule = "08:00-19:00=200MB/s,19:00-08:00=off";
        assert_eq!(at(schedule, 7, 59), None);
        assert_eq!(at(schedule, 8, 0), Some(2e8));
        assert_eq!(at(schedule, 18, 59), Some(2e8));
        assert_eq!(at(schedule, 19, 0), None);
        let night = "22:30-06:00=1Gb/s,5MiB/s";
        assert_eq!(at(night, 23, 0), Some(1.25e8));
        assert_eq!(at(night, 5, 59), Some(1.25e8));
        assert_eq!(at(night, 6, 0), Some(5_242_880.0));
        assert_eq!(at("09:00-24:00=1kB/s", 23, 59), Some(1e3));
        assert_eq!(at("00:00-00:00=1kB/s", 12, 0), Some(1e3));
        assert_eq!(at("1.5MB/s", 12, 0), Some(1.5e6));
    }

    #[test]
    fn what_is_no_schedule_says_why() {
        for (text, why) in [
            ("", "neither"),
            ("200MB", "neither"),
            ("200XB/s", "neither"),
            ("/s", "neither"),
            ("8:00-19:00=1MB/s", "neither"),
            ("08:00-25:00=1MB/s", "neither"),
            ("24:00-25:00=1MB/s", "neither"),
            ("08:60-09:00=1MB/s", "neither"),
            ("0B/s", "nothing"),
            ("1MB/s,2MB/s", "more than one"),
            ("08:00-12:00=1MB/s,11:59-13:00=off", "overlap"),
            ("22:00-06:00=1MB/s,05:00-07:00=off", "overlap"),
            ("05:00-07:00=off,22:00-06:00=1MB/s", "overlap"),
            ("00:00-24:00=1MB/s,05:00-07:00=off", "overlap"),
        ] {
            let error = text.parse::<Schedule>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(
            "08:00-12:00=1MB/s,12:00-13:00=off"
                .parse::<Schedule>()
                .is_ok()
        );
        assert!("off".parse::<Schedule>().unwrap().is_unlimited());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[0-9:=,.MBs/of-]{0,40}") {
            drop(text.parse::<Schedule>());
        }
    }
}
