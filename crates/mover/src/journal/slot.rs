//! A file of the journal that is one task's alone: of an upload or of a download that is under way.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base::UploadId;
use parking_lot::Mutex;
use remote::types::CreatedUpload;

use super::Journal;
use super::download_file::{DownloadFile, LandedPart};
use super::upload_file::UploadFile;
use crate::verify::PartSeal;

/// A kind of file that is kept for as long as one thing is unfinished.
pub(crate) trait SlotFile: Sized {
    /// The folder below the job's own.
    const FOLDER: &'static str;
    /// What the first record says.
    type Asked;
    /// All that a file tells.
    type State;

    /// Reads a file; `None` if there is none or not even its first record is whole.
    fn read(path: &Path) -> io::Result<Option<Self::State>>;
    /// Begins a file, in the place of any other.
    fn begin(path: &Path, asked: &Self::Asked) -> io::Result<Self>;
    /// Goes on with a file that was read.
    fn resume(path: &Path, state: &Self::State) -> io::Result<Self>;
    /// Another handle, to flush the file.
    fn handle(&self) -> io::Result<File>;
}

/// A file, this task's alone. Dropping it leaves the file.
#[derive(Debug)]
pub(crate) struct Slot<F> {
    journal: Arc<Journal>,
    path: PathBuf,
    file: Mutex<F>,
    /// Whether the file is among those to be flushed.
    unflushed: Arc<AtomicBool>,
}

/// An upload's file.
pub(crate) type UploadSlot = Slot<UploadFile>;

/// A download's file.
pub(crate) type DownloadSlot = Slot<DownloadFile>;

/// A file of the journal, and what an earlier run left in it.
#[derive(Debug)]
pub(crate) struct Claim<F, S> {
    /// The file.
    pub(crate) slot: Slot<F>,
    /// What was there.
    pub(crate) found: Option<S>,
}

impl<F: SlotFile> Slot<F> {
    /// Takes file `name`, or begins it; `None` if the journal cannot keep it, or another task has
    /// it.
    pub(super) fn claim(
        journal: &Arc<Journal>,
        name: &str,
        asked: &F::Asked,
    ) -> Option<Claim<F, F::State>> {
        let path = {
            let mut state = journal.state.lock();
            let path = journal.folder(&mut state)?.join(F::FOLDER).join(name);
            if !state.slots.insert(path.clone()) {
                return None;
            }
            path
        };
        let opened = make_folder_of(&path)
            .and_then(|()| F::read(&path))
            .and_then(|found| {
                let file = match &found {
                    Some(found) => F::resume(&path, found)?,
                    None => F::begin(&path, asked)?,
                };
                Ok((file, found))
            });
        match opened {
            Ok((file, found)) => Some(Claim {
                slot: Slot {
                    journal: Arc::clone(journal),
                    path,
                    file: Mutex::new(file),
                    unflushed: Arc::default(),
                },
                found,
            }),
            Err(error) => {
                let mut state = journal.state.lock();
                state.slots.remove(&path);
                state.complain("write the file of an object in parts", &error);
                None
            }
        }
    }

    /// Forgets what the file held: what is kept in it is begun anew, as `asked`.
    pub(crate) fn begin(&self, asked: &F::Asked) {
        match F::begin(&self.path, asked) {
            Ok(file) => *self.file.lock() = file,
            Err(error) => self.complain(&error),
        }
    }

    /// Writes a record that a power cut may cost.
    fn keep(&self, write: impl FnOnce(&mut F) -> io::Result<()>) {
        let mut file = self.file.lock();
        let kept = write(&mut file);
        let first = !self.unflushed.swap(true, Ordering::AcqRel);
        let handle = first.then(|| file.handle());
        drop(file);
        if let Err(error) = kept {
            self.complain(&error);
        }
        if let Some(Ok(handle)) = handle {
            let mut state = self.journal.state.lock();
            state.unflushed.push((handle, Arc::clone(&self.unflushed)));
        }
    }
}

impl<F> Slot<F> {
    /// There is nothing to go on with any more: it is finished, given up, or was never begun.
    pub(crate) fn remove(&self) {
        match std::fs::remove_file(&self.path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.complain(&error),
        }
    }

    fn complain(&self, error: &io::Error) {
        let mut state = self.journal.state.lock();
        state.complain("write the file of an object in parts", error);
    }
}

impl UploadSlot {
    /// Keeps what the store answered, also over a power cut: without its id an upload is lost.
    pub(crate) fn created(&self, created: &CreatedUpload) {
        let mut file = self.file.lock();
        let kept = file.created(created).and_then(|()| file.handle());
        drop(file);
        if let Err(error) = kept.and_then(|file| file.sync_data()) {
            self.complain(&error);
        }
    }

    /// Keeps a part that the store acknowledged.
    pub(crate) fn part(&self, index: u32, part: &PartSeal) {
        self.keep(|file| file.part(index, part));
    }

    /// Whether some job of this user knows the upload.
    pub(crate) fn is_journalled(&self, upload_id: &UploadId) -> bool {
        self.journal.home.knows(upload_id)
    }
}

impl DownloadSlot {
    /// Keeps a part whose bytes were handed to the kernel.
    pub(crate) fn part(&self, index: u32, part: LandedPart) {
        self.keep(|file| file.part(index, part));
    }
}

impl<F> Drop for Slot<F> {
    fn drop(&mut self) {
        self.journal.state.lock().slots.remove(&self.path);
    }
}

/// Makes the folder that a file goes to: jobs of an earlier version may lack it.
fn make_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().expect("the file is in a job's folder");
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
