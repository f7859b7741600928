//! Tags.

use super::InvalidXml;
use super::scanner::Scanner;
use super::writer::Writer;
use crate::types::Tag;

/// Reads the answer of GetObjectTagging.
pub(crate) fn parse_tags(document: &[u8]) -> Result<Vec<Tag>, InvalidXml> {
    let (mut scanner, root) = Scanner::root(document, &["Tagging"])?;
    let mut tags = Vec::new();
    while let Some(child) = scanner.child(&root)? {
        if child.local() != "TagSet" {
            scanner.skip(&child)?;
            continue;
        }
        while let Some(row) = scanner.child(&child)? {
            if row.local() != "Tag" {
                scanner.skip(&row)?;
                continue;
            }
            let mut key = None;
            let mut value = String::new();
            while let Some(field) = scanner.child(&row)? {
                match field.local() {
                    "Key" => key = Some(scanner.text(&field)?.into_owned()),
                    "Value" => value = scanner.text(&field)?.into_owned(),
                    _ => scanner.skip(&field)?,
                }
            }
            let key = key.ok_or(InvalidXml::Missing("Key"))?;
            tags.push(Tag { key, value });
        }
    }
    scanner.finish()?;
    Ok(tags)
}

/// Writes the body of PutObjectTagging.
pub(crate) fn write_tags(tags: &[Tag]) -> String {
    let mut writer = Writer::new("Tagging");
    writer.open("TagSet");
    for tag in tags {
        writer.open("Tag");
        writer.leaf("Key", &tag.key);
        writer.leaf("Value", &tag.value);
        writer.close("Tag");
    }
    writer.close("TagSet");
    writer.finish()
}
