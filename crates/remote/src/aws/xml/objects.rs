//! ListObjects and ListObjectsV2: the hot path of every listing.

use base::{ByteCount, ChecksumAlgorithm, Key};

use super::InvalidXml;
use super::scanner::{Element, Scanner};
use super::value::{self, KeyEncoding};
use crate::types::{ContinuationToken, ListPage, ListedObject, StorageClass};

/// Bytes of a document per key, at least in most: only sizes the first allocation.
const BYTES_PER_KEY: usize = 256;

/// Which of the two listings a document answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListVersion {
    /// ListObjects: the next page begins at a marker.
    V1,
    /// ListObjectsV2: the next page begins at a token.
    V2,
}

/// Reads a page of either listing.
pub(crate) fn parse_objects(document: &[u8], version: ListVersion) -> Result<ListPage, InvalidXml> {
    let (mut scanner, root) = Scanner::root(document, &["ListBucketResult"])?;
    let mut page = ListPage {
        objects: Vec::with_capacity(document.len() / BYTES_PER_KEY),
        ..ListPage::default()
    };
    let mut encoding = None;
    let mut is_truncated = None;
    let mut token = None;
    let mut marker = None;
    loop {
        let before = scanner.clone();
        let Some(child) = scanner.child(&root)? else {
            break;
        };
        let name = child.local();
        if encoding.is_none() && matches!(name, "Contents" | "CommonPrefixes" | "NextMarker") {
            encoding = Some(KeyEncoding::ahead(before, &root)?);
        }
        let decoding = encoding.unwrap_or(KeyEncoding::Plain);
        match name {
            "Contents" => page.objects.push(contents(&mut scanner, &child, decoding)?),
            "CommonPrefixes" => common_prefixes(&mut scanner, &child, decoding, &mut page)?,
            "EncodingType" => encoding = Some(KeyEncoding::from_text(&scanner.text(&child)?)),
            "IsTruncated" => is_truncated = Some(value::is_true(&scanner.text(&child)?)),
            "NextContinuationToken" => token = Some(scanner.text(&child)?.into_owned()),
            "NextMarker" => marker = Some(decoding.decode(scanner.text(&child)?)?.into_owned()),
            _ => scanner.skip(&child)?,
        }
    }
    scanner.finish()?;
    let next = match version {
        ListVersion::V2 => token,
        ListVersion::V1 => marker,
    };
    let next = next.filter(|next| !next.is_empty());
    page.next = match (is_truncated, next, version) {
        (Some(false), _, _) | (None, None, _) => None,
        (_, Some(next), _) => Some(ContinuationToken(next)),
        // S3 gives a marker only with a delimiter; else the last row is the marker.
        (Some(true), None, ListVersion::V1) => Some(last_row(&page).ok_or(InvalidXml::NoToken)?),
        (Some(true), None, ListVersion::V2) => return Err(InvalidXml::NoToken),
    };
    Ok(page)
}

fn last_row(page: &ListPage) -> Option<ContinuationToken> {
    let key = page.objects.last().map(|object| object.key.as_str());
    let prefix = page.common_prefixes.last().map(String::as_str);
    key.max(prefix).map(|row| ContinuationToken(row.to_owned()))
}

/// Reads `CommonPrefixes`, which may hold several.
pub(super) fn common_prefixes(
    scanner: &mut Scanner<'_>,
    element: &Element<'_>,
    encoding: KeyEncoding,
    page: &mut ListPage,
) -> Result<(), InvalidXml> {
    while let Some(child) = scanner.child(element)? {
        match child.local() {
            "Prefix" => {
                let prefix = encoding.decode(scanner.text(&child)?)?;
                page.common_prefixes.push(prefix.into_owned());
            }
            _ => scanner.skip(&child)?,
        }
    }
    Ok(())
}

fn contents(
    scanner: &mut Scanner<'_>,
    element: &Element<'_>,
    encoding: KeyEncoding,
) -> Result<ListedObject, InvalidXml> {
    let mut row = RowFields::default();
    row.take_as_s3_writes(scanner, encoding)?;
    while let Some(child) = scanner.child(element)? {
        row.take(scanner, &child, encoding)?;
    }
    row.into_object(true)
}

/// The fields that rows of every listing share.
#[derive(Debug, Default)]
pub(super) struct RowFields {
    key: Option<Key>,
    size: Option<u64>,
    last_modified: Option<jiff::Timestamp>,
    etag: Option<base::ETag>,
    storage_class: Option<StorageClass>,
    checksum_algorithm: Option<ChecksumAlgorithm>,
}

impl RowFields {
    /// Takes the children that stand in S3's order, spelt as S3 spells them. What is written in
    /// another way is left for [`take`](Self::take).
    fn take_as_s3_writes(
        &mut self,
        scanner: &mut Scanner<'_>,
        encoding: KeyEncoding,
    ) -> Result<(), InvalidXml> {
        if let Some(leaf) = scanner.plain_leaf(b"<Key>", b"</Key>") {
            self.key = Some(encoding.key(leaf)?);
        }
        if let Some(leaf) = scanner.plain_leaf(b"<LastModified>", b"</LastModified>") {
            self.last_modified = value::timestamp(&leaf.text()?);
        }
        if let Some(leaf) = scanner.plain_leaf(b"<ETag>", b"</ETag>") {
            self.etag = value::etag(leaf)?;
        }
        while let Some(leaf) = scanner.plain_leaf(b"<ChecksumAlgorithm>", b"</ChecksumAlgorithm>") {
            self.take_checksum_algorithm(&leaf.text()?);
        }
        let _ = scanner.plain_leaf(b"<ChecksumType>", b"</ChecksumType>");
        if let Some(leaf) = scanner.plain_leaf(b"<Size>", b"</Size>") {
            self.size = Some(value::number("Size", leaf)?);
        }
        if let Some(leaf) = scanner.plain_leaf(b"<StorageClass>", b"</StorageClass>") {
            self.storage_class = storage_class(&leaf.text()?);
        }
        Ok(())
    }

    fn take_checksum_algorithm(&mut self, name: &str) {
        let algorithm = ChecksumAlgorithm::from_name(value::trimmed(name));
        self.checksum_algorithm = self.checksum_algorithm.or(algorithm);
    }

    /// Takes one child of a row, or passes over it.
    pub(super) fn take(
        &mut self,
        scanner: &mut Scanner<'_>,
        child: &Element<'_>,
        encoding: KeyEncoding,
    ) -> Result<(), InvalidXml> {
        match child.local() {
            "Key" => self.key = Some(encoding.key(scanner.leaf(child)?)?),
            "LastModified" => self.last_modified = value::timestamp(&scanner.text(child)?),
            "ETag" => self.etag = value::etag(scanner.leaf(child)?)?,
            "Size" => self.size = Some(value::number("Size", scanner.leaf(child)?)?),
            "StorageClass" => self.storage_class = storage_class(&scanner.text(child)?),
            "ChecksumAlgorithm" => self.take_checksum_algorithm(&scanner.text(child)?),
            _ => scanner.skip(child)?,
        }
        Ok(())
    }

    /// The row. A delete marker has no size.
    pub(super) fn into_object(self, has_size: bool) -> Result<ListedObject, InvalidXml> {
        let size = match self.size {
            Some(size) => size,
            None if has_size => return Err(InvalidXml::Missing("Size")),
            None => 0,
        };
        Ok(ListedObject {
            key: self.key.ok_or(InvalidXml::Missing("Key"))?,
            size: ByteCount(size),
            last_modified: self.last_modified,
            etag: self.etag,
            storage_class: self.storage_class,
            checksum_algorithm: self.checksum_algorithm,
            version: None,
        })
    }
}

fn storage_class(text: &str) -> Option<StorageClass> {
    let name = value::trimmed(text);
    (!name.is_empty()).then(|| StorageClass::from_name(name))
}
