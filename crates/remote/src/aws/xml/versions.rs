//! ListObjectVersions.

use std::cmp::Reverse;

use base::VersionId;

use super::InvalidXml;
use super::objects::{RowFields, common_prefixes};
use super::scanner::{Element, Scanner};
use super::value::{self, KeyEncoding};
use crate::types::{ContinuationToken, ListPage, ListedObject, ListedVersion};

/// Where a page of versions begins: S3 has two markers, the port one token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VersionMarker {
    pub(crate) key: String,
    pub(crate) version_id: Option<String>,
}

impl VersionMarker {
    /// Packs both: the length of the key in front tells where it ends, whatever it holds.
    pub(crate) fn to_token(&self) -> ContinuationToken {
        let version_id = self.version_id.as_deref().unwrap_or_default();
        ContinuationToken(format!("{}:{}{version_id}", self.key.len(), self.key))
    }

    /// Reads what [`to_token`](Self::to_token) writes.
    pub(crate) fn from_token(token: &ContinuationToken) -> Option<VersionMarker> {
        let (length, rest) = token.0.split_once(':')?;
        let (key, version_id) = rest.split_at_checked(length.parse().ok()?)?;
        Some(VersionMarker {
            key: key.to_owned(),
            version_id: (!version_id.is_empty()).then(|| version_id.to_owned()),
        })
    }
}

/// Reads a page of versions and delete markers, in S3's order: by key, the newest first.
pub(crate) fn parse_versions(document: &[u8]) -> Result<ListPage, InvalidXml> {
    let (mut scanner, root) = Scanner::root(document, &["ListVersionsResult"])?;
    let encoding = KeyEncoding::ahead(scanner.clone(), &root)?;
    let mut page = ListPage::default();
    let mut is_truncated = None;
    let mut key_marker = None;
    let mut version_marker = None;
    while let Some(child) = scanner.child(&root)? {
        match child.local() {
            "Version" => page
                .objects
                .push(version(&mut scanner, &child, encoding, false)?),
            "DeleteMarker" => page
                .objects
                .push(version(&mut scanner, &child, encoding, true)?),
            "CommonPrefixes" => common_prefixes(&mut scanner, &child, encoding, &mut page)?,
            "IsTruncated" => is_truncated = Some(value::is_true(&scanner.text(&child)?)),
            "NextKeyMarker" => {
                key_marker = Some(encoding.decode(scanner.text(&child)?)?.into_owned());
            }
            "NextVersionIdMarker" => version_marker = Some(scanner.text(&child)?.into_owned()),
            _ => scanner.skip(&child)?,
        }
    }
    scanner.finish()?;
    mend_order(&mut page.objects);
    let marker = key_marker
        .filter(|key| !key.is_empty())
        .map(|key| VersionMarker {
            key,
            version_id: version_marker.filter(|id| !id.is_empty()),
        });
    page.next = match (is_truncated, marker) {
        (Some(false), _) | (None, None) => None,
        (_, Some(marker)) => Some(marker.to_token()),
        (Some(true), None) => return Err(InvalidXml::NoToken),
    };
    Ok(page)
}

/// Puts rows in order that a store wrote by kind: many write all delete markers apart from all
/// versions. Rows that are in order stay as they are, since only the store knows which of two
/// versions is newer: a multipart object's date is that of its upload's beginning.
fn mend_order(rows: &mut [ListedObject]) {
    let is_latest = |row: &ListedObject| row.version.as_ref().is_some_and(|v| v.is_latest);
    let in_order = rows
        .is_sorted_by(|one, next| one.key < next.key || (one.key == next.key && !is_latest(next)));
    if !in_order {
        rows.sort_by(|one, next| {
            let place = |row: &ListedObject| (!is_latest(row), Reverse(row.last_modified));
            (one.key.cmp(&next.key)).then_with(|| place(one).cmp(&place(next)))
        });
    }
}

fn version(
    scanner: &mut Scanner<'_>,
    element: &Element<'_>,
    encoding: KeyEncoding,
    is_delete_marker: bool,
) -> Result<ListedObject, InvalidXml> {
    let mut row = RowFields::default();
    let mut id = None;
    let mut is_latest = false;
    while let Some(child) = scanner.child(element)? {
        match child.local() {
            "VersionId" => id = Some(scanner.text(&child)?.into_owned()),
            "IsLatest" => is_latest = value::is_true(&scanner.text(&child)?),
            _ => row.take(scanner, &child, encoding)?,
        }
    }
    let mut object = row.into_object(!is_delete_marker)?;
    object.version = Some(ListedVersion {
        id: VersionId::new(id.ok_or(InvalidXml::Missing("VersionId"))?),
        is_latest,
        is_delete_marker,
    });
    Ok(object)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn markers_survive_their_token(key in any::<String>(), version_id in "[a-z0-9:]{0,8}") {
            let marker = VersionMarker {
                key,
                version_id: (!version_id.is_empty()).then_some(version_id),
            };
            prop_assert_eq!(VersionMarker::from_token(&marker.to_token()), Some(marker));
        }

        #[test]
        fn foreign_tokens_are_refused_or_read_but_never_panic(token in any::<String>()) {
            VersionMarker::from_token(&ContinuationToken(token));
        }
    }
}
