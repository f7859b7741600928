//! The batch that is being collected.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::plan::{Identity, Need, Plan, Tail};
use super::round::Round;
use crate::error::Error;
use crate::format::batch::{BODIES_AT, Change};
use crate::format::extent::{Codec, EXTENT_HEADER_BYTES, ExtentHeader, ExtentKind};
use crate::format::record::{RecordHeader, record_bytes};
use crate::format::rows::{BlockPlace, BlockRow, BlockState, Row as _};
use crate::format::{BlockId, PAGE_BYTES, Piece, Place, Sequence, keys};
use crate::model::Body;

/// Sizes that decide how bytes are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Bytes of an extent, whole pages.
    pub extent_bytes: u64,
    /// Most bytes of bodies and changes in one batch.
    pub batch_bytes_max: usize,
    /// Bodies of at most so many bytes travel in the batch itself.
    pub small_body_bytes_max: u64,
    /// Larger bodies are cut into pieces of so many bytes, each a record.
    pub piece_bytes: usize,
}

impl Default for Layout {
    /// Source: issue 6 of the project for extents and small bodies; the others are guesses, not
    /// measured.
    fn default() -> Layout {
        Layout {
            extent_bytes: 256 << 20,
            batch_bytes_max: 8 << 20,
            small_body_bytes_max: 128 << 10,
            piece_bytes: 1 << 20,
        }
    }
}

/// Bytes that a batch needs beside bodies and changes: its own fields, and the row of a block that
/// is opened for nothing but the batch.
const BATCH_OVERHEAD_BYTES: usize = 1024;

/// More bytes than the change of a block's row takes, while a block has one place.
const BLOCK_CHANGE_BYTES: usize = 128;

impl Layout {
    /// Most bytes that the record of one batch takes.
    pub(crate) fn batch_record_bytes_max(&self) -> u64 {
        record_bytes(self.batch_bytes_max + BATCH_OVERHEAD_BYTES)
    }

    /// Why these sizes cannot be.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let behind_header = self.extent_bytes.saturating_sub(EXTENT_HEADER_BYTES as u64);
        if !self.extent_bytes.is_multiple_of(PAGE_BYTES) {
            return Err("the size of an extent must be whole pages of 4 KiB");
        }
        if self.extent_bytes / PAGE_BYTES > u64::from(u32::MAX) {
            return Err("an extent cannot be so large");
        }
        if self.batch_record_bytes_max() > behind_header
            || record_bytes(self.piece_bytes) > behind_header
        {
            return Err("batches and pieces must fit into an extent");
        }
        if self.small_body_bytes_max * 2 > self.batch_bytes_max as u64 {
            return Err("a small body must fit into half a batch");
        }
        if self.piece_bytes == 0
            || self.piece_bytes > crate::format::record::PAYLOAD_BYTES_MAX
            || self.batch_bytes_max + BATCH_OVERHEAD_BYTES > crate::format::batch::BATCH_BYTES_MAX
        {
            return Err("batches and pieces must fit into a record");
        }
        Ok(())
    }
}

/// A batch that is being collected.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) identity: Identity,
    pub(crate) layout: Layout,
    /// Those who wait for it.
    pub(crate) round: Arc<Round>,
    /// Number of the batch.
    pub(crate) number: u64,
    /// Where the batch behind it will go, but for the place that the batch itself takes.
    pub(crate) plan: Plan,
    /// Where the batch goes; none before its first operation.
    pub(crate) log: Option<Tail>,
    /// The end of the open data block before the batch.
    data_before: Option<Tail>,
    /// Extents to make first.
    pub(crate) extents: Vec<ExtentHeader>,
    /// Records to write and flush before the batch.
    pub(crate) data: Vec<(RecordHeader, Bytes)>,
    /// Bodies that travel in the batch.
    pub(crate) bodies: Vec<Bytes>,
    bodies_bytes: usize,
    /// Changes of rows but for those of blocks.
    pub(crate) changes: Vec<Change>,
    changes_bytes: usize,
    /// Rows of the blocks that the batch opens, lengthens or closes.
    pub(crate) blocks: BTreeMap<BlockId, BlockRow>,
    /// Operations so far: their versions and bodies are numbered by it.
    operations: u64,
}

/// What a draft was before an operation that came to nothing.
#[derive(Debug)]
pub(crate) struct Before {
    plan: Plan,
    log: Option<Tail>,
    lengths: [usize; 6],
    blocks: BTreeMap<BlockId, BlockRow>,
    operations: u64,
}

/// Versions and bodies of one batch are fewer than this.
const OPERATIONS_MAX: u64 = 1 << 20;

impl Draft {
    pub(crate) fn new(
        identity: Identity,
        layout: Layout,
        round: Round,
        number: u64,
        plan: Plan,
    ) -> Draft {
        Draft {
            identity,
            layout,
            round: Arc::new(round),
            number,
            data_before: plan.data,
            plan,
            log: None,
            extents: Vec::new(),
            data: Vec::new(),
            bodies: Vec::new(),
            bodies_bytes: 0,
            changes: Vec::new(),
            changes_bytes: 0,
            blocks: BTreeMap::new(),
            operations: 0,
        }
    }

    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether more was taken than fits.
    pub(crate) fn is_overfull(&self) -> bool {
        self.changes_bytes + self.bodies_bytes > self.layout.batch_bytes_max
    }

    pub(crate) fn before(&self) -> Before {
        Before {
            plan: self.plan.clone(),
            log: self.log,
            lengths: [
                self.extents.len(),
                self.data.len(),
                self.bodies.len(),
                self.bodies_bytes,
                self.changes.len(),
                self.changes_bytes,
            ],
            blocks: self.blocks.clone(),
            operations: self.operations,
        }
    }

    /// As it was.
    pub(crate) fn restore(&mut self, before: Before) {
        let [extents, data, bodies, bodies_bytes, changes, changes_bytes] = before.lengths;
        self.plan = before.plan;
        self.log = before.log;
        self.extents.truncate(extents);
        self.data.truncate(data);
        self.bodies.truncate(bodies);
        self.bodies_bytes = bodies_bytes;
        self.changes.truncate(changes);
        self.changes_bytes = changes_bytes;
        self.blocks = before.blocks;
        self.operations = before.operations;
    }

    /// A number greater than all before it, never zero.
    pub(crate) fn next_sequence(&mut self) -> u64 {
        self.operations += 1;
        assert!(
            self.operations < OPERATIONS_MAX,
            "a batch is full before it has so many operations"
        );
        self.number * OPERATIONS_MAX + self.operations
    }

    /// Changes a row.
    pub(crate) fn change(&mut self, change: Change) {
        self.changes_bytes += change.bytes();
        self.changes.push(change);
    }

    /// Makes sure that the batch has a place.
    ///
    /// # Errors
    /// [`Error::Full`].
    pub(crate) fn reserve(&mut self, need: Need) -> Result<(), Error> {
        if need == Need::Growth && self.plan.is_at_reserve() {
            return Err(Error::Full);
        }
        if self.log.is_some() {
            return Ok(());
        }
        let fits = |tail: &Tail| {
            tail.left(self.layout.extent_bytes) >= self.layout.batch_record_bytes_max()
        };
        let tail = match self.plan.log.filter(fits) {
            Some(tail) => tail,
            None => {
                let first = self.plan.log_sequence;
                let before = self.plan.log;
                let tail = self.open(ExtentKind::Log, need, first)?;
                if let Some(before) = before {
                    self.note_block(ExtentKind::Log, &before, BlockState::Closed);
                }
                self.note_block(ExtentKind::Log, &tail, BlockState::Open);
                self.plan.log = Some(tail);
                tail
            }
        };
        self.log = Some(tail);
        Ok(())
    }

    /// Takes a body; answers where its pieces will be.
    ///
    /// # Errors
    /// [`Error::Full`].
    pub(crate) fn place(&mut self, body: &Body) -> Result<Vec<Piece>, Error> {
        self.reserve(Need::Growth)?;
        if body.is_empty() {
            return Ok(Vec::new());
        }
        if body.len() <= self.layout.small_body_bytes_max {
            return Ok(vec![self.place_small(body.to_bytes())]);
        }
        let mut pieces = Vec::new();
        let mut start = 0;
        while start < body.len() {
            let end = body.len().min(start + self.layout.piece_bytes as u64);
            pieces.push(self.place_large(body.slice(start..end).to_bytes())?);
            start = end;
        }
        Ok(pieces)
    }

    fn place_small(&mut self, bytes: Bytes) -> Piece {
        let log = self.log.expect("the batch has a place");
        let offset = BODIES_AT + self.bodies_bytes;
        let piece = Piece {
            place: Place {
                block: log.block,
                record: log.offset,
                offset: u32::try_from(offset).expect("a batch is smaller than 4 GiB"),
            },
            length: u32::try_from(bytes.len()).expect("small bodies are"),
        };
        self.bodies_bytes += bytes.len();
        self.bodies.push(bytes);
        piece
    }

    fn place_large(&mut self, bytes: Bytes) -> Result<Piece, Error> {
        let needed = record_bytes(bytes.len());
        let mut tail = match self.plan.data {
            Some(tail) if tail.left(self.layout.extent_bytes) >= needed => tail,
            before => {
                let tail = self.open(ExtentKind::Data, Need::Growth, Sequence(1))?;
                if let Some(before) = before {
                    self.note_block(ExtentKind::Data, &before, BlockState::Closed);
                }
                tail
            }
        };
        let durable_mark = match self.data_before {
            Some(before) if before.block == tail.block => before.page(),
            Some(_) | None => Sequence(1),
        };
        let sequence = tail.page();
        let length = u32::try_from(bytes.len()).expect("pieces are smaller than records");
        let record = tail.advance(bytes.len());
        let header = self.record_header(ExtentKind::Data, &tail, record, sequence, durable_mark);
        self.data.push((header, bytes));
        self.note_block(ExtentKind::Data, &tail, BlockState::Open);
        self.plan.data = Some(tail);
        Ok(Piece {
            place: Place {
                block: tail.block,
                record,
                offset: 0,
            },
            length,
        })
    }

    fn open(&mut self, kind: ExtentKind, need: Need, first: Sequence) -> Result<Tail, Error> {
        let tail = self
            .plan
            .open_block(need, EXTENT_HEADER_BYTES as u64)
            .ok_or(Error::Full)?;
        self.extents.push(ExtentHeader {
            kind,
            codec: Codec::Replica,
            shard: 0,
            store: self.identity.store,
            volume: self.identity.volume,
            extent: tail.extent,
            pages: u32::try_from(self.layout.extent_bytes / PAGE_BYTES)
                .expect("checked when the volume was opened"),
            incarnation: tail.incarnation,
            block: tail.block,
            block_generation: 1,
            open_count: self.identity.open_count,
            first_sequence: first,
            // One batch is under way at a time, so all before this one are durable.
            durable_mark: self.plan.log_sequence,
            set_epoch: self.identity.set_epoch,
        });
        Ok(tail)
    }

    fn note_block(&mut self, kind: ExtentKind, tail: &Tail, state: BlockState) {
        let row = BlockRow {
            kind,
            state,
            codec: Codec::Replica,
            policy: (1, 0),
            generation: 1,
            length: tail.offset,
            places: vec![BlockPlace {
                volume: self.identity.volume,
                extent: tail.extent,
                incarnation: tail.incarnation,
                shard: 0,
            }],
        };
        if self.blocks.insert(tail.block, row).is_none() {
            self.changes_bytes += BLOCK_CHANGE_BYTES;
        }
    }

    fn record_header(
        &self,
        kind: ExtentKind,
        tail: &Tail,
        offset: u64,
        sequence: Sequence,
        durable_mark: Sequence,
    ) -> RecordHeader {
        RecordHeader {
            kind,
            codec: Codec::Replica,
            shard: 0,
            volume: self.identity.volume,
            extent: tail.extent,
            incarnation: tail.incarnation,
            sequence,
            open_count: self.identity.open_count,
            durable_mark,
            block: tail.block,
            block_generation: 1,
            offset,
            set_epoch: self.identity.set_epoch,
        }
    }

    /// The header of the batch's own record.
    ///
    /// # Panics
    /// Before the batch has a place.
    pub(crate) fn log_header(&self) -> RecordHeader {
        let tail = self.log.expect("the batch has a place");
        let sequence = self.plan.log_sequence;
        // One batch is under way at a time, so all before this one are durable.
        self.record_header(ExtentKind::Log, &tail, tail.offset, sequence, sequence)
    }

    /// The rows of blocks, as changes.
    pub(crate) fn block_changes(&self) -> Vec<Change> {
        self.blocks
            .iter()
            .map(|(block, row)| Change {
                keyspace: keys::Keyspace::Blocks,
                key: keys::block(*block),
                value: Some(row.encode()),
            })
            .collect()
    }
}
