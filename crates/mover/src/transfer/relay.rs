//! An object of one store into another one, through memory and never through disk.
//!
//! Overview: a small object goes from one GET into one PUT; a large one is pinned by HEAD and goes
//! in parts, each a ranged GET and an UploadPart. Invariants: all bytes are of one version of the
//! source, since each answer is compared with the first one; they are compared with what the
//! source's store keeps of them before the object can appear, and with what the destination says
//! after. The plan follows the length that the source answers, not the listing's. Retries: a body
//! that breaks off is asked for again from where it broke; a source that changed or arrived wrong
//! is begun anew a few times, then fails by name. Cancellation: an upload in parts is aborted; a
//! PUT under way is dropped. Limits: one acquisition of `Context::flow` covers a part from its
//! GET to the answer of its PUT; parts of one object by `TransferOptions::parts_max`.

mod parts;
mod receive;
mod source_check;
mod stream;
#[cfg(test)]
mod tests;

use base::fault::Classified as _;
use base::units::KIB;
use base::{ByteCount, Fault, Sealed};
use remote::Payload;
use remote::payload::PayloadSource as _;
use remote::types::{HeadObject, ObjectHead, PutCondition};

use crate::assembly::{Restart, restart};
use crate::engine::Move;
use crate::error::{Error, Result};
use crate::event::SkipReason;
use crate::flow::{Need, STREAMED};
use crate::location::ObjectLocation;
use crate::plan::{self, Parts, Plan};
use crate::route::Route;
use crate::transfer::baggage::Baggage;
use crate::transfer::fetch::{Fetch, Span};
use crate::transfer::put::{self, Stored};
use crate::transfer::relay::receive::{Received, receive};
use crate::transfer::relay::source_check::{Running, compare_passed};
use crate::transfer::relay::stream::{Piece, SourceStream};
use crate::transfer::retract::Standing;
use crate::transfer::scope::{Arrived, Carried, Scope};
use crate::verify::{self, Means};

/// The least that an object takes of the memory budget: objects grow between listing and GET.
const HELD_MIN: ByteCount = ByteCount(64 * KIB);

/// One object on its way from store to store.
#[derive(Debug, Clone, Copy)]
struct Errand<'a> {
    scope: &'a Scope,
    task: &'a Move,
    from: &'a ObjectLocation,
    to: &'a ObjectLocation,
}

/// How an attempt to move an object in one request ended.
#[expect(
    clippy::large_enum_variant,
    reason = "one an object under way; a box would be an allocation for each"
)]
enum Whole {
    Carried(Carried),
    /// It has grown: this is what it is now.
    Grown(Box<ObjectHead>),
}

/// Relays `from`, read with the source's client, to `to`, written with the destination's.
pub(crate) async fn relay(
    scope: &Scope,
    task: &Move,
    from: &ObjectLocation,
    to: &ObjectLocation,
    condition: PutCondition,
) -> Result<Carried> {
    let errand = Errand {
        scope,
        task,
        from,
        to,
    };
    let mut starts = 1;
    let mut standing = Standing::default();
    loop {
        let error = match errand.once(condition.clone()).await {
            Ok(Carried::Arrived(mut arrived)) => {
                arrived.tries += starts - 1;
                return Ok(Carried::Arrived(arrived));
            }
            Ok(Carried::Kept(reason)) => return standing.unless_it_is(Carried::Kept(reason)),
            Err(error) => error,
        };
        match restart(&error, starts) {
            Restart::Anew if !scope.context.stopping.is_cancelled() => {
                starts += 1;
                standing.note(error);
            }
            Restart::Anew | Restart::No => return Err(standing.or(error)),
        }
    }
}

impl<'a> Errand<'a> {
    async fn once(self, condition: PutCondition) -> Result<Carried> {
        let listed = self.task.source.size;
        let head = match self.by_size(listed)? {
            Plan::Whole if !self.is_streamed(listed) => {
                let whole = self.whole(listed, condition.clone());
                match self.scope.within_grace(whole).await? {
                    Whole::Carried(carried) => return Ok(carried),
                    Whole::Grown(head) => *head,
                }
            }
            Plan::Whole | Plan::Parts(_) => self.scope.within_grace(self.head_of_source()).await?,
        };
        match self.plan(&head)? {
            Plan::Whole if self.is_streamed(head.size) => {
                let streamed = self.whole_in_frames(head, condition);
                self.scope.within_grace(streamed).await
            }
            // It has become smaller since it was listed, or is as large as one PUT takes.
            Plan::Whole => {
                let whole = self.whole(head.size, condition);
                match self.scope.within_grace(whole).await? {
                    Whole::Carried(carried) => Ok(carried),
                    Whole::Grown(_) => Err(Error::Changed(self.from.to_string())),
                }
            }
            Plan::Parts(parts) => self.in_parts(head, parts, condition).await,
        }
    }

    /// By the user's part size, else by one that can be held in memory: what is streamed may be
    /// read twice.
    fn by_size(self, size: ByteCount) -> Result<Plan> {
        let wanted = self.task.options.part_size;
        let wanted = wanted.or_else(|| self.scope.context.flow.part_size(None));
        plan::upload(size, wanted).map_err(|error| Error::Refused(error.to_string()))
    }

    /// How an object of this head goes: where only what its store made of its parts can be
    /// compared, in the parts that it was uploaded in, as far as they can be guessed.
    fn plan(self, head: &ObjectHead) -> Result<Plan> {
        let plan = self.by_size(head.size)?;
        let count = match verify::means(head) {
            Means::MultipartETag(etag) => etag.part_count(),
            Means::Composite(checksum) => checksum.part_count(),
            Means::Crc64(_) | Means::Checksum(_) | Means::Md5(_) | Means::Size => None,
        };
        let in_parts = plan != Plan::Whole || self.is_streamed(head.size);
        Ok(match count.filter(|_| in_parts) {
            Some(count) => plan::usable_parts(count, head.size).map_or(plan, Plan::Parts),
            None => plan,
        })
    }

    /// Whether so many bytes are too many to be held at once.
    fn is_streamed(self, bytes: ByteCount) -> bool {
        bytes > self.scope.context.flow.share_max()
    }

    /// The largest part of these that is held in memory. Parts that were chosen to be compared are
    /// held if they can be at all: what is streamed may be read twice.
    fn held_max(self, parts: Parts) -> Result<ByteCount> {
        let flow = &self.scope.context.flow;
        Ok(match self.by_size(parts.size())? == Plan::Parts(parts) {
            true => flow.share_max(),
            false => flow.memory(),
        })
    }

    /// What the object will carry at the destination.
    async fn baggage(self, head: &ObjectHead) -> Result<Baggage<'a>> {
        let ends = (self.from, self.to);
        Baggage::of(self.scope, self.task, ends, head, Route::Relay, true).await
    }

    async fn head_of_source(self) -> Result<ObjectHead> {
        let mut request = HeadObject::new(self.from.bucket.clone(), self.from.key.clone());
        request.version_id = self.from.version_id.clone();
        request.checksum_mode = true;
        Ok(self.scope.source().head_object(request).await?)
    }

    /// One GET and one PUT. The GET's answer tells all that must be known of the source.
    async fn whole(self, expected: ByteCount, condition: PutCondition) -> Result<Whole> {
        let mut held = expected.max(HELD_MIN);
        loop {
            let permit = self.scope.context.flow.acquire(both(held)).await;
            let fetch = Fetch::of_all(self.from.clone());
            let (received, tries) = receive(self.scope, fetch, held).await?;
            let (head, bytes) = match received {
                Received::Larger(head) => {
                    drop(permit);
                    match self.by_size(head.size)? {
                        Plan::Whole if !self.is_streamed(head.size) => {
                            held = head.size;
                            continue;
                        }
                        Plan::Whole | Plan::Parts(_) => return Ok(Whole::Grown(Box::new(head))),
                    }
                }
                Received::All { head, bytes } => (head.unwrap_or_default(), bytes),
            };
            let sealed = Sealed::seal(bytes);
            let what = self.from.to_string();
            let known = source_check::compare_whole(&what, &head, &sealed).await?;
            let size = ByteCount(sealed.len() as u64);
            let mut baggage = self.baggage(&head).await?;
            let payload = Payload::Memory(sealed);
            let stored = self.put(&mut baggage, payload, condition).await?;
            let Some(stored) = stored else {
                return Ok(Whole::Carried(Carried::Kept(SkipReason::Exists)));
            };
            drop(permit);
            let lost = baggage.arrived().await?;
            self.scope.moved(size.0);
            return Ok(Whole::Carried(Carried::Arrived(Arrived {
                size,
                source_etag: head.etag,
                source_version: head.version_id,
                source_pin: None,
                destination_etag: stored.etag,
                destination_version: stored.version_id,
                verified: verify::weaker(stored.verified, known),
                tries,
                lost,
                finished: None,
            })));
        }
    }

    /// One PUT of an object that is too large to be held, read while it is sent.
    async fn whole_in_frames(self, head: ObjectHead, condition: PutCondition) -> Result<Carried> {
        let permit = self.scope.context.flow.acquire(both(STREAMED)).await;
        let means = verify::means(&head);
        let stream = SourceStream::new(Piece {
            context: &self.scope.context,
            from: self.from,
            head: &head,
            span: Span {
                offset: 0,
                length: head.size,
            },
            running: Running::of(&means),
            whole: Some(means.clone()),
            md5: true,
        });
        let mut baggage = self.baggage(&head).await?;
        let stored = self.put(&mut baggage, stream.payload(), condition).await;
        let Some(stored) = stream.settle(stored)? else {
            return Ok(Carried::Kept(SkipReason::Exists));
        };
        drop(permit);
        let what = self.from.to_string();
        let passed = stream.passed().map(|passed| passed.crc64);
        let known = match passed {
            Some(crc64) => compare_passed(&what, &means, crc64, stream.running().as_ref())?,
            None => return Err(Error::Bug("a PUT without its bytes".to_owned())),
        };
        let lost = baggage.arrived().await?;
        self.scope.moved(head.size.0);
        Ok(Carried::Arrived(Arrived {
            size: head.size,
            source_etag: head.etag,
            source_version: head.version_id,
            source_pin: None,
            destination_etag: stored.etag,
            destination_version: stored.version_id,
            verified: verify::weaker(stored.verified, known),
            tries: 1,
            lost,
            finished: None,
        }))
    }

    /// Stores the object, with less to carry each time the destination refuses some of that.
    async fn put(
        self,
        baggage: &mut Baggage<'_>,
        payload: Payload,
        condition: PutCondition,
    ) -> Result<Option<Stored>> {
        let client = self.scope.destination();
        loop {
            let (payload, condition) = (payload.clone(), condition.clone());
            let attributes = baggage.attributes();
            match put::put(client, self.to, payload, attributes, condition).await {
                Err(error) if baggage.lighten(&error)? => {}
                stored => return stored,
            }
        }
    }
}

/// What a part takes from its GET to the answer of its PUT.
fn both(bytes: ByteCount) -> Need {
    Need {
        bytes,
        source: true,
        destination: true,
    }
}

/// Whether an object that the store's own copy was denied may still go by relay.
pub(crate) fn may_pass(error: &Error) -> bool {
    let Error::Remote(error) = error else {
        return false;
    };
    let asked_of_the_store = matches!(
        error.operation(),
        remote::Operation::CopyObject
            | remote::Operation::UploadPartCopy
            | remote::Operation::CreateMultipartUpload
    );
    match error.fault() {
        Fault::Denied | Fault::Unsupported => asked_of_the_store,
        // One endpoint may keep names of buckets apart by account: then the destination's
        // credentials do not see the source at all.
        Fault::NotFound => {
            asked_of_the_store
                && (error.is_code("NoSuchKey")
                    || error.is_code("NoSuchVersion")
                    || error.is_code("NoSuchBucket"))
        }
        Fault::Throttled { .. }
        | Fault::Unavailable
        | Fault::Conflict
        | Fault::Expired
        | Fault::Corrupt
        | Fault::Fenced
        | Fault::Cancelled
        | Fault::Invalid
        | Fault::Local
        | Fault::Bug => false,
    }
}
