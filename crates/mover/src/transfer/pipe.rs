//! A stream of unknown length into an object.
//!
//! Overview: the stream is read a part at a time; if it ends within the first, one PUT carries it,
//! else each part is sent while the next is read. Retries: by the client, from memory.
//! Cancellation: a stopping context aborts the upload; dropping leaves it unfinished. Limits: the
//! parts under way are held in memory under `Context::flow`: a stream cannot be read again, so its
//! parts are cut to a share of that budget, and grow no larger than all of it.

use std::path::{Path, PathBuf};

use base::{ByteCount, Sealed};
use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use remote::Payload;
use remote::types::{HeadObject, ObjectAttributes, PutCondition};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use base::Fault;
use base::fault::Classified as _;
use base::limits::PARTS_MAX;

use crate::content_type;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::event::{Event, Moved, Verb, Verified};
use crate::flow::{FlowPermit, Need};
use crate::location::{Location, ObjectLocation};
use crate::options::TransferOptions;
use crate::plan;
use crate::transfer::multipart::{Completed, Upload};
use crate::transfer::put;
use crate::verify::PartSeal;

/// How a pipe ended.
#[derive(Debug, Clone)]
pub enum Piped {
    /// The object stands.
    Arrived(Box<Moved>),
    /// Something was there already, and `no_clobber` keeps it.
    Exists,
}

/// Reads `reader` to its end into `destination`: one PUT when it is short, parts when it is long.
/// The source of what arrived is the path `-`. With `no_clobber`, what is there is kept, and
/// nothing is read if it is there from the start.
pub async fn pipe(
    context: &Context,
    reader: impl AsyncRead + Unpin + Send,
    destination: &ObjectLocation,
    options: &TransferOptions,
    no_clobber: bool,
) -> Result<Piped> {
    if destination.key.is_directory_marker() {
        let target = destination.to_string();
        return Err(Error::Usage(format!("target {target:?} must be an object")));
    }
    if no_clobber && stands(context, destination).await? {
        return Ok(Piped::Exists);
    }
    let mut arrived = Box::new(Moved {
        verb: Verb::Copy,
        source: Location::Local(PathBuf::from("-")),
        destination: Location::Remote(destination.clone()),
        size: ByteCount::ZERO,
        source_etag: None,
        destination_etag: None,
        source_version: None,
        destination_version: None,
        verified: Verified::SizeOnly,
        tries: 1,
        elapsed: std::time::Duration::ZERO,
        storage_class: options
            .attributes
            .storage_class
            .as_ref()
            .map(|class| class.as_str().to_owned()),
        lost: Vec::new(),
        dry_run: options.dry_run,
    });
    if options.dry_run {
        return Ok(Piped::Arrived(arrived));
    }
    let started = tokio::time::Instant::now();
    let mut piping = Piping {
        context,
        destination,
        options,
        reader,
        condition: match no_clobber {
            true => PutCondition::Absent,
            false => PutCondition::None,
        },
        size: 0,
    };
    let Some(stored) = piping.run().await? else {
        return Ok(Piped::Exists);
    };
    arrived.size = ByteCount(piping.size);
    arrived.destination_etag = stored.etag;
    arrived.destination_version = stored.version_id;
    arrived.verified = stored.verified;
    arrived.elapsed = started.elapsed();
    Ok(Piped::Arrived(arrived))
}

async fn stands(context: &Context, object: &ObjectLocation) -> Result<bool> {
    let request = HeadObject::new(object.bucket.clone(), object.key.clone());
    match context.destination.head_object(request).await {
        Ok(_) => Ok(true),
        Err(error) if error.fault() == Fault::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A pipe under way.
struct Piping<'a, R> {
    context: &'a Context,
    destination: &'a ObjectLocation,
    options: &'a TransferOptions,
    reader: R,
    condition: PutCondition,
    /// Bytes read so far.
    size: u64,
}

/// A part that was read: its bytes, and the permit that covers them.
struct ReadPart {
    bytes: Bytes,
    permit: FlowPermit,
    /// Whether the stream ended with it.
    last: bool,
}

impl<R: AsyncRead + Unpin + Send> Piping<'_, R> {
    async fn run(&mut self) -> Result<Option<put::Stored>> {
        let first = self.read_part(0).await?;
        let client = &*self.context.destination;
        if first.last {
            let payload = Payload::Memory(Sealed::seal(first.bytes));
            let (attributes, condition) = (self.attributes(), self.condition.clone());
            let stored = put::put(client, self.destination, payload, attributes, condition);
            let stored = self.unless_stopped(stored).await;
            drop(first.permit);
            return stored;
        }
        let created = Upload::create(client, self.destination, self.attributes());
        let upload = self.unless_stopped(created).await?;
        let completed = match self.send_parts(first, &upload).await {
            Ok(seals) => upload.complete(&seals, self.condition.clone()).await,
            Err(error) => Err(error),
        };
        match completed {
            Ok(Completed::Stands {
                etag,
                version_id,
                verified,
                finished: _,
            }) => Ok(Some(put::Stored {
                etag,
                version_id,
                verified,
            })),
            Ok(Completed::Kept) => {
                self.abort(upload).await;
                Ok(None)
            }
            Err(error) => {
                self.abort(upload).await;
                Err(error)
            }
        }
    }

    async fn send_parts(&mut self, first: ReadPart, upload: &Upload<'_>) -> Result<Vec<PartSeal>> {
        let (client, object) = (&*self.context.destination, self.destination);
        let send = |index: u32, part: ReadPart| async move {
            let payload = Payload::Memory(Sealed::seal(part.bytes));
            let seal = put::send_part(client, object, upload, index, payload).await;
            drop(part.permit);
            seal.map(|seal| (index, seal))
        };
        let mut seals = Vec::new();
        let mut running = FuturesUnordered::new();
        let mut last = first.last;
        running.push(send(0, first));
        let mut next = 1;
        loop {
            while !last && running.len() < self.options.parts_max.get() {
                if next >= PARTS_MAX {
                    return Err(Error::Refused(format!(
                        "the stream is longer than {PARTS_MAX} parts: give a larger --part-size, or more --memory"
                    )));
                }
                // Parts under way go on while the next one is read.
                let read = self.read_part(next);
                tokio::pin!(read);
                let part = loop {
                    tokio::select! {
                        part = &mut read => break part?,
                        Some(sent) = running.next(), if !running.is_empty() => seals.push(sent?),
                    }
                };
                last = part.last;
                if !part.bytes.is_empty() {
                    running.push(send(next, part));
                    next += 1;
                }
            }
            let stopped = self.context.stopping.cancelled();
            tokio::select! {
                biased;
                () = stopped => return Err(Error::Cancelled),
                sent = running.next() => match sent {
                    Some(sent) => seals.push(sent?),
                    None => break,
                },
            }
        }
        seals.sort_unstable_by_key(|(index, _)| *index);
        Ok(seals.into_iter().map(|(_, seal)| seal).collect())
    }

    /// Reads part `index` whole, or up to the end of the stream.
    async fn read_part(&mut self, index: u32) -> Result<ReadPart> {
        let flow = &self.context.flow;
        let first = flow.part_size(self.options.part_size);
        let wanted = plan::stream_part_size(index, first).min(flow.memory());
        let permit = self
            .context
            .flow
            .acquire(Need::to_destination(wanted))
            .await;
        // Grown by doubling, it would take twice what the permit covers.
        let capacity = wanted.as_usize().expect("the budget fits in memory");
        let mut bytes = Vec::with_capacity(capacity);
        let reader = &mut self.reader;
        let read = async {
            let mut taken = reader.take(wanted.0);
            taken
                .read_to_end(&mut bytes)
                .await
                .map_err(Error::local("read", "the input"))
        };
        tokio::select! {
            biased;
            () = self.context.stopping.cancelled() => return Err(Error::Cancelled),
            read = read => read?,
        };
        self.size += bytes.len() as u64;
        Ok(ReadPart {
            last: (bytes.len() as u64) < wanted.0,
            bytes: Bytes::from(bytes),
            permit,
        })
    }

    fn attributes(&self) -> ObjectAttributes {
        let mut attributes = self.options.attributes.clone();
        if attributes.content_type.is_none() {
            let by_name = content_type::by_name(Path::new(self.destination.key.as_str()));
            attributes.content_type =
                Some(by_name.unwrap_or_else(|| content_type::UNKNOWN.to_owned()));
        }
        attributes
    }

    async fn unless_stopped<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            result = work => result,
            () = self.context.stopping.cancelled() => Err(Error::Cancelled),
        }
    }

    async fn abort(&self, upload: Upload<'_>) {
        if let Some(message) = upload.abort().await {
            let message = message.as_str();
            self.context.observer.on_event(&Event::Warning { message });
        }
    }
}

#[cfg(test)]
mod tests;
