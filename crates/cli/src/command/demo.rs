//! `longhaul demo`: the main job on one machine, with nothing but this binary.
//!
//! Two stores of two accounts listen on loopback. The first is filled with goods shaped like a
//! label's delivery: large mp3s, thousands of small files, awkward names, one object that needs
//! parts. They are relayed to the second store by a process that is killed half way; another goes
//! on where it died, loses its permission and gets it back. Then the goods are collected to disk,
//! interrupted half way, collected again, and sent on. What arrived is compared object by object
//! each time. Everything lives in memory and in one temporary folder, and both go when the demo
//! ends, also after an interrupt.

mod comparison;
mod goods;
mod leg;
mod relay;
mod shell;
mod stores;
mod table;

use std::collections::BTreeSet;

use anyhow::Context as _;
use base::Clock;
use mover::job::Ending;
use tokio_util::sync::CancellationToken;

use super::{Call, Failure};
use crate::output::Output;
use crate::persona::Outcome;

use comparison::Comparison;
use goods::Goods;
use leg::{Interruption, Leg, Stage};
use shell::Shell;
use stores::Stores;

/// The seed of the goods: every demo moves the same bytes.
const SEED: u64 = 20_210_925;

/// Runs the demo and says how it ended.
pub(super) async fn run(call: Call<'_>) -> super::Result {
    let session = call.session;
    match tell(&session.output, &session.stopping).await {
        Ok(ending) => Ok(Outcome::of(ending)),
        // Whatever was under way was cut off by it.
        Err(_) if session.stopping.is_cancelled() => Ok(Outcome::of(Ending::Stopped)),
        Err(error) => Err(Failure::Said(format!("{error:#}"))),
    }
}

/// Plays the story. Objects that failed, or stores that differ afterwards, are told and end as
/// [`Ending::Failed`]; an interrupt ends it as [`Ending::Stopped`].
///
/// # Errors
/// A port or the temporary folder could not be had, or a step could not run at all.
async fn tell(out: &Output, stopping: &CancellationToken) -> anyhow::Result<Ending> {
    let clock = Clock::system();
    let folder = tempfile::Builder::new()
        .prefix("longhaul-demo-")
        .tempdir()
        .context("make a temporary folder")?;
    let stores = Stores::start(&clock).await?;
    let goods = Goods::from_seed(SEED);
    out.text(format_args!(
        "two stores on this machine: partner at {}, ours at {}",
        stores.partner, stores.ours
    ));
    stores.fill_partner(&goods)?;
    out.text(format_args!(
        "partner holds {} objects, {}: {} mp3s of {} on average, {} small files, {} awkward names, \
         one object of {}",
        goods.items.len(),
        goods.bytes(),
        goods::MP3_COUNT,
        base::ByteCount(goods::MP3_BYTES_MEAN),
        goods::SMALL_COUNT,
        goods::AWKWARD_KEYS.len(),
        base::ByteCount(goods::LARGE_BYTES)
    ));

    let shell = Shell::new(folder.path(), &stores, stopping, out)?;
    out.text(format_args!(
        "\n1. what may the two accounts do? nothing is changed to find out"
    ));
    let doctor = shell
        .run(&["doctor", "s3://partner/*", "s3://ours/"])
        .await?;
    doctor.tell_beginning(out);
    out.text(format_args!(
        "     (and the smallest policies to ask for, as JSON)"
    ));
    out.text(format_args!(
        "\n2. relay from the partner's account to ours, killed half way"
    ));
    let relay = relay::play(&shell, &stores, &goods, out).await?;
    out.text(format_args!("\n3. compare both sides, object by object"));
    let verify = shell
        .run(&["verify", "s3://partner/*", "s3://ours/"])
        .await?;
    verify.tell_end(out);
    let relayed = Comparison::of(&stores, &goods, &BTreeSet::new()).await?;
    relayed.tell(out);
    let emptied = shell.run(&["rm", "s3://ours/*"]).await?;

    let stage = Stage {
        stores: &stores,
        clock: &clock,
        stopping,
        out,
    };
    let disk = folder.path().join("collected");
    let collect = stores.collect(&disk);
    out.text(format_args!(
        "\n4. sync 's3://partner/*' to disk, interrupted half way"
    ));
    let half = Interruption::AfterBytes(goods.bytes().get() / 2);
    let first = Leg::run("partner to disk, interrupted", &collect, half, &stage).await?;
    out.text(format_args!(
        "\n5. the same command again: what is there is kept"
    ));
    let second = Leg::run(
        "partner to disk, the rest",
        &collect,
        Interruption::Never,
        &stage,
    )
    .await?;
    out.text(format_args!(
        "\n6. sync the folder to s3://ours/, which was emptied"
    ));
    let deliver = stores.deliver(&disk);
    let third = Leg::run("disk to ours", &deliver, Interruption::Never, &stage).await?;
    if stopping.is_cancelled() {
        return Ok(Ending::Stopped);
    }

    out.text(format_args!("\n7. compare both stores, object by object"));
    let comparison = Comparison::of(&stores, &goods, &second.refused).await?;
    comparison.tell(out);

    out.text(format_args!(""));
    let rows = [relay.row(&goods), first.row(), second.row(), third.row()];
    table::write(out, &rows);
    stores.stop().await;
    folder.close().context("remove the temporary folder")?;
    out.text(format_args!(
        "\nnothing is left behind: the stores lived in memory, the folder is removed"
    ));

    // The two names that no disk takes were refused by name, as they must be; anything else that
    // went wrong fails the demo.
    let as_told = [&doctor, &verify, &emptied]
        .iter()
        .all(|ended| ended.code == 0)
        && relay.went_well
        && relayed.all_equal()
        && first.stopped
        && second.went_well(goods::IMPOSSIBLE_ON_DISK.len())
        && third.went_well(0)
        && comparison.all_equal();
    Ok(if as_told {
        Ending::Done
    } else {
        Ending::Failed
    })
}
