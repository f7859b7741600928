//! Which objects are looked at more closely. Pure: the same seed draws the same keys.

use std::fmt;
use std::str::FromStr;

use twox_hash::XxHash3_64;

/// Most objects that a sample by number may hold: they are kept in memory until the listings have
/// ended, half a kilobyte each.
const COUNT_MAX: u64 = 100_000;

/// How many objects are looked at more closely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sample {
    /// So many, each with the same chance.
    Count(u64),
    /// This share of them, from 0 to 100.
    Percent(f64),
}

/// Why a text is no sample.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no sample: write a number of objects up to {COUNT_MAX}, or a percentage, as 500 or 1%"
)]
pub struct InvalidSample(String);

impl FromStr for Sample {
    type Err = InvalidSample;

    fn from_str(text: &str) -> Result<Sample, InvalidSample> {
        let invalid = || InvalidSample(text.to_owned());
        let Some(percent) = text.trim().strip_suffix('%') else {
            let count: u64 = text.trim().parse().map_err(|_| invalid())?;
            let in_range = (1..=COUNT_MAX).contains(&count);
            return in_range.then_some(Sample::Count(count)).ok_or_else(invalid);
        };
        let percent: f64 = percent.trim().parse().map_err(|_| invalid())?;
        let in_range = percent > 0.0 && percent <= 100.0;
        in_range
            .then_some(Sample::Percent(percent))
            .ok_or_else(invalid)
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sample::Count(count) => count.fmt(f),
            Sample::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// A key's ticket: a sample by number holds the lowest ones.
pub(super) fn ticket(seed: u64, key: &str) -> u64 {
    XxHash3_64::oneshot_with_seed(seed, key.as_bytes())
}

/// Whether a ticket is within the share.
pub(super) fn within(ticket: u64, percent: f64) -> bool {
    // 2^64 tickets; a hundred percent admits all of them.
    (ticket as f64) < percent / 100.0 * 2_f64.powi(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_about_as_large_as_it_says_and_the_same_for_the_same_seed() {
        let drawn = |seed, percent| {
            let keys = (0..10_000).map(|at| format!("k{at}"));
            keys.filter(|key| within(ticket(seed, key), percent))
                .count()
        };
        assert_eq!(drawn(1, 100.0), 10_000);
        assert!((800..1_200).contains(&drawn(1, 10.0)));
        assert_eq!(drawn(1, 10.0), drawn(1, 10.0));
        assert_ne!(ticket(1, "k"), ticket(2, "k"));
    }

    #[test]
    fn samples_are_numbers_or_shares() {
        assert_eq!("500".parse(), Ok(Sample::Count(500)));
        assert_eq!(" 0.5% ".parse(), Ok(Sample::Percent(0.5)));
        for wrong in ["", "0", "-1", "0%", "101%", "nan%", "many", "100001"] {
            assert!(wrong.parse::<Sample>().is_err(), "{wrong}");
        }
    }
}
