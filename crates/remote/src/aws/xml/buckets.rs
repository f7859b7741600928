//! Buckets.

use super::InvalidXml;
use super::scanner::{Element, Scanner};
use super::value;
use super::writer::Writer;
use crate::types::{BucketListing, VersioningState};

/// Reads a page of ListBuckets and the token of the next.
pub(crate) fn parse_buckets(
    document: &[u8],
) -> Result<(Vec<BucketListing>, Option<String>), InvalidXml> {
    let (mut scanner, root) = Scanner::root(document, &["ListAllMyBucketsResult"])?;
    let mut buckets = Vec::new();
    let mut token = None;
    while let Some(child) = scanner.child(&root)? {
        match child.local() {
            "Buckets" => {
                while let Some(inner) = scanner.child(&child)? {
                    match inner.local() {
                        "Bucket" => buckets.push(bucket(&mut scanner, &inner)?),
                        _ => scanner.skip(&inner)?,
                    }
                }
            }
            "ContinuationToken" => token = Some(scanner.text(&child)?.into_owned()),
            _ => scanner.skip(&child)?,
        }
    }
    scanner.finish()?;
    Ok((buckets, token.filter(|token| !token.is_empty())))
}

fn bucket(scanner: &mut Scanner<'_>, element: &Element<'_>) -> Result<BucketListing, InvalidXml> {
    let mut name = None;
    let mut created = None;
    while let Some(child) = scanner.child(element)? {
        match child.local() {
            "Name" => name = Some(scanner.text(&child)?.into_owned()),
            "CreationDate" => created = value::timestamp(&scanner.text(&child)?),
            _ => scanner.skip(&child)?,
        }
    }
    Ok(BucketListing {
        name: name.ok_or(InvalidXml::Missing("Name"))?,
        created,
    })
}

/// Reads the answer of GetBucketVersioning.
pub(crate) fn parse_versioning(document: &[u8]) -> Result<VersioningState, InvalidXml> {
    // The second name is moto's.
    let expected = ["VersioningConfiguration", "GetBucketVersioningResponse"];
    let (mut scanner, root) = Scanner::root(document, &expected)?;
    let mut state = VersioningState::Unversioned;
    while let Some(child) = scanner.child(&root)? {
        match child.local() {
            "Status" => {
                state = match scanner.text(&child)?.trim() {
                    "Enabled" => VersioningState::Enabled,
                    "Suspended" => VersioningState::Suspended,
                    _ => VersioningState::Unversioned,
                };
            }
            _ => scanner.skip(&child)?,
        }
    }
    scanner.finish()?;
    Ok(state)
}

/// Writes the body of CreateBucket outside S3's first region.
pub(crate) fn write_location(region: &str) -> String {
    let mut writer = Writer::new("CreateBucketConfiguration");
    writer.leaf("LocationConstraint", region);
    writer.finish()
}

/// Writes the body of PutBucketVersioning: what can be set is enabled or suspended.
pub(crate) fn write_versioning(enabled: bool) -> String {
    let mut writer = Writer::new("VersioningConfiguration");
    writer.leaf("Status", if enabled { "Enabled" } else { "Suspended" });
    writer.finish()
}
