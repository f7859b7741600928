//! Access control lists: kept and answered, not enforced.

use s3s::dto::{
    self, GetBucketAclInput, GetBucketAclOutput, GetObjectAclInput, GetObjectAclOutput,
    ObjectCannedACL, PutObjectAclInput, PutObjectAclOutput, Type,
};
use s3s::{S3Request, S3Result, s3_error};
use store::model::{Attributes, Grant, Grantee, ReadConditions};

use super::Api;
use super::buckets::owner;
use super::objects::find;
use crate::names::{bucket_name, key, s3_error, version_id};

/// S3's groups.
/// Source: S3 user guide, "Access control list (ACL) overview" (read 2026-11).
const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED_USERS: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";

/// What a grant may allow.
const PERMISSIONS: [&str; 5] = [
    dto::Permission::FULL_CONTROL,
    dto::Permission::READ,
    dto::Permission::WRITE,
    dto::Permission::READ_ACP,
    dto::Permission::WRITE_ACP,
];

pub(super) async fn get_bucket_acl(
    api: &Api,
    request: S3Request<GetBucketAclInput>,
) -> S3Result<GetBucketAclOutput> {
    let name = bucket_name(&request.input.bucket)?;
    api.model.head_bucket(&name).map_err(s3_error)?;
    Ok(GetBucketAclOutput {
        grants: Some(canned("private").into_iter().map(shown).collect()),
        owner: Some(owner()),
    })
}

pub(super) async fn get_object_acl(
    api: &Api,
    request: S3Request<GetObjectAclInput>,
) -> S3Result<GetObjectAclOutput> {
    let input = request.input;
    let version = input.version_id.as_ref();
    let conditions = ReadConditions::default();
    let found = find(api, &input.bucket, &input.key, version, &conditions)?;
    let grants = grants(&found.object.attributes);
    Ok(GetObjectAclOutput {
        grants: Some(grants.into_iter().map(shown).collect()),
        owner: Some(owner()),
        ..GetObjectAclOutput::default()
    })
}

pub(super) async fn put_object_acl(
    api: &Api,
    request: S3Request<PutObjectAclInput>,
) -> S3Result<PutObjectAclOutput> {
    let input = request.input;
    let bucket = bucket_name(&input.bucket)?;
    let key = key(&input.key)?;
    let version = version_id(input.version_id.as_ref());
    let written = match (input.acl, input.access_control_policy) {
        (Some(acl), None) => {
            let acl = acl.as_str().to_owned();
            api.model
                .set_canned_acl(&bucket, &key, version.as_ref(), acl)
        }
        (None, Some(policy)) => {
            let names_another = |named: &dto::Owner| named.id != owner().id;
            if policy.owner.as_ref().is_some_and(names_another) {
                return Err(s3_error!(AccessDenied, "Access Denied"));
            }
            let grants = policy.grants.unwrap_or_default();
            let grants = grants.into_iter().map(kept).collect::<S3Result<Vec<_>>>()?;
            api.model
                .set_object_grants(&bucket, &key, version.as_ref(), grants)
        }
        (None, None) => {
            return Err(s3_error!(
                NotImplemented,
                "Grants in headers are not implemented: send them as a document"
            ));
        }
        (Some(_), Some(_)) => {
            return Err(s3_error!(
                InvalidRequest,
                "Specifying both Canned ACLs and Header Grants is not allowed"
            ));
        }
    };
    written.map_err(s3_error)?;
    Ok(PutObjectAclOutput::default())
}

/// A grant of a request.
fn kept(grant: dto::Grant) -> S3Result<Grant> {
    let grantee = grant.grantee.ok_or_else(|| s3_error!(MalformedACLError))?;
    let permission = grant
        .permission
        .map(|permission| permission.as_str().to_owned());
    let permission = permission.filter(|permission| PERMISSIONS.contains(&permission.as_str()));
    let permission = permission.ok_or_else(|| s3_error!(MalformedACLError))?;
    let grantee = match (grantee.uri, grantee.id) {
        (Some(uri), _) => Grantee::Group(uri),
        (None, Some(id)) => Grantee::CanonicalUser {
            display_name: grantee.display_name,
            id,
        },
        (None, None) => {
            return Err(s3_error!(
                UnresolvableGrantByEmailAddress,
                "The e-mail address you provided does not match any account on record."
            ));
        }
    };
    Ok(Grant {
        grantee,
        permission,
    })
}

/// A grant of an answer.
fn shown(grant: Grant) -> dto::Grant {
    let grantee = match grant.grantee {
        Grantee::CanonicalUser { id, display_name } => dto::Grantee {
            display_name,
            email_address: None,
            id: Some(id),
            type_: Type::from_static(Type::CANONICAL_USER),
            uri: None,
        },
        Grantee::Group(uri) => dto::Grantee {
            display_name: None,
            email_address: None,
            id: None,
            type_: Type::from_static(Type::GROUP),
            uri: Some(uri),
        },
    };
    dto::Grant {
        grantee: Some(grantee),
        permission: Some(dto::Permission::from(grant.permission)),
    }
}

fn grants(attributes: &Attributes) -> Vec<Grant> {
    let acl = attributes
        .acl
        .as_deref()
        .unwrap_or(ObjectCannedACL::PRIVATE);
    attributes.grants.clone().unwrap_or_else(|| canned(acl))
}

/// What a canned ACL grants.
fn canned(name: &str) -> Vec<Grant> {
    let owner = owner();
    let mut grants = vec![Grant {
        grantee: Grantee::CanonicalUser {
            id: owner.id.unwrap_or_default(),
            display_name: owner.display_name,
        },
        permission: dto::Permission::FULL_CONTROL.to_owned(),
    }];
    let groups: &[(&str, &str)] = match name {
        ObjectCannedACL::PUBLIC_READ => &[(ALL_USERS, dto::Permission::READ)],
        ObjectCannedACL::PUBLIC_READ_WRITE => &[
            (ALL_USERS, dto::Permission::READ),
            (ALL_USERS, dto::Permission::WRITE),
        ],
        ObjectCannedACL::AUTHENTICATED_READ => &[(AUTHENTICATED_USERS, dto::Permission::READ)],
        _ => &[],
    };
    grants.extend(groups.iter().map(|(uri, permission)| Grant {
        grantee: Grantee::Group((*uri).to_owned()),
        permission: (*permission).to_owned(),
    }));
    grants
}
