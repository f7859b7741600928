//! A file into an object.
//!
//! Overview: the file is opened once; [`plan`] says whether it goes in one PUT or in parts; what
//! fits the memory budget is read under its permit, larger parts are sent from the file.
//! Invariants: the file is pinned when it is opened and compared before anything that would make
//! the object appear; a file that changed leaves nothing at the destination (one PUT straight
//! from the file excepted: that one fails by name after the fact). Cancellation: an upload in
//! parts is left to the journal, else aborted; a PUT under way is dropped. Limits: parts of one
//! object by `TransferOptions::parts_max`, bytes and requests by `Context::flow`.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use base::limits::PART_SIZE_MAX;
use base::{ByteCount, Sealed};
use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use remote::Payload;
use remote::payload::FileRange;
use remote::types::{ByteRange, ObjectAttributes, PutCondition};

use crate::assembly::{Assembly, Step};
use crate::content_type;
use crate::engine::Move;
use crate::error::{Error, Result};
use crate::event::SkipReason;
use crate::flow::{Flow, Need};
use crate::location::ObjectLocation;
use crate::pin::{FilePin, SourcePin};
use crate::plan::{self, Plan};
use crate::transfer::adopt::Origin;
use crate::transfer::multipart::{Completed, Upload, give_up};
use crate::transfer::put;
use crate::transfer::resume::{Begun, Wanted};
use crate::transfer::scope::{Arrived, Carried, Scope};
use crate::verify::PartSeal;

/// Largest file that is read without leaving the reactor: some 50 µs from the page cache.
/// Depends on it: above as many bytes hashing leaves the reactor too.
pub(crate) const BRIEF_BYTES_MAX: ByteCount = ByteCount(256 * base::units::KIB);

/// A file that was opened for its upload.
#[derive(Debug)]
struct Opened {
    file: Arc<File>,
    pin: FilePin,
    /// By name or by the first bytes.
    content_type: String,
    /// All of it, where it is small.
    bytes: Option<Bytes>,
}

/// Uploads the file at `path`.
pub(crate) async fn upload(
    scope: &Scope,
    task: &Move,
    path: &Path,
    object: &ObjectLocation,
    condition: PutCondition,
) -> Result<Carried> {
    let wanted = task.options.part_size;
    let flow = &scope.context.flow;
    let mut need = need(flow, task.source.size, wanted);
    loop {
        let permit = flow.acquire(need).await;
        let held = need.bytes.min(flow.held_max());
        let opened = open_where_it_suits(flow, path, task.source.size, held, wanted).await?;
        let size = opened.pin.size();
        match plan::upload(size, wanted).map_err(|error| Error::Refused(error.to_string()))? {
            // It is not what was listed: take what it needs now, holding nothing.
            Plan::Whole if falls_short(need, self::need(flow, size, wanted)) => {
                need = self::need(flow, size, wanted);
            }
            Plan::Whole => {
                let sent = put(scope, task, object, opened, condition);
                let carried = scope.within_grace(sent).await;
                drop(permit);
                return carried;
            }
            Plan::Parts(parts) => {
                // Each part takes its own.
                drop(permit);
                return in_parts(scope, task, object, opened, parts, condition).await;
            }
        }
    }
}

/// What a file of `size` takes when it goes in one PUT; nothing for one that goes in parts.
fn need(flow: &Flow, size: ByteCount, wanted: Option<ByteCount>) -> Need {
    match plan::upload(size, wanted) {
        Ok(Plan::Whole) => Need::to_destination(flow.bytes_of(size)),
        Ok(Plan::Parts(_)) | Err(_) => Need::default(),
    }
}

/// Whether what was taken does not cover what is needed.
fn falls_short(taken: Need, needed: Need) -> bool {
    !taken.destination || taken.bytes < needed.bytes
}

/// Opens a file; a small one without leaving the reactor.
async fn open_where_it_suits(
    flow: &Flow,
    path: &Path,
    listed: ByteCount,
    held: ByteCount,
    wanted: Option<ByteCount>,
) -> Result<Opened> {
    if listed <= BRIEF_BYTES_MAX {
        let (name, flow) = (path.to_owned(), flow.clone());
        let brief = held.min(BRIEF_BYTES_MAX);
        let opened = base::tasks::brief(move || open(&flow, &name, brief, wanted)).await?;
        // One that has grown is read where it takes no other's time.
        if opened.bytes.is_some() || opened.pin.size() > held {
            return Ok(opened);
        }
    }
    let (name, flow) = (path.to_owned(), flow.clone());
    base::tasks::blocking(move || open(&flow, &name, held, wanted)).await
}

/// Opens, pins, reads up to `held` bytes of what goes in one PUT, and looks at the content's type.
fn open(flow: &Flow, path: &Path, held: ByteCount, wanted: Option<ByteCount>) -> Result<Opened> {
    let file = File::open(path).map_err(Error::local("open", path))?;
    let metadata = file.metadata().map_err(Error::local("look at", path))?;
    if !metadata.is_file() {
        return Err(Error::Refused(format!(
            "{} is not a regular file",
            path.display()
        )));
    }
    let pin = FilePin::of(&metadata);
    let small = matches!(plan::upload(pin.size(), wanted), Ok(Plan::Whole)) && pin.size() <= held;
    let bytes = if small {
        let range = ByteRange {
            offset: 0,
            length: pin.size(),
        };
        let bytes = read(flow, &file, path, range)?;
        unchanged(&file, path, &pin)?;
        Some(bytes)
    } else {
        None
    };
    let content_type = match (content_type::by_name(path), &bytes) {
        (Some(by_name), _) => by_name,
        (None, Some(bytes)) => content_type::by_content(bytes).to_owned(),
        (None, None) => {
            let range = ByteRange {
                offset: 0,
                length: ByteCount(pin.size().0.min(content_type::SNIFFED_BYTES as u64)),
            };
            content_type::by_content(&read(flow, &file, path, range)?).to_owned()
        }
    };
    Ok(Opened {
        file: Arc::new(file),
        pin,
        content_type,
        bytes,
    })
}

/// Reads a range whole. A file that has become shorter has changed.
fn read(flow: &Flow, file: &File, path: &Path, range: ByteRange) -> Result<Bytes> {
    let length = range
        .length
        .as_usize()
        .expect("a part in memory fits in it");
    let mut buffer = flow.buffer(length);
    match file.read_exact_at(buffer.space(), range.offset) {
        Ok(()) => Ok(buffer.freeze()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(Error::Changed(path.display().to_string()))
        }
        Err(error) => Err(Error::local("read", path)(error)),
    }
}

fn unchanged(file: &File, path: &Path, pin: &FilePin) -> Result<()> {
    let metadata = file.metadata().map_err(Error::local("look at", path))?;
    if FilePin::of(&metadata) == *pin {
        Ok(())
    } else {
        Err(Error::Changed(path.display().to_string()))
    }
}

/// What the object will carry: what the user said, else what the file tells.
fn attributes(task: &Move, content_type: &str) -> ObjectAttributes {
    let mut attributes = task.options.attributes.clone();
    if attributes.content_type.is_none() {
        attributes.content_type = Some(content_type.to_owned());
    }
    attributes
}

async fn put(
    scope: &Scope,
    task: &Move,
    object: &ObjectLocation,
    opened: Opened,
    condition: PutCondition,
) -> Result<Carried> {
    let size = opened.pin.size();
    let payload = match &opened.bytes {
        Some(bytes) => Payload::Memory(Sealed::seal(bytes.clone())),
        None => Payload::File(FileRange {
            file: Arc::clone(&opened.file),
            offset: 0,
            length: size,
        }),
    };
    let attributes = attributes(task, &opened.content_type);
    let client = scope.destination();
    let stored = match put::put(client, object, payload, attributes, condition).await? {
        Some(stored) => stored,
        None => return Ok(Carried::Kept(SkipReason::Exists)),
    };
    scope.moved(size.0);
    if opened.bytes.is_none() {
        let file = Arc::clone(&opened.file);
        let (path, pin) = (task.source.location.to_string(), opened.pin);
        base::tasks::blocking(move || unchanged(&file, Path::new(&path), &pin)).await?;
    }
    Ok(Carried::Arrived(Arrived {
        size,
        source_etag: None,
        source_version: None,
        source_pin: Some(opened.pin),
        destination_etag: stored.etag,
        destination_version: stored.version_id,
        verified: stored.verified,
        tries: 1,
        lost: Vec::new(),
        finished: None,
    }))
}

async fn in_parts(
    scope: &Scope,
    task: &Move,
    object: &ObjectLocation,
    opened: Opened,
    parts: plan::Parts,
    condition: PutCondition,
) -> Result<Carried> {
    let wanted = Wanted {
        object,
        attributes: attributes(task, &opened.content_type),
        pin: SourcePin::File(opened.pin),
        parts,
        // Parts of any size can be sent from the file.
        part_size_max: task.options.part_size.is_none().then_some(PART_SIZE_MAX),
        origin: Origin::File(&opened.file),
        options: &task.options,
    };
    let begun = Upload::create_or_resume(scope, wanted);
    let Begun {
        upload,
        parts,
        done,
    } = scope.within_grace(begun).await?;
    let sent = send_all(
        scope, task, object, &opened, parts, &upload, done, condition,
    );
    let sent = sent.await;
    match sent {
        Ok(Completed::Stands {
            finished,
            etag,
            version_id,
            verified,
        }) => Ok(Carried::Arrived(Arrived {
            size: parts.size(),
            source_etag: None,
            source_version: None,
            source_pin: Some(opened.pin),
            destination_etag: etag,
            destination_version: version_id,
            verified,
            tries: 1,
            lost: Vec::new(),
            finished,
        })),
        Ok(Completed::Kept) => {
            abort(scope, upload).await;
            Ok(Carried::Kept(SkipReason::Exists))
        }
        Err(error) => {
            give_up(scope, upload, &error).await;
            Err(error)
        }
    }
}

/// Aborts an upload; what is left behind is said.
pub(crate) async fn abort(scope: &Scope, upload: Upload<'_>) {
    if let Some(line) = upload.abort().await {
        scope.warn(&line);
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "what an upload consists of, passed on once"
)]
async fn send_all(
    scope: &Scope,
    task: &Move,
    object: &ObjectLocation,
    opened: &Opened,
    parts: plan::Parts,
    upload: &Upload<'_>,
    done: Vec<Option<PartSeal>>,
    condition: PutCondition,
) -> Result<Completed> {
    let path = Path::new(match &task.source.location {
        crate::location::Location::Local(path) => path.as_os_str(),
        crate::location::Location::Remote(_) => std::ffi::OsStr::new(""),
    });
    let mut assembly = Assembly::resume(done, task.options.parts_max.get());
    let mut running = FuturesUnordered::new();
    let mut failure = Error::Cancelled;
    let grace_over = scope.grace_over();
    tokio::pin!(grace_over);
    loop {
        if scope.context.stopping.is_cancelled() {
            assembly.stop();
        }
        match assembly.step() {
            Step::Begin(index) => {
                let range = parts.range(index);
                running.push(async move {
                    (
                        index,
                        one_part(scope, object, upload, opened, path, index, range).await,
                    )
                });
            }
            Step::Wait => tokio::select! {
                biased;
                Some((index, result)) = running.next() => match result {
                    Ok(part) => assembly.arrived(index, part),
                    Err(error) => {
                        failure = error;
                        assembly.broke();
                    }
                },
                () = scope.context.stopping.cancelled(),
                    if !scope.context.stopping.is_cancelled() => {}
                () = &mut grace_over => return Err(Error::Cancelled),
            },
            Step::GiveUp => return Err(failure),
            Step::Finish => break,
        }
    }
    drop(running);
    let (file, pin, again) = (Arc::clone(&opened.file), opened.pin, path.to_owned());
    base::tasks::blocking(move || unchanged(&file, &again, &pin)).await?;
    let seals = assembly.into_parts();
    let completed = upload.complete(&seals, condition);
    tokio::select! {
        biased;
        completed = completed => completed,
        () = &mut grace_over => Err(Error::Cancelled),
    }
}

async fn one_part(
    scope: &Scope,
    object: &ObjectLocation,
    upload: &Upload<'_>,
    opened: &Opened,
    path: &Path,
    index: u32,
    range: ByteRange,
) -> Result<PartSeal> {
    let flow = &scope.context.flow;
    let bytes = flow.bytes_of(range.length);
    let permit = flow.acquire(Need::to_destination(bytes)).await;
    if range.length > flow.held_max() {
        let payload = Payload::File(FileRange {
            file: Arc::clone(&opened.file),
            offset: range.offset,
            length: range.length,
        });
        let sealed = put::send_part(scope.destination(), object, upload, index, payload).await?;
        scope.moved(range.length.0);
        return Ok(sealed);
    }
    let (file, pin, path) = (Arc::clone(&opened.file), opened.pin, path.to_owned());
    let flow = flow.clone();
    let payload = base::tasks::blocking(move || {
        let bytes = read(&flow, &file, &path, range)?;
        unchanged(&file, &path, &pin)?;
        Ok::<_, Error>(Payload::Memory(Sealed::seal(bytes)))
    })
    .await?;
    let sealed = put::send_part(scope.destination(), object, upload, index, payload).await;
    drop(permit);
    scope.moved(range.length.0);
    sealed
}
