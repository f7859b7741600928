//! What an object carries besides its bytes, as stored.

use super::Damage;
use super::fields::{FieldReader, FieldWriter};
use crate::model::{Attributes, Encryption, Grant, Grantee, Lock, LockMode, Tags};

fn text(fields: &mut FieldReader<'_>) -> Result<String, Damage> {
    fields.text().map(str::to_owned)
}

fn optional_text(fields: &mut FieldReader<'_>) -> Result<Option<String>, Damage> {
    fields.option(text)
}

fn write_optional(fields: &mut FieldWriter, value: Option<&String>) {
    fields.option(value, |fields, value| fields.text(value));
}

pub(super) fn write(fields: &mut FieldWriter, attributes: &Attributes) {
    // Taken apart by name, so that a new field cannot be forgotten here.
    let Attributes {
        content_type,
        content_encoding,
        content_disposition,
        content_language,
        cache_control,
        expires,
        website_redirect_location,
        metadata,
        storage_class,
        acl,
        grants,
        lock,
        encryption,
    } = attributes;
    for value in [
        content_type,
        content_encoding,
        content_disposition,
        content_language,
        cache_control,
        expires,
        website_redirect_location,
        storage_class,
        acl,
        &encryption.algorithm,
        &encryption.kms_key_id,
    ] {
        write_optional(fields, value.as_ref());
    }
    fields.list(metadata.iter(), |fields, (name, value)| {
        fields.text(name);
        fields.text(value);
    });
    fields.option(grants.as_ref(), |fields, grants| {
        fields.list(grants.iter(), write_grant);
    });
    fields.u8(match lock.mode {
        None => 0,
        Some(LockMode::Governance) => 1,
        Some(LockMode::Compliance) => 2,
    });
    fields.option(lock.retain_until, FieldWriter::time);
    fields.flag(lock.legal_hold);
}

pub(super) fn read(fields: &mut FieldReader<'_>) -> Result<Attributes, Damage> {
    let content_type = optional_text(fields)?;
    let content_encoding = optional_text(fields)?;
    let content_disposition = optional_text(fields)?;
    let content_language = optional_text(fields)?;
    let cache_control = optional_text(fields)?;
    let expires = optional_text(fields)?;
    let website_redirect_location = optional_text(fields)?;
    let storage_class = optional_text(fields)?;
    let acl = optional_text(fields)?;
    let encryption = Encryption {
        algorithm: optional_text(fields)?,
        kms_key_id: optional_text(fields)?,
    };
    let metadata = fields.list(|fields| Ok((text(fields)?, text(fields)?)))?;
    let grants = fields.option(|fields| fields.list(read_grant))?;
    let mode = match fields.u8()? {
        0 => None,
        1 => Some(LockMode::Governance),
        2 => Some(LockMode::Compliance),
        _ => return Err(Damage::Field("a lock's mode")),
    };
    let lock = Lock {
        mode,
        retain_until: fields.option(FieldReader::time)?,
        legal_hold: fields.flag()?,
    };
    Ok(Attributes {
        content_type,
        content_encoding,
        content_disposition,
        content_language,
        cache_control,
        expires,
        website_redirect_location,
        metadata: metadata.into_iter().collect(),
        storage_class,
        acl,
        grants,
        lock,
        encryption,
    })
}

pub(super) fn write_tags(fields: &mut FieldWriter, tags: &Tags) {
    fields.length(tags.len());
    for (key, value) in tags.iter() {
        fields.text(key);
        fields.text(value);
    }
}

pub(super) fn read_tags(fields: &mut FieldReader<'_>) -> Result<Tags, Damage> {
    let pairs = fields.list(|fields| Ok((text(fields)?, text(fields)?)))?;
    Tags::new(pairs).map_err(|_| Damage::Field("tags"))
}

fn write_grant(fields: &mut FieldWriter, grant: &Grant) {
    match &grant.grantee {
        Grantee::CanonicalUser { id, display_name } => {
            fields.u8(1);
            fields.text(id);
            write_optional(fields, display_name.as_ref());
        }
        Grantee::Group(uri) => {
            fields.u8(2);
            fields.text(uri);
        }
    }
    fields.text(&grant.permission);
}

fn read_grant(fields: &mut FieldReader<'_>) -> Result<Grant, Damage> {
    let grantee = match fields.u8()? {
        1 => Grantee::CanonicalUser {
            id: text(fields)?,
            display_name: optional_text(fields)?,
        },
        2 => Grantee::Group(text(fields)?),
        _ => return Err(Damage::Field("a grantee")),
    };
    Ok(Grant {
        grantee,
        permission: text(fields)?,
    })
}
