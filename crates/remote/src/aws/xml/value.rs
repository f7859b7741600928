//! Values of elements: keys, numbers, times, ETags.

use std::borrow::Cow;

use base::checksum::ChecksumType;
use base::{Checksum, ChecksumAlgorithm, ETag, Key};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use memchr::memchr2;

use super::InvalidXml;
use super::scanner::{Element, Leaf, Scanner};

/// Whether keys in a document are URL-encoded, which the document itself says anywhere among the
/// children of its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyEncoding {
    Plain,
    Url,
}

impl KeyEncoding {
    /// Reads an `EncodingType`.
    pub(super) fn from_text(text: &str) -> KeyEncoding {
        if text.trim() == "url" {
            KeyEncoding::Url
        } else {
            KeyEncoding::Plain
        }
    }

    /// Looks ahead for the `EncodingType` of a root whose keys come before it.
    pub(super) fn ahead(
        mut scanner: Scanner<'_>,
        root: &Element<'_>,
    ) -> Result<KeyEncoding, InvalidXml> {
        while let Some(child) = scanner.child(root)? {
            if child.local() == "EncodingType" {
                return Ok(KeyEncoding::from_text(&scanner.text(&child)?));
            }
            scanner.skip(&child)?;
        }
        Ok(KeyEncoding::Plain)
    }

    /// A key, prefix or marker as it is.
    pub(super) fn decode<'a>(self, text: Cow<'a, str>) -> Result<Cow<'a, str>, InvalidXml> {
        match self {
            KeyEncoding::Plain => Ok(text),
            KeyEncoding::Url => match url_decode(&text)? {
                Cow::Borrowed(_) => Ok(text),
                Cow::Owned(decoded) => Ok(Cow::Owned(decoded)),
            },
        }
    }

    /// The key in `leaf`.
    pub(super) fn key(self, leaf: Leaf<'_>) -> Result<Key, InvalidXml> {
        let text = self.decode(leaf.text()?)?;
        Ok(Key::new(&*text)?)
    }
}

/// Decodes as forms are: `+` is a space, `%XX` a byte.
fn url_decode(text: &str) -> Result<Cow<'_, str>, InvalidXml> {
    let bytes = text.as_bytes();
    let Some(first) = memchr2(b'%', b'+', bytes) else {
        return Ok(Cow::Borrowed(text));
    };
    let invalid = || InvalidXml::Encoding(text.chars().take(256).collect());
    let mut decoded = Vec::with_capacity(bytes.len());
    decoded.extend_from_slice(&bytes[..first]);
    let mut rest = &bytes[first..];
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let [high, low, after @ ..] = rest else {
                    return Err(invalid());
                };
                rest = after;
                let nibble = |digit: u8| {
                    let value = char::from(digit).to_digit(16).ok_or_else(invalid)?;
                    u8::try_from(value).map_err(|_| invalid())
                };
                decoded.push(nibble(*high)? << 4 | nibble(*low)?);
            }
            byte => decoded.push(*byte),
        }
    }
    match String::from_utf8(decoded) {
        Ok(decoded) => Ok(Cow::Owned(decoded)),
        Err(_) => Err(invalid()),
    }
}

/// A number that must be one.
pub(super) fn number<N: std::str::FromStr>(
    element: &'static str,
    leaf: Leaf<'_>,
) -> Result<N, InvalidXml> {
    let text = leaf.text()?;
    let trimmed = trimmed(&text);
    let digits_only = trimmed.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = trimmed.parse().ok().filter(|_| digits_only);
    parsed.ok_or_else(|| InvalidXml::Number {
        element,
        text: text.chars().take(64).collect(),
    })
}

/// [`str::trim`], at no cost where there is nothing to trim.
pub(super) fn trimmed(text: &str) -> &str {
    let outside = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    if outside(bytes.first()) && outside(bytes.last()) {
        return text;
    }
    text.trim()
}

/// `true`, in any case.
pub(super) fn is_true(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("true")
}

/// An ETag; its quotes are mostly written as entities, which then cost nothing.
pub(super) fn etag(leaf: Leaf<'_>) -> Result<Option<ETag>, InvalidXml> {
    let text = match leaf {
        Leaf::Raw(raw) => {
            let unquoted = raw.strip_prefix("&quot;");
            let unquoted = unquoted.and_then(|raw| raw.strip_suffix("&quot;"));
            Leaf::Raw(unquoted.unwrap_or(raw)).text()?
        }
        joined @ Leaf::Joined(_) => joined.text()?,
    };
    let etag = ETag::from_header(&text);
    Ok(Some(etag).filter(|etag| !etag.as_str().is_empty()))
}

/// A time in a document. One that cannot be read is as good as none.
pub(crate) fn timestamp(text: &str) -> Option<Timestamp> {
    let text = trimmed(text);
    plain_timestamp(text.as_bytes()).or_else(|| {
        let parsed = text.parse().ok();
        parsed.or_else(|| format!("{text}Z").parse().ok())
    })
}

/// `YYYY-MM-DDThh:mm:ss[.fff...]Z`, or the same without the `Z`: nearly every time S3 writes.
fn plain_timestamp(text: &[u8]) -> Option<Timestamp> {
    let text = text.strip_suffix(b"Z").unwrap_or(text);
    let (date_time, fraction) = text.split_at_checked(19)?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators
        .into_iter()
        .any(|(at, separator)| date_time[at] != separator)
    {
        return None;
    }
    let digits = |from: usize, to: usize| {
        date_time[from..to].iter().try_fold(0_i64, |value, byte| {
            byte.is_ascii_digit()
                .then(|| value * 10 + i64::from(byte - b'0'))
        })
    };
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
    // The end of February is left to the full parser.
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28,
        _ => return None,
    };
    if !(1..=days).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanosecond = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=9).contains(&digits.len()) => {
            let mut scale = 1_000_000_000;
            digits.iter().try_fold(0_i32, |value, byte| {
                scale /= 10;
                byte.is_ascii_digit()
                    .then(|| value + i32::from(byte - b'0') * scale)
            })?
        }
        _ => return None,
    };
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Timestamp::new(seconds, nanosecond).ok()
}

/// Days of the Gregorian calendar, counted in years that begin in March so that a leap day is the
/// last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let months_since_march = (month + 9) % 12;
    let day_of_year = (153 * months_since_march + 2) / 5 + day - 1;
    let leap_days = year / 4 - year / 100 + year / 400;
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + day_of_year - 719_468
}

/// A time in a header: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn last_modified_header(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

/// A checksum of an element such as `ChecksumCRC64NVME`.
pub(super) fn checksum(element: &str, text: &str) -> Option<Checksum> {
    let algorithm = ChecksumAlgorithm::from_name(element.strip_prefix("Checksum")?)?;
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    Some(Checksum {
        algorithm,
        checksum_type: if text.contains('-') {
            ChecksumType::Composite
        } else {
            ChecksumType::FullObject
        },
        value: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn times_with_and_without_fraction_and_zone_are_read() {
        let expected: Timestamp = "2009-10-12T17:50:30Z".parse().unwrap();
        for text in [
            "2009-10-12T17:50:30.000Z",
            "2009-10-12T17:50:30Z",
            "2009-10-12T17:50:30",
            " 2009-10-12T17:50:30.0000 ",
            "2009-10-12T17:50:30+00:00",
            "2009-10-12T19:50:30+02:00",
        ] {
            assert_eq!(timestamp(text), Some(expected), "{text}");
        }
        let sub_second: Timestamp = "2024-02-29T00:00:00.123456Z".parse().unwrap();
        assert_eq!(timestamp("2024-02-29T00:00:00.123456"), Some(sub_second));
        for text in [
            "",
            "yesterday",
            "2009-13-12T17:50:30Z",
            "2009-02-30T17:50:30Z",
        ] {
            assert_eq!(timestamp(text), None, "{text}");
        }
        assert_eq!(
            last_modified_header("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some("1994-11-06T08:49:37Z".parse().unwrap())
        );
    }

    #[test]
    fn form_decoding_is_exact_and_refuses_what_is_none() {
        assert_eq!(
            url_decode("a+b%2Bc%25%F0%9F%98%80/").unwrap(),
            "a b+c%\u{1f600}/"
        );
        for broken in ["%", "%4", "%zz", "%FF", "+%"] {
            assert!(url_decode(broken).is_err(), "{broken}");
        }
    }

    proptest! {
        #[test]
        fn fast_times_agree_with_the_full_parser(
            seconds in -62_135_596_800_i64..253_402_300_799, nanosecond in 0_i32..1_000_000_000,
        ) {
            let time = Timestamp::new(seconds, nanosecond).unwrap();
            prop_assert_eq!(timestamp(&time.to_string()), Some(time));
        }
    }
}
