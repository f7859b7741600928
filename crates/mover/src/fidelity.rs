//! Which of a source's attributes go along, and what cannot. Pure: what answers said in, what is
//! asked for and what is said out.

use base::Fault;
use base::fault::Classified as _;
use jiff::Timestamp;
use remote::types::{
    AccessControlPolicy, Grant, Grantee, MetadataDirective, ObjectAttributes, ObjectHead,
    ObjectLock, Owner,
};

use crate::event::{Attribute, Loss};
use crate::options::TransferOptions;
use crate::route::Route;

/// What is known of the way between two stores.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    /// By whom the bytes are moved.
    pub(crate) route: Route,
    /// Whether the source's store is Amazon S3, which encrypts what nobody asked it to.
    pub(crate) from_amazon: bool,
    /// Whether the destination's is.
    pub(crate) to_amazon: bool,
}

/// What an object is to carry, and what of the source's it will not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Load {
    pub(crate) attributes: ObjectAttributes,
    pub(crate) lost: Vec<Loss>,
}

/// What an object of this head carries at the destination. Tags are not in a head; they are added
/// by whoever reads them.
pub(crate) fn load(head: &ObjectHead, options: &TransferOptions, way: Way, now: Timestamp) -> Load {
    let (source, given) = (&head.attributes, &options.attributes);
    let mut load = Load {
        attributes: match options.metadata_directive {
            Some(MetadataDirective::Replace) => given.clone(),
            Some(MetadataDirective::Copy) | None => merged(source, given),
        },
        lost: Vec::new(),
    };
    if options.keeps_placement {
        keep_placement(&mut load, head, given, way);
    }
    if options.preserve_lock && given.lock.is_none() {
        let lock = source.lock;
        let over = lock.retain_until.is_some_and(|until| until <= now);
        load.attributes.lock = ObjectLock {
            mode: lock.mode.filter(|_| !over),
            retain_until: lock.retain_until.filter(|_| !over),
            legal_hold: lock.legal_hold,
        };
    }
    load
}

/// Storage class and encryption, which a store's own copy would leave to the destination.
fn keep_placement(load: &mut Load, head: &ObjectHead, given: &ObjectAttributes, way: Way) {
    let source = &head.attributes;
    if given.storage_class.is_none() {
        load.attributes
            .storage_class
            .clone_from(&source.storage_class);
    }
    if given.encryption.algorithm.is_some() || given.encryption.kms_key_id.is_some() {
        return;
    }
    let mut encryption = source.encryption.clone();
    if encryption.algorithm.as_deref() == Some("AES256") && (way.from_amazon || way.to_amazon) {
        // Amazon S3 does so by itself: to ask for it would overrule a bucket that does more, and
        // a source there says it of objects for which nobody chose it.
        encryption.algorithm = None;
    }
    if way.route == Route::Relay
        && let Some(key) = encryption.kms_key_id.take()
    {
        load.lost.push(Loss {
            attribute: Attribute::Encryption,
            line: format!(
                "it is encrypted by the destination's default key: the key {key} is of the \
                 source's account"
            ),
        });
    }
    load.attributes.encryption = encryption;
}

/// Takes from `carried` what a store may have refused with `error`, and says what. `None`: nothing
/// is left that the source and not the user asked for.
pub(crate) fn without_refused(
    error: &remote::Error,
    carried: &mut ObjectAttributes,
    given: &ObjectAttributes,
) -> Option<Loss> {
    let lost = |attribute, line| Some(Loss { attribute, line });
    let code = error.code().unwrap_or_default();
    let refused_at_all = matches!(error.fault(), Fault::Invalid | Fault::Unsupported);
    let denied = error.fault() == Fault::Denied;
    let because = format!("the destination refuses it: {}", one_line(error));
    if code == "MetadataTooLarge" && carried.metadata != given.metadata {
        carried.metadata.clone_from(&given.metadata);
        return lost(
            Attribute::Metadata,
            format!("its metadata is left behind, {because}"),
        );
    }
    if (code == "InvalidStorageClass" || refused_at_all && !code.contains("Tag"))
        && carried.storage_class != given.storage_class
        && let Some(class) = carried.storage_class.take()
    {
        carried.storage_class.clone_from(&given.storage_class);
        let class = class.as_str();
        let line = format!("its storage class {class} is left behind, {because}");
        return lost(Attribute::StorageClass, line);
    }
    if (refused_at_all || denied) && carried.tagging.is_some() && carried.tagging != given.tagging {
        carried.tagging.clone_from(&given.tagging);
        return lost(
            Attribute::Tags,
            format!("its tags are left behind, {because}"),
        );
    }
    if (refused_at_all || denied) && carried.lock != given.lock {
        carried.lock = given.lock;
        return lost(
            Attribute::Lock,
            format!("its lock is left behind, {because}"),
        );
    }
    if (refused_at_all || denied || code.starts_with("KMS."))
        && carried.encryption != given.encryption
    {
        carried.encryption.clone_from(&given.encryption);
        let line = format!("its encryption is the destination's default, {because}");
        return lost(Attribute::Encryption, line);
    }
    None
}

fn one_line(error: &remote::Error) -> String {
    match error.code() {
        Some(code) => format!("{code}: {}", error.message()),
        None => error.message().to_owned(),
    }
}

/// The source's access list as the destination can keep it: whose the object is changes, and so do
/// the grants to them.
pub(crate) fn access_list(
    source: &AccessControlPolicy,
    owner: Option<Owner>,
) -> AccessControlPolicy {
    let mut grants: Vec<Grant> = Vec::new();
    for grant in &source.grants {
        let is_owner_s = match (&grant.grantee, &source.owner) {
            (Grantee::CanonicalUser(user), Some(source)) => user.id == source.id,
            (Grantee::CanonicalUser(_) | Grantee::Email(_) | Grantee::Group(_), _) => false,
        };
        let grantee = match (is_owner_s, &owner) {
            (true, Some(owner)) => Grantee::CanonicalUser(owner.clone()),
            (true, None) | (false, _) => grant.grantee.clone(),
        };
        let grant = Grant {
            grantee,
            permission: grant.permission,
        };
        if !grants.contains(&grant) {
            grants.push(grant);
        }
    }
    AccessControlPolicy { owner, grants }
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
fn merged(source: &ObjectAttributes, given: &ObjectAttributes) -> ObjectAttributes {
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
    use remote::types::{Permission, ServerSideEncryption, StorageClass};

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

    fn way(route: Route) -> Way {
        Way {
            route,
            from_amazon: false,
            to_amazon: false,
        }
    }

    fn options() -> TransferOptions {
        TransferOptions::default()
    }

    fn secret(algorithm: &str, key: Option<&str>) -> ObjectHead {
        ObjectHead {
            attributes: ObjectAttributes {
                encryption: ServerSideEncryption {
                    algorithm: Some(algorithm.to_owned()),
                    kms_key_id: key.map(str::to_owned),
                },
                storage_class: Some(StorageClass::from_name("STANDARD_IA")),
                content_type: Some("audio/mpeg".to_owned()),
                ..ObjectAttributes::default()
            },
            ..ObjectHead::default()
        }
    }

    #[test]
    fn a_key_stays_in_its_store_and_is_said_to_stay_behind_elsewhere() {
        let now = Timestamp::UNIX_EPOCH;
        let head = secret("aws:kms", Some("arn:key"));
        let inside = load(&head, &options(), way(Route::ServerSide), now);
        assert_eq!(inside.attributes, head.attributes);
        assert!(inside.lost.is_empty());
        let through = load(&head, &options(), way(Route::Relay), now);
        let encryption = &through.attributes.encryption;
        assert_eq!(encryption.algorithm.as_deref(), Some("aws:kms"));
        assert_eq!(encryption.kms_key_id, None);
        assert!(through.lost[0].line.contains("arn:key"));
        let aes = secret("AES256", None);
        let to_amazon = Way {
            to_amazon: true,
            ..way(Route::Relay)
        };
        let relayed = load(&aes, &options(), to_amazon, now);
        assert_eq!(
            relayed.attributes.encryption,
            ServerSideEncryption::default()
        );
        let relayed = load(&aes, &options(), way(Route::Relay), now);
        assert_eq!(relayed.attributes.encryption, aes.attributes.encryption);
    }

    #[test]
    fn flags_replace_what_they_name_and_replace_drops_the_rest() {
        let now = Timestamp::UNIX_EPOCH;
        let head = secret("aws:kms", Some("arn:key"));
        let mut options = options();
        options.attributes.storage_class = Some(StorageClass::STANDARD);
        options.attributes.encryption.algorithm = Some("AES256".to_owned());
        let named = load(&head, &options, way(Route::Relay), now).attributes;
        assert_eq!(named.storage_class, Some(StorageClass::STANDARD));
        assert_eq!(named.encryption, options.attributes.encryption);
        assert_eq!(named.content_type.as_deref(), Some("audio/mpeg"));
        options.metadata_directive = Some(MetadataDirective::Replace);
        let replaced = load(&head, &options, way(Route::Relay), now).attributes;
        assert_eq!(replaced.content_type, None);
        options.keeps_placement = false;
        options.attributes = ObjectAttributes::default();
        let plain = load(&head, &options, way(Route::ServerSide), now).attributes;
        assert_eq!(plain, ObjectAttributes::default());
    }

    #[test]
    fn what_is_refused_is_left_behind_one_by_one_and_never_what_the_user_asked_for() {
        let given = ObjectAttributes {
            storage_class: Some(StorageClass::from_name("GLACIER_IR")),
            ..ObjectAttributes::default()
        };
        let mut carried = ObjectAttributes {
            tagging: Some("a=1".to_owned()),
            encryption: secret("aws:kms", None).attributes.encryption,
            ..given.clone()
        };
        let unsupported = remote::Error::new(
            remote::Operation::PutObject,
            Fault::Unsupported,
            "not implemented",
        );
        let lost: Vec<Attribute> =
            std::iter::from_fn(|| without_refused(&unsupported, &mut carried, &given))
                .map(|loss| loss.attribute)
                .collect();
        assert_eq!(lost, [Attribute::Tags, Attribute::Encryption]);
        assert_eq!(carried, given);
        let unavailable = remote::Error::new(remote::Operation::PutObject, Fault::Unavailable, "x");
        let mut carried = secret("aws:kms", None).attributes;
        assert_eq!(without_refused(&unavailable, &mut carried, &given), None);
    }

    #[test]
    fn an_access_list_changes_hands_with_its_object() {
        let owner = |id: &str| Owner {
            id: id.to_owned(),
            display_name: None,
        };
        let grant = |grantee, permission| Grant {
            grantee,
            permission,
        };
        let everybody = grant(
            Grantee::Group(Grantee::ALL_USERS.to_owned()),
            Permission::Read,
        );
        let source = AccessControlPolicy {
            owner: Some(owner("partner")),
            grants: vec![
                grant(
                    Grantee::CanonicalUser(owner("partner")),
                    Permission::FullControl,
                ),
                everybody.clone(),
            ],
        };
        let ours = access_list(&source, Some(owner("us")));
        assert_eq!(ours.owner, Some(owner("us")));
        let full = grant(Grantee::CanonicalUser(owner("us")), Permission::FullControl);
        assert_eq!(ours.grants, [full, everybody]);
    }
}
