//! The smallest policy to ask the other party for. Pure.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::{Value, json};

use crate::source::Side;
use crate::url::S3Url;

/// What is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Intent {
    /// `cp`.
    #[default]
    Copy,
    /// `sync`.
    Sync,
    /// `mv`.
    Move,
    /// `sync --delete`.
    SyncDelete,
}

/// Why a text is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write cp, sync, mv or sync-delete")]
pub struct InvalidIntent;

impl FromStr for Intent {
    type Err = InvalidIntent;

    fn from_str(text: &str) -> Result<Intent, InvalidIntent> {
        match text {
            "cp" => Ok(Intent::Copy),
            "sync" => Ok(Intent::Sync),
            "mv" => Ok(Intent::Move),
            "sync-delete" => Ok(Intent::SyncDelete),
            _ => Err(InvalidIntent),
        }
    }
}

/// As the commands are called.
impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Intent::Copy => "cp",
            Intent::Sync => "sync",
            Intent::Move => "mv",
            Intent::SyncDelete => "sync --delete",
        })
    }
}

impl Intent {
    /// Whether the destination is listed.
    pub(super) fn lists_destination(self) -> bool {
        matches!(self, Intent::Sync | Intent::SyncDelete)
    }
}

/// What the source's objects were seen to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traits {
    /// Tags, which go along.
    pub tags: bool,
    /// Encryption under a KMS key.
    pub kms: bool,
}

/// What a run does with one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    bucket: String,
    /// What every key begins with, or the one key.
    prefix: String,
    /// Whether `prefix` is a key of its own.
    one_key: bool,
    /// Actions on the objects, as IAM spells them.
    objects: Vec<&'static str>,
    /// Whether the bucket is listed.
    lists: bool,
    /// Actions on a KMS key.
    kms: Vec<&'static str>,
}

/// What a run reads from.
///
/// Source: S3 user guide, "Required permissions for Amazon S3 API operations" (read 2026-11).
pub fn of_source(intent: Intent, url: &S3Url, traits: &Traits) -> Need {
    let one_key = !url.has_wildcard() && !url.is_prefix();
    let mut objects = vec!["s3:GetObject"];
    if traits.tags {
        objects.push("s3:GetObjectTagging");
    }
    if intent == Intent::Move {
        objects.push("s3:DeleteObject");
    }
    Need {
        bucket: url.bucket.to_string(),
        prefix: url.literal_prefix().to_owned(),
        one_key,
        objects,
        lists: !one_key,
        kms: if traits.kms {
            vec!["kms:Decrypt"]
        } else {
            vec![]
        },
    }
}

/// What a run writes to. Reading is among it: an arrival in parts is compared by asking for it.
pub fn of_destination(intent: Intent, url: &S3Url, traits: &Traits) -> Need {
    let mut objects = vec![
        "s3:PutObject",
        "s3:GetObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
    ];
    if traits.tags {
        objects.push("s3:PutObjectTagging");
    }
    if intent == Intent::SyncDelete {
        objects.push("s3:DeleteObject");
    }
    Need {
        bucket: url.bucket.to_string(),
        prefix: url.path.clone(),
        one_key: !url.is_prefix(),
        objects,
        lists: intent.lists_destination(),
        kms: Vec::new(),
    }
}

/// A bucket's policy in the two forms in which it can be given.
#[derive(Debug, Clone, Serialize)]
pub struct PolicyRequest {
    /// `source` or `destination`.
    pub side: String,
    /// The bucket.
    pub bucket: String,
    /// For a user or role of the bucket's own account.
    pub identity_policy: Value,
    /// For the bucket itself, where the user or role is of another account: put its ARN in place of
    /// the placeholder.
    pub bucket_policy: Value,
}

/// Stands where the one who asks is to be named.
pub const PRINCIPAL: &str = "arn:aws:iam::ACCOUNT-ID:role/ROLE-NAME";

impl PolicyRequest {
    /// The policy of one bucket. The region says in which partition it lies.
    pub fn new(side: Side, need: &Need, region: Option<&str>) -> PolicyRequest {
        let partition = partition(region.unwrap_or_default());
        let principal = PRINCIPAL.replacen("aws", partition, 1);
        let with_principal = statements(need, partition, Some(&principal), false);
        PolicyRequest {
            side: side.to_string(),
            bucket: need.bucket.clone(),
            identity_policy: document(statements(need, partition, None, true)),
            bucket_policy: document(with_principal),
        }
    }
}

fn document(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn statements(need: &Need, partition: &str, principal: Option<&str>, kms: bool) -> Vec<Value> {
    let bucket = format!("arn:{partition}:s3:::{}", need.bucket);
    let literal = escaped(&need.prefix);
    let star = if need.one_key { "" } else { "*" };
    let mut statements = vec![json!({
        "Sid": "LonghaulObjects",
        "Effect": "Allow",
        "Action": need.objects,
        "Resource": format!("{bucket}/{literal}{star}"),
    })];
    if need.lists {
        let mut listing = json!({
            "Sid": "LonghaulListing",
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": bucket,
        });
        if !need.prefix.is_empty() {
            listing["Condition"] = json!({
                "StringLike": { "s3:prefix": format!("{literal}*") },
            });
        }
        statements.push(listing);
    }
    // A KMS key has a policy of its own; a bucket's cannot speak of it.
    if kms && !need.kms.is_empty() {
        statements.push(json!({
            "Sid": "LonghaulKey",
            "Effect": "Allow",
            "Action": need.kms,
            "Resource": format!("arn:{partition}:kms:REGION:ACCOUNT-ID:key/KEY-ID"),
        }));
    }
    if let Some(principal) = principal {
        for statement in &mut statements {
            statement["Principal"] = json!({ "AWS": principal });
        }
    }
    statements
}

/// Source: AWS general reference, "Amazon Resource Names", partitions (read 2026-11).
fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// A key's text where a policy would take some of its characters for something else.
/// Source: IAM user guide, "IAM policy elements: variables and tags", `${*}`, `${?}`, `${$}` (read
/// 2026-11).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '*' | '?' | '$' => escaped.extend(["${", letter.encode_utf8(&mut [0; 4]), "}"]),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> S3Url {
        S3Url::parse(text).unwrap()
    }

    fn actions(policy: &Value) -> Vec<String> {
        let statements = policy["Statement"].as_array().unwrap();
        let actions = statements
            .iter()
            .flat_map(|statement| statement["Action"].as_array().unwrap());
        actions
            .map(|action| action.as_str().unwrap().to_owned())
            .collect()
    }

    fn source(intent: Intent, text: &str, traits: Traits) -> PolicyRequest {
        PolicyRequest::new(Side::Source, &of_source(intent, &url(text), &traits), None)
    }

    #[test]
    fn nothing_is_asked_for_that_the_plan_does_not_use() {
        let none = Traits::default();
        let copy = source(Intent::Copy, "s3://music/2026/*", none);
        assert_eq!(
            actions(&copy.identity_policy),
            ["s3:GetObject", "s3:ListBucket"]
        );
        let one = source(Intent::Copy, "s3://music/song.mp3", none);
        assert_eq!(actions(&one.identity_policy), ["s3:GetObject"]);
        let moved = source(Intent::Move, "s3://music/*", none);
        assert!(actions(&moved.identity_policy).contains(&"s3:DeleteObject".to_owned()));
        let of = |intent| {
            let need = of_destination(intent, &url("s3://copy/"), &none);
            actions(&PolicyRequest::new(Side::Destination, &need, None).identity_policy)
        };
        assert!(!of(Intent::Copy).contains(&"s3:ListBucket".to_owned()));
        assert!(!of(Intent::Sync).contains(&"s3:DeleteObject".to_owned()));
        assert!(of(Intent::SyncDelete).contains(&"s3:DeleteObject".to_owned()));
    }

    #[test]
    fn traits_of_the_objects_ask_for_more() {
        let traits = Traits {
            tags: true,
            kms: true,
        };
        let policy = source(Intent::Copy, "s3://music/*", traits);
        assert_eq!(
            actions(&policy.identity_policy),
            [
                "s3:GetObject",
                "s3:GetObjectTagging",
                "s3:ListBucket",
                "kms:Decrypt"
            ]
        );
        assert!(!actions(&policy.bucket_policy).contains(&"kms:Decrypt".to_owned()));
    }

    #[test]
    fn resources_are_the_prefix_and_nothing_beside_it() {
        let policy = source(Intent::Copy, "s3://music/2026/*", Traits::default());
        let statements = &policy.identity_policy["Statement"];
        assert_eq!(statements[0]["Resource"], "arn:aws:s3:::music/2026/*");
        assert_eq!(statements[1]["Resource"], "arn:aws:s3:::music");
        assert_eq!(
            statements[1]["Condition"]["StringLike"]["s3:prefix"],
            "2026/*"
        );
        assert!(statements[0].get("Principal").is_none());
        for statement in policy.bucket_policy["Statement"].as_array().unwrap() {
            assert_eq!(statement["Principal"]["AWS"], PRINCIPAL);
        }
        let need = of_destination(Intent::Copy, &url("s3://b/a$b"), &Traits::default());
        let china = PolicyRequest::new(Side::Destination, &need, Some("cn-north-1"));
        let resource = &china.identity_policy["Statement"][0]["Resource"];
        assert_eq!(resource, "arn:aws-cn:s3:::b/a${$}b");
    }
}
