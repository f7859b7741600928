//! Ranges of an object's bytes, as requests name them.

use std::ops::Range;

use super::error::Error;

/// A range as it was asked for, before the object's size is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeRequest {
    /// `bytes=first-last`, both counted in; `bytes=first-` without an end.
    From {
        /// The first byte.
        first: u64,
        /// The last byte.
        last: Option<u64>,
    },
    /// `bytes=-length`: that many bytes at the end.
    Last {
        /// How many bytes.
        length: u64,
    },
}

impl RangeRequest {
    /// The bytes meant, in an object of `size` bytes.
    ///
    /// # Errors
    /// `InvalidRange` when no byte of the object is among them.
    pub fn resolve(self, size: u64) -> Result<Range<u64>, Error> {
        let range = match self {
            RangeRequest::From { first, last } => {
                let end = last.map_or(size, |last| last.saturating_add(1).min(size));
                first..end
            }
            RangeRequest::Last { length } => size.saturating_sub(length)..size,
        };
        if range.is_empty() {
            return Err(Error::InvalidRange { size });
        }
        Ok(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_with_the_object() {
        let from = |first, last| RangeRequest::From { first, last };
        assert_eq!(from(0, Some(0)).resolve(10), Ok(0..1));
        assert_eq!(from(5, None).resolve(10), Ok(5..10));
        assert_eq!(from(5, Some(u64::MAX)).resolve(10), Ok(5..10));
        assert_eq!(RangeRequest::Last { length: 3 }.resolve(10), Ok(7..10));
        assert_eq!(RangeRequest::Last { length: 30 }.resolve(10), Ok(0..10));
        let refused = Err(Error::InvalidRange { size: 10 });
        assert_eq!(from(10, None).resolve(10), refused);
        assert_eq!(RangeRequest::Last { length: 0 }.resolve(10), refused);
        assert!(from(0, None).resolve(0).is_err());
    }
}
