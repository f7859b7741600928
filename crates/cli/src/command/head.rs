//! `head`.

use std::collections::BTreeMap;

use base::Fault;
use base::fault::Classified as _;
use mover::{Side, Source, Target};
use remote::types::HeadObject;

use super::named::{object, shown, target, without_wildcard};
use super::{Call, Failure, Result};
use crate::args::{HeadArgs, LogLevel};
use crate::output::go_json;
use crate::output::rows::{BucketHead, ObjectHeadRow};
use crate::persona::Outcome;

/// Shows what a store says of an object, or that a bucket is there.
pub(super) async fn run(args: &HeadArgs, call: Call<'_>) -> Result {
    let text = match args.arguments.as_slice() {
        [] => {
            let line = "target should be remote object or bucket";
            return Err(Failure::Usage(line.to_owned()));
        }
        [one] => one,
        _ => {
            let line = "object or bucket name is required";
            return Err(Failure::Usage(line.to_owned()));
        }
    };
    let source = Source {
        raw: args.raw,
        ..Source::new(target(text)?)
    };
    let Target::Remote(url) = &source.target else {
        let line = "target should be remote object or bucket";
        return Err(Failure::Usage(line.to_owned()));
    };
    without_wildcard("remote source", &source)?;
    let client = call
        .session
        .client(Side::Source, None)
        .await
        .map_err(Failure::Client)?;
    let name = shown(&source.target);
    let output = &call.session.output;
    if url.is_bucket() {
        client.head_bucket(url.bucket.clone()).await?;
        if output.says(LogLevel::Info) {
            output.text(format_args!("{}", go_json(&BucketHead { bucket: &name })));
        }
        return Ok(Outcome::DONE);
    }
    if !args.raw && url.is_prefix() {
        let line = "target have to be a object or a bucket";
        return Err(Failure::Usage(line.to_owned()));
    }
    let place = object(url, args.version_id.as_deref())?;
    let asked = place.version_id.as_ref().map(ToString::to_string);
    let request = HeadObject {
        version_id: place.version_id,
        ..HeadObject::new(place.bucket, place.key)
    };
    let head = match client.head_object(request).await {
        Ok(head) => head,
        Err(error) if error.fault() == Fault::NotFound => {
            return Err(Failure::Said(format!("given object {name} not found")));
        }
        Err(error) => return Err(error.into()),
    };
    if !output.says(LogLevel::Info) {
        return Ok(Outcome::DONE);
    }
    let attributes = &head.attributes;
    let metadata: BTreeMap<&str, &str> = attributes
        .metadata
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let class = attributes.storage_class.as_ref();
    output.text(format_args!(
        "{}",
        go_json(&ObjectHeadRow {
            key: &name,
            content_type: attributes.content_type.as_deref(),
            server_side_encryption: attributes.encryption.algorithm.as_deref(),
            last_modified: head.last_modified,
            size: head.size.get(),
            storage_class: Some(class.map_or("STANDARD", |class| class.as_str())),
            version_id: asked.as_deref(),
            etag: head.etag.as_ref().map(AsRef::as_ref),
            metadata,
        })
    ));
    Ok(Outcome::DONE)
}
