//! Access control lists of objects.

use base::Fault;
use http::Method;

use super::exchange::exchange;
use super::tags::{beside, document};
use crate::aws::AwsClient;
use crate::aws::request::PayloadChecksum;
use crate::aws::xml::{can_carry, parse_acl, write_acl};
use crate::error::{Operation, Result};
use crate::payload::Payload;
use crate::types::{AccessControlPolicy, GetObjectAcl, Grant, Grantee, Owner, PutObjectAcl};

pub(super) async fn get_object_acl(
    client: &AwsClient,
    get: GetObjectAcl,
) -> Result<AccessControlPolicy> {
    let request = beside(
        Operation::GetObjectAcl,
        Method::GET,
        get.bucket,
        get.key,
        get.version_id,
        "acl",
    );
    exchange(client, request, |response| {
        parse_acl(document(
            &response.body.into_bytes(),
            "AccessControlPolicy",
        )?)
    })
    .await
}

pub(super) async fn put_object_acl(client: &AwsClient, put: PutObjectAcl) -> Result<()> {
    let mut request = beside(
        Operation::PutObjectAcl,
        Method::PUT,
        put.bucket,
        put.key,
        put.version_id,
        "acl",
    );
    if !is_carried(&put.policy) {
        let message = "an access control list has a character that XML cannot carry";
        return Err(request.error(Fault::Invalid, message));
    }
    request.payload = Payload::from_bytes(write_acl(&put.policy));
    request.payload_checksum = PayloadChecksum::Required;
    exchange(client, request, |_| Ok(())).await
}

fn is_carried(policy: &AccessControlPolicy) -> bool {
    let owner =
        |owner: &Owner| can_carry(&owner.id) && owner.display_name.as_deref().is_none_or(can_carry);
    let grant = |grant: &Grant| match &grant.grantee {
        Grantee::CanonicalUser(user) => owner(user),
        Grantee::Email(text) | Grantee::Group(text) => can_carry(text),
    };
    policy.owner.as_ref().is_none_or(owner) && policy.grants.iter().all(grant)
}
