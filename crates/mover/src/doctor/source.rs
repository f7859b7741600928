//! The source side: listed, and one object of it asked for a byte.

use base::fault::Classified as _;
use base::{ByteCount, Fault, Key, VersionId};
use remote::ObjectClient;
use remote::types::{
    ByteRange, GetObject, GetObjectTagging, HeadObject, ListObjectVersions, ListObjects,
    ListedObject, ObjectHead, StorageClass, VersioningState,
};

use super::Visit;
use super::check::{Check, Standing, ends_it};
use super::policy::{Intent, Traits};
use crate::source::Side;
use crate::url::S3Url;

/// Rows asked for, to find one that is an object and can be read at once.
const ROWS: u32 = 10;

const SIDE: Side = Side::Source;

/// What one object of the source told.
#[derive(Debug, Default)]
pub(super) struct Sample {
    /// The object that was asked for, if one could be read.
    pub(super) readable: Option<Key>,
    /// Its bucket's region, as far as the client knows.
    pub(super) region: Option<String>,
    pub(super) traits: Traits,
    pub(super) size: ByteCount,
}

/// Says as whom a side is asked. False where nobody is.
pub(super) async fn credentials(
    side: Side,
    client: &dyn ObjectClient,
    checks: &mut Vec<Check>,
) -> (bool, Option<String>) {
    let signer = match client.signer().await {
        Ok(signer) => signer,
        Err(error) => {
            checks.push(Check::failed(side, "credentials", "credentials", &error));
            return (false, None);
        }
    };
    let mut detail = match &signer.access_key_id {
        Some(id) => format!("access key {id}"),
        None => "none: requests are not signed".to_owned(),
    };
    if let Some(provider) = &signer.provider {
        detail.push_str(&format!(" from {}", place_of(provider)));
    }
    if let Some(end) = signer.expires_at {
        detail.push_str(&format!(", good until {end}"));
    }
    checks.push(Check::ok(side, "credentials", detail));
    let mut place = client.endpoint();
    if let Some(region) = &signer.region {
        place.push_str(&format!(", region {region}"));
    }
    checks.push(Check::ok(side, "endpoint", place));
    (true, signer.region)
}

/// Where credentials come from, in words that people know.
fn place_of(provider: &str) -> &str {
    match provider {
        "EnvironmentVariable" => "the environment",
        "ProfileFile" => "a profile",
        "WebIdentityToken" => "a web identity token",
        "EcsContainer" => "the container's role",
        "Ec2InstanceMetadata" => "the instance's role",
        other => other,
    }
}

/// Looks at the source.
pub(super) async fn examine(visit: &Visit, url: &S3Url, checks: &mut Vec<Check>) -> Sample {
    let client = &*visit.source.client;
    let mut sample = Sample::default();
    let (signed, region) = credentials(SIDE, client, checks).await;
    sample.region = region;
    if !signed {
        return sample;
    }
    let Some(listed) = list(client, url, checks).await else {
        return sample;
    };
    let key = visit.key.clone().or_else(|| listed.clone());
    match key {
        Some(key) => read(client, url, &key, &mut sample, checks).await,
        None => checks.push(
            Check::new(SIDE, "read", Standing::Unknown, "no key to try it with")
                .with_mend("name one with --key"),
        ),
    }
    versions(client, url, sample.readable.as_ref(), checks).await;
    clock(SIDE, client, checks).await;
    if visit.intent == Intent::Move {
        checks.push(Check::new(
            SIDE,
            "delete",
            Standing::Unknown,
            "s3:DeleteObject cannot be tried without deleting something",
        ));
    }
    sample
}

/// Lists a little. None where there is no more to find out; else a key to try, if there is one.
async fn list(
    client: &dyn ObjectClient,
    url: &S3Url,
    checks: &mut Vec<Check>,
) -> Option<Option<Key>> {
    let named = (!url.has_wildcard() && !url.is_prefix())
        .then(|| Key::new(url.path.as_str()).ok())
        .flatten();
    let mut request = ListObjects::new(url.bucket.clone(), url.literal_prefix());
    request.keys_max = Some(ROWS);
    match client.list_objects(request).await {
        Ok(page) => {
            let found = named.clone().or_else(|| choose(&page.objects));
            let detail = match page.objects.len() {
                0 => format!("allowed; nothing begins with {:?}", url.literal_prefix()),
                _ => "allowed".to_owned(),
            };
            checks.push(Check::ok(SIDE, "list", detail));
            Some(found)
        }
        Err(error) if ends_it(&error) => {
            checks.push(Check::failed(SIDE, "reach", "s3:ListBucket", &error));
            None
        }
        // One object needs no listing.
        Err(error) if named.is_some() => {
            let what_for = "telling an absent key from a forbidden one";
            checks.push(Check::lacking(SIDE, "list", what_for, &error));
            Some(named)
        }
        Err(error) => {
            let mut check = Check::failed(SIDE, "list", "s3:ListBucket", &error);
            if error.fault() == Fault::Denied {
                let mend = "ask for s3:ListBucket, or for a list of the keys: cp --keys FILE";
                check = check.with_mend(mend);
            }
            checks.push(check);
            Some(None)
        }
    }
}

/// A row that is an object whose bytes can be had at once, else any object.
fn choose(rows: &[ListedObject]) -> Option<Key> {
    let object = |row: &&ListedObject| !row.key.as_str().ends_with('/');
    let archived = |row: &&ListedObject| {
        row.storage_class
            .as_ref()
            .is_some_and(StorageClass::is_archived)
    };
    let at_hand = rows.iter().filter(object).find(|row| !archived(row));
    at_hand
        .or_else(|| rows.iter().find(object))
        .map(|row| row.key.clone())
}

/// Asks for one object's head and a byte of it, and what it carries.
async fn read(
    client: &dyn ObjectClient,
    url: &S3Url,
    key: &Key,
    sample: &mut Sample,
    checks: &mut Vec<Check>,
) {
    let request = HeadObject::new(url.bucket.clone(), key.clone());
    let head = match client.head_object(request).await {
        Ok(head) => Some(head),
        Err(error) if error.fault() == Fault::Denied => None,
        Err(error) => {
            checks.push(Check::failed(SIDE, "read", "s3:GetObject", &error));
            return;
        }
    };
    let empty = head
        .as_ref()
        .is_some_and(|head| head.size == ByteCount::ZERO);
    let mut request = GetObject::new(url.bucket.clone(), key.clone());
    request.checksum_mode = false;
    request.range = (!empty).then_some(ByteRange {
        offset: 0,
        length: ByteCount(1),
    });
    match client.get_object(request).await {
        Ok(_) => {
            sample.readable = Some(key.clone());
            checks.push(Check::ok(
                SIDE,
                "read",
                format!("allowed, tried with {key:?}"),
            ));
        }
        Err(error) if error.is_code("InvalidObjectState") => {
            checks.push(archived(key));
            sample.readable = None;
        }
        Err(error) => {
            let mut check = Check::failed(SIDE, "read", "s3:GetObject", &error);
            if error.fault() == Fault::Denied {
                check = check.with_mend(
                    "ask for s3:GetObject, see the policy below (a key that is not there is \
                     answered so too where listing is not allowed; if the requester is to pay, \
                     say --request-payer requester; if a KMS key encrypts it, kms:Decrypt is \
                     needed as well)",
                );
            }
            checks.push(check);
        }
    }
    if let Some(head) = head {
        carried(client, url, key, &head, sample, checks).await;
    }
}

fn archived(key: &Key) -> Check {
    Check::new(
        SIDE,
        "archived",
        Standing::Missing,
        format!("{key:?} is archived: nobody can read it before it is restored"),
    )
    .with_mend("restore what is archived, or pass it over with --ignore-glacier-warnings")
}

/// What the object carries that a copy needs more permissions for.
async fn carried(
    client: &dyn ObjectClient,
    url: &S3Url,
    key: &Key,
    head: &ObjectHead,
    sample: &mut Sample,
    checks: &mut Vec<Check>,
) {
    sample.size = head.size;
    let encryption = head.attributes.encryption.algorithm.as_deref();
    sample.traits.kms = encryption.is_some_and(|method| method.starts_with("aws:kms"));
    if sample.traits.kms {
        let detail = "objects are encrypted under a KMS key: its ETag is no MD5, and reading needs \
                      kms:Decrypt";
        checks.push(Check::note(SIDE, "encryption", detail));
    }
    sample.traits.tags = head.tag_count.is_some_and(|count| count > 0);
    if sample.traits.tags {
        let request = GetObjectTagging {
            bucket: url.bucket.clone(),
            key: key.clone(),
            version_id: None,
        };
        checks.push(match client.get_object_tagging(request).await {
            Ok(tags) => Check::ok(SIDE, "tags", format!("may be read, {} seen", tags.len())),
            Err(error) => Check::failed(SIDE, "tags", "s3:GetObjectTagging", &error),
        });
    }
}

/// Whether old versions are there and may be had.
async fn versions(
    client: &dyn ObjectClient,
    url: &S3Url,
    readable: Option<&Key>,
    checks: &mut Vec<Check>,
) {
    let what_for = "carrying old versions over";
    match client.get_bucket_versioning(url.bucket.clone()).await {
        Ok(VersioningState::Unversioned) => {}
        Ok(VersioningState::Enabled | VersioningState::Suspended) => {
            let request = ListObjectVersions {
                bucket: url.bucket.clone(),
                prefix: url.literal_prefix().to_owned(),
                delimiter: None,
                continuation_token: None,
                keys_max: Some(1),
            };
            checks.push(match client.list_object_versions(request).await {
                Ok(_) => Check::note(SIDE, "versions", "kept; they may be listed"),
                Err(error) => Check::lacking(SIDE, "versions", what_for, &error),
            });
            if let Some(key) = readable {
                version(client, url, key, checks).await;
            }
        }
        Err(error) => checks.push(Check::lacking(SIDE, "versioning", what_for, &error)),
    }
}

async fn version(client: &dyn ObjectClient, url: &S3Url, key: &Key, checks: &mut Vec<Check>) {
    let request = HeadObject::new(url.bucket.clone(), key.clone());
    let version: Option<VersionId> = match client.head_object(request).await {
        Ok(head) => head.version_id,
        Err(_) => None,
    };
    let Some(version) = version else { return };
    let mut request = HeadObject::new(url.bucket.clone(), key.clone());
    request.version_id = Some(version);
    checks.push(match client.head_object(request).await {
        Ok(_) => Check::note(SIDE, "read version", "allowed"),
        Err(error) => Check::lacking(SIDE, "read version", "reading old versions", &error),
    });
}

/// Whether the clocks had to be put right.
pub(super) async fn clock(side: Side, client: &dyn ObjectClient, checks: &mut Vec<Check>) {
    if let Ok(signer) = client.signer().await
        && !signer.clock_offset.is_zero()
    {
        let seconds = signer.clock_offset.as_secs();
        let detail =
            format!("this machine's is {seconds} s off the store's; requests allow for it");
        checks.push(Check::note(side, "clock", detail).with_mend("set this machine's clock"));
    }
}
