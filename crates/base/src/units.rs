//! Amounts of bytes, and the one place that prints and reads them.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;
use std::time::Duration;

/// 2^10 bytes.
pub const KIB: u64 = 1 << 10;
/// 2^20 bytes.
pub const MIB: u64 = 1 << 20;
/// 2^30 bytes.
pub const GIB: u64 = 1 << 30;
/// 10^12 bytes.
pub const TB: u64 = 1_000_000_000_000;

/// A number of bytes. Prints as memory and parts do: `8.0 MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteCount(pub u64);

impl ByteCount {
    /// No bytes.
    pub const ZERO: ByteCount = ByteCount(0);

    /// The count as a number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The count as an index into memory; none where memory cannot hold it.
    pub fn as_usize(self) -> Option<usize> {
        usize::try_from(self.0).ok()
    }

    /// Bytes a second over `elapsed`.
    pub fn per(self, elapsed: Duration) -> Rate {
        let seconds = elapsed.as_secs_f64();
        Rate(if seconds > 0.0 {
            self.0 as f64 / seconds
        } else {
            0.0
        })
    }
}

impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < KIB {
            return write!(f, "{} B", self.0);
        }
        let mut value = self.0 as f64 / KIB as f64;
        let mut unit = 0;
        while value >= 1024.0 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        write!(f, "{value:.1} {}", UNITS[unit])
    }
}

impl Add for ByteCount {
    type Output = ByteCount;
    fn add(self, other: ByteCount) -> ByteCount {
        ByteCount(self.0 + other.0)
    }
}

impl Sub for ByteCount {
    type Output = ByteCount;
    fn sub(self, other: ByteCount) -> ByteCount {
        ByteCount(self.0 - other.0)
    }
}

impl AddAssign for ByteCount {
    fn add_assign(&mut self, other: ByteCount) {
        self.0 += other.0;
    }
}

impl Sum for ByteCount {
    fn sum<I: Iterator<Item = ByteCount>>(counts: I) -> ByteCount {
        ByteCount(counts.map(|count| count.0).sum())
    }
}

/// Why a text is no amount of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no amount of bytes: write a number and a unit, as 64MiB, 5GB or 1048576")]
pub struct InvalidByteCount(String);

impl FromStr for ByteCount {
    type Err = InvalidByteCount;

    /// Reads `1048576`, `64MiB`, `5 GB`, `1.5GiB`. KiB, MiB, ... count in 1,024, kB, MB, ... in
    /// 1,000.
    fn from_str(text: &str) -> Result<ByteCount, InvalidByteCount> {
        let invalid = || InvalidByteCount(text.to_owned());
        let trimmed = text.trim();
        let digits_end = trimmed
            .find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_')
            .unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(digits_end);
        let number = number.replace('_', "");
        let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "kb" => 1_000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            "tb" => TB,
            "k" | "kib" => KIB,
            "m" | "mib" => MIB,
            "g" | "gib" => GIB,
            "t" | "tib" => 1 << 40,
            _ => return Err(invalid()),
        };
        if let Ok(whole) = number.parse::<u64>() {
            return whole.checked_mul(factor).map(ByteCount).ok_or_else(invalid);
        }
        let value = number.parse::<f64>().map_err(|_| invalid())? * factor as f64;
        // 2^63 is far above any disk and still exact enough for the cast below.
        if !(0.0..9.2e18).contains(&value) {
            return Err(invalid());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked above"
        )]
        Ok(ByteCount(value.round() as u64))
    }
}

/// Bytes a second. Prints as networks do, in powers of ten: `72.0 MB/s`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Rate(pub f64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            rate if rate < 1e3 => write!(f, "{rate:.0} B/s"),
            rate if rate < 1e6 => write!(f, "{:.1} kB/s", rate / 1e3),
            rate if rate < 1e9 => write!(f, "{:.1} MB/s", rate / 1e6),
            rate => write!(f, "{:.2} GB/s", rate / 1e9),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_counts_print_and_read() {
        assert_eq!(ByteCount(1023).to_string(), "1023 B");
        assert_eq!(ByteCount(8 * MIB).to_string(), "8.0 MiB");
        assert_eq!("8MiB".parse(), Ok(ByteCount(8 * MIB)));
        assert_eq!("1.5 kB".parse(), Ok(ByteCount(1_500)));
        assert_eq!("5_000".parse(), Ok(ByteCount(5_000)));
        assert!("".parse::<ByteCount>().is_err());
        assert!("12 parsecs".parse::<ByteCount>().is_err());
        assert!("99999999999999999999".parse::<ByteCount>().is_err());
        assert!("-1".parse::<ByteCount>().is_err());
    }

    #[test]
    fn rates_print_in_powers_of_ten() {
        assert_eq!(
            ByteCount(72_000_000)
                .per(Duration::from_secs(1))
                .to_string(),
            "72.0 MB/s"
        );
        assert_eq!(ByteCount(5).per(Duration::ZERO).to_string(), "0 B/s");
    }
}
