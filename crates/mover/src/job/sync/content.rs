//! Whether two objects hold the same bytes: by checksum or ETag where comparable, else by reading.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use base::checksum::{ChecksumType, Crc64Hasher};
use base::flow::retry;
use base::{Crc64Nvme, Fault};
use remote::types::{GetObject, HeadObject, ObjectHead};
use remote::{ObjectClient, Operation};

use crate::context::Context;
use crate::digest::{checksum_of_file, has_composite, has_multipart_etag, md5_of_file};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::flow::STREAMED;
use crate::location::{Location, ObjectLocation};
use crate::source::Side;
use crate::verify::{self, Means};

/// Bytes of a file read at once.
const READ_BYTES: usize = 256 << 10;

/// Whether `source` and `there` (of equal sizes) hold the same bytes.
pub(super) async fn same_content(context: &Context, source: &Entry, there: &Entry) -> Result<bool> {
    match (&source.location, &there.location) {
        (Location::Local(path), Location::Remote(object)) => {
            file_and_object(context, Side::Destination, path.clone(), object).await
        }
        (Location::Remote(object), Location::Local(path)) => {
            file_and_object(context, Side::Source, path.clone(), object).await
        }
        (Location::Remote(from), Location::Remote(to)) => two_objects(context, from, to).await,
        (Location::Local(from), Location::Local(to)) => {
            let (from, to) = (from.clone(), to.clone());
            let (from, to) = tokio::try_join!(crc64_of_path(from), crc64_of_path(to))?;
            Ok(from == to)
        }
    }
}

async fn two_objects(
    context: &Context,
    from: &ObjectLocation,
    to: &ObjectLocation,
) -> Result<bool> {
    let (here, there) =
        tokio::try_join!(head(&context.source, from), head(&context.destination, to))?;
    if let Some(same) = heads_agree(&here, &there) {
        return Ok(same);
    }
    let (from, to) = tokio::try_join!(
        crc64_of_object(context, Side::Source, from, &here),
        crc64_of_object(context, Side::Destination, to, &there)
    )?;
    Ok(from == to)
}

/// What the stores say of two objects, where that settles it. Pure.
///
/// Composite checksums and multipart ETags that differ prove nothing: the parts may differ alone.
/// An opaque ETag proves nothing either way.
pub(crate) fn heads_agree(here: &ObjectHead, there: &ObjectHead) -> Option<bool> {
    if here.size != there.size {
        return Some(false);
    }
    for checksum in &here.checksums {
        let other = there.checksums.iter().find(|other| {
            other.algorithm == checksum.algorithm && other.checksum_type == checksum.checksum_type
        });
        match other {
            Some(other) if other.value == checksum.value => return Some(true),
            Some(_) if checksum.checksum_type == ChecksumType::FullObject => return Some(false),
            Some(_) | None => {}
        }
    }
    if let (Some(here), Some(there)) = (here.md5(), there.md5()) {
        return Some(here == there);
    }
    match (verify::means(here), verify::means(there)) {
        (Means::MultipartETag(here), Means::MultipartETag(there)) if here == there => Some(true),
        _ => None,
    }
}

async fn file_and_object(
    context: &Context,
    side: Side,
    path: PathBuf,
    object: &ObjectLocation,
) -> Result<bool> {
    let there = head(&side.client(context), object).await?;
    let size = there.size;
    match verify::means(&there) {
        Means::Crc64(crc64) => return Ok(crc64_of_path(path).await? == crc64),
        Means::Checksum(stored) => {
            let of_file = base::tasks::blocking(move || {
                let actual = checksum_of_file(stored.algorithm, &open(&path)?, 0, size)?;
                Ok(actual.full_object() == stored)
            });
            return of_file.await;
        }
        Means::Composite(stored) => {
            let path = path.clone();
            let found = base::tasks::blocking(move || has_composite(&open(&path)?, size, &stored));
            if found.await? {
                return Ok(true);
            }
        }
        Means::Md5(md5) => {
            let of_file = base::tasks::blocking(move || {
                let file = open(&path)?;
                md5_of_file(&file, 0, size)
            });
            return Ok(of_file.await? == md5);
        }
        Means::MultipartETag(etag) => {
            let path = path.clone();
            let found =
                base::tasks::blocking(move || has_multipart_etag(&open(&path)?, size, &etag));
            if found.await? {
                return Ok(true);
            }
        }
        Means::Size => {}
    }
    let (file, bytes) = tokio::try_join!(
        crc64_of_path(path),
        crc64_of_object(context, side, object, &there)
    )?;
    Ok(file == bytes)
}

pub(crate) async fn head(
    client: &Arc<dyn ObjectClient>,
    object: &ObjectLocation,
) -> Result<ObjectHead> {
    let mut request = HeadObject::new(object.bucket.clone(), object.key.clone());
    request.version_id.clone_from(&object.version_id);
    request.checksum_mode = true;
    Ok(client.head_object(request).await?)
}

/// The checksum of an object's bytes.
pub(in crate::job) async fn crc64_of_object(
    context: &Context,
    side: Side,
    object: &ObjectLocation,
    head: &ObjectHead,
) -> Result<Crc64Nvme> {
    let update = |hasher: &mut Crc64Hasher, bytes: &[u8]| hasher.update(bytes);
    let hasher = read_object(context, side, object, head, Crc64Hasher::new, update).await?;
    Ok(hasher.finish())
}

/// Reads an object whole into what `begin` makes; one that breaks off is read again.
pub(in crate::job) async fn read_object<T>(
    context: &Context,
    side: Side,
    object: &ObjectLocation,
    head: &ObjectHead,
    begin: impl Fn() -> T,
    update: impl Fn(&mut T, &[u8]),
) -> Result<T> {
    let client = side.client(context);
    let _permit = context.flow.acquire(side.need(STREAMED)).await;
    let read = async || {
        let mut request = GetObject::new(object.bucket.clone(), object.key.clone());
        request.version_id.clone_from(&object.version_id);
        request.if_match.clone_from(&head.etag);
        request.checksum_mode = false;
        let mut answer = client.get_object(request).await?;
        // Stores that ignore the condition exist.
        if answer.head.etag != head.etag || answer.head.size != head.size {
            let message = "the object changed while it was compared";
            let error = remote::Error::new(Operation::GetObject, Fault::Conflict, message);
            return Err(error.about(Some(object.bucket.as_str()), Some(object.key.as_str())));
        }
        let mut read = begin();
        while let Some(frame) = answer.body.frame().await {
            update(&mut read, &frame?);
        }
        Ok(read)
    };
    Ok(retry(&context.retry, &context.clock, |_| read()).await?)
}

pub(in crate::job) async fn crc64_of_path(path: PathBuf) -> Result<Crc64Nvme> {
    base::tasks::blocking(move || {
        let mut file = open(&path)?;
        let mut hasher = Crc64Hasher::new();
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(hasher.finish()),
                Ok(count) => hasher.update(&buffer[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::local("read", path)(error)),
            }
        }
    })
    .await
}

fn open(path: &PathBuf) -> Result<File> {
    File::open(path).map_err(Error::local("open", path))
}
