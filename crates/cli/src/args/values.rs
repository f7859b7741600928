//! Values of flags, read and printed as Go's flag package reads and prints them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Why a value was refused, in the words that s5cmd's users see.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct InvalidValue(String);

impl InvalidValue {
    fn new(text: impl Into<String>) -> InvalidValue {
        InvalidValue(text.into())
    }
}

/// A whole number: decimal, or with Go's prefixes `0x`, `0o`, `0b`, `0`, and `_` between digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Integer(pub(crate) i64);

impl FromStr for Integer {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Integer, InvalidValue> {
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let lower = digits.to_ascii_lowercase();
        let (radix, digits) = if let Some(rest) = lower.strip_prefix("0x") {
            (16, rest)
        } else if let Some(rest) = lower.strip_prefix("0b") {
            (2, rest)
        } else if let Some(rest) = lower.strip_prefix("0o") {
            (8, rest)
        } else if lower.len() > 1 && lower.starts_with('0') {
            (8, &lower[1..])
        } else {
            (10, lower.as_str())
        };
        let plain = digits.replace('_', "");
        if plain.is_empty() || !plain.chars().all(|c| c.is_digit(radix)) {
            return Err(InvalidValue::new("parse error"));
        }
        let out_of_range = || InvalidValue::new("value out of range");
        let magnitude = i128::from_str_radix(&plain, radix).map_err(|_| out_of_range())?;
        let value = if negative { -magnitude } else { magnitude };
        i64::try_from(value)
            .map(Integer)
            .map_err(|_| out_of_range())
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A number that the user sets, or one that is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// Found while running.
    Auto,
    /// Set.
    Number(Integer),
}

impl FromStr for Bound {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Bound, InvalidValue> {
        match text {
            "auto" => Ok(Bound::Auto),
            number => number.parse().map(Bound::Number),
        }
    }
}

/// Reads a number above zero.
pub(crate) fn positive(text: &str) -> Result<f64, InvalidValue> {
    let number: Option<f64> = text.parse().ok();
    let number = number.filter(|number| *number > 0.0 && number.is_finite());
    number.ok_or_else(|| InvalidValue::new("not a number above zero"))
}

/// A length of time as Go writes it: `1h30m`, `90s`, `1.5h`, `-1h`. In nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GoDuration(i64);

/// Go's units, the longer spelling before its prefix.
const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

impl GoDuration {
    /// The duration; none when it is zero or less.
    pub(crate) fn positive(self) -> Option<Duration> {
        let nanoseconds = u64::try_from(self.0).ok().filter(|n| *n > 0)?;
        Some(Duration::from_nanos(nanoseconds))
    }
}

impl FromStr for GoDuration {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<GoDuration, InvalidValue> {
        let parse = || -> Option<i64> {
            let (negative, mut rest) = match text.as_bytes().first()? {
                b'-' => (true, &text[1..]),
                b'+' => (false, &text[1..]),
                _ => (false, text),
            };
            if rest == "0" {
                return Some(0);
            }
            let mut total = 0_f64;
            while !rest.is_empty() {
                let digits = rest
                    .find(|c: char| !c.is_ascii_digit() && c != '.')
                    .filter(|end| *end > 0)?;
                let number: f64 = rest[..digits].parse().ok()?;
                rest = &rest[digits..];
                let unit = rest
                    .find(|c: char| c.is_ascii_digit() || c == '.')
                    .unwrap_or(rest.len());
                let (_, scale) = UNITS.iter().find(|(name, _)| *name == &rest[..unit])?;
                total += number * *scale as f64;
                rest = &rest[unit..];
            }
            // 2^63 nanoseconds are 292 years; Go stops there too.
            if text.len() == 1 || total >= 9.2e18 {
                return None;
            }
            #[expect(clippy::cast_possible_truncation, reason = "checked just above")]
            let total = total.round() as i64;
            Some(if negative { -total } else { total })
        };
        parse()
            .map(GoDuration)
            .ok_or_else(|| InvalidValue::new("parse error"))
    }
}

/// As Go prints it: `3h0m0s`, `1m30s`, `1.5s`.
impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let nanoseconds = self.0.unsigned_abs();
        if nanoseconds < 1_000_000_000 {
            let (scale, unit) = match nanoseconds {
                n if n < 1_000 => (1, "ns"),
                n if n < 1_000_000 => (1_000, "µs"),
                _ => (1_000_000, "ms"),
            };
            return write!(f, "{}{unit}", decimal(nanoseconds, scale));
        }
        let seconds = nanoseconds / 1_000_000_000;
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if seconds >= 60 {
            write!(f, "{minutes}m")?;
        }
        let rest = nanoseconds % 60_000_000_000;
        write!(f, "{}s", decimal(rest, 1_000_000_000))
    }
}

/// `value / scale` without trailing zeros.
fn decimal(value: u64, scale: u64) -> String {
    let fraction = value % scale;
    if fraction == 0 {
        return (value / scale).to_string();
    }
    let digits = scale.ilog10() as usize;
    let text = format!("{}.{fraction:0digits$}", value / scale);
    text.trim_end_matches('0').to_owned()
}

/// One `--metadata key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    /// Before the first `=`; may be empty.
    pub(crate) key: String,
    /// After it.
    pub(crate) value: String,
}

impl FromStr for Pair {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Pair, InvalidValue> {
        if text.is_empty() {
            let line = "flag can't be passed empty. Format: key=value";
            return Err(InvalidValue::new(line));
        }
        let (key, value) = text.split_once('=').ok_or_else(|| {
            InvalidValue::new(format!("the key value pair([{text}]) has invalid format"))
        })?;
        Ok(Pair {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// Reads one of `allowed`, in any case; the error lists them as s5cmd does.
pub(crate) fn one_of(
    allowed: &'static [&'static str],
) -> impl Fn(&str) -> Result<String, InvalidValue> + Clone + Send + Sync {
    move |text| {
        let known = allowed.iter().find(|name| name.eq_ignore_ascii_case(text));
        known
            .map(|name| (*name).to_owned())
            .ok_or_else(|| InvalidValue::new(format!("allowed values: [{}]", allowed.join(", "))))
    }
}

/// Reads a bool as Go does.
pub(crate) fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_read_gos_prefixes() {
        for (text, value) in [
            ("7", 7),
            ("-2", -2),
            ("+3", 3),
            ("0x10", 16),
            ("010", 8),
            ("0b11", 3),
            ("1_000", 1_000),
        ] {
            assert_eq!(text.parse::<Integer>(), Ok(Integer(value)), "{text}");
        }
        let line = |text: &str| text.parse::<Integer>().unwrap_err().to_string();
        assert_eq!(line("x"), "parse error");
        assert_eq!(line(""), "parse error");
        assert_eq!(line("99999999999999999999"), "value out of range");
        assert_eq!(line("9".repeat(60).as_str()), "value out of range");
    }

    #[test]
    fn durations_read_and_print_as_go_does() {
        for (text, printed) in [
            ("3h", "3h0m0s"),
            ("90m", "1h30m0s"),
            ("90s", "1m30s"),
            ("1.5s", "1.5s"),
            ("-1h", "-1h0m0s"),
            ("0", "0s"),
            ("250ms", "250ms"),
            ("1500us", "1.5ms"),
            ("12ns", "12ns"),
        ] {
            assert_eq!(text.parse::<GoDuration>().unwrap().to_string(), printed);
        }
        for text in ["", "x", "8d", "h", "1", "-", "1h x", "99999999h", "é"] {
            assert!(text.parse::<GoDuration>().is_err(), "{text}");
        }
        assert_eq!("-1h".parse::<GoDuration>().unwrap().positive(), None);
    }

    #[test]
    fn pairs_split_at_the_first_equals_sign() {
        let pair: Pair = "a=b=c".parse().unwrap();
        assert_eq!((pair.key.as_str(), pair.value.as_str()), ("a", "b=c"));
        assert!("".parse::<Pair>().is_err());
        assert!("foo".parse::<Pair>().is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_value_panics(text in ".*") {
            let _ = text.parse::<Integer>();
            let _ = text.parse::<Pair>();
            if let Ok(duration) = text.parse::<GoDuration>() {
                let _ = duration.to_string();
            }
        }

        #[test]
        fn a_printed_duration_reads_back(nanoseconds in 0_i64..3_600_000_000_000_000) {
            let duration = GoDuration(nanoseconds);
            let read: GoDuration = duration.to_string().parse().unwrap();
            // Go's own parser is exact; ours goes through f64 and is so to the microsecond.
            proptest::prop_assert!((read.0 - nanoseconds).abs() < 1_000);
        }
    }
}
