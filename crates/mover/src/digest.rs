//! Digests of files, for what a store says of objects besides their CRC-64/NVME.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use base::checksum::{ChecksumHasher, ChecksumValue, Crc64Hasher};
use base::{ByteCount, Checksum, ChecksumAlgorithm, Crc64Nvme, ETag};
use md5::{Digest as _, Md5};

use crate::error::{Error, Result};
use crate::plan::Parts;
use crate::verify::{self, Md5Value};

/// Bytes read at once. Large enough that system calls do not show beside MD5's 0.7 GB/s.
pub(crate) const READ_BYTES: usize = 256 << 10;

/// The MD5 of a range of `file`. Blocks; call it off the reactor.
pub(crate) fn md5_of_file(file: &File, offset: u64, length: ByteCount) -> Result<Md5Value> {
    let mut hasher = Md5::new();
    read(file, offset, length, |bytes| hasher.update(bytes))?;
    Ok(hasher.finalize().into())
}

/// The checksum of a range of `file`. Blocks; call it off the reactor.
pub(crate) fn checksum_of_file(
    algorithm: ChecksumAlgorithm,
    file: &File,
    offset: u64,
    length: ByteCount,
) -> Result<ChecksumValue> {
    let mut hasher = ChecksumHasher::new(algorithm);
    read(file, offset, length, |bytes| hasher.update(bytes))?;
    Ok(hasher.finish())
}

/// The CRC-64/NVME of a range of `file`. Blocks; call it off the reactor.
pub(crate) fn crc64_of_file(file: &File, offset: u64, length: ByteCount) -> Result<Crc64Nvme> {
    let mut hasher = Crc64Hasher::new();
    read(file, offset, length, |bytes| hasher.update(bytes))?;
    Ok(hasher.finish())
}

/// Hands a range of `file` to `take`, in order. Blocks; call it off the reactor.
pub(crate) fn read(
    file: &File,
    offset: u64,
    length: ByteCount,
    mut take: impl FnMut(&[u8]),
) -> Result<()> {
    let mut buffer = vec![0; READ_BYTES];
    let mut position = offset;
    let end = offset + length.0;
    while position < end {
        let wanted = usize::try_from(end - position).unwrap_or(usize::MAX);
        let space = &mut buffer[..wanted.min(READ_BYTES)];
        match file.read_at(space, position) {
            Ok(0) => return Err(Error::Changed("the file being sent".to_owned())),
            Ok(count) => {
                take(&space[..count]);
                position += count as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::local("read", "the open file")(error)),
        }
    }
    Ok(())
}

/// Whether `file` has this composite checksum, under any of the part sizes that it may have been
/// uploaded in. `false` proves nothing. Blocks; reads the file once a guess.
pub(crate) fn has_composite(file: &File, size: ByteCount, stored: &Checksum) -> Result<bool> {
    for parts in layouts(stored, size) {
        let values: Result<Vec<ChecksumValue>> = (0..parts.count())
            .map(|index| {
                let range = parts.range(index);
                checksum_of_file(stored.algorithm, file, range.offset, range.length)
            })
            .collect();
        if ChecksumValue::composite(&values?).as_ref() == Some(stored) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// As [`has_composite`], of bytes in memory.
pub(crate) fn bytes_have_composite(bytes: &[u8], stored: &Checksum) -> bool {
    let size = ByteCount(bytes.len() as u64);
    layouts(stored, size).iter().any(|parts| {
        let values: Vec<ChecksumValue> = pieces(bytes, parts)
            .map(|piece| ChecksumValue::of(stored.algorithm, piece))
            .collect();
        ChecksumValue::composite(&values).as_ref() == Some(stored)
    })
}

fn layouts(stored: &Checksum, size: ByteCount) -> Vec<Parts> {
    let count = stored.part_count();
    count.map_or_else(Vec::new, |count| crate::plan::part_sizes(count, size))
}

fn pieces<'a>(bytes: &'a [u8], parts: &Parts) -> std::slice::Chunks<'a, u8> {
    bytes.chunks(usize::try_from(parts.part_size().0).unwrap_or(usize::MAX))
}

/// Whether `file` has the ETag of a multipart upload, under any of the part sizes that it may
/// have had. `false` proves nothing. Blocks; reads the file once a guess.
pub(crate) fn has_multipart_etag(file: &File, size: ByteCount, etag: &ETag) -> Result<bool> {
    for parts in crate::plan::part_sizes_of(etag, size) {
        if etag_under(file, &parts)? == *etag {
            return Ok(true);
        }
    }
    Ok(false)
}

/// As [`has_multipart_etag`], of bytes in memory.
pub(crate) fn bytes_have_multipart_etag(bytes: &[u8], etag: &ETag) -> bool {
    let size = ByteCount(bytes.len() as u64);
    crate::plan::part_sizes_of(etag, size).iter().any(|parts| {
        let etags: Vec<ETag> = pieces(bytes, parts)
            .map(|piece| ETag::from_header(&hex::encode(Md5::digest(piece))))
            .collect();
        verify::multipart_etag(etags.iter()).as_ref() == Some(etag)
    })
}

fn etag_under(file: &File, parts: &Parts) -> Result<ETag> {
    let mut etags = Vec::new();
    for index in 0..parts.count() {
        let range = parts.range(index);
        let md5 = md5_of_file(file, range.offset, range.length)?;
        etags.push(ETag::from_header(&hex::encode(md5)));
    }
    Ok(verify::multipart_etag(etags.iter()).expect("each is an MD5 in hex"))
}
