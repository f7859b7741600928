//! The rows of `ls`. There are as many as keys, so that their text is put together by hand: the
//! formatter cost more than reading the answers did (decision 0004).

use std::fmt;

use base::ByteCount;
use jiff::Timestamp;
use serde::Serialize;

use super::is_zero;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Bytes that the largest number takes.
const DIGITS_MAX: usize = 20;

/// How `ls` is to look.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ListStyle {
    pub(crate) etag: bool,
    pub(crate) humanize: bool,
    pub(crate) storage_class: bool,
    pub(crate) versions: bool,
    pub(crate) full_path: bool,
}

/// An object, file or prefix in `ls`.
#[derive(Debug, Serialize)]
pub(crate) struct ObjectRow<'a> {
    /// `s3://bucket/key`, or a path.
    pub(crate) key: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) etag: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_modified: Option<Timestamp>,
    #[serde(rename = "type")]
    pub(crate) kind: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) size: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) storage_class: &'a str,
    /// The part of the name that text shows.
    #[serde(skip)]
    pub(crate) relative: &'a str,
    /// Only in text.
    #[serde(skip)]
    pub(crate) version_id: &'a str,
    #[serde(skip)]
    pub(crate) style: ListStyle,
}

impl ObjectRow<'_> {
    /// Adds the row as text, without an end of line.
    pub(crate) fn push_text(&self, text: &mut Vec<u8>) {
        let style = self.style;
        if style.full_path {
            text.extend_from_slice(self.key.as_bytes());
            return;
        }
        let etag_width = if style.etag { 38 } else { 1 };
        if self.kind == "directory" {
            text.resize(text.len() + 19 + 1 + 2 + 1 + etag_width + 1, b' ');
            push_right(text, "DIR", 12);
            text.extend_from_slice(b"  ");
            text.extend_from_slice(self.relative.as_bytes());
            return;
        }
        push_time(text, self.last_modified);
        text.push(b' ');
        let class = match style.storage_class {
            true => self.storage_class,
            false => "",
        };
        push_right(text, class, 2);
        text.push(b' ');
        let etag = if style.etag { self.etag } else { "" };
        push_left(text, etag, etag_width);
        text.push(b' ');
        if style.humanize {
            push_right(text, &Humanized(ByteCount(self.size)).to_string(), 12);
        } else {
            push_number(text, self.size, 12);
        }
        text.extend_from_slice(b"  ");
        if style.versions && !self.version_id.is_empty() {
            push_left(text, self.relative, 50);
            text.push(b' ');
            text.extend_from_slice(self.version_id.as_bytes());
        } else {
            text.extend_from_slice(self.relative.as_bytes());
        }
    }
}

impl fmt::Display for ObjectRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.push_text(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

fn push_right(text: &mut Vec<u8>, word: &str, width: usize) {
    push_spaces(text, word, width);
    text.extend_from_slice(word.as_bytes());
}

fn push_left(text: &mut Vec<u8>, word: &str, width: usize) {
    text.extend_from_slice(word.as_bytes());
    push_spaces(text, word, width);
}

/// As many as `word` lacks to be `width` characters long.
fn push_spaces(text: &mut Vec<u8>, word: &str, width: usize) {
    let count = width.saturating_sub(word.chars().count());
    text.resize(text.len() + count, b' ');
}

/// A number, right-aligned.
fn push_number(text: &mut Vec<u8>, number: u64, width: usize) {
    let mut digits = [b' '; DIGITS_MAX];
    let mut begin = DIGITS_MAX;
    let mut rest = number;
    loop {
        begin -= 1;
        digits[begin] = digit(rest % 10);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[begin.min(DIGITS_MAX - width)..]);
}

/// The last decimal digit of a number.
fn digit(number: u64) -> u8 {
    b'0' + u8::try_from(number % 10).expect("a digit is less than ten")
}

/// `YYYY/MM/DD HH:MM:SS` in UTC, or as many spaces.
fn push_time(text: &mut Vec<u8>, time: Option<Timestamp>) {
    let Some(time) = time else {
        text.resize(text.len() + 19, b' ');
        return;
    };
    // A time has a year of four digits at most.
    let seconds = u64::try_from(time.as_second()).ok();
    let Some(seconds) = seconds.filter(|_| time >= Timestamp::UNIX_EPOCH) else {
        text.extend_from_slice(Clocked(Some(time)).to_string().as_bytes());
        return;
    };
    let ((year, month, date), second) = (civil(seconds / DAY), seconds % DAY);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let two = |number: u64| (digit(number / 10), digit(number));
    let (century, years) = (two(year / 100), two(year % 100));
    let (month, date) = (two(month), two(date));
    let (hour, minute, second) = (two(hour), two(minute), two(second));
    text.extend_from_slice(&[
        century.0, century.1, years.0, years.1, b'/', month.0, month.1, b'/', date.0, date.1, b' ',
        hour.0, hour.1, b':', minute.0, minute.1, b':', second.0, second.1,
    ]);
}

/// Year, month and day of a day counted from 1970-01-01, in years that begin in March so that a
/// leap day is the last of its year.
fn civil(days: u64) -> (u64, u64, u64) {
    // 719,468 days lie between 0000-03-01 and 1970-01-01, 146,097 in four centuries.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let date = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let month = match months_since_march {
        0..=9 => months_since_march + 3,
        _ => months_since_march - 9,
    };
    (year + era * 400 + u64::from(month <= 2), month, date)
}

/// A time as `ls` shows it, in UTC.
pub(super) struct Clocked(pub(super) Option<Timestamp>);

impl fmt::Display for Clocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(time) => write!(f, "{}", time.strftime("%Y/%m/%d %H:%M:%S")),
            None => write!(f, "{:19}", ""),
        }
    }
}

/// A size as `--humanize` shows it: above 1,024 of a unit, one decimal of the next.
pub(super) struct Humanized(pub(super) ByteCount);

impl fmt::Display for Humanized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value = self.0.get() as f64;
        if value <= 1024.0 {
            return write!(f, "{}", self.0.get());
        }
        let mut unit = "";
        for next in ["K", "M", "G", "T", "P", "E"] {
            if value <= 1024.0 {
                break;
            }
            value /= 1024.0;
            unit = next;
        }
        write!(f, "{value:.1}{unit}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;

    fn row(kind: &'static str, style: ListStyle) -> ObjectRow<'static> {
        ObjectRow {
            key: "s3://b/a.txt",
            etag: "b1946ac92492d2347c6235b4d2611184",
            last_modified: Some("2026-11-22T12:42:07Z".parse().unwrap()),
            kind,
            size: 3_000_000,
            storage_class: "STANDARD",
            relative: "a.txt",
            version_id: "null",
            style,
        }
    }

    #[test]
    fn rows_of_ls_are_aligned_as_s5cmds() {
        let plain = ListStyle::default();
        let full = ListStyle {
            etag: true,
            humanize: true,
            storage_class: true,
            ..plain
        };
        let versions = ListStyle {
            versions: true,
            ..plain
        };
        assert_eq!(
            row("file", plain).to_string(),
            "2026/11/22 12:42:07           3000000  a.txt"
        );
        assert_eq!(
            row("file", full).to_string(),
            "2026/11/22 12:42:07 STANDARD b1946ac92492d2347c6235b4d2611184               2.9M  a.txt"
        );
        assert_eq!(
            row("file", versions).to_string(),
            format!("2026/11/22 12:42:07           3000000  a.txt{:46}null", "")
        );
        assert_eq!(
            row("directory", plain).to_string(),
            format!("{:34}DIR  a.txt", "")
        );
        assert_eq!(
            row("directory", full).to_string(),
            format!("{:71}DIR  a.txt", "")
        );
    }

    #[test]
    fn sizes_for_people_change_unit_above_1024() {
        for (size, text) in [
            (0, "0"),
            (1024, "1024"),
            (1025, "1.0K"),
            (1_048_576, "1024.0K"),
            (3_000_000, "2.9M"),
            (5_000_000_000_000, "4.5T"),
        ] {
            assert_eq!(Humanized(ByteCount(size)).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn times_are_what_the_formatter_says(
            seconds in -62_135_596_800_i64..253_402_300_799, nanosecond in 0_i32..1_000_000_000,
        ) {
            let time = Some(Timestamp::new(seconds, nanosecond).unwrap());
            let mut text = Vec::new();
            push_time(&mut text, time);
            prop_assert_eq!(String::from_utf8(text).unwrap(), Clocked(time).to_string());
        }

        #[test]
        fn numbers_are_what_the_formatter_says(number: u64, shift in 0_u32..64) {
            let number = number >> shift;
            let mut text = Vec::new();
            push_number(&mut text, number, 12);
            prop_assert_eq!(String::from_utf8(text).unwrap(), format!("{number:>12}"));
        }
    }
}
