//! Chunked bodies: HTTP's own `Transfer-Encoding`, and `aws-chunked`, which frames in the same way
//! and adds signatures as chunk extensions.

use anyhow::{Context as _, Result, bail, ensure};

/// Longest line between chunks. A chunk's signature and a trailer take less than 200 bytes.
const LINE_BYTES_MAX: usize = 4_096;

/// Takes a framed body piece by piece and gives its content on.
#[derive(Debug)]
pub(super) struct Chunks {
    state: State,
    line: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the line that begins a chunk.
    Size,
    /// So many bytes of the chunk are still to come.
    Data(u64),
    /// In the line end after a chunk's bytes.
    AfterData,
    /// In the lines after the last chunk; an empty one ends the body.
    Trailer,
    Done,
}

impl Chunks {
    pub(super) fn new() -> Chunks {
        Chunks {
            state: State::Size,
            line: Vec::new(),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Reads `input` as far as the body goes and says how many bytes that were.
    pub(super) fn feed(
        &mut self,
        input: &[u8],
        mut sink: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<usize> {
        let mut rest = input;
        while !rest.is_empty() && !self.is_done() {
            if let State::Data(left) = self.state {
                let length = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
                let (data, after) = rest.split_at(length);
                sink(data)?;
                rest = after;
                self.state = match left - data.len() as u64 {
                    0 => State::AfterData,
                    left => State::Data(left),
                };
                continue;
            }
            let (byte, after) = rest.split_first().expect("the rest is not empty");
            rest = after;
            if *byte == b'\n' {
                self.end_line()?;
            } else {
                ensure!(
                    self.line.len() < LINE_BYTES_MAX,
                    "a chunk's line is too long"
                );
                self.line.push(*byte);
            }
        }
        Ok(input.len() - rest.len())
    }

    fn end_line(&mut self) -> Result<()> {
        let line = self.line.trim_ascii();
        self.state = match self.state {
            State::Size => match chunk_size(line)? {
                0 => State::Trailer,
                size => State::Data(size),
            },
            State::AfterData if line.is_empty() => State::Size,
            State::AfterData => bail!("more bytes in a chunk than it said"),
            State::Trailer if line.is_empty() => State::Done,
            State::Trailer => State::Trailer,
            State::Data(_) | State::Done => unreachable!("no line is read in this state"),
        };
        self.line.clear();
        Ok(())
    }
}

/// `1f4;chunk-signature=...`.
fn chunk_size(line: &[u8]) -> Result<u64> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let digits = std::str::from_utf8(digits).context("a chunk's size is no text")?;
    u64::from_str_radix(digits.trim(), 16).with_context(|| format!("chunk size {digits:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] =
        b"5;chunk-signature=ab\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-crc64nvme:a\r\n\r\n";

    #[test]
    fn bodies_are_read_however_they_are_cut() {
        for cut in 1..BODY.len() {
            let mut chunks = Chunks::new();
            let mut content = Vec::new();
            for piece in BODY.chunks(cut) {
                let taken = chunks.feed(piece, |data| {
                    content.extend_from_slice(data);
                    Ok(())
                });
                assert_eq!(taken.unwrap(), piece.len());
            }
            assert!(chunks.is_done());
            assert_eq!(content, b"hello!");
        }
    }

    #[test]
    fn what_follows_the_body_is_left() {
        let mut chunks = Chunks::new();
        let input = [BODY, b"GET /"].concat();
        assert_eq!(chunks.feed(&input, |_| Ok(())).unwrap(), BODY.len());
    }

    #[test]
    fn framing_that_is_none_is_an_error() {
        for wrong in [&b"x\r\n"[..], b"1\r\nab\r\n", b"-1\r\n"] {
            assert!(Chunks::new().feed(wrong, |_| Ok(())).is_err());
        }
    }
}
