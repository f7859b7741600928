//! Asks about a pair of objects of equal size, or reads them.

use std::fs::File;
use std::path::{Path, PathBuf};

use base::fault::Classified as _;
use base::{ByteCount, Crc64Nvme, ETag, Fault};
use remote::types::ObjectHead;

use super::State;
use super::agreement::{Agreement, Means, differs, of_heads, of_sizes};
use super::etag_hasher::{ETagHasher, Found};
use super::recorded::Recorded;
use crate::context::Context;
use crate::digest::{checksum_of_file, has_composite, has_multipart_etag, md5_of_file};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::job::sync::content::{crc64_of_object, crc64_of_path, head, read_object};
use crate::location::{Location, ObjectLocation};
use crate::source::Side;
use crate::verify::{self as arrival, Means as Stored};

/// Two objects of one name.
#[derive(Debug)]
pub(super) struct Pair {
    source_name: String,
    destination_name: String,
    /// What a sample is drawn by.
    name: String,
    subject: Subject,
}

/// What stands at the destination, and what it is compared with.
#[derive(Debug)]
enum Subject {
    Live { source: Entry, there: Entry },
    Recorded { row: Box<Recorded>, there: Entry },
}

impl Pair {
    /// What both sides have.
    pub(super) fn live(source: Entry, there: Entry) -> Pair {
        Pair {
            source_name: source.location.to_string(),
            destination_name: there.location.to_string(),
            name: source.relative().to_owned(),
            subject: Subject::Live { source, there },
        }
    }

    /// What a manifest says of an object that is there.
    pub(super) fn recorded(row: Recorded, there: Entry) -> Pair {
        let destination_name = there.location.to_string();
        Pair {
            source_name: row.key().to_owned(),
            name: destination_name.clone(),
            destination_name,
            subject: Subject::Recorded {
                row: Box::new(row),
                there,
            },
        }
    }

    pub(super) fn source_name(&self) -> &str {
        &self.source_name
    }

    pub(super) fn destination_name(&self) -> &str {
        &self.destination_name
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// Why a look ends before anything is compared.
enum Cut {
    Missing,
    Differing(String),
    Failed(Error),
}

impl From<Error> for Cut {
    fn from(error: Error) -> Cut {
        Cut::Failed(error)
    }
}

/// Looks at a pair: asks both sides, and reads with `read`.
pub(super) async fn look(context: &Context, pair: &Pair, read: bool) -> State {
    let agreement = match &pair.subject {
        Subject::Live { source, there } => {
            live(context, &source.location, &there.location, read).await
        }
        Subject::Recorded { row, there } => recorded(context, row, there, read).await,
    };
    match agreement {
        Ok(Agreement::Equal(means)) => State::Equal(means),
        Ok(Agreement::Differs(what)) | Err(Cut::Differing(what)) => State::Differing(what),
        Ok(Agreement::Silent) => State::Unverifiable,
        Err(Cut::Missing) => State::Missing,
        Err(Cut::Failed(error)) => State::Unknown(error),
    }
}

async fn live(
    context: &Context,
    source: &Location,
    there: &Location,
    read: bool,
) -> std::result::Result<Agreement, Cut> {
    match (source, there) {
        (Location::Remote(from), Location::Remote(to)) => {
            two_objects(context, from, to, read).await
        }
        (Location::Local(path), Location::Remote(object)) => {
            let head = head_there(context, object).await?;
            if read {
                let (file, bytes) = tokio::try_join!(
                    crc64_of_path(path.clone()),
                    crc64_of_object(context, Side::Destination, object, &head)
                )?;
                return Ok(of_bytes(file, bytes));
            }
            Ok(file_against(path, &head).await?)
        }
        (Location::Remote(object), Location::Local(path)) => {
            let head = head(&context.source, object).await?;
            // The file is the destination: to compare it at all is to read it.
            match file_against(path, &head).await? {
                Agreement::Silent if read => {
                    let (bytes, file) = tokio::try_join!(
                        crc64_of_object(context, Side::Source, object, &head),
                        crc64_of_path(path.clone())
                    )?;
                    Ok(of_bytes(bytes, file))
                }
                Agreement::Equal(_) if read => Ok(Agreement::Equal(Means::Read)),
                other => Ok(other),
            }
        }
        (Location::Local(from), Location::Local(to)) => {
            let (from, to) =
                tokio::try_join!(crc64_of_path(from.clone()), crc64_of_path(to.clone()))?;
            Ok(of_bytes(from, to))
        }
    }
}

async fn two_objects(
    context: &Context,
    from: &ObjectLocation,
    to: &ObjectLocation,
    read: bool,
) -> std::result::Result<Agreement, Cut> {
    let source = async { Ok(head(&context.source, from).await?) };
    let (source, there) = tokio::try_join!(source, head_there(context, to))?;
    if !read {
        return Ok(of_heads(&source, &there));
    }
    if let Some(differs) = of_sizes(source.size, there.size) {
        return Ok(differs);
    }
    // What the source's store keeps of its bytes stands for reading them.
    let expected = async {
        match source.crc64nvme() {
            Some(stored) => Ok(stored),
            None => crc64_of_object(context, Side::Source, from, &source).await,
        }
    };
    let found = crc64_of_object(context, Side::Destination, to, &there);
    let (expected, found) = tokio::try_join!(expected, found)?;
    Ok(of_bytes(expected, found))
}

/// A file against what a store says of an object. The file is read.
async fn file_against(path: &Path, head: &ObjectHead) -> Result<Agreement> {
    let size = head.size;
    let file = path.to_owned();
    match arrival::means(head) {
        Stored::Crc64(stored) => {
            let found = crc64_of_path(file).await?;
            Ok(match found == stored {
                true => Agreement::Equal(Means::Checksum(base::ChecksumAlgorithm::Crc64Nvme)),
                false => Agreement::Differs("CRC64NVME of file and object".to_owned()),
            })
        }
        Stored::Checksum(stored) => {
            let algorithm = stored.algorithm;
            let found =
                base::tasks::blocking(move || checksum_of_file(algorithm, &open(&file)?, 0, size));
            Ok(match found.await?.full_object() == stored {
                true => Agreement::Equal(Means::Checksum(algorithm)),
                false => Agreement::Differs(format!("{} of file and object", algorithm.as_str())),
            })
        }
        Stored::Composite(stored) => {
            let algorithm = stored.algorithm;
            // No guess at the part size that fits proves nothing.
            let fits = base::tasks::blocking(move || has_composite(&open(&file)?, size, &stored));
            Ok(match fits.await? {
                true => Agreement::Equal(Means::Checksum(algorithm)),
                false => Agreement::Silent,
            })
        }
        Stored::Md5(stored) => {
            let found = base::tasks::blocking(move || md5_of_file(&open(&file)?, 0, size));
            Ok(match found.await? == stored {
                true => Agreement::Equal(Means::ETag),
                false => Agreement::Differs("MD5 of file and object".to_owned()),
            })
        }
        Stored::MultipartETag(etag) => {
            // No guess at the part size that fits proves nothing.
            let fits = base::tasks::blocking(move || {
                let file = open(&file)?;
                has_multipart_etag(&file, size, &etag)
            });
            Ok(match fits.await? {
                true => Agreement::Equal(Means::ETag),
                false => Agreement::Silent,
            })
        }
        Stored::Size => Ok(Agreement::Silent),
    }
}

async fn recorded(
    context: &Context,
    row: &Recorded,
    there: &Entry,
    read: bool,
) -> std::result::Result<Agreement, Cut> {
    if let Some(source) = row.source() {
        source_is_still(context, row, source).await?;
        if !row.arrived() {
            // It was left alone, so that the row says nothing of what is there.
            return live(context, source, &there.location, read).await;
        }
    }
    let agreement = match &there.location {
        Location::Local(path) => row_against_file(row, path).await?,
        Location::Remote(object) => {
            let head = head_there(context, object).await?;
            if let Some(size) = row.size()
                && let Some(differs) = of_sizes(size, head.size)
            {
                return Ok(differs);
            }
            match read {
                true => row_against_bytes(context, row, object, &head).await?,
                false => row_against_head(row, &head),
            }
        }
    };
    match (agreement, row.source()) {
        // Nothing recorded can be compared: the source itself is there to compare with.
        (Agreement::Silent, Some(source)) => live(context, source, &there.location, read).await,
        (known, _) => Ok(known),
    }
}

/// What a store says of an object now, against what was recorded.
fn row_against_head(row: &Recorded, head: &ObjectHead) -> Agreement {
    match (row.crc64nvme(), head.crc64nvme()) {
        (Some(expected), Some(stored)) if expected == stored => {
            Agreement::Equal(Means::Checksum(base::ChecksumAlgorithm::Crc64Nvme))
        }
        (Some(expected), Some(stored)) => {
            differs("CRC64NVME", &expected.to_base64(), &stored.to_base64())
        }
        _ => row.against_etag(head.etag.as_ref()),
    }
}

/// An object's bytes, read now, against what was recorded.
async fn row_against_bytes(
    context: &Context,
    row: &Recorded,
    object: &ObjectLocation,
    head: &ObjectHead,
) -> Result<Agreement> {
    const SIDE: Side = Side::Destination;
    let same_object = matches!(row.against_etag(head.etag.as_ref()), Agreement::Equal(_));
    // Still the object that arrived: its store's checksum is that of the bytes then.
    let stored = head.crc64nvme().filter(|_| same_object);
    if let Some(expected) = row.crc64nvme().or(stored) {
        let found = crc64_of_object(context, SIDE, object, head).await?;
        return Ok(of_bytes(expected, found));
    }
    let Some(etag) = row.digest_etag() else {
        return Ok(Agreement::Silent);
    };
    let begin = || ETagHasher::new(&etag, head.size);
    let hasher = read_object(context, SIDE, object, head, begin, ETagHasher::update).await?;
    // Under KMS, or a key of the customer's, what looks like a digest is none.
    let is_plain = !matches!(arrival::means(head), Stored::Size);
    let proves = row.verified_by_etag() || (same_object && is_plain);
    Ok(of_digest(hasher.finish(), proves))
}

/// A file, read now, against what was recorded.
async fn row_against_file(row: &Recorded, path: &Path) -> Result<Agreement> {
    if let Some(expected) = row.crc64nvme() {
        return Ok(of_bytes(expected, crc64_of_path(path.to_owned()).await?));
    }
    let (Some(etag), Some(size)) = (row.digest_etag(), row.size()) else {
        return Ok(Agreement::Silent);
    };
    let file = path.to_owned();
    let found = base::tasks::blocking(move || -> Result<Found> {
        let file = open(&file)?;
        let Some(expected) = etag.as_md5() else {
            return Ok(match has_multipart_etag(&file, size, &etag)? {
                true => Found::Same,
                false => Found::NoGuessFits,
            });
        };
        Ok(match md5_of_file(&file, 0, size)? == expected {
            true => Found::Same,
            false => Found::Other,
        })
    });
    Ok(of_digest(found.await?, row.verified_by_etag()))
}

/// What a digest of bytes proves. One that differs proves a difference only where it is known to be
/// a digest.
fn of_digest(found: Found, proves: bool) -> Agreement {
    match found {
        Found::Same => Agreement::Equal(Means::Read),
        Found::Other if proves => Agreement::Differs("bytes (by MD5)".to_owned()),
        Found::Other | Found::NoGuessFits => Agreement::Silent,
    }
}

/// Whether the source is what it was when the manifest was written.
async fn source_is_still(
    context: &Context,
    row: &Recorded,
    source: &Location,
) -> std::result::Result<(), Cut> {
    let gone =
        |why: &str| Cut::Differing(format!("the source {why} since the manifest was written"));
    let (size, etag) = match source {
        Location::Remote(object) => match head(&context.source, object).await {
            Err(error) if error.fault() == Fault::NotFound => return Err(gone("was deleted")),
            other => {
                let head = other?;
                (head.size, head.etag)
            }
        },
        Location::Local(path) => match size_of(path.clone()).await? {
            Some(size) => (size, None),
            None => return Err(gone("was deleted")),
        },
    };
    let same_size = row.size().is_none_or(|recorded| recorded == size);
    let recorded: Option<ETag> = row.source_etag();
    let same_etag = match (&recorded, &etag) {
        (Some(recorded), Some(now)) => recorded == now,
        _ => true,
    };
    match same_size && same_etag {
        true => Ok(()),
        false => Err(gone("changed")),
    }
}

/// How large a file is; `None` where there is none.
async fn size_of(path: PathBuf) -> Result<Option<ByteCount>> {
    base::tasks::blocking(move || match std::fs::metadata(&path) {
        Ok(metadata) => Ok(Some(ByteCount(metadata.len()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::local("look at", path)(error)),
    })
    .await
}

/// What the destination's store says; an object that went away since it was listed is missing.
async fn head_there(
    context: &Context,
    object: &ObjectLocation,
) -> std::result::Result<ObjectHead, Cut> {
    match head(&context.destination, object).await {
        Ok(head) => Ok(head),
        Err(error) if error.fault() == Fault::NotFound => Err(Cut::Missing),
        Err(error) => Err(error.into()),
    }
}

fn of_bytes(expected: Crc64Nvme, found: Crc64Nvme) -> Agreement {
    match expected == found {
        true => Agreement::Equal(Means::Read),
        false => differs(
            "bytes (by CRC64NVME)",
            &expected.to_base64(),
            &found.to_base64(),
        ),
    }
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(Error::local("open", path))
}
