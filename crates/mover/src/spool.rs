//! What is too long for memory, on disk: queues of names, stacks of records and external
//! sorting.
//!
//! Files are unnamed (or deleted at once) in the system's temporary folder, so that nothing is left
//! behind whatever happens. All of it blocks: call it off the reactor.

pub(crate) mod entry_record;
mod names;
mod sorter;
mod stack;

pub(crate) use names::Names;
pub(crate) use sorter::{Record, Sorted, Sorter};
pub(crate) use stack::Stack;

use std::io::{self, Read, Write};

/// Longest field of a record, in bytes. Paths end well below it; a longer one is a broken file.
const FIELD_BYTES_MAX: u32 = 1 << 20;

/// Writes a field: its length in 32 bits, little-endian, then its bytes.
fn write_field(file: &mut impl Write, field: &[u8]) -> io::Result<()> {
    let length = u32::try_from(field.len())
        .ok()
        .filter(|length| *length <= FIELD_BYTES_MAX)
        .ok_or_else(|| io::Error::other("a name is longer than any path can be"))?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(field)
}

/// Reads what [`write_field`] wrote; `None` at the file's end.
fn read_field(file: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match file.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_le_bytes(length);
    if length > FIELD_BYTES_MAX {
        return Err(io::Error::from(io::ErrorKind::InvalidData));
    }
    let mut field = vec![0; usize::try_from(length).expect("32 bits fit in an address")];
    file.read_exact(&mut field)?;
    Ok(Some(field))
}
