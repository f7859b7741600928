//! Which of a source's attributes go along. Pure: what an answer said in, what is asked for out.

use remote::types::{MetadataDirective, ObjectAttributes};

use crate::options::TransferOptions;

/// What an object carries that is relayed: the source's attributes with those replaced that the
/// user named, or the user's alone where that was asked for.
pub(crate) fn relayed(source: &ObjectAttributes, options: &TransferOptions) -> ObjectAttributes {
    match options.metadata_directive {
        Some(MetadataDirective::Replace) => options.attributes.clone(),
        Some(MetadataDirective::Copy) | None => merged(source, &options.attributes),
    }
}

/// Whether any field is set that only a replacing copy can change.
pub(crate) fn replaces_metadata(attributes: &ObjectAttributes) -> bool {
    attributes.content_type.is_some()
        || attributes.content_encoding.is_some()
        || attributes.content_disposition.is_some()
        || attributes.content_language.is_some()
        || attributes.cache_control.is_some()
        || attributes.expires.is_some()
        || attributes.website_redirect_location.is_some()
        || !attributes.metadata.is_empty()
}

/// The source's attributes with those replaced that `given` names. Storage class, ACL, encryption
/// and tags are the destination's own, as they are for CopyObject.
pub(crate) fn merged(source: &ObjectAttributes, given: &ObjectAttributes) -> ObjectAttributes {
    let either = |given: &Option<String>, source: &Option<String>| {
        given.as_ref().or(source.as_ref()).cloned()
    };
    let mut metadata = source.metadata.clone();
    for (name, value) in &given.metadata {
        match metadata
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            Some((_, known)) => known.clone_from(value),
            None => metadata.push((name.clone(), value.clone())),
        }
    }
    ObjectAttributes {
        content_type: either(&given.content_type, &source.content_type),
        content_encoding: either(&given.content_encoding, &source.content_encoding),
        content_disposition: either(&given.content_disposition, &source.content_disposition),
        content_language: either(&given.content_language, &source.content_language),
        cache_control: either(&given.cache_control, &source.cache_control),
        expires: either(&given.expires, &source.expires),
        website_redirect_location: either(
            &given.website_redirect_location,
            &source.website_redirect_location,
        ),
        metadata,
        storage_class: given.storage_class.clone(),
        acl: given.acl.clone(),
        encryption: given.encryption.clone(),
        tagging: given.tagging.clone(),
        lock: given.lock,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_fields_are_replaced() {
        let source = ObjectAttributes {
            content_type: Some("audio/mpeg".to_owned()),
            cache_control: Some("no-store".to_owned()),
            metadata: vec![
                ("a".to_owned(), "1".to_owned()),
                ("b".to_owned(), "2".to_owned()),
            ],
            ..ObjectAttributes::default()
        };
        let given = ObjectAttributes {
            content_type: Some("audio/ogg".to_owned()),
            metadata: vec![
                ("B".to_owned(), "3".to_owned()),
                ("c".to_owned(), "4".to_owned()),
            ],
            ..ObjectAttributes::default()
        };
        let merged = merged(&source, &given);
        assert_eq!(merged.content_type.as_deref(), Some("audio/ogg"));
        assert_eq!(merged.cache_control.as_deref(), Some("no-store"));
        let metadata: Vec<_> = merged
            .metadata
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(metadata, [("a", "1"), ("b", "3"), ("c", "4")]);
        assert!(!replaces_metadata(&ObjectAttributes::default()) && replaces_metadata(&given));
    }
}
