//! The storage engine over one volume: S3's names and bytes, durable when an operation returns.
//!
//! **Overview.** An [`Engine`] is a cheap handle. Writes are decided at once and answered as
//! [`Begun`], whose [`wait`](Begun::wait) returns when they are durable; reads see what is durable.
//! Deciding is in [`buckets`], [`objects`], [`multipart`] and [`listing`]: plain functions over
//! rows.
//!
//! **Invariants.** What was answered is durable; what is not durable is not seen.
//!
//! **Ordering.** Operations are linearizable; those of one thread take effect in the order in
//! which they were begun.
//!
//! **Retries.** None.
//!
//! **Cancellation.** A write that was begun may take effect though nobody waits for it.
//!
//! **Crash.** [`Engine::open`] finds everything that was acknowledged, or refuses.
//!
//! **Limits.** Calls block: a server calls them off its reactor. All rows are in memory, and the
//! log is read whole at the start, until there is a view on disk and checkpoints. Nothing is
//! reclaimed yet: deletes make rows fewer and the log longer.

mod bodies;
mod buckets;
mod listing;
mod multipart;
mod objects;

use std::sync::Arc;

use base::Clock;
use jiff::Timestamp;
use parking_lot::Mutex;

use crate::disk::Disk;
use crate::error::{Error, StartError};
use crate::format::superblock::Superblock;
use crate::format::{PAGE_BYTES, StoreId, VolumeId};
use crate::log::draft::{Draft, Layout};
use crate::log::plan::Identity;
use crate::log::round::Round;
use crate::log::sequencer::Sequencer;
use crate::model::kept_time;
use crate::namespace::{MemoryView, Rows};
use crate::recover::recover;
use crate::volume::{Volume, superblocks};

pub use listing::ListedVersionRow;
pub use objects::{Found, Put};

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// How bytes are laid out. The size of extents is the volume's own.
    pub layout: Layout,
    /// Smallest part but for the last, in bytes.
    pub part_size_min: u64,
    /// The store that the volume must belong to, where that is known.
    pub store: Option<StoreId>,
}

impl Default for EngineOptions {
    fn default() -> EngineOptions {
        EngineOptions {
            layout: Layout::default(),
            part_size_min: base::limits::PART_SIZE_MIN.get(),
            store: None,
        }
    }
}

/// A store that is open. Clones share it.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    part_size_min: u64,
    disk: Arc<dyn Disk>,
    /// As it was written last.
    superblock: Mutex<Superblock>,
    log: Sequencer<MemoryView>,
}

/// A write that was decided, and is not answered before it is durable.
#[derive(Debug)]
#[must_use = "a write is durable once it was waited for"]
pub struct Begun<T> {
    engine: Engine,
    answer: Result<T, Error>,
    round: Option<Arc<Round>>,
}

impl<T> Begun<T> {
    /// Waits until the write is durable, or what its refusal rests on is.
    ///
    /// # Errors
    /// Why it was refused, or why that cannot be said.
    pub fn wait(self) -> Result<T, Error> {
        if let Some(round) = self.round {
            self.engine.0.log.wait(&round)?;
        }
        self.answer
    }
}

impl Engine {
    /// Makes a store of one volume on an empty disk.
    ///
    /// # Errors
    /// [`StartError`], which names the place and what to do.
    pub fn format(disk: &dyn Disk, clock: &Clock, layout: &Layout) -> Result<StoreId, StartError> {
        layout.check().map_err(StartError::Options)?;
        superblocks::format(disk, clock, layout.extent_bytes)
    }

    /// Opens a store of one volume.
    ///
    /// # Errors
    /// [`StartError`], which names the file and what to do. Nothing acknowledged is ever given up
    /// to be able to start.
    pub fn open(
        disk: Arc<dyn Disk>,
        clock: Clock,
        options: EngineOptions,
    ) -> Result<Engine, StartError> {
        let mut superblock = superblocks::read(&*disk, options.store)?;
        let layout = Layout {
            extent_bytes: u64::from(superblock.extent_pages) * PAGE_BYTES,
            ..options.layout
        };
        layout.check().map_err(StartError::Options)?;
        let found = recover(&*disk, &superblock, MemoryView::default())?;
        let failed = |cause| StartError::Disk {
            place: disk.place(),
            cause,
        };
        // What is served must be durable, also what a process wrote that was killed before it
        // could flush.
        for file in &found.to_flush {
            disk.flush(*file).map_err(failed)?;
        }
        let end = found.recovered.plan.log_sequence;
        superblock.open_count = superblock.open_count.next();
        superblock.cut = end;
        superblock.durable_mark = end;
        superblock.owner = VolumeId::draw(&clock).0;
        let superblock = superblocks::write(&*disk, superblock)?;
        let identity = Identity {
            store: superblock.store,
            volume: superblock.volume,
            open_count: superblock.open_count,
            set_epoch: superblock.set_epoch,
            extent_bytes: layout.extent_bytes,
        };
        let volume = Volume::new(Arc::clone(&disk), identity);
        Ok(Engine(Arc::new(Inner {
            clock,
            part_size_min: options.part_size_min,
            disk,
            superblock: Mutex::new(superblock),
            log: Sequencer::new(volume, layout, found.recovered),
        })))
    }

    /// The store's id.
    pub fn store(&self) -> StoreId {
        self.0.log.volume().identity().store
    }

    /// Whether a flush failed: then reads are served, and no writes until a restart.
    pub fn is_fenced(&self) -> bool {
        self.0.log.volume().is_fenced()
    }

    /// Writes down how far the log is flushed. A server does so at its end: then damage in the very
    /// last record, too, is told from a write that was torn.
    ///
    /// # Errors
    /// [`Error::Fenced`], also when it is this that fails.
    pub fn note_end(&self) -> Result<(), Error> {
        let mut superblock = self.0.superblock.lock();
        let mark = self.0.log.durable_mark()?;
        let noted = Superblock {
            durable_mark: mark,
            ..superblock.clone()
        };
        *superblock = superblocks::write(&*self.0.disk, noted).map_err(|_| {
            self.0.log.fence();
            Error::Fenced
        })?;
        Ok(())
    }

    fn now(&self) -> Timestamp {
        kept_time(self.0.clock.now(), false)
    }

    /// An id that nobody guesses and that sorts behind all before it.
    fn id(&self, sequence: u64) -> String {
        format!("{sequence:016x}{:016x}", self.0.clock.random_u64())
    }

    fn write<T>(&self, decide: impl FnMut(&dyn Rows, &mut Draft) -> Result<T, Error>) -> Begun<T> {
        let decided = self.0.log.decide(decide);
        Begun {
            engine: self.clone(),
            answer: decided.answer,
            round: decided.round,
        }
    }
}
