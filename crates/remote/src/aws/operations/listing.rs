//! Listings of keys and of versions.

use base::Fault;
use http::Method;

use super::exchange::exchange;
use crate::aws::AwsClient;
use crate::aws::request::Request;
use crate::aws::xml::{ListVersion, VersionMarker, parse_objects, parse_versions};
use crate::error::{Operation, Result};
use crate::types::{ListObjectVersions, ListObjects, ListPage};

pub(super) async fn list_objects(client: &AwsClient, list: ListObjects) -> Result<ListPage> {
    let (operation, version) = if list.v1 {
        (Operation::ListObjects, ListVersion::V1)
    } else {
        (Operation::ListObjectsV2, ListVersion::V2)
    };
    let mut request = Request::new(operation, Method::GET)
        .bucket(list.bucket)
        .query("encoding-type", "url");
    request = page_of(request, list.prefix, list.delimiter, list.keys_max);
    let token = list.continuation_token.map(|token| token.0);
    request = match version {
        // V1 knows one marker: where the last page ended, or where the first begins.
        ListVersion::V1 => with(request, "marker", token.or(list.start_after)),
        ListVersion::V2 => {
            let first = list.start_after.filter(|_| token.is_none());
            let request = request.query("list-type", "2");
            let request = with(request, "start-after", first);
            with(request, "continuation-token", token)
        }
    };
    exchange(client, request, move |response| {
        parse_objects(&response.body.into_bytes(), version)
    })
    .await
}

pub(super) async fn list_object_versions(
    client: &AwsClient,
    list: ListObjectVersions,
) -> Result<ListPage> {
    let mut request = Request::new(Operation::ListObjectVersions, Method::GET)
        .bucket(list.bucket)
        .flag("versions")
        .query("encoding-type", "url");
    request = page_of(request, list.prefix, list.delimiter, list.keys_max);
    if let Some(token) = &list.continuation_token {
        let Some(marker) = VersionMarker::from_token(token) else {
            let message = "the continuation token is none of a listing of versions";
            return Err(request.error(Fault::Invalid, message));
        };
        request = request.query("key-marker", marker.key);
        request = with(request, "version-id-marker", marker.version_id);
    }
    exchange(client, request, |response| {
        parse_versions(&response.body.into_bytes())
    })
    .await
}

fn page_of(
    request: Request,
    prefix: String,
    delimiter: Option<String>,
    keys_max: Option<u32>,
) -> Request {
    let prefix = (!prefix.is_empty()).then_some(prefix);
    let request = with(request, "prefix", prefix);
    let request = with(request, "delimiter", delimiter);
    with(request, "max-keys", keys_max.map(|keys| keys.to_string()))
}

fn with(request: Request, name: &'static str, value: Option<String>) -> Request {
    match value {
        Some(value) => request.query(name, value),
        None => request,
    }
}
