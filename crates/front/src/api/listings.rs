//! Listings of objects, in S3's two dialects.

use base::BucketName;
use s3s::dto::{
    CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object, ObjectStorageClass,
};
use s3s::{S3Request, S3Result, s3_error};
use store::model::{Entry, ListQuery, ListedObject, Page};

use super::Api;
use super::buckets::owner;
use crate::checksums::{algorithm_name, type_of};
use crate::names::{bucket_name, etag, limit, s3_error, size, timestamp, url_encoded};

/// How a listing writes keys.
#[derive(Debug, Clone, Copy)]
pub(super) enum Encoding {
    /// As they are; XML escapes what it must.
    Plain,
    /// Percent-encoded.
    Url,
}

impl Encoding {
    pub(super) fn of(api: &Api, asked: Option<&EncodingType>) -> S3Result<Encoding> {
        match asked.map(EncodingType::as_str) {
            _ if api.deviation.ignore_encoding_type => Ok(Encoding::Plain),
            None => Ok(Encoding::Plain),
            Some(EncodingType::URL) => Ok(Encoding::Url),
            Some(_) => Err(s3_error!(
                InvalidArgument,
                "Invalid Encoding Method specified in Request"
            )),
        }
    }

    pub(super) fn text(self, text: &str) -> String {
        match self {
            Encoding::Plain => text.to_owned(),
            Encoding::Url => url_encoded(text),
        }
    }

    pub(super) fn shown(self) -> Option<EncodingType> {
        match self {
            Encoding::Plain => None,
            Encoding::Url => Some(EncodingType::from_static(EncodingType::URL)),
        }
    }
}

/// The two lists of a page.
struct Lists {
    contents: Vec<Object>,
    common_prefixes: Vec<CommonPrefix>,
}

impl Lists {
    fn of(api: &Api, page: &Page<ListedObject>, encoding: Encoding, with_owner: bool) -> Lists {
        let mut lists = Lists {
            contents: Vec::new(),
            common_prefixes: Vec::new(),
        };
        for entry in &page.entries {
            match entry {
                Entry::CommonPrefix(prefix) => lists.common_prefixes.push(CommonPrefix {
                    prefix: Some(encoding.text(prefix)),
                }),
                Entry::Item(item) => {
                    let object = &item.object;
                    let checksum = api.shown_checksum(Some(&object.checksum));
                    lists.contents.push(Object {
                        checksum_algorithm: checksum
                            .map(|kept| vec![algorithm_name(kept.algorithm)]),
                        checksum_type: type_of(checksum),
                        e_tag: Some(etag(&object.etag)),
                        key: Some(encoding.text(item.key.as_str())),
                        last_modified: Some(timestamp(object.last_modified)),
                        owner: with_owner.then(owner),
                        size: Some(size(object.size())),
                        storage_class: Some(ObjectStorageClass::from(
                            object.attributes.storage_class().to_owned(),
                        )),
                        ..Object::default()
                    });
                }
            }
        }
        lists
    }
}

pub(super) async fn list_objects(
    api: &Api,
    request: S3Request<ListObjectsInput>,
) -> S3Result<ListObjectsOutput> {
    let input = request.input;
    let limit = limit(input.max_keys)?;
    let encoding = Encoding::of(api, input.encoding_type.as_ref())?;
    let query = ListQuery {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after: input.marker.clone().unwrap_or_default(),
        limit: api.page_size(limit),
    };
    let page = api.page(&bucket_name(&input.bucket)?, &query)?;
    let lists = Lists::of(api, &page, encoding, true);
    // S3 says where to go on only with a delimiter; without, the last key says it.
    let next_marker = page
        .next_after
        .as_ref()
        .filter(|_| !query.delimiter.is_empty());
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(encoding.text(&query.prefix)),
        marker: Some(encoding.text(&query.after)),
        max_keys: Some(limit),
        is_truncated: Some(page.next_after.is_some()),
        contents: Some(lists.contents),
        common_prefixes: Some(lists.common_prefixes),
        delimiter: input.delimiter.map(|text| encoding.text(&text)),
        next_marker: next_marker.map(|text| encoding.text(text)),
        encoding_type: encoding.shown(),
        ..ListObjectsOutput::default()
    })
}

pub(super) async fn list_objects_v2(
    api: &Api,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<ListObjectsV2Output> {
    let input = request.input;
    let limit = limit(input.max_keys)?;
    let encoding = Encoding::of(api, input.encoding_type.as_ref())?;
    let deviation = &api.deviation;
    let after = match (&input.continuation_token, &input.start_after) {
        (Some(token), _) => read_token(token)?,
        (None, Some(_)) if deviation.ignore_start_after || deviation.unordered_listings => {
            String::new()
        }
        (None, start_after) => start_after.clone().unwrap_or_default(),
    };
    let query = ListQuery {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after,
        limit: api.page_size(limit),
    };
    let page = api.page(&bucket_name(&input.bucket)?, &query)?;
    let lists = Lists::of(api, &page, encoding, input.fetch_owner.unwrap_or(false));
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encoding.text(&query.prefix)),
        max_keys: Some(limit),
        key_count: i32::try_from(page.entries.len()).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(page.next_after.is_some()),
        next_continuation_token: page.next_after.as_deref().map(write_token),
        contents: Some(lists.contents),
        common_prefixes: Some(lists.common_prefixes),
        delimiter: input.delimiter.map(|text| encoding.text(&text)),
        encoding_type: encoding.shown(),
        start_after: input.start_after.map(|text| encoding.text(&text)),
        ..ListObjectsV2Output::default()
    })
}

/// What leads every token, so that foreign text is told apart.
const TOKEN_MARK: &str = "1";

/// A token that keeps any key, and tells nobody to look inside.
fn write_token(after: &str) -> String {
    format!("{TOKEN_MARK}{}", hex::encode(after))
}

fn read_token(token: &str) -> S3Result<String> {
    token
        .strip_prefix(TOKEN_MARK)
        .and_then(|text| hex::decode(text).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| {
            s3_error!(
                InvalidArgument,
                "The continuation token provided is incorrect"
            )
        })
}

impl Api {
    /// The number of entries of a page on which this store settles.
    pub(super) fn page_size(&self, limit: i32) -> usize {
        let limit = usize::try_from(limit).unwrap_or(0);
        self.deviation
            .page_size_max
            .map_or(limit, |max| limit.min(max))
    }

    fn page(&self, bucket: &BucketName, query: &ListQuery) -> S3Result<Page<ListedObject>> {
        if self.deviation.unordered_listings {
            return self.unordered_page(bucket, query);
        }
        self.model.list_objects(bucket, query).map_err(s3_error)
    }

    /// A page in an order of its own: by the reversed name. Costs a whole listing.
    fn unordered_page(
        &self,
        bucket: &BucketName,
        query: &ListQuery,
    ) -> S3Result<Page<ListedObject>> {
        let whole = ListQuery {
            after: String::new(),
            limit: usize::MAX,
            ..query.clone()
        };
        let mut page = self.model.list_objects(bucket, &whole).map_err(s3_error)?;
        let name = |entry: &Entry<ListedObject>| match entry {
            Entry::Item(item) => item.key.as_str().to_owned(),
            Entry::CommonPrefix(prefix) => prefix.clone(),
        };
        let reversed = |text: &str| text.chars().rev().collect::<String>();
        page.entries
            .sort_by_cached_key(|entry| reversed(&name(entry)));
        if !query.after.is_empty() {
            let after = reversed(&query.after);
            page.entries.retain(|entry| reversed(&name(entry)) > after);
        }
        let more = page.entries.len() > query.limit && query.limit > 0;
        page.entries.truncate(query.limit);
        page.next_after = page.entries.last().map(name).filter(|_| more);
        Ok(page)
    }
}
