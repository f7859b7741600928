//! An entry as bytes, for files that live no longer than the process.
//!
//! ```text
//! flags u8 · relative start u32 · size u64 · modified i128 ns (if flagged) ·
//! name · bucket · version id · ETag · storage class · checksum algorithm (fields; absent is empty)
//! flags: 1 in a store, 2 modified known, 4 delete marker
//! ```

use std::io::{self, Read};
use std::path::PathBuf;

use base::{BucketName, ByteCount, ChecksumAlgorithm, ETag, Key, VersionId};
use jiff::Timestamp;
use remote::types::StorageClass;

use super::{read_field, write_field};
use crate::entry::Entry;
use crate::location::{Location, ObjectLocation};

const IN_STORE: u8 = 1;
const MODIFIED: u8 = 2;
const DELETE_MARKER: u8 = 4;

/// The entry's bytes.
pub(crate) fn encode(entry: &Entry) -> Vec<u8> {
    let remote = entry.location.as_remote();
    let mut flags = 0;
    for (flag, set) in [
        (IN_STORE, remote.is_some()),
        (MODIFIED, entry.modified.is_some()),
        (DELETE_MARKER, entry.is_delete_marker),
    ] {
        flags |= if set { flag } else { 0 };
    }
    let start = u32::try_from(entry.relative_start).expect("a name is shorter than 4 GiB");
    let mut bytes = vec![flags];
    bytes.extend(start.to_le_bytes());
    bytes.extend(entry.size.0.to_le_bytes());
    if let Some(modified) = entry.modified {
        bytes.extend(modified.as_nanosecond().to_le_bytes());
    }
    let version = remote.and_then(|object| object.version_id.as_ref());
    for field in [
        entry.name(),
        remote.map_or("", |object| object.bucket.as_str()),
        version.map_or("", VersionId::as_str),
        entry.etag.as_ref().map_or("", ETag::as_str),
        entry
            .storage_class
            .as_ref()
            .map_or("", StorageClass::as_str),
        entry
            .checksum_algorithm
            .map_or("", ChecksumAlgorithm::as_str),
    ] {
        write_field(&mut bytes, field.as_bytes()).expect("memory takes names of any path's length");
    }
    bytes
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode(mut bytes: &[u8]) -> io::Result<Entry> {
    let [flags] = take(&mut bytes)?;
    let start = u32::from_le_bytes(take(&mut bytes)?);
    let size = u64::from_le_bytes(take(&mut bytes)?);
    let modified = if flags & MODIFIED == 0 {
        None
    } else {
        let nanoseconds = i128::from_le_bytes(take(&mut bytes)?);
        Some(Timestamp::from_nanosecond(nanoseconds).map_err(invalid)?)
    };
    let name = text(&mut bytes)?;
    let bucket = text(&mut bytes)?;
    let version = optional(text(&mut bytes)?);
    let etag = optional(text(&mut bytes)?);
    let class = optional(text(&mut bytes)?);
    let algorithm = text(&mut bytes)?;
    let location = if flags & IN_STORE == 0 {
        Location::Local(PathBuf::from(name))
    } else {
        Location::Remote(ObjectLocation {
            bucket: BucketName::new(bucket).map_err(invalid)?,
            key: Key::new(name).map_err(invalid)?,
            version_id: version.map(VersionId::new),
        })
    };
    Ok(Entry {
        location,
        relative_start: usize::try_from(start).map_err(invalid)?,
        size: ByteCount(size),
        modified,
        etag: etag.map(|etag| ETag::from_header(&etag)),
        storage_class: class.map(|class| StorageClass::from_name(&class)),
        checksum_algorithm: ChecksumAlgorithm::from_name(&algorithm),
        is_delete_marker: flags & DELETE_MARKER != 0,
    })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> io::Result<[u8; N]> {
    let mut taken = [0; N];
    bytes.read_exact(&mut taken)?;
    Ok(taken)
}

fn text(bytes: &mut &[u8]) -> io::Result<String> {
    let field = read_field(bytes)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    String::from_utf8(field).map_err(invalid)
}

fn optional(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_as_they_went() {
        let full = Entry {
            location: Location::Remote(ObjectLocation {
                bucket: BucketName::new("bucket").unwrap(),
                key: Key::new("a//b \u{1}ü").unwrap(),
                version_id: Some(VersionId::new("v1")),
            }),
            relative_start: 3,
            size: ByteCount(u64::MAX),
            modified: Some(Timestamp::new(-5, -7).unwrap()),
            etag: Some(ETag::from_header("\"x-2\"")),
            storage_class: Some(StorageClass::from_name("GLACIER")),
            checksum_algorithm: Some(ChecksumAlgorithm::Crc32c),
            is_delete_marker: true,
        };
        let bare = Entry {
            location: Location::Local("a/b".into()),
            relative_start: 0,
            size: ByteCount::ZERO,
            modified: None,
            etag: None,
            storage_class: None,
            checksum_algorithm: None,
            is_delete_marker: false,
        };
        for entry in [full, bare] {
            assert_eq!(decode(&encode(&entry)).unwrap(), entry);
        }
        assert!(decode(&[1, 2]).is_err());
    }
}
