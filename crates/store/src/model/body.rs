//! An object's bytes, as shared segments.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

/// Frames of at least this many bytes are kept as they came. Smaller ones are gathered, because
/// a frame keeps the whole network buffer alive of which it is a slice.
/// A guess, not measured: half of the read buffer that most HTTP servers settle on.
const KEPT_FRAME_BYTES_MIN: usize = 64 << 10;

/// Gathered bytes are cut into segments of this many bytes, so that growing never copies much.
const GATHERED_BYTES_MAX: usize = 1 << 20;

/// Immutable bytes in segments. Cloning shares them; slicing and joining copy none.
#[derive(Clone, Default)]
pub struct Body {
    /// The segments, none of them empty.
    segments: Arc<[Bytes]>,
    /// Where each segment ends, counted from the body's first byte.
    ends: Arc<[u64]>,
}

impl Body {
    /// A body of these segments; empty ones are left out.
    pub fn from_segments(segments: impl IntoIterator<Item = Bytes>) -> Body {
        let segments: Vec<Bytes> = segments.into_iter().filter(|s| !s.is_empty()).collect();
        let ends = segments
            .iter()
            .scan(0_u64, |end, segment| {
                *end += segment.len() as u64;
                Some(*end)
            })
            .collect();
        Body {
            segments: segments.into(),
            ends,
        }
    }

    /// One body after the other.
    pub fn concat<'a>(bodies: impl IntoIterator<Item = &'a Body>) -> Body {
        Body::from_segments(
            bodies
                .into_iter()
                .flat_map(|body| body.segments.iter().cloned()),
        )
    }

    /// Number of bytes.
    pub fn len(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// The bytes of `range`, sharing the segments.
    ///
    /// # Panics
    /// When the range does not lie within the body.
    #[must_use]
    pub fn slice(&self, range: Range<u64>) -> Body {
        assert!(
            range.start <= range.end && range.end <= self.len(),
            "a slice lies within its body"
        );
        let first = self.ends.partition_point(|end| *end <= range.start);
        let pieces = self.segments.iter().zip(self.ends.iter()).skip(first);
        let pieces = pieces
            .map(|(segment, end)| (segment, end - segment.len() as u64))
            .take_while(|(_, start)| *start < range.end)
            .map(|(segment, start)| {
                let within = |place: u64| {
                    usize::try_from(place.saturating_sub(start))
                        .map_or(segment.len(), |offset| offset.min(segment.len()))
                };
                segment.slice(within(range.start)..within(range.end))
            });
        Body::from_segments(pieces)
    }

    /// The segments in order.
    pub fn segments(&self) -> &[Bytes] {
        &self.segments
    }

    /// All bytes in one piece; copies when there are several segments.
    pub fn to_bytes(&self) -> Bytes {
        match &*self.segments {
            [] => Bytes::new(),
            [only] => only.clone(),
            many => many.concat().into(),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Body {
        Body::from_segments([bytes])
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("bytes", &self.len())
            .field("segments", &self.segments.len())
            .finish()
    }
}

/// Takes the frames of a body as they arrive.
#[derive(Debug, Default)]
pub(crate) struct BodyBuilder {
    /// Finished segments.
    segments: Vec<Bytes>,
    /// Small frames gathered since the last finished segment.
    gathered: BytesMut,
}

impl BodyBuilder {
    /// Takes the next frame.
    pub(crate) fn push(&mut self, frame: Bytes) {
        if frame.len() >= KEPT_FRAME_BYTES_MIN {
            self.flush();
            self.segments.push(frame);
            return;
        }
        self.gathered.extend_from_slice(&frame);
        if self.gathered.len() >= GATHERED_BYTES_MAX {
            self.flush();
        }
    }

    /// The body of all frames.
    pub(crate) fn finish(mut self) -> Body {
        self.flush();
        Body::from_segments(self.segments)
    }

    fn flush(&mut self) {
        if !self.gathered.is_empty() {
            let gathered = std::mem::take(&mut self.gathered);
            // A copy of the exact size where much room is left: small objects come in millions.
            let wasteful = gathered.capacity() > gathered.len() + gathered.len() / 8 + 64;
            self.segments.push(if wasteful {
                Bytes::copy_from_slice(&gathered)
            } else {
                gathered.freeze()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn slices_are_the_bytes_between(
            segments in proptest::collection::vec(any::<Vec<u8>>(), 0..6),
            a in any::<u16>(),
            b in any::<u16>(),
        ) {
            let whole: Vec<u8> = segments.concat();
            let body = Body::from_segments(segments.into_iter().map(Bytes::from));
            prop_assert_eq!(body.len(), whole.len() as u64);
            let (a, b) = (usize::from(a) % (whole.len() + 1), usize::from(b) % (whole.len() + 1));
            let (start, end) = (a.min(b), a.max(b));
            let slice = body.slice(start as u64..end as u64);
            prop_assert_eq!(&slice.to_bytes()[..], &whole[start..end]);
            prop_assert_eq!(slice.len(), (end - start) as u64);
        }

        #[test]
        fn gathered_frames_keep_their_order(sizes in proptest::collection::vec(0_usize..80_000, 0..6)) {
            let mut builder = BodyBuilder::default();
            let mut whole = Vec::new();
            for (index, size) in sizes.into_iter().enumerate() {
                let frame: Vec<u8> = (0..size).map(|at| ((at * 7 + index) % 251).try_into().unwrap()).collect();
                whole.extend_from_slice(&frame);
                builder.push(frame.into());
            }
            prop_assert_eq!(&builder.finish().to_bytes()[..], &whole[..]);
        }
    }
}
