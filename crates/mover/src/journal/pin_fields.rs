//! What a source was, as fields of a record.

use base::{ByteCount, ETag, VersionId};

use super::record::{FieldReader, FieldWriter};
use crate::pin::{FilePin, ObjectPin, SourcePin};

const FILE: u8 = 0;
const OBJECT: u8 = 1;

/// Writes a pin: its kind and its fields.
pub(super) fn write(fields: &mut FieldWriter, pin: &SourcePin) {
    match pin {
        SourcePin::File(pin) => {
            fields.byte(FILE);
            fields.number(pin.device).number(pin.inode).number(pin.size);
            fields.signed(pin.modified_s).signed(pin.modified_ns);
        }
        SourcePin::Object(pin) => {
            fields.byte(OBJECT);
            fields.optional(pin.etag.as_ref(), |fields, etag| {
                fields.text(etag.as_str());
            });
            fields.optional(pin.version_id.as_ref(), |fields, version| {
                fields.text(version.as_str());
            });
            fields.number(pin.size.0);
        }
    }
}

/// Reads what [`write`] wrote.
pub(super) fn read(fields: &mut FieldReader<'_>) -> Option<SourcePin> {
    Some(match fields.byte()? {
        FILE => SourcePin::File(FilePin {
            device: fields.number()?,
            inode: fields.number()?,
            size: fields.number()?,
            modified_s: fields.signed()?,
            modified_ns: fields.signed()?,
        }),
        OBJECT => SourcePin::Object(ObjectPin {
            etag: fields.optional(|f| f.text())?.map(ETag::from_header),
            version_id: fields.optional(|f| f.text())?.map(VersionId::new),
            size: ByteCount(fields.number()?),
        }),
        _ => return None,
    })
}
