//! Whether what arrived is what left, by the strongest means that both sides share. Pure.
//!
//! Each function looks at what an answer said and either knows (equal, or an
//! [`Error::Mismatch`]), or says what would have to be asked. A store's ETag is taken for an MD5
//! only where the answer says how the object is encrypted.

use base::checksum::ChecksumType;
use base::{ByteCount, Checksum, ChecksumAlgorithm, Crc64Nvme, ETag};
use md5::{Digest as _, Md5};
use remote::payload::UploadCheck;
use remote::types::{ObjectHead, PutObjectOutput, ServerSideEncryption, UploadedPart};

use crate::error::{Error, Result};
use crate::event::Verified;

/// An MD5, as S3's ETags hold it.
pub(crate) type Md5Value = [u8; 16];

/// What an answer to an upload leaves open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Nothing.
    Known(Verified),
    /// The bytes sent must have this MD5.
    CompareMd5(Md5Value),
    /// The store said nothing to compare with: ask HEAD for the size at least.
    Ask,
}

/// How a downloaded object can be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Means {
    /// Against the stored full-object checksum.
    Crc64(Crc64Nvme),
    /// Against the stored full-object checksum of another algorithm.
    Checksum(Checksum),
    /// Against the MD5 that the ETag is.
    Md5(Md5Value),
    /// Against the checksum of the parts' checksums, if a guess at their size is right.
    Composite(Checksum),
    /// Against the ETag of a multipart upload, if a guess at its part size is right.
    MultipartETag(ETag),
    /// By size alone.
    Size,
}

/// What a PUT's answer says of the bytes, of which `sent` is the checksum where it is known.
pub(crate) fn put(
    what: &str,
    sent: Option<Crc64Nvme>,
    output: &PutObjectOutput,
) -> Result<Arrival> {
    let answered = output.checksum.as_ref().and_then(Checksum::as_crc64nvme);
    if let Some(known) = checked(what, sent, output.check, answered)? {
        return Ok(Arrival::Known(known));
    }
    let md5 = output.etag.as_ref().and_then(ETag::as_md5);
    Ok(match md5 {
        Some(md5) if keeps_md5(&output.encryption) => Arrival::CompareMd5(md5),
        _ => Arrival::Ask,
    })
}

/// What a part's answer says of its bytes. A part's answer says nothing of encryption, so an MD5
/// that differs is not yet a difference: see [`assembled`].
pub(crate) fn part(what: &str, sent: Option<Crc64Nvme>, output: &UploadedPart) -> Result<Arrival> {
    let answered = output.checksum.as_ref().and_then(Checksum::as_crc64nvme);
    if let Some(known) = checked(what, sent, output.check, answered)? {
        return Ok(Arrival::Known(known));
    }
    Ok(output
        .etag
        .as_md5()
        .map_or(Arrival::Ask, Arrival::CompareMd5))
}

/// What the store compared for us, or answered for us to compare.
fn checked(
    what: &str,
    sent: Option<Crc64Nvme>,
    check: UploadCheck,
    answered: Option<Crc64Nvme>,
) -> Result<Option<Verified>> {
    let compared = match check {
        UploadCheck::ChecksumHeader(crc64) => Some(crc64),
        UploadCheck::PayloadSignature | UploadCheck::None => None,
    };
    if let (Some(sent), Some(other)) = (sent, answered.or(compared)) {
        equal_checksums(what, sent, other)?;
        return Ok(Some(Verified::Checksum(Checksum::crc64nvme(sent))));
    }
    Ok(match check {
        UploadCheck::ChecksumHeader(crc64) => Some(Verified::Checksum(Checksum::crc64nvme(crc64))),
        UploadCheck::PayloadSignature => Some(Verified::PayloadSignature),
        UploadCheck::None => None,
    })
}

/// A part that a store holds, as far as a multipart upload's end is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartSeal {
    /// Its number of bytes.
    pub(crate) size: ByteCount,
    /// Its checksum, where it was computed.
    pub(crate) crc64: Option<Crc64Nvme>,
    /// The ETag that the store gave it.
    pub(crate) etag: ETag,
    /// How it was checked; none if an MD5 differed or there was nothing to compare.
    pub(crate) verified: Option<Verified>,
    /// Whether its ETag looks like an MD5 and differs from that of the bytes sent.
    pub(crate) suspect: bool,
}

/// The whole object's checksum, where every part's is known.
pub(crate) fn combined(parts: &[PartSeal]) -> Option<Crc64Nvme> {
    parts.iter().try_fold(Crc64Nvme::EMPTY, |whole, part| {
        Some(whole.then(part.crc64?, part.size.0))
    })
}

/// The ETag that S3 gives an object made of these parts, where their ETags are MD5s.
pub(crate) fn multipart_etag<'a>(parts: impl Iterator<Item = &'a ETag>) -> Option<ETag> {
    let mut hasher = Md5::new();
    let mut count = 0_u32;
    for etag in parts {
        hasher.update(etag.as_md5()?);
        count += 1;
    }
    let digest: Md5Value = hasher.finalize().into();
    Some(ETag::from_header(&format!(
        "{}-{count}",
        hex::encode(digest)
    )))
}

/// What is known of an object made from `parts` once the store said that it stands; `None` if
/// HEAD must be asked. `store_compared` says that the store got the whole's checksum to compare.
pub(crate) fn assembled(
    what: &str,
    parts: &[PartSeal],
    etag: Option<&ETag>,
    answered: Option<&Checksum>,
    store_compared: bool,
) -> Result<Option<Verified>> {
    let whole = combined(parts);
    if let (Some(whole), Some(answered)) = (whole, answered.and_then(Checksum::as_crc64nvme)) {
        equal_checksums(what, whole, answered)?;
        return Ok(Some(Verified::Checksum(Checksum::crc64nvme(whole))));
    }
    let weakest = weakest(parts);
    if let (true, Some(whole), Some(_)) = (store_compared, whole, &weakest) {
        return Ok(Some(Verified::Checksum(Checksum::crc64nvme(whole))));
    }
    // Each part was checked; the whole's ETag says that it is made of exactly those.
    let expected = multipart_etag(parts.iter().map(|part| &part.etag));
    Ok(match (expected, etag) {
        (Some(expected), Some(etag)) if expected == *etag => weakest,
        _ => None,
    })
}

/// How firmly bytes were compared, to tell the weaker of two means.
fn strength(verified: &Verified) -> u8 {
    match verified {
        Verified::Checksum(_) => 4,
        Verified::PayloadSignature => 3,
        Verified::ETag => 2,
        Verified::ServerSide => 1,
        Verified::SizeOnly => 0,
    }
}

/// What is known of bytes that were compared twice on their way, by `one` and then by `other`.
pub(crate) fn weaker(one: Verified, other: Verified) -> Verified {
    if strength(&other) < strength(&one) {
        other
    } else {
        one
    }
}

/// The means by which all parts were checked: the weakest of them, none if one was not.
fn weakest(parts: &[PartSeal]) -> Option<Verified> {
    let mut weakest: Option<&Verified> = None;
    for part in parts {
        let verified = part.verified.as_ref()?;
        if weakest.is_none_or(|so_far| strength(verified) < strength(so_far)) {
            weakest = Some(verified);
        }
    }
    match weakest? {
        // A part's checksum is not the whole's.
        Verified::Checksum(_) => Some(Verified::ETag),
        other => Some(other.clone()),
    }
}

/// What a HEAD says of an object that was just made from `parts`.
pub(crate) fn assembled_head(
    what: &str,
    parts: &[PartSeal],
    head: &ObjectHead,
) -> Result<Verified> {
    equal_sizes(what, parts.iter().map(|part| part.size).sum(), head.size)?;
    if let (Some(whole), Some(stored)) = (combined(parts), head.crc64nvme()) {
        equal_checksums(what, whole, stored)?;
        return Ok(Verified::Checksum(Checksum::crc64nvme(whole)));
    }
    if keeps_md5(&head.attributes.encryption)
        && !head.customer_encrypted
        && let Some(part) = parts.iter().find(|part| part.suspect)
    {
        return Err(Error::Mismatch {
            what: format!("MD5 of a part of {what}"),
            expected: "that of the bytes sent".to_owned(),
            actual: part.etag.to_string(),
        });
    }
    let expected = multipart_etag(parts.iter().map(|part| &part.etag));
    if expected.is_some() && expected == head.etag {
        return Ok(weakest(parts).unwrap_or(Verified::SizeOnly));
    }
    Ok(Verified::SizeOnly)
}

/// Whether an object that stands where an upload vanished is that upload's: the first Complete
/// had arrived and only its answer was lost. Size alone proves nothing here.
pub(crate) fn is_our_upload(parts: &[PartSeal], head: &ObjectHead) -> bool {
    let size: ByteCount = parts.iter().map(|part| part.size).sum();
    if size != head.size {
        return false;
    }
    if let (Some(whole), Some(stored)) = (combined(parts), head.crc64nvme()) {
        return whole == stored;
    }
    let expected = multipart_etag(parts.iter().map(|part| &part.etag));
    expected.is_some() && expected == head.etag
}

/// What a HEAD says of an object that one PUT made.
pub(crate) fn put_head(
    what: &str,
    size: ByteCount,
    sent: Option<Crc64Nvme>,
    head: &ObjectHead,
) -> Result<Verified> {
    equal_sizes(what, size, head.size)?;
    if let (Some(sent), Some(stored)) = (sent, head.crc64nvme()) {
        equal_checksums(what, sent, stored)?;
        return Ok(Verified::Checksum(Checksum::crc64nvme(sent)));
    }
    Ok(Verified::SizeOnly)
}

/// How an object whose head this is can be checked after it was read.
pub(crate) fn means(head: &ObjectHead) -> Means {
    if let Some(crc64) = head.crc64nvme() {
        return Means::Crc64(crc64);
    }
    let in_parts = head
        .etag
        .as_ref()
        .is_some_and(|etag| etag.part_count().is_some());
    // Digests do not combine: of an upload in parts, no store can have one of the whole.
    let is_full = |checksum: &&Checksum| {
        checksum.checksum_type == ChecksumType::FullObject
            && checksum.algorithm != ChecksumAlgorithm::Crc64Nvme
            && (checksum.algorithm.combines() || !in_parts)
    };
    if let Some(checksum) = head.checksums.iter().find(is_full) {
        return Means::Checksum(checksum.clone());
    }
    if let Some(md5) = head.md5() {
        return Means::Md5(md5);
    }
    let is_composite = |checksum: &&Checksum| {
        checksum.checksum_type == ChecksumType::Composite && checksum.part_count().is_some()
    };
    if let Some(checksum) = head.checksums.iter().find(is_composite) {
        return Means::Composite(checksum.clone());
    }
    let plain = keeps_md5(&head.attributes.encryption) && !head.customer_encrypted;
    match &head.etag {
        Some(etag) if plain && etag.part_count().is_some() => Means::MultipartETag(etag.clone()),
        _ => Means::Size,
    }
}

/// What source and copy say of each other, where that settles it. `copy` is a HEAD of the copy.
pub(crate) fn copied(what: &str, source: &ObjectHead, copy: &ObjectHead) -> Result<Verified> {
    equal_sizes(what, source.size, copy.size)?;
    for checksum in &source.checksums {
        let same_kind = |other: &&Checksum| {
            other.algorithm == checksum.algorithm && other.checksum_type == checksum.checksum_type
        };
        let full = checksum.checksum_type == ChecksumType::FullObject;
        match copy.checksums.iter().find(same_kind) {
            Some(other) if other == checksum => return Ok(Verified::ServerSide),
            // Composite ones differ when the parts do.
            Some(other) if full => {
                return Err(Error::Mismatch {
                    what: format!("checksum of {what}"),
                    expected: checksum.value.clone(),
                    actual: other.value.clone(),
                });
            }
            Some(_) | None => {}
        }
    }
    if let (Some(source), Some(copy)) = (source.md5(), copy.md5()) {
        equal_md5(what, source, copy)?;
        return Ok(Verified::ServerSide);
    }
    if source.etag.is_some() && source.etag == copy.etag {
        return Ok(Verified::ServerSide);
    }
    Ok(Verified::SizeOnly)
}

/// Whether an ETag under this encryption is an MD5.
pub(crate) fn keeps_md5(encryption: &ServerSideEncryption) -> bool {
    encryption
        .algorithm
        .as_deref()
        .is_none_or(|algorithm| algorithm == "AES256")
}

/// Compares checksums.
pub(crate) fn equal_checksums(what: &str, expected: Crc64Nvme, actual: Crc64Nvme) -> Result<()> {
    if expected == actual {
        return Ok(());
    }
    Err(Error::Mismatch {
        what: format!("checksum of {what}"),
        expected: expected.to_base64(),
        actual: actual.to_base64(),
    })
}

/// Compares the checksum that a store keeps with that of the bytes.
pub(crate) fn equal_to_stored(
    what: &str,
    stored: &Checksum,
    actual: &Checksum,
) -> Result<Verified> {
    if stored == actual {
        return Ok(Verified::Checksum(stored.clone()));
    }
    Err(Error::Mismatch {
        what: format!("{} of {what}", stored.algorithm.as_str()),
        expected: stored.value.clone(),
        actual: actual.value.clone(),
    })
}

/// Compares MD5s.
pub(crate) fn equal_md5(what: &str, expected: Md5Value, actual: Md5Value) -> Result<()> {
    if expected == actual {
        return Ok(());
    }
    Err(Error::Mismatch {
        what: format!("MD5 of {what}"),
        expected: hex::encode(expected),
        actual: hex::encode(actual),
    })
}

/// Compares sizes.
pub(crate) fn equal_sizes(what: &str, expected: ByteCount, actual: ByteCount) -> Result<()> {
    if expected == actual {
        return Ok(());
    }
    Err(Error::Mismatch {
        what: format!("size of {what}"),
        expected: format!("{} bytes", expected.0),
        actual: format!("{} bytes", actual.0),
    })
}
