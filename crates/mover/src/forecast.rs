//! Whether a run will be done by its deadline. Pure: samples in, a word out when it changes.
//!
//! Overview: a sample says how much is known to be there and how much of it is done. The rate is
//! that of a trailing stretch; what is left takes as long as the slower of objects and bytes.
//! While the source is still being counted the forecast is a lower bound: it can say that the
//! deadline is lost, and only from then on that it holds for certain. Invariants: a change of mind
//! is told once it has stood for a while, so that a moment's standstill is not told.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use base::ByteCount;
use base::units::Rate;

/// Before this there is no rate worth a word. A guess: connections are up and the first objects
/// are done after some seconds.
pub const BASIS_MIN: Duration = Duration::from_secs(10);

/// The stretch that the rate is taken over. A guess: long enough to bridge a listing's pause or a
/// few large objects, short enough to see a link that got slow.
pub const RATE_OVER: Duration = Duration::from_secs(300);

/// How long a forecast must differ from the one told before it is told. A guess.
pub const SETTLED: Duration = Duration::from_secs(30);

const _: () = assert!(SETTLED.as_secs() < RATE_OVER.as_secs());

/// A run at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sample {
    /// Since the run began.
    pub at: Duration,
    /// Objects known to be there.
    pub objects_known: u64,
    /// Their bytes.
    pub bytes_known: u64,
    /// Whether that is all of them.
    pub whole: bool,
    /// Objects that need nothing more.
    pub objects_done: u64,
    /// Bytes that need nothing more, those of objects under way among them.
    pub bytes_done: u64,
}

/// What is to be expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// Done in time.
    Holds,
    /// Not done in time.
    Slips,
    /// The deadline is over and the run is not done.
    Passed,
}

/// A forecast that is worth telling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// What is to be expected.
    pub outlook: Outlook,
    /// When it was made, since the run began.
    pub at: Duration,
    /// From the run's begin to its deadline.
    pub deadline: Duration,
    /// How long what is known to be left will take; none where nothing moves.
    pub needs: Option<Duration>,
    /// Objects known to be left.
    pub objects_left: u64,
    /// Bytes known to be left.
    pub bytes_left: u64,
    /// Whether more may turn up.
    pub at_least: bool,
    /// Objects a second.
    pub objects_rate: f64,
    /// Bytes a second.
    pub bytes_rate: f64,
}

/// Follows one run.
#[derive(Debug)]
pub struct Forecaster {
    deadline: Duration,
    samples: VecDeque<Sample>,
    told: Option<(Outlook, bool)>,
    /// Since when the forecast has been another than the one told.
    differs_since: Option<(Outlook, Duration)>,
}

impl Forecaster {
    /// For a run that is to be done this long after its begin.
    pub fn new(deadline: Duration) -> Forecaster {
        Forecaster {
            deadline,
            samples: VecDeque::from([Sample::default()]),
            told: None,
            differs_since: None,
        }
    }

    /// Takes a sample; says what is worth telling now.
    pub fn observe(&mut self, sample: Sample) -> Option<Forecast> {
        self.samples.push_back(sample);
        while self.samples.len() > 2 && self.samples[1].at + RATE_OVER < sample.at {
            self.samples.pop_front();
        }
        let forecast = self.forecast(sample)?;
        let told = self.told.map(|(outlook, _)| outlook);
        let first = self.told.is_none();
        // The first forecast over all there is replaces a lower bound.
        let now_whole = sample.whole && self.told.is_some_and(|(_, whole)| !whole);
        if told == Some(forecast.outlook) {
            self.differs_since = None;
            if !now_whole {
                return None;
            }
        } else if forecast.outlook != Outlook::Passed && !first {
            let since = match self.differs_since {
                Some((outlook, since)) if outlook == forecast.outlook => since,
                Some(_) | None => sample.at,
            };
            self.differs_since = Some((forecast.outlook, since));
            if sample.at - since < SETTLED {
                return None;
            }
        }
        // A bad start is no bad run: the first word is a good one, or it has stood for a while.
        if first && forecast.outlook == Outlook::Slips && sample.at < BASIS_MIN + SETTLED {
            return None;
        }
        self.told = Some((forecast.outlook, sample.whole));
        self.differs_since = None;
        Some(forecast)
    }

    fn forecast(&self, now: Sample) -> Option<Forecast> {
        let before = self.samples.front()?;
        let elapsed = (now.at - before.at).as_secs_f64();
        let done = now.objects_done > 0 || now.bytes_done > 0;
        let passed = now.at >= self.deadline;
        if !passed && (now.at < BASIS_MIN || elapsed <= 0.0 || (!done && now.objects_known == 0)) {
            return None;
        }
        let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / elapsed.max(0.001);
        let objects_rate = rate(now.objects_done, before.objects_done);
        let bytes_rate = rate(now.bytes_done, before.bytes_done);
        let objects_left = now.objects_known.saturating_sub(now.objects_done);
        let bytes_left = now.bytes_known.saturating_sub(now.bytes_done);
        let needs = needs(objects_left, objects_rate, bytes_left, bytes_rate);
        let outlook = match needs {
            _ if passed => Outlook::Passed,
            Some(needs) if now.at + needs <= self.deadline => Outlook::Holds,
            Some(_) | None => Outlook::Slips,
        };
        Some(Forecast {
            outlook,
            at: now.at,
            deadline: self.deadline,
            needs,
            objects_left,
            bytes_left,
            at_least: !now.whole,
            objects_rate,
            bytes_rate,
        })
    }
}

/// How long what is left takes: the slower of objects and bytes. Objects in the middle of being
/// moved have bytes done and are not done themselves, so a rate of one of the two is enough where
/// the other stands still.
fn needs(objects: u64, objects_rate: f64, bytes: u64, bytes_rate: f64) -> Option<Duration> {
    let time = |left: u64, rate: f64| match (left, rate > 0.0) {
        (0, _) => Some(0.0),
        (_, true) => Some(left as f64 / rate),
        (_, false) => None,
    };
    let seconds = match (time(objects, objects_rate), time(bytes, bytes_rate)) {
        (Some(objects), Some(bytes)) => objects.max(bytes),
        // Only large objects are under way: none has ended in this stretch.
        (None, Some(bytes)) if bytes_rate > 0.0 && bytes > 0.0 => bytes,
        // Nothing but empty objects is left, or a file's bytes are not counted.
        (Some(objects), None) if objects_rate > 0.0 => objects,
        _ => return None,
    };
    // A run that needs longer than a calendar is as good as one that never ends.
    Duration::try_from_secs_f64(seconds).ok()
}

/// One line for people, without the deadline's own time of day.
impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = if self.at_least { "at least " } else { "" };
        let Forecast {
            objects_left,
            bytes_left,
            ..
        } = self;
        let left = format!(
            "{least}{objects_left} objects, {} are left at {} ({:.1} objects/s)",
            ByteCount(*bytes_left),
            Rate(self.bytes_rate),
            self.objects_rate,
        );
        let end = self.needs.map(|needs| self.at + needs);
        match (self.outlook, end) {
            (Outlook::Holds, Some(end)) => {
                let spare = Span(self.deadline.saturating_sub(end));
                let bound = if self.at_least {
                    " as far as is known"
                } else {
                    ""
                };
                write!(f, "holds by {spare}{bound}: {left}")
            }
            (Outlook::Slips, Some(end)) => {
                let late = Span(end.saturating_sub(self.deadline));
                write!(f, "cannot hold, {least}{late} too late: {left}")
            }
            (Outlook::Holds | Outlook::Slips, None) => {
                write!(f, "cannot hold, nothing moves: {left}")
            }
            (Outlook::Passed, Some(_)) => {
                let needs = Span(self.needs.unwrap_or_default());
                write!(f, "is over, {least}{needs} more are needed: {left}")
            }
            (Outlook::Passed, None) => write!(f, "is over and nothing moves: {left}"),
        }
    }
}

/// A length of time with its two largest units: `12d 4h`, `3h 20min`, `40s`.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
        let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
        match (days, hours, minutes) {
            (0, 0, 0) => write!(f, "{rest}s"),
            (0, 0, _) => write!(f, "{minutes}min {rest}s"),
            (0, _, _) => write!(f, "{hours}h {minutes}min"),
            (_, _, _) => write!(f, "{days}d {hours}h"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A run of `objects` of a million bytes, at a rate that may change with time.
    fn told(deadline: u64, objects: u64, rate: impl Fn(u64) -> u64) -> Vec<Forecast> {
        let mut forecaster = Forecaster::new(Duration::from_secs(deadline));
        let (mut done, mut told) = (0, Vec::new());
        for second in 1..100_000 {
            done = (done + rate(second)).min(objects);
            let sample = Sample {
                at: Duration::from_secs(second),
                objects_known: (second * 1_000).min(objects),
                bytes_known: (second * 1_000).min(objects) * 1_000_000,
                whole: second * 1_000 >= objects,
                objects_done: done,
                bytes_done: done * 1_000_000,
            };
            told.extend(forecaster.observe(sample));
            if done == objects {
                break;
            }
        }
        told
    }

    fn outlooks(told: &[Forecast]) -> Vec<Outlook> {
        told.iter().map(|forecast| forecast.outlook).collect()
    }

    #[test]
    fn a_deadline_that_holds_is_said_once_there_is_a_basis_and_once_all_is_known() {
        let told = told(10_000, 50_000, |_| 10);
        assert_eq!(outlooks(&told), [Outlook::Holds, Outlook::Holds]);
        assert_eq!(told[0].at, BASIS_MIN);
        assert!(told[0].at_least && !told[1].at_least);
        assert_eq!(told[1].at, 50 * SECOND);
        let line = told[1].to_string();
        assert!(line.starts_with("holds by 1h 2"), "{line}");
    }

    #[test]
    fn a_deadline_that_cannot_hold_is_said_and_its_end_too() {
        let told = told(1_000, 50_000, |_| 10);
        let expected = [
            Outlook::Holds,
            Outlook::Slips,
            Outlook::Slips,
            Outlook::Passed,
        ];
        // While little is listed it holds; then the lower bound alone is too much.
        assert!(outlooks(&told).ends_with(&expected[1..]) || outlooks(&told) == expected[1..]);
        assert_eq!(told.last().unwrap().at, 1_000 * SECOND);
        assert!(told.last().unwrap().to_string().starts_with("is over, "));
    }

    #[test]
    fn slipping_and_recovering_are_told_once_each() {
        // Stands still for ten minutes, then makes up for it.
        let told = told(8_000, 50_000, |second| match second {
            2_000..2_600 => 0,
            2_600.. => 20,
            _ => 10,
        });
        assert_eq!(
            outlooks(&told),
            [
                Outlook::Holds,
                Outlook::Holds,
                Outlook::Slips,
                Outlook::Holds
            ]
        );
    }

    #[test]
    fn a_moment_without_progress_is_not_told() {
        let told = told(8_000, 50_000, |second| match second {
            1_000..1_020 => 0,
            _ => 10,
        });
        assert_eq!(outlooks(&told), [Outlook::Holds, Outlook::Holds]);
    }

    #[test]
    fn one_large_object_counts_by_its_bytes() {
        let mut forecaster = Forecaster::new(Duration::from_secs(1_000));
        let mut told = Vec::new();
        for second in 1..=500_u64 {
            let sample = Sample {
                at: Duration::from_secs(second),
                objects_known: 1,
                bytes_known: 600_000_000,
                whole: true,
                objects_done: 0,
                bytes_done: second * 1_000_000,
            };
            told.extend(forecaster.observe(sample));
        }
        assert_eq!(outlooks(&told), [Outlook::Holds]);
        assert_eq!(told[0].needs, Some(Duration::from_secs(590)));
    }

    proptest! {
        #[test]
        fn a_steady_run_is_foretold_as_it_ends(
            rate in 1_u64..1_000,
            objects in 1_000_u64..100_000,
            deadline in 100_u64..5_000,
        ) {
            let told = told(deadline, objects, |_| rate);
            let in_time = objects.div_ceil(rate) <= deadline;
            if let Some(last) = told.iter().rev().find(|forecast| !forecast.at_least) {
                // At the edge the last second decides.
                let edge = objects.div_ceil(rate).abs_diff(deadline) <= 2;
                prop_assert!(edge || (last.outlook == Outlook::Holds) == in_time, "{last:?}");
            }
            prop_assert!(told.len() <= 5, "{told:?}");
        }
    }
}
