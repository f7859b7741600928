//! Access control lists of objects.

use base::Fault;

use super::Check;
use super::bench::{Bench, Verdict, holds, key, refused, same};
use crate::types::{
    AccessControlPolicy, GetObjectAcl, Grant, Grantee, ObjectAttributes, Permission, PutObject,
    PutObjectAcl,
};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("canned acl", |bench| Box::pin(canned(bench))),
        Check::new("acl by grant", |bench| Box::pin(by_grant(bench))),
        Check::new("acl of nothing", |bench| Box::pin(of_nothing(bench))),
    ]
}

fn request(bench: &Bench<'_>, name: &str) -> GetObjectAcl {
    GetObjectAcl {
        bucket: bench.bucket.clone(),
        key: key(name),
        version_id: None,
    }
}

async fn get(bench: &Bench<'_>, name: &str) -> Verdict<AccessControlPolicy> {
    Ok(bench.client.get_object_acl(request(bench, name)).await?)
}

fn everybody(permission: Permission) -> Grant {
    Grant {
        grantee: Grantee::Group(Grantee::ALL_USERS.to_owned()),
        permission,
    }
}

/// Whether the object's owner may do everything.
fn owner_rules(policy: &AccessControlPolicy) -> bool {
    policy.grants.iter().any(|grant| {
        let Grantee::CanonicalUser(user) = &grant.grantee else {
            return false;
        };
        let owner = policy.owner.as_ref();
        owner.is_some_and(|owner| owner.id == user.id)
            && grant.permission == Permission::FullControl
    })
}

async fn canned(bench: &Bench<'_>) -> Verdict {
    bench.put("private", "x").await?;
    let policy = get(bench, "private").await?;
    holds("the owner may do everything", owner_rules(&policy))?;
    same("grants of a private object", policy.grants.len(), 1)?;
    let put = PutObject {
        attributes: ObjectAttributes {
            acl: Some("public-read".to_owned()),
            ..ObjectAttributes::default()
        },
        ..bench.put_request("public", "x")
    };
    bench.client.put_object(put).await?;
    let policy = get(bench, "public").await?;
    holds("the owner may do everything", owner_rules(&policy))?;
    same("grants of a public object", policy.grants.len(), 2)?;
    let read = everybody(Permission::Read);
    holds("everybody may read", policy.grants.contains(&read))
}

async fn by_grant(bench: &Bench<'_>) -> Verdict {
    bench.put("k", "x").await?;
    let mut policy = get(bench, "k").await?;
    policy.grants.push(everybody(Permission::ReadAcp));
    let put = PutObjectAcl {
        bucket: bench.bucket.clone(),
        key: key("k"),
        version_id: None,
        policy: policy.clone(),
    };
    bench.client.put_object_acl(put).await?;
    let kept = get(bench, "k").await?;
    let sorted = |policy: &AccessControlPolicy| {
        let shown = |grant: &Grant| (format!("{:?}", grant.grantee), grant.permission.as_str());
        let mut grants: Vec<_> = policy.grants.iter().map(shown).collect();
        grants.sort();
        grants
    };
    same("grants", sorted(&kept), sorted(&policy))?;
    same("bytes", bench.get("k").await?, "x".into())?;
    // A write begins anew.
    bench.put("k", "y").await?;
    same("grants then", get(bench, "k").await?.grants.len(), 1)
}

async fn of_nothing(bench: &Bench<'_>) -> Verdict {
    let nothing = bench.client.get_object_acl(request(bench, "k")).await;
    refused("GET", nothing, Fault::NotFound, &["NoSuchKey"])
}
