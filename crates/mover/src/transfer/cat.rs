//! An object's bytes, in order, to a writer.
//!
//! Overview: the first GET tells how large the object is; a small one is streamed from it, a large
//! one comes in ranges, some of them fetched ahead while an earlier one is written. Invariants:
//! bytes are written in order, all of one version. Retries: as downloads. Cancellation: dropping
//! stops it wherever it is. Limits: the parts ahead are held in memory under `Context::flow`.

use base::checksum::{ChecksumHasher, Crc64Hasher};
use base::{ByteCount, Checksum};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use md5::{Digest as _, Md5};
use remote::types::ObjectHead;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::event::Verified;
use crate::flow::{FlowPermit, Need};
use crate::location::ObjectLocation;
use crate::options::TransferOptions;
use crate::plan::{self, Parts, Plan};
use crate::transfer::download::BATCH;
use crate::transfer::fetch::{Fetch, Span};
use crate::verify::{self, Means};

/// An object that was written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatReport {
    /// Bytes written.
    pub size: ByteCount,
    /// How they were checked.
    pub verified: Verified,
}

/// Writes `object` to `writer` in order, with parts fetched ahead under the context's memory.
///
/// What has been written cannot be taken back: when the check at the end fails, the error says
/// that the bytes already written are wrong.
pub async fn cat(
    context: &Context,
    object: &ObjectLocation,
    options: &TransferOptions,
    writer: impl AsyncWrite + Unpin + Send,
) -> Result<CatReport> {
    let work = write_out(context, object, options, writer);
    tokio::select! {
        biased;
        () = context.stopping.cancelled() => Err(Error::Cancelled),
        report = work => report,
    }
}

async fn write_out(
    context: &Context,
    object: &ObjectLocation,
    options: &TransferOptions,
    writer: impl AsyncWrite + Unpin + Send,
) -> Result<CatReport> {
    let state = tokio::sync::Mutex::new(State {
        fetch: Fetch::of_all(object.clone()),
        output: None,
        writer,
        parts: None,
    });
    let permit = context.flow.acquire(Need::from_source(BATCH)).await;
    base::flow::retry(&context.retry, &context.clock, |_| {
        let state = &state;
        async move {
            let mut state = state.lock().await;
            state.stream(context, options).await
        }
    })
    .await?;
    drop(permit);
    let State {
        fetch,
        output,
        mut writer,
        parts,
    } = state.into_inner();
    let (Some(mut output), Some(head)) = (output, fetch.head().cloned()) else {
        return Err(Error::Bug(
            "an object was read without an answer".to_owned(),
        ));
    };
    if let Some(parts) = parts {
        output = write_parts(context, object, options, &head, parts, &mut writer, output).await?;
    }
    writer.flush().await.map_err(to_stdout)?;
    Ok(CatReport {
        size: head.size,
        verified: output.check(object)?,
    })
}

fn to_stdout(error: std::io::Error) -> Error {
    Error::local("write", "the output")(error)
}

/// What a try leaves to the next.
struct State<W> {
    fetch: Fetch,
    output: Option<Output>,
    writer: W,
    /// Set when the object turned out to be too large for one GET.
    parts: Option<Parts>,
}

impl<W: AsyncWrite + Unpin + Send> State<W> {
    async fn stream(&mut self, context: &Context, options: &TransferOptions) -> Result<()> {
        let mut body = self.fetch.ask(&*context.source).await?;
        if self.output.is_none()
            && let Some(head) = self.fetch.head()
        {
            self.output = Some(Output::of(head));
            let part_size = context.flow.part_size(options.part_size);
            if let Plan::Parts(parts) = plan::download(head.size, part_size) {
                // The body is dropped: its first bytes come again in the first range.
                self.parts = Some(parts);
                return Ok(());
            }
        }
        loop {
            let gathered = body.gather(BATCH).await;
            self.fetch.took(gathered.bytes);
            if let Some(output) = &mut self.output {
                output.write(gathered.frames, &mut self.writer).await?;
            }
            if let Some(error) = gathered.error {
                return Err(error);
            }
            if gathered.ended {
                break;
            }
        }
        body.drain().await?;
        self.fetch.is_whole()
    }
}

async fn write_parts(
    context: &Context,
    object: &ObjectLocation,
    options: &TransferOptions,
    head: &ObjectHead,
    parts: Parts,
    writer: &mut (impl AsyncWrite + Unpin + Send),
    mut output: Output,
) -> Result<Output> {
    let fetches = stream::iter(0..parts.count())
        .map(|index| fetch_part(context, object, head, Span::of(parts.range(index))))
        .buffered(options.parts_max.get());
    tokio::pin!(fetches);
    while let Some(part) = fetches.next().await {
        let (frames, permit) = part?;
        output.write(frames, writer).await?;
        drop(permit);
    }
    Ok(output)
}

/// One range in memory, with the permit that covers it.
async fn fetch_part(
    context: &Context,
    object: &ObjectLocation,
    head: &ObjectHead,
    span: Span,
) -> Result<(Vec<Bytes>, FlowPermit)> {
    let need = Need::from_source(span.length);
    let mut permit = context.flow.acquire(need).await;
    let state = tokio::sync::Mutex::new((
        Fetch::of_span(object.clone(), head, span),
        Vec::<Bytes>::new(),
    ));
    base::flow::retry(&context.retry, &context.clock, |_| {
        let state = &state;
        async move {
            let (fetch, frames) = &mut *state.lock().await;
            let mut body = fetch.ask(&*context.source).await?;
            // All that is left of the span, which is what the permit covers.
            let gathered = body.gather(ByteCount(u64::MAX)).await;
            fetch.took(gathered.bytes);
            frames.extend(gathered.frames);
            if let Some(error) = gathered.error {
                return Err(error);
            }
            body.drain().await?;
            fetch.is_whole()
        }
    })
    .await?;
    // The part may wait to be written for longer than the store took.
    permit.answered();
    Ok((state.into_inner().1, permit))
}

/// What has been written, as far as the check at the end needs it.
struct Output {
    means: Means,
    crc64: Crc64Hasher,
    /// Of the algorithm that the means name, where it is another one.
    other: Option<ChecksumHasher>,
    md5: Md5,
}

impl Output {
    fn of(head: &ObjectHead) -> Output {
        let means = verify::means(head);
        let other = match &means {
            Means::Checksum(stored) => Some(ChecksumHasher::new(stored.algorithm)),
            Means::Crc64(_)
            | Means::Md5(_)
            | Means::Composite(_)
            | Means::MultipartETag(_)
            | Means::Size => None,
        };
        Output {
            means,
            other,
            crc64: Crc64Hasher::new(),
            md5: Md5::new(),
        }
    }

    async fn write(
        &mut self,
        frames: Vec<Bytes>,
        writer: &mut (impl AsyncWrite + Unpin + Send),
    ) -> Result<()> {
        for frame in &frames {
            writer.write_all(frame).await.map_err(to_stdout)?;
            if let Means::Crc64(_) = self.means {
                self.crc64.update(frame);
            }
            if let Some(hasher) = &mut self.other {
                hasher.update(frame);
            }
        }
        if let Means::Md5(_) = self.means {
            let mut md5 = std::mem::take(&mut self.md5);
            self.md5 = base::tasks::blocking(move || {
                frames.iter().for_each(|frame| md5.update(frame));
                md5
            })
            .await;
        }
        Ok(())
    }

    fn check(self, object: &ObjectLocation) -> Result<Verified> {
        let what = format!("{object}, of which all bytes were written");
        match self.means {
            Means::Crc64(stored) => {
                verify::equal_checksums(&what, stored, self.crc64.finish())?;
                Ok(Verified::Checksum(Checksum::crc64nvme(stored)))
            }
            Means::Md5(stored) => {
                verify::equal_md5(&what, stored, self.md5.finalize().into())?;
                Ok(Verified::ETag)
            }
            Means::Checksum(stored) => {
                let hasher = self.other.expect("such an output is made with its hasher");
                verify::equal_to_stored(&what, &stored, &hasher.finish().full_object())
            }
            // The bytes are gone: there is nothing to read back.
            Means::Composite(_) | Means::MultipartETag(_) | Means::Size => Ok(Verified::SizeOnly),
        }
    }
}

#[cfg(test)]
mod tests;
