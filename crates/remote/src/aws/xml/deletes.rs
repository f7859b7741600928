//! DeleteObjects.

use std::collections::HashMap;

use base::VersionId;

use super::InvalidXml;
use super::scanner::{Element, Scanner};
use super::value::{self, KeyEncoding};
use super::writer::Writer;
use crate::types::{DeleteFailure, DeleteObjectsOutput, DeletedObject, ObjectIdentifier};

/// What the answer says, row by row, before it is laid beside what was asked.
#[derive(Debug, Default)]
pub(crate) struct DeleteAnswer {
    rows: Vec<Row>,
}

#[derive(Debug, Default)]
struct Row {
    key: String,
    version_id: Option<String>,
    is_delete_marker: bool,
    delete_marker_version_id: Option<VersionId>,
    /// Code and message of a key that is not gone.
    error: Option<(String, String)>,
}

impl DeleteAnswer {
    /// Finds every key that was asked for in the answer. One that the answer does not mention
    /// counts as not gone: nobody said it is.
    pub(crate) fn account(self, asked: Vec<ObjectIdentifier>) -> DeleteObjectsOutput {
        let mut pending: HashMap<String, Vec<usize>> = HashMap::with_capacity(asked.len());
        for (index, object) in asked.iter().enumerate().rev() {
            let key = object.key.as_str().to_owned();
            pending.entry(key).or_default().push(index);
        }
        let mut rows: Vec<Option<Row>> = Vec::new();
        rows.resize_with(asked.len(), || None);
        for row in self.rows {
            let Some(indexes) = pending.get_mut(&row.key) else {
                continue;
            };
            let same_version = |index: &usize| {
                let version_id = asked[*index].version_id.as_ref().map(VersionId::as_str);
                version_id == row.version_id.as_deref()
            };
            // Some stores do not repeat the version: then it is any of the key's that is open.
            let at = indexes.iter().rposition(same_version);
            let Some(at) = at.or(indexes.len().checked_sub(1)) else {
                continue;
            };
            let index = indexes.remove(at);
            rows[index] = Some(row);
        }
        let mut output = DeleteObjectsOutput::default();
        for (object, row) in asked.into_iter().zip(rows) {
            match row {
                Some(Row {
                    error: Some((code, message)),
                    ..
                }) => output.failed.push(DeleteFailure {
                    object,
                    code,
                    message,
                }),
                Some(row) => output.deleted.push(DeletedObject {
                    delete_marker_version_id: row
                        .delete_marker_version_id
                        .filter(|_| row.is_delete_marker),
                    object,
                }),
                None => output.failed.push(DeleteFailure {
                    object,
                    code: "NotMentioned".to_owned(),
                    message: "the store's answer does not say what became of this key".to_owned(),
                }),
            }
        }
        output
    }
}

/// Reads the answer.
pub(crate) fn parse_deletes(document: &[u8]) -> Result<DeleteAnswer, InvalidXml> {
    let (mut scanner, root) = Scanner::root(document, &["DeleteResult"])?;
    let encoding = KeyEncoding::ahead(scanner.clone(), &root)?;
    let mut answer = DeleteAnswer::default();
    while let Some(child) = scanner.child(&root)? {
        match child.local() {
            "Deleted" => answer
                .rows
                .push(row(&mut scanner, &child, encoding, false)?),
            "Error" => answer.rows.push(row(&mut scanner, &child, encoding, true)?),
            _ => scanner.skip(&child)?,
        }
    }
    scanner.finish()?;
    Ok(answer)
}

fn row(
    scanner: &mut Scanner<'_>,
    element: &Element<'_>,
    encoding: KeyEncoding,
    is_error: bool,
) -> Result<Row, InvalidXml> {
    let mut row = Row::default();
    let mut code = String::new();
    let mut message = String::new();
    while let Some(child) = scanner.child(element)? {
        match child.local() {
            "Key" => row.key = encoding.decode(scanner.text(&child)?)?.into_owned(),
            "VersionId" => {
                let id = scanner.text(&child)?.into_owned();
                row.version_id = (!id.is_empty()).then_some(id);
            }
            "DeleteMarker" => row.is_delete_marker = value::is_true(&scanner.text(&child)?),
            "DeleteMarkerVersionId" => {
                let id = scanner.text(&child)?;
                row.delete_marker_version_id = (!id.is_empty()).then(|| VersionId::new(&*id));
            }
            "Code" => code = scanner.text(&child)?.into_owned(),
            "Message" => message = scanner.text(&child)?.into_owned(),
            _ => scanner.skip(&child)?,
        }
    }
    if is_error {
        // S3 has been seen to name a key as an error without a code.
        let code = if code.is_empty() {
            "InternalError".to_owned()
        } else {
            code
        };
        row.error = Some((code, message));
    }
    Ok(row)
}

/// Writes the request: not quiet, so that the answer names every key.
pub(crate) fn write_deletes(objects: &[ObjectIdentifier]) -> String {
    let mut writer = Writer::new("Delete");
    for object in objects {
        writer.open("Object");
        writer.leaf("Key", object.key.as_str());
        if let Some(version_id) = &object.version_id {
            writer.leaf("VersionId", version_id.as_str());
        }
        writer.close("Object");
    }
    writer.leaf("Quiet", "false");
    writer.finish()
}
