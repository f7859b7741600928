//! A span of an object into memory, asked for as often as it takes.

use base::ByteCount;
use bytes::Bytes;
use remote::types::ObjectHead;

use crate::error::Result;
use crate::transfer::fetch::Fetch;
use crate::transfer::scope::Scope;

/// What came of a span.
#[derive(Debug)]
pub(super) enum Received {
    /// All of it.
    All {
        /// What the first answer said, where all of an object was asked for.
        head: Option<ObjectHead>,
        bytes: Bytes,
    },
    /// Nothing was read: it is larger than the room for it.
    Larger(ObjectHead),
}

/// What is kept from one try to the next.
#[derive(Debug)]
struct State {
    fetch: Fetch,
    frames: Vec<Bytes>,
    tries: u32,
}

/// Receives what `fetch` is to fetch, which may take `room` bytes, and says in how many tries.
pub(super) async fn receive(
    scope: &Scope,
    fetch: Fetch,
    room: ByteCount,
) -> Result<(Received, u32)> {
    let context = &scope.context;
    let state = tokio::sync::Mutex::new(State {
        fetch,
        frames: Vec::new(),
        tries: 0,
    });
    let fits = base::flow::retry(&context.retry, &context.clock, |tried| {
        let state = &state;
        async move {
            let mut state = state.lock().await;
            state.tries = tried;
            stream(scope, &mut state, room).await
        }
    })
    .await?;
    let state = state.into_inner();
    let head = state.fetch.head().cloned();
    let received = if fits {
        Received::All {
            head,
            bytes: joined(state.frames),
        }
    } else {
        Received::Larger(head.unwrap_or_default())
    };
    Ok((received, state.tries))
}

/// Whether the span fits the room; if so, it was read to its end.
async fn stream(scope: &Scope, state: &mut State, room: ByteCount) -> Result<bool> {
    let mut body = state.fetch.ask(scope.source()).await?;
    let held: u64 = state.frames.iter().map(|frame| frame.len() as u64).sum();
    if held + state.fetch.left().unwrap_or(0) > room.0 {
        return Ok(false);
    }
    let gathered = body.gather(ByteCount(u64::MAX)).await;
    state.fetch.took(gathered.bytes);
    state.frames.extend(gathered.frames);
    if let Some(error) = gathered.error {
        return Err(error);
    }
    body.drain().await?;
    state.fetch.is_whole()?;
    Ok(true)
}

/// Frames as one piece; a single one is not copied.
fn joined(mut frames: Vec<Bytes>) -> Bytes {
    if frames.len() == 1 {
        return frames.remove(0);
    }
    let length = frames.iter().map(Bytes::len).sum();
    let mut all = Vec::with_capacity(length);
    for frame in frames {
        all.extend_from_slice(&frame);
    }
    Bytes::from(all)
}
