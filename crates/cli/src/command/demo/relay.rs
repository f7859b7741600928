//! The relay: from the partner's account to ours by a process that dies half way, and by one that
//! goes on where it died and outlives the loss of its permission.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use front::Server;
use front::deviation::{Action, Disturbance, Refusal};
use front::operation::Operation;
use remote::types::{ListMultipartUploads, ListParts};
use tokio::time::Instant;

use super::goods::{self, Goods};
use super::shell::Shell;
use super::stores::{Stores, our_bucket};
use super::table::Row;
use crate::output::Output;

/// How often the story looks whether its next turn has come.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A turn that has not come by then never will.
const TURN_MAX: Duration = Duration::from_secs(60);

/// Parts of the large object that our store must hold before the kill.
const PARTS_BEFORE: usize = 4;

/// Parts that reach our store and whose answers are held back: in flight when the end comes.
const PARTS_IN_FLIGHT: u64 = 2;

/// How long the permission stays away.
const AWAY: Duration = Duration::from_millis(1_500);

/// How long their answers are held back: longer than the demo takes.
const HELD_BACK: Duration = Duration::from_secs(600);

/// Reads that still succeed after the second beginning, before the permission goes.
const READS_BEFORE: u64 = 200;

/// How the relay went.
#[derive(Debug)]
pub(super) struct Relay {
    /// Parts of the large object that our store held when the first process died.
    parts_at_kill: usize,
    /// Parts that the second process sent.
    parts_after: u64,
    /// Objects that the second process sent in one request.
    objects_after: u64,
    /// From the first beginning to the last end, the permission's absence included.
    elapsed: Duration,
    /// Whether everything went as told.
    pub(super) went_well: bool,
}

/// Plays it.
pub(super) async fn play(
    shell: &Shell<'_>,
    stores: &Stores,
    goods: &Goods,
    out: &Output,
) -> Result<Relay> {
    let began = Instant::now();
    let parts_at_kill = until_killed(shell, stores, goods, out).await?;
    shell.run(&["jobs"]).await?.tell(out);
    let went_well = to_the_end(shell, stores, out).await?;
    let counters = stores.our_server().counters();
    let relay = Relay {
        parts_at_kill,
        parts_after: counters.requests(Operation::UploadPart),
        objects_after: counters.requests(Operation::PutObject),
        elapsed: began.elapsed(),
        went_well,
    };
    relay.tell(out);
    Ok(relay)
}

/// Starts the relay and kills it with half of the objects there and the large one in the middle.
async fn until_killed(
    shell: &Shell<'_>,
    stores: &Stores,
    goods: &Goods,
    out: &Output,
) -> Result<usize> {
    let ours = stores.our_server();
    ours.counters().reset();
    let held_back = Disturbance::once(Operation::UploadPart, Action::Delay(HELD_BACK));
    ours.disturbances()
        .add(held_back.after(PARTS_BEFORE as u64).times(PARTS_IN_FLIGHT));
    let mut process =
        shell.start(&["cp", "--on-denied", "wait", "s3://partner/*", "s3://ours/"])?;
    let half = goods.items.len() as u64 / 2;
    let deadline = Instant::now() + TURN_MAX;
    let parts = loop {
        let objects = ours.counters().requests(Operation::PutObject);
        let parts = match objects >= half {
            true => parts_of_the_large_one(stores).await?,
            false => 0,
        };
        if parts >= PARTS_BEFORE {
            break parts;
        }
        if process.has_ended()? {
            let ended = process.wait().await?;
            bail!(
                "the relay ended before it was killed: {}",
                ended.last_words()
            );
        }
        if Instant::now() > deadline {
            bail!(
                "the relay is slow: {objects} objects after {} s",
                TURN_MAX.as_secs()
            );
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    process.kill()?;
    ours.disturbances().clear();
    let objects = ours.counters().requests(Operation::PutObject);
    out.text(format_args!(
        "   killed (SIGKILL), with {objects} objects sent and {parts} parts of {} at ours",
        goods::LARGE_KEY
    ));
    Ok(parts)
}

/// Goes on with the job; the partner withdraws the permission to read, and gives it back.
async fn to_the_end(shell: &Shell<'_>, stores: &Stores, out: &Output) -> Result<bool> {
    stores.our_server().counters().reset();
    let partner = stores.partner_server();
    partner.counters().reset();
    let denied = Action::Answer(Refusal::access_denied());
    let denied = Disturbance::once(Operation::GetObject, denied);
    partner
        .disturbances()
        .add(denied.after(READS_BEFORE).times(u64::MAX));
    let process = shell.start(&["resume", "--last"])?;
    reads(partner, READS_BEFORE).await?;
    out.text(format_args!(
        "   the partner withdraws the permission to read; nothing is counted as failed"
    ));
    tokio::time::sleep(AWAY).await;
    partner.disturbances().clear();
    out.text(format_args!("   and gives it back"));
    let ended = process.wait().await?;
    if ended.code != 0 {
        ended.tell(out);
    } else {
        for line in ended.stderr.lines() {
            out.text(format_args!("     {line}"));
        }
    }
    Ok(ended.code == 0)
}

/// Waits until the server was asked for more objects than `count`.
async fn reads(server: &Server, count: u64) -> Result<()> {
    let deadline = Instant::now() + TURN_MAX;
    while server.counters().requests(Operation::GetObject) <= count {
        if Instant::now() > deadline {
            bail!("the resumed relay read fewer than {count} objects");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// How many parts of the large object our store holds.
async fn parts_of_the_large_one(stores: &Stores) -> Result<usize> {
    let client = &stores.our_client;
    let request = ListMultipartUploads {
        bucket: our_bucket(),
        prefix: goods::LARGE_KEY.to_owned(),
        after: None,
    };
    let page = client
        .list_multipart_uploads(request)
        .await
        .context("list our store's uploads")?;
    let Some(upload) = page.uploads.into_iter().next() else {
        return Ok(0);
    };
    let request = ListParts {
        bucket: our_bucket(),
        key: upload.key,
        upload_id: upload.upload_id,
        part_number_after: None,
    };
    let page = client.list_parts(request).await.context("list parts")?;
    Ok(page.parts.len())
}

impl Relay {
    /// Its line in the table: all of the goods, in all of the time.
    pub(super) fn row(&self, goods: &Goods) -> Row {
        Row {
            name: "relay, killed and denied",
            objects: goods.items.len() as u64,
            bytes: goods.bytes(),
            elapsed: self.elapsed,
        }
    }

    fn tell(&self, out: &Output) {
        let Relay {
            parts_at_kill,
            parts_after,
            objects_after,
            ..
        } = self;
        out.text(format_args!(
            "   sent after the kill: {objects_after} whole objects, and {parts_after} parts of the \
             large one, of which {parts_at_kill} were at ours already"
        ));
    }
}
