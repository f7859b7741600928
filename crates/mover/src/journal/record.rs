//! Checksummed records, one after the other in a file.
//!
//! ```text
//! file:    magic "LHJOUR01" · record*
//! record:  payload length u32 · payload · CRC-64/NVME of length and payload u64
//! payload: fields of the record's own; integers little-endian, text as length u32 and bytes
//! ```
//!
//! Crash: a file ends where its first record does not fit its checksum; what a kill tore off is cut
//! away before anything is appended.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use base::Crc64Nvme;

/// What every file of records begins with.
pub(super) const MAGIC: [u8; 8] = *b"LHJOUR01";

/// Longest payload in bytes: a frontier with some thousands of the longest keys. A longer one is a
/// broken file.
const PAYLOAD_BYTES_MAX: u32 = 64 << 20;

/// A file of records, open at its end.
#[derive(Debug)]
pub(super) struct Appender {
    file: File,
    bytes: u64,
}

impl Appender {
    /// Makes an empty file, in the place of any other.
    pub(super) fn create(path: &Path) -> io::Result<Appender> {
        let mut file = File::create(path)?;
        file.write_all(&MAGIC)?;
        Ok(Appender {
            file,
            bytes: MAGIC.len() as u64,
        })
    }

    /// Opens a file to go on behind its last whole record, which ends at `end`.
    pub(super) fn resume(path: &Path, end: u64) -> io::Result<Appender> {
        if end < MAGIC.len() as u64 {
            return Appender::create(path);
        }
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        Ok(Appender { file, bytes: end })
    }

    /// Adds a record by one write(2): a process that is killed after it has it kept.
    pub(super) fn append(&mut self, payload: &[u8]) -> io::Result<()> {
        let mut record = Vec::with_capacity(payload.len() + 12);
        frame(payload, &mut record)?;
        self.file.write_all(&record)?;
        self.bytes += record.len() as u64;
        Ok(())
    }

    /// Another handle to the file, to flush it without holding up who writes.
    pub(super) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

/// Puts a payload between its length and its checksum.
pub(super) fn frame(payload: &[u8], record: &mut Vec<u8>) -> io::Result<()> {
    let length = u32::try_from(payload.len())
        .ok()
        .filter(|length| *length <= PAYLOAD_BYTES_MAX)
        .ok_or_else(|| io::Error::other("a record is longer than any may be"))?;
    let start = record.len();
    record.extend(length.to_le_bytes());
    record.extend(payload);
    let crc64 = Crc64Nvme::of(&record[start..]);
    record.extend(crc64.0.to_le_bytes());
    Ok(())
}

/// Reads a file's whole records in order.
#[derive(Debug)]
pub(super) struct Records {
    file: BufReader<File>,
    /// Bytes of the file so far that hold.
    end: u64,
    over: bool,
}

impl Records {
    /// Opens a file. One that does not begin as such files do has no records.
    pub(super) fn open(path: &Path) -> io::Result<Records> {
        let mut file = BufReader::new(File::open(path)?);
        let mut magic = [0; MAGIC.len()];
        let begins = read_whole(&mut file, &mut magic)? && magic == MAGIC;
        Ok(Records {
            file,
            end: if begins { MAGIC.len() as u64 } else { 0 },
            over: !begins,
        })
    }

    /// Where the last whole record that was read ends.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// The next whole record's payload; `None` behind the last one.
    pub(super) fn next_payload(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.over {
            return Ok(None);
        }
        let payload = self.read_one()?;
        match &payload {
            Some(payload) => self.end += payload.len() as u64 + 12,
            None => self.over = true,
        }
        Ok(payload)
    }

    fn read_one(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut length = [0; 4];
        if !read_whole(&mut self.file, &mut length)? {
            return Ok(None);
        }
        let count = u32::from_le_bytes(length);
        if count > PAYLOAD_BYTES_MAX {
            return Ok(None);
        }
        let mut payload = Vec::new();
        // Grows with what is there: a torn length must not cost its memory.
        let read = (&mut self.file)
            .take(u64::from(count))
            .read_to_end(&mut payload)?;
        let mut sum = [0; 8];
        if read as u64 != u64::from(count) || !read_whole(&mut self.file, &mut sum)? {
            return Ok(None);
        }
        let expected = Crc64Nvme::of(&length).then(Crc64Nvme::of(&payload), u64::from(count));
        Ok((expected.0 == u64::from_le_bytes(sum)).then_some(payload))
    }
}

/// Fills `bytes`; false where the file ends before.
fn read_whole(file: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes the fields of a payload.
#[derive(Debug, Default)]
pub(super) struct FieldWriter(Vec<u8>);

impl FieldWriter {
    /// A payload that begins with its kind.
    pub(super) fn of_kind(kind: u8) -> FieldWriter {
        FieldWriter(vec![kind])
    }

    pub(super) fn flag(&mut self, value: bool) -> &mut FieldWriter {
        self.byte(u8::from(value))
    }

    pub(super) fn byte(&mut self, value: u8) -> &mut FieldWriter {
        self.0.push(value);
        self
    }

    pub(super) fn number(&mut self, value: u64) -> &mut FieldWriter {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn signed(&mut self, value: i64) -> &mut FieldWriter {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn text(&mut self, value: &str) -> &mut FieldWriter {
        let length = u32::try_from(value.len()).expect("no text here is 4 GiB long");
        self.0.extend(length.to_le_bytes());
        self.0.extend(value.as_bytes());
        self
    }

    /// Absent, or there.
    pub(super) fn optional<T>(
        &mut self,
        value: Option<T>,
        write: impl FnOnce(&mut FieldWriter, T),
    ) -> &mut FieldWriter {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
        self
    }

    /// The payload.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Reads the fields of a payload in the order in which they were written. `None` is a payload that
/// a later version wrote, or nobody.
#[derive(Debug)]
pub(super) struct FieldReader<'a>(&'a [u8]);

impl<'a> FieldReader<'a> {
    pub(super) fn new(payload: &'a [u8]) -> FieldReader<'a> {
        FieldReader(payload)
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn signed(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let length = self.array().map(u32::from_le_bytes)?;
        let (text, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    pub(super) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut FieldReader<'a>) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.flag()? {
            read(self).map(Some)
        } else {
            Some(None)
        }
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn all(path: &Path) -> (Vec<Vec<u8>>, u64) {
        let mut records = Records::open(path).unwrap();
        let mut payloads = Vec::new();
        while let Some(payload) = records.next_payload().unwrap() {
            payloads.push(payload);
        }
        (payloads, records.end())
    }

    proptest! {
        // Each case cuts at every byte, on a disk.
        #![proptest_config(ProptestConfig::with_cases(12))]

        /// Cut anywhere, a file yields a prefix of its records, and takes more behind it.
        #[test]
        fn a_file_cut_at_any_byte_yields_a_prefix_and_goes_on(
            payloads in vec(vec(any::<u8>(), 0..20), 0..5), more in vec(any::<u8>(), 0..20),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("log");
            let mut file = Appender::create(&path).unwrap();
            for payload in &payloads {
                file.append(payload).unwrap();
            }
            let whole = std::fs::read(&path).unwrap();
            prop_assert_eq!(whole.len() as u64, file.bytes);
            for cut in 0..=whole.len() {
                std::fs::write(&path, &whole[..cut]).unwrap();
                let (read, end) = all(&path);
                prop_assert!(payloads.starts_with(&read));
                let mut file = Appender::resume(&path, end).unwrap();
                file.append(&more).unwrap();
                let (again, _) = all(&path);
                prop_assert_eq!(&again[..read.len()], &read[..]);
                prop_assert_eq!(&again[read.len()..], std::slice::from_ref(&more));
            }
        }

        /// A changed byte ends the file before the record that it is in.
        #[test]
        fn a_changed_byte_is_never_read(
            payloads in vec(vec(any::<u8>(), 0..20), 1..4), at in any::<u32>(), flip in 1_u8..,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("log");
            let mut file = Appender::create(&path).unwrap();
            for payload in &payloads {
                file.append(payload).unwrap();
            }
            let mut bytes = std::fs::read(&path).unwrap();
            let at = at as usize % bytes.len();
            bytes[at] ^= flip;
            std::fs::write(&path, bytes).unwrap();
            let (read, _) = all(&path);
            prop_assert!(read.len() < payloads.len() && payloads.starts_with(&read));
        }
    }

    #[test]
    fn fields_come_back_as_they_went_and_short_payloads_are_none() {
        let mut fields = FieldWriter::of_kind(7);
        fields.number(u64::MAX).signed(-5).text("ü/\n").flag(true);
        fields.optional(Some("x"), |fields, text| {
            fields.text(text);
        });
        fields.optional(None::<u64>, |fields, number| {
            fields.number(number);
        });
        let read = |bytes: &[u8]| -> Option<()> {
            let mut fields = FieldReader::new(bytes);
            let all = (fields.byte()?, fields.number()?, fields.signed()?);
            assert_eq!(all, (7, u64::MAX, -5));
            assert_eq!((fields.text()?, fields.flag()?), ("ü/\n", true));
            assert_eq!(fields.optional(|f| f.text())?, Some("x"));
            assert_eq!(fields.optional(|f| f.number())?, None);
            Some(())
        };
        let bytes = fields.bytes();
        assert!(read(bytes).is_some());
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_none());
        }
    }
}
