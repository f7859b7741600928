//! Progress on standard error, and the status line of SIGUSR1.

pub(crate) mod load;

use std::collections::VecDeque;
use std::fmt;
use std::io::IsTerminal as _;
use std::time::Duration;

use base::ByteCount;
use base::units::Rate;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mover::Side;
use mover::limiter::{Limit, Sample, limit};
use tokio::time::Instant;

use crate::args::ProgressMode;
use crate::session::{Session, Slots, Totals};
use load::Load;

/// Between two pictures on a terminal.
const DRAW_EVERY: Duration = Duration::from_millis(200);

/// Between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// The rate is that of this last stretch.
const RATE_OVER: Duration = Duration::from_secs(10);

/// How progress is shown in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// A line that is drawn again and again.
    Bar,
    /// A line now and then.
    Lines,
    /// Nothing.
    Nothing,
}

impl Show {
    /// Decides by the flags, and for `auto` by whether standard error is a terminal. `forced` is
    /// `--show-progress`; `moves` says whether the command moves objects at all.
    pub(crate) fn decide(mode: ProgressMode, forced: bool, moves: bool) -> Show {
        let terminal = std::io::stderr().is_terminal();
        match mode {
            ProgressMode::None => Show::Nothing,
            ProgressMode::Plain => Show::Lines,
            ProgressMode::Auto if forced && !terminal => Show::Lines,
            ProgressMode::Auto if terminal && (forced || moves) => Show::Bar,
            ProgressMode::Auto => Show::Nothing,
        }
    }
}

/// Shows progress for as long as it is polled; `finish` shows the end.
pub(crate) struct Progress<'s> {
    session: &'s Session,
    show: Show,
    meter: Meter,
    bar: Option<ProgressBar>,
}

impl<'s> Progress<'s> {
    /// Progress of a session.
    pub(crate) fn new(session: &'s Session, show: Show) -> Progress<'s> {
        Progress {
            session,
            show,
            meter: Meter::new(),
            bar: None,
        }
    }

    /// Draws until dropped.
    pub(crate) async fn run(&mut self) {
        match self.show {
            Show::Nothing => std::future::pending().await,
            Show::Lines => loop {
                tokio::time::sleep(LINE_EVERY).await;
                let line = self.status();
                self.session.output.talk(format_args!("{line}"));
            },
            Show::Bar => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                let style = ProgressStyle::with_template("{spinner} {msg}")
                    .expect("the template is a constant");
                bar.set_style(style);
                self.session.output.set_bar(Some(bar.clone()));
                self.bar = Some(bar.clone());
                loop {
                    bar.set_message(self.status().to_string());
                    bar.tick();
                    tokio::time::sleep(DRAW_EVERY).await;
                }
            }
        }
    }

    /// The line at this moment.
    pub(crate) fn status(&mut self) -> Status {
        self.meter.status(self.session)
    }

    /// Takes the bar away and says how it ended.
    pub(crate) fn finish(&mut self) {
        self.session.output.set_bar(None);
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if self.show != Show::Nothing {
            let line = self.status();
            self.session.output.talk(format_args!("{line}"));
        }
    }
}

/// Remembers a stretch of moments, for the rate and for what limits the run.
#[derive(Debug)]
struct Meter {
    began: Instant,
    moments: VecDeque<Moment>,
}

/// The run at one moment.
#[derive(Debug, Clone, Copy)]
struct Moment {
    at: Instant,
    totals: Totals,
    sample: Sample,
}

impl Meter {
    fn new() -> Meter {
        let began = Instant::now();
        // What the process did before is not the run's.
        let load = Load::read();
        let first = Moment {
            at: began,
            totals: Totals::default(),
            sample: Sample {
                cpu: load.cpu,
                disk_wait: load.disk_wait,
                ..Sample::default()
            },
        };
        Meter {
            began,
            moments: VecDeque::from([first]),
        }
    }

    fn status(&mut self, session: &Session) -> Status {
        let now = self.moment(session);
        self.moments.push_back(now);
        while self.moments.len() > 2 && self.moments[1].at + RATE_OVER < now.at {
            self.moments.pop_front();
        }
        let before = self.moments[0];
        let elapsed = now.at - before.at;
        let moved = now
            .totals
            .bytes_moved
            .saturating_sub(before.totals.bytes_moved);
        let objects = now.totals.copied.saturating_sub(before.totals.copied);
        Status {
            totals: now.totals,
            rate: ByteCount(moved).per(elapsed),
            objects_per_second: objects as f64 / elapsed.as_secs_f64().max(0.001),
            retries: session.requests(Side::Source).retries
                + session.requests(Side::Destination).retries,
            limit: limit(&before.sample, &now.sample),
            slots: session.slots(),
        }
    }

    fn moment(&self, session: &Session) -> Moment {
        let at = Instant::now();
        let totals = session.totals();
        let source = session.requests(Side::Source);
        let destination = session.requests(Side::Destination);
        let load = Load::read();
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let sample = Sample {
            elapsed: at - self.began,
            cpu: load.cpu,
            cores: u32::try_from(cores).unwrap_or(u32::MAX),
            disk_wait: load.disk_wait,
            source_throttled: source.throttled,
            destination_throttled: destination.throttled,
            source_requests: source.requests,
            destination_requests: destination.requests,
            in_flight: totals.in_flight,
            objects_max: number(session.settings.workers.get()),
            listed_all: !session.is_enumerating(),
        };
        Moment { at, totals, sample }
    }
}

/// One line of progress.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    totals: Totals,
    rate: Rate,
    objects_per_second: f64,
    retries: u64,
    limit: Option<Limit>,
    /// Request slots of each endpoint.
    slots: Vec<Slots>,
}

impl Status {
    /// Time until what is listed so far has moved at the present rate.
    fn eta(&self) -> Option<Duration> {
        let left = self
            .totals
            .bytes_listed
            .saturating_sub(self.totals.bytes_moved);
        (self.rate.0 > 1.0 && left > 0)
            .then(|| Duration::try_from_secs_f64(left as f64 / self.rate.0).ok())
            .flatten()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let totals = &self.totals;
        write!(
            f,
            "{} of {} objects, {} of {}, {} ({:.1} objects/s), in flight {}, retries {}, failed {}",
            totals.settled,
            totals.listed,
            ByteCount(totals.bytes_moved),
            ByteCount(totals.bytes_listed),
            self.rate,
            self.objects_per_second,
            totals.in_flight,
            self.retries,
            totals.failed,
        )?;
        if let Some(eta) = self.eta() {
            let seconds = eta.as_secs();
            let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
            write!(f, ", left {hours}:{minutes:02}:{:02}", seconds % 60)?;
        }
        for (position, slots) in self.slots.iter().enumerate() {
            let before = if position == 0 { ", requests" } else { " +" };
            write!(f, "{before} {}/{}", slots.in_use, slots.limit)?;
        }
        match self.limit {
            None => {}
            Some(limit) => write!(f, ", limited by {limit}")?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_line_with_what_a_person_wants() {
        let status = Status {
            totals: Totals {
                listed: 10,
                settled: 4,
                copied: 4,
                bytes_listed: 10_000_000,
                bytes_moved: 4_000_000,
                in_flight: 3,
                ..Totals::default()
            },
            rate: Rate(1e6),
            objects_per_second: 1.0,
            retries: 2,
            limit: Some(Limit::Network),
            slots: vec![
                Slots {
                    in_use: 3,
                    limit: 64,
                },
                Slots {
                    in_use: 2,
                    limit: 32,
                },
            ],
        };
        assert_eq!(
            status.to_string(),
            "4 of 10 objects, 3.8 MiB of 9.5 MiB, 1.0 MB/s (1.0 objects/s), in flight 3, retries 2, failed 0, left 0:00:06, requests 3/64 + 2/32, limited by network"
        );
    }

    #[test]
    fn flags_decide_and_without_a_terminal_nothing_is_shown() {
        // Tests run without a terminal at standard error, or with one: only what does not depend
        // on it is checked.
        for moves in [false, true] {
            let none = Show::decide(ProgressMode::None, true, moves);
            assert_eq!(none, Show::Nothing);
            let plain = Show::decide(ProgressMode::Plain, false, moves);
            assert_eq!(plain, Show::Lines);
        }
    }
}
