//! Multipart uploads and copies.

use base::ids::PartNumber;
use base::{ByteCount, Checksum, ETag, UploadId};

use super::InvalidXml;
use super::scanner::{Element, Scanner};
use super::value::{self, KeyEncoding};
use super::writer::Writer;
use crate::types::{ListedPart, PartPage, UploadPage, UploadSummary};

/// ETag and checksum of something that was copied or completed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CopyResult {
    pub(crate) etag: Option<ETag>,
    pub(crate) checksum: Option<Checksum>,
}

/// Reads the id that CreateMultipartUpload answers.
pub(crate) fn parse_created(document: &[u8]) -> Result<UploadId, InvalidXml> {
    // The second name is rclone's.
    let expected = ["InitiateMultipartUploadResult", "InitiateMultipartUpload"];
    let (mut scanner, root) = Scanner::root(document, &expected)?;
    let mut upload_id = None;
    while let Some(child) = scanner.child(&root)? {
        match child.local() {
            "UploadId" => upload_id = Some(scanner.text(&child)?.into_owned()),
            _ => scanner.skip(&child)?,
        }
    }
    scanner.finish()?;
    upload_id
        .filter(|id| !id.is_empty())
        .map(UploadId::new)
        .ok_or(InvalidXml::Missing("UploadId"))
}

/// Reads the answer of CompleteMultipartUpload.
pub(crate) fn parse_completed(document: &[u8]) -> Result<CopyResult, InvalidXml> {
    result(document, &["CompleteMultipartUploadResult"])
}

/// Reads the answer of CopyObject or UploadPartCopy.
pub(crate) fn parse_copy(document: &[u8]) -> Result<CopyResult, InvalidXml> {
    result(document, &["CopyObjectResult", "CopyPartResult"])
}

fn result(document: &[u8], expected: &[&'static str]) -> Result<CopyResult, InvalidXml> {
    let (mut scanner, root) = Scanner::root(document, expected)?;
    let mut result = CopyResult::default();
    while let Some(child) = scanner.child(&root)? {
        match child.local() {
            "ETag" => result.etag = value::etag(scanner.leaf(&child)?)?,
            name if name.starts_with("Checksum") => {
                let checksum = value::checksum(name, &scanner.text(&child)?);
                result.checksum = preferred(result.checksum, checksum);
            }
            _ => scanner.skip(&child)?,
        }
    }
    scanner.finish()?;
    Ok(result)
}

/// The one to keep where a store says several: the house's own first.
fn preferred(kept: Option<Checksum>, found: Option<Checksum>) -> Option<Checksum> {
    match (kept, found) {
        (Some(kept), Some(found)) if found.algorithm < kept.algorithm => Some(found),
        (Some(kept), _) => Some(kept),
        (None, found) => found,
    }
}

/// Reads a page of ListParts that was asked for after `after`.
pub(crate) fn parse_parts(
    document: &[u8],
    after: Option<PartNumber>,
) -> Result<PartPage, InvalidXml> {
    // The second name is moto's.
    let expected = ["ListPartsResult", "ListPartsResponse"];
    let (mut scanner, root) = Scanner::root(document, &expected)?;
    let mut page = PartPage::default();
    let mut is_truncated = false;
    let mut marker = None;
    while let Some(child) = scanner.child(&root)? {
        match child.local() {
            "Part" => page.parts.push(part(&mut scanner, &child)?),
            "IsTruncated" => is_truncated = value::is_true(&scanner.text(&child)?),
            "ChecksumAlgorithm" => {
                let name = scanner.text(&child)?.trim().to_owned();
                page.checksum_algorithm = Some(name).filter(|name| !name.is_empty());
            }
            "NextPartNumberMarker" => marker = scanner.text(&child)?.trim().parse().ok(),
            _ => scanner.skip(&child)?,
        }
    }
    scanner.finish()?;
    if is_truncated {
        let last = page.parts.last().map(|part| part.part_number);
        let next = marker.and_then(PartNumber::new).or(last);
        // A marker that does not move on would ask for the same page for ever.
        page.next_after = Some(
            next.filter(|next| Some(*next) > after)
                .ok_or(InvalidXml::NoToken)?,
        );
    }
    Ok(page)
}

fn part(scanner: &mut Scanner<'_>, element: &Element<'_>) -> Result<ListedPart, InvalidXml> {
    let mut number = None;
    let mut size = None;
    let mut etag = None;
    let mut checksum = None;
    while let Some(child) = scanner.child(element)? {
        match child.local() {
            "PartNumber" => {
                number = Some(value::number::<u32>("PartNumber", scanner.leaf(&child)?)?)
            }
            "Size" => size = Some(value::number("Size", scanner.leaf(&child)?)?),
            "ETag" => etag = value::etag(scanner.leaf(&child)?)?,
            name if name.starts_with("Checksum") => {
                checksum = preferred(checksum, value::checksum(name, &scanner.text(&child)?));
            }
            _ => scanner.skip(&child)?,
        }
    }
    let number = number.ok_or(InvalidXml::Missing("PartNumber"))?;
    Ok(ListedPart {
        part_number: PartNumber::new(number).ok_or_else(|| InvalidXml::Number {
            element: "PartNumber",
            text: number.to_string(),
        })?,
        size: ByteCount(size.ok_or(InvalidXml::Missing("Size"))?),
        etag: etag.ok_or(InvalidXml::Missing("ETag"))?,
        checksum,
    })
}

/// Reads a page of ListMultipartUploads.
pub(crate) fn parse_uploads(document: &[u8]) -> Result<UploadPage, InvalidXml> {
    let (mut scanner, root) = Scanner::root(document, &["ListMultipartUploadsResult"])?;
    let encoding = KeyEncoding::ahead(scanner.clone(), &root)?;
    let mut page = UploadPage::default();
    let mut is_truncated = false;
    let mut key_marker = None;
    let mut upload_marker = None;
    while let Some(child) = scanner.child(&root)? {
        match child.local() {
            "Upload" => page.uploads.push(upload(&mut scanner, &child, encoding)?),
            "IsTruncated" => is_truncated = value::is_true(&scanner.text(&child)?),
            "NextKeyMarker" => {
                key_marker = Some(encoding.decode(scanner.text(&child)?)?.into_owned());
            }
            "NextUploadIdMarker" => upload_marker = Some(scanner.text(&child)?.into_owned()),
            _ => scanner.skip(&child)?,
        }
    }
    scanner.finish()?;
    if is_truncated {
        let key = key_marker.filter(|key| !key.is_empty());
        let key = key.ok_or(InvalidXml::NoToken)?;
        page.next_after = Some((key, upload_marker.unwrap_or_default()));
    }
    Ok(page)
}

fn upload(
    scanner: &mut Scanner<'_>,
    element: &Element<'_>,
    encoding: KeyEncoding,
) -> Result<UploadSummary, InvalidXml> {
    let mut key = None;
    let mut upload_id = None;
    let mut initiated = None;
    while let Some(child) = scanner.child(element)? {
        match child.local() {
            "Key" => key = Some(encoding.key(scanner.leaf(&child)?)?),
            "UploadId" => upload_id = Some(scanner.text(&child)?.into_owned()),
            "Initiated" => initiated = value::timestamp(&scanner.text(&child)?),
            _ => scanner.skip(&child)?,
        }
    }
    Ok(UploadSummary {
        key: key.ok_or(InvalidXml::Missing("Key"))?,
        upload_id: UploadId::new(upload_id.ok_or(InvalidXml::Missing("UploadId"))?),
        initiated,
    })
}

/// Writes the body of CompleteMultipartUpload.
pub(crate) fn write_completed(parts: &[(PartNumber, ETag, Option<Checksum>)]) -> String {
    let mut writer = Writer::new("CompleteMultipartUpload");
    for (number, etag, checksum) in parts {
        writer.open("Part");
        if let Some(checksum) = checksum {
            let element = format!("Checksum{}", checksum.algorithm.as_str());
            writer.leaf(&element, &checksum.value);
        }
        writer.leaf("ETag", &etag.quoted());
        writer.leaf("PartNumber", &number.to_string());
        writer.close("Part");
    }
    writer.finish()
}
