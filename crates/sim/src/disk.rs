//! A disk that crashes, fails and lies, by seed.
//!
//! What was written and not flushed is kept as a set of sectors. A crash keeps, drops or tears any
//! of them. A flush that fails writes any of them and forgets the rest, while the system's memory
//! goes on telling of all: so real ones do.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use store::disk::{Disk, DiskError, DiskFile};

/// What a disk writes at once, unless it tears it. Source: the logical sector of most disks.
const SECTOR_BYTES: usize = 512;

/// What goes wrong at one operation: a write, a flush, or the making of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The power fails: everything fails until [`SimDisk::crash`].
    PowerLoss,
    /// The process is killed, the power stays: everything fails until [`SimDisk::kill`], and what
    /// was written stays in the system's memory.
    Kill,
    /// The operation fails, and may have done anything.
    Fails,
    /// A write is acknowledged, even by a flush, and never made.
    LosesWrite,
    /// A write lands one page further on.
    Misdirects,
}

/// A simulated disk. Clones share it.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<State>>);

struct State {
    files: BTreeMap<DiskFile, SimFile>,
    /// Bytes of all files together.
    capacity: u64,
    random: StdRng,
    /// Writes, flushes and files made so far.
    operations: u64,
    faults: BTreeMap<u64, Fault>,
    /// The power is gone.
    is_off: bool,
    /// The process is gone.
    is_killed: bool,
    /// How many reads still fail.
    failing_reads: u32,
}

#[derive(Default)]
struct SimFile {
    /// What a crash leaves, but for what is not flushed.
    stored: Vec<u8>,
    /// What the system's memory tells.
    cached: Vec<u8>,
    /// Sectors that were written since the last flush, in order: where, and what.
    unflushed: Vec<(usize, Vec<u8>)>,
}

impl SimDisk {
    /// An empty disk.
    pub fn new(seed: u64, capacity: u64) -> SimDisk {
        SimDisk(Arc::new(Mutex::new(State {
            files: BTreeMap::new(),
            capacity,
            random: StdRng::seed_from_u64(seed),
            operations: 0,
            faults: BTreeMap::new(),
            is_off: false,
            is_killed: false,
            failing_reads: 0,
        })))
    }

    /// How many operations there were.
    pub fn operations(&self) -> u64 {
        self.0.lock().operations
    }

    /// Lets something go wrong at the operation that is `ahead` from now; 1 is the next.
    pub fn fault(&self, ahead: u64, fault: Fault) {
        let mut state = self.0.lock();
        let at = state.operations + ahead;
        state.faults.insert(at, fault);
    }

    /// Lets nothing more go wrong.
    pub fn heal(&self) {
        let mut state = self.0.lock();
        state.faults.clear();
        state.failing_reads = 0;
    }

    /// Lets the next reads fail.
    pub fn fail_reads(&self, count: u32) {
        self.0.lock().failing_reads = count;
    }

    /// The power fails and comes back: of what was not flushed any part is there.
    pub fn crash(&self) {
        let mut state = self.0.lock();
        let State { files, random, .. } = &mut *state;
        // Sometimes all, sometimes nothing: by the toss of a coin for each, long records would
        // hardly ever be whole.
        let kept = [0.0, 0.1, 0.5, 0.9, 1.0][random.random_range(0..5)];
        for file in files.values_mut() {
            for (offset, bytes) in std::mem::take(&mut file.unflushed) {
                if random.random_bool(kept) {
                    file.stored[offset..offset + bytes.len()].copy_from_slice(&bytes);
                } else if random.random_bool(0.2) {
                    let torn = random.random_range(0..bytes.len());
                    file.stored[offset..offset + torn].copy_from_slice(&bytes[..torn]);
                }
            }
            file.cached.clone_from(&file.stored);
        }
        state.is_off = false;
        state.is_killed = false;
        state.faults.clear();
    }

    /// The process is killed: what it wrote stays in the system's memory, unless the power is off.
    pub fn kill(&self) {
        let mut state = self.0.lock();
        if state.is_off {
            drop(state);
            self.crash();
        } else {
            state.is_killed = false;
            state.faults.clear();
        }
    }

    /// Turns a bit over, on the disk itself.
    ///
    /// # Panics
    /// Where there is no such byte.
    pub fn flip(&self, file: DiskFile, offset: u64, bit: u8) {
        self.change(file, |stored| {
            let at = usize::try_from(offset).expect("simulated files are small");
            stored[at] ^= 1 << (bit % 8);
        });
    }

    /// Changes what the disk itself has.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn change(&self, file: DiskFile, change: impl FnOnce(&mut [u8])) {
        let mut state = self.0.lock();
        let file = state.files.get_mut(&file).expect("the file is there");
        change(&mut file.stored);
        file.cached.clone_from(&file.stored);
    }

    /// What the disk itself has of a file.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn stored(&self, file: DiskFile) -> Vec<u8> {
        let state = self.0.lock();
        state
            .files
            .get(&file)
            .expect("the file is there")
            .stored
            .clone()
    }

    /// Another disk with the same bytes.
    pub fn fork(&self, seed: u64) -> SimDisk {
        let state = self.0.lock();
        let copy = SimDisk::new(seed, state.capacity);
        let mut other = copy.0.lock();
        for (name, file) in &state.files {
            let file = SimFile {
                stored: file.stored.clone(),
                cached: file.cached.clone(),
                unflushed: file.unflushed.clone(),
            };
            other.files.insert(*name, file);
        }
        drop(other);
        copy
    }
}

impl State {
    /// Counts an operation; answers what goes wrong with it.
    fn begin(&mut self) -> Result<Option<Fault>, DiskError> {
        if self.is_off || self.is_killed {
            return Err(failed("nobody is there"));
        }
        self.operations += 1;
        let fault = self.faults.remove(&self.operations);
        self.is_off = fault == Some(Fault::PowerLoss);
        self.is_killed = fault == Some(Fault::Kill);
        Ok(fault)
    }

    fn file(&mut self, file: DiskFile) -> Result<&mut SimFile, DiskError> {
        self.files.get_mut(&file).ok_or(DiskError::Missing(file))
    }

    fn begin_read(&mut self) -> Result<(), DiskError> {
        if self.is_off || self.is_killed {
            return Err(failed("nobody is there"));
        }
        if self.failing_reads > 0 {
            self.failing_reads -= 1;
            return Err(failed("a sector cannot be read"));
        }
        Ok(())
    }

    fn used(&self) -> u64 {
        self.files
            .values()
            .map(|file| file.stored.len() as u64)
            .sum()
    }
}

fn failed(why: &'static str) -> DiskError {
    DiskError::Failed(io::Error::other(why))
}

fn span(offset: u64, length: usize, of: usize) -> Result<std::ops::Range<usize>, DiskError> {
    let start = usize::try_from(offset).map_err(|_| failed("past the end"))?;
    let end = start.checked_add(length).filter(|end| *end <= of);
    Ok(start..end.ok_or_else(|| failed("past the end"))?)
}

impl Disk for SimDisk {
    fn place(&self) -> String {
        "simulated".to_owned()
    }

    fn files(&self) -> Result<Vec<DiskFile>, DiskError> {
        let mut state = self.0.lock();
        state.begin_read()?;
        Ok(state.files.keys().copied().collect())
    }

    fn create(&self, file: DiskFile, bytes: u64) -> Result<(), DiskError> {
        let mut state = self.0.lock();
        let fault = state.begin()?;
        let replaced = state
            .files
            .get(&file)
            .map_or(0, |file| file.stored.len() as u64);
        if state.used() - replaced + bytes > state.capacity {
            return Err(DiskError::Full);
        }
        if fault.is_none() || state.random.random_bool(0.5) {
            let length = usize::try_from(bytes).expect("simulated files are small");
            let made = SimFile {
                stored: vec![0; length],
                cached: vec![0; length],
                unflushed: Vec::new(),
            };
            state.files.insert(file, made);
        }
        match fault {
            None | Some(Fault::LosesWrite | Fault::Misdirects) => {
                // Lies are told about writes only.
                if fault.is_some() && !state.files.contains_key(&file) {
                    return Err(failed("the file could not be made"));
                }
                Ok(())
            }
            Some(Fault::PowerLoss | Fault::Kill | Fault::Fails) => {
                Err(failed("the file could not be made"))
            }
        }
    }

    fn read(&self, file: DiskFile, offset: u64, into: &mut [u8]) -> Result<(), DiskError> {
        let mut state = self.0.lock();
        state.begin_read()?;
        let cached = &state.file(file)?.cached;
        into.copy_from_slice(&cached[span(offset, into.len(), cached.len())?]);
        Ok(())
    }

    fn read_stored(&self, file: DiskFile, offset: u64, into: &mut [u8]) -> Result<(), DiskError> {
        let mut state = self.0.lock();
        state.begin_read()?;
        let file = state.file(file)?;
        let span = span(offset, into.len(), file.stored.len())?;
        into.copy_from_slice(&file.stored[span.clone()]);
        // A read past the cache makes the system write its pages first; they are no more durable.
        for (start, bytes) in &file.unflushed {
            let from = span.start.max(*start);
            let to = span.end.min(start + bytes.len());
            if from < to {
                into[from - span.start..to - span.start]
                    .copy_from_slice(&bytes[from - start..to - start]);
            }
        }
        Ok(())
    }

    fn write(&self, file: DiskFile, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        assert!(
            offset.is_multiple_of(4096) && bytes.len().is_multiple_of(4096),
            "writes are whole pages"
        );
        let mut state = self.0.lock();
        let fault = state.begin()?;
        let cut = state.random.random_range(0..=bytes.len());
        let file = state.file(file)?;
        let span = span(offset, bytes.len(), file.cached.len())?;
        let (start, written) = match fault {
            None => (span.start, bytes),
            Some(Fault::PowerLoss | Fault::Kill | Fault::Fails) => (span.start, &bytes[..cut]),
            Some(Fault::LosesWrite) => {
                file.cached[span].copy_from_slice(bytes);
                return Ok(());
            }
            Some(Fault::Misdirects) => {
                let start = (span.start + 4096).min(file.cached.len() - bytes.len());
                (start, bytes)
            }
        };
        file.cached[start..start + written.len()].copy_from_slice(written);
        for (index, sector) in written.chunks(SECTOR_BYTES).enumerate() {
            let at = start + index * SECTOR_BYTES;
            file.unflushed.push((at, sector.to_vec()));
        }
        match fault {
            Some(Fault::PowerLoss | Fault::Kill | Fault::Fails) => Err(failed("a write failed")),
            None | Some(Fault::LosesWrite | Fault::Misdirects) => Ok(()),
        }
    }

    fn flush(&self, file: DiskFile) -> Result<(), DiskError> {
        let mut state = self.0.lock();
        let fault = state.begin()?;
        let State { files, random, .. } = &mut *state;
        let file = files.get_mut(&file).ok_or(DiskError::Missing(file))?;
        match fault {
            // Whatever of it the disk has done, it is not told.
            Some(Fault::PowerLoss | Fault::Kill) => return Err(failed("nobody is there")),
            Some(Fault::Fails) => {
                for (offset, bytes) in std::mem::take(&mut file.unflushed) {
                    if random.random_bool(0.5) {
                        file.stored[offset..offset + bytes.len()].copy_from_slice(&bytes);
                    }
                }
                return Err(failed("a flush failed"));
            }
            None | Some(Fault::LosesWrite | Fault::Misdirects) => {}
        }
        for (offset, bytes) in std::mem::take(&mut file.unflushed) {
            file.stored[offset..offset + bytes.len()].copy_from_slice(&bytes);
        }
        Ok(())
    }

    fn room(&self) -> Result<u64, DiskError> {
        let mut state = self.0.lock();
        state.begin_read()?;
        Ok(state.capacity.saturating_sub(state.used()))
    }
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        f.debug_struct("SimDisk")
            .field("files", &state.files.len())
            .field("operations", &state.operations)
            .finish()
    }
}
