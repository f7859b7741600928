//! Both stores held against each other and against the goods, past the mover: lists and HEADs.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use base::{Crc64Nvme, Key};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use remote::ObjectClient;
use remote::types::{HeadObject, ListObjects};

use super::goods::{Goods, Item};
use super::stores::{Stores, our_bucket};
use crate::output::Output;

/// HEADs under way at once.
const HEADS_MAX: usize = 32;

/// What the comparison found.
#[derive(Debug)]
pub(super) struct Comparison {
    /// Objects whose size and checksum are the goods' own.
    equal: usize,
    /// Objects that differ or are missing.
    different: Vec<String>,
    /// Objects refused on the way, by name, and so rightly absent.
    refused: usize,
    /// Keys that nobody sent.
    strangers: Vec<String>,
}

impl Comparison {
    /// Asks our store for every one of the goods. Checksums are computed from the goods, not
    /// believed.
    pub(super) async fn of(
        stores: &Stores,
        goods: &Goods,
        refused: &BTreeSet<String>,
    ) -> Result<Comparison> {
        let mut held = keys(&stores.our_client).await?;
        let answers: Vec<(&Item, bool)> = stream::iter(&goods.items)
            .map(|item| async move {
                let equal = arrived(&stores.our_client, item).await?;
                anyhow::Ok((item, equal))
            })
            .buffer_unordered(HEADS_MAX)
            .try_collect()
            .await?;
        let mut comparison = Comparison {
            equal: 0,
            different: Vec::new(),
            refused: 0,
            strangers: Vec::new(),
        };
        for (item, equal) in answers {
            held.remove(&item.key);
            match (equal, refused.contains(&item.key)) {
                (true, _) => comparison.equal += 1,
                (false, true) => comparison.refused += 1,
                (false, false) => comparison.different.push(item.key.clone()),
            }
        }
        comparison.strangers.extend(held);
        Ok(comparison)
    }

    /// Whether nothing differs, is missing or is too much.
    pub(super) fn all_equal(&self) -> bool {
        self.different.is_empty() && self.strangers.is_empty()
    }

    /// Says it.
    pub(super) fn tell(&self, out: &Output) {
        let Comparison {
            equal,
            different,
            refused,
            strangers,
        } = self;
        out.text(format_args!("   {equal} equal by size and CRC-64/NVME, {} different or missing, {refused} refused on the \
             way by name, {} unknown",
            different.len(),
            strangers.len()));
        for key in different.iter().chain(strangers) {
            out.text(format_args!("   not as it should be: {key:?}"));
        }
    }
}

/// Whether our store holds this item, byte for byte as far as a checksum can tell.
async fn arrived(client: &Arc<dyn ObjectClient>, item: &Item) -> Result<bool> {
    let key = Key::new(item.key.as_str())?;
    let request = HeadObject {
        checksum_mode: true,
        ..HeadObject::new(our_bucket(), key)
    };
    let head = match client.head_object(request).await {
        Ok(head) => head,
        Err(error) if error.status() == Some(404) => return Ok(false),
        Err(error) => return Err(error).context("ask our store"),
    };
    let Some(stored) = head.crc64nvme() else {
        bail!("our store keeps no checksum of {:?}", item.key);
    };
    let expected = item.pieces.iter().fold(Crc64Nvme::EMPTY, |so_far, piece| {
        so_far.then(Crc64Nvme::of(piece), piece.len() as u64)
    });
    Ok(head.size.get() == item.size() && stored == expected)
}

/// Every key of our bucket.
async fn keys(client: &Arc<dyn ObjectClient>) -> Result<BTreeSet<String>> {
    let mut keys = BTreeSet::new();
    let mut request = ListObjects::new(our_bucket(), "");
    loop {
        let page = client
            .list_objects(request.clone())
            .await
            .context("list our store")?;
        keys.extend(
            page.objects
                .iter()
                .map(|object| object.key.as_str().to_owned()),
        );
        match page.next {
            Some(next) => request.continuation_token = Some(next),
            None => return Ok(keys),
        }
    }
}
