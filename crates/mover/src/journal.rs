//! What a job has done so far, on disk, so that it can be gone on with after a kill.
//!
//! Overview: nothing is written before the first upload in parts or the first thousand objects;
//! from then on the job has a folder. Invariants: what is acted on is in the journal first: a part
//! is kept when its answer has arrived, an object before its place among those under way is given
//! on; an upload is in the journal before it is asked for. One process works on a job, by a lock
//! that ends with it. Ordering: none between uploads. Retries: none; a journal that cannot be
//! written is given up with one line, and the job goes on without. Crash: a kill loses nothing that
//! was acted on, a power cut what was written in the last seconds, which is done again.
//! Cancellation: nothing here waits. Limits: memory holds the names of objects under way, and of
//! those that failed before the journal was opened.

mod job;
mod record;
mod upload_file;
mod uploads;

pub use job::{Figures, Job, JobRecord, JobsHome, LockError, LockedJob};
pub(crate) use upload_file::{Asked, UploadState};
pub use uploads::UnfinishedUpload;

use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash as _, Hasher as _};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use base::{Clock, UploadId};
use parking_lot::Mutex;
use remote::types::CreatedUpload;
use twox_hash::XxHash3_64;

use self::upload_file::UploadFile;
use crate::verify::PartSeal;

/// The journal of one job. Opens its folder when there is something worth keeping.
pub struct Journal {
    home: JobsHome,
    record: JobRecord,
    clock: Clock,
    state: Mutex<State>,
}

/// What changes while the job runs.
struct State {
    place: Place,
    /// Names of the upload files in use.
    uploads: HashSet<String>,
    /// Why the journal is not whole, once it is not.
    trouble: Option<String>,
}

/// Where a journal is.
enum Place {
    /// Nothing was worth keeping yet.
    Nowhere,
    /// In its folder.
    Open(LockedJob),
    /// Given up: it could not be written.
    Lost,
}

/// An upload's file, this task's alone. Dropping it leaves the file.
#[derive(Debug)]
pub(crate) struct UploadSlot {
    journal: Arc<Journal>,
    name: String,
    path: PathBuf,
    file: Mutex<UploadFile>,
}

/// An upload as the journal knows it.
#[derive(Debug)]
pub(crate) struct Claim {
    /// Its file.
    pub(crate) slot: UploadSlot,
    /// What an earlier run left of it.
    pub(crate) found: Option<UploadState>,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Journal");
        shown.field("home", &self.home).finish_non_exhaustive()
    }
}

impl Journal {
    /// The journal of a new job; nothing is written yet.
    pub fn new(home: JobsHome, record: JobRecord, clock: Clock) -> Journal {
        Journal::with(home, record, clock, Place::Nowhere)
    }

    /// Goes on with a job.
    pub fn resume(home: JobsHome, job: LockedJob, clock: Clock) -> Journal {
        let record = job.record.clone();
        Journal::with(home, record, clock, Place::Open(job))
    }

    fn with(home: JobsHome, record: JobRecord, clock: Clock, place: Place) -> Journal {
        Journal {
            home,
            record,
            clock,
            state: Mutex::new(State {
                place,
                uploads: HashSet::new(),
                trouble: None,
            }),
        }
    }

    /// The job's name, once it has a folder.
    pub fn id(&self) -> Option<String> {
        match &self.state.lock().place {
            Place::Open(job) => Some(job.id.clone()),
            Place::Nowhere | Place::Lost => None,
        }
    }

    /// Why the journal is not whole, if it is not.
    pub fn trouble(&self) -> Option<String> {
        self.state.lock().trouble.clone()
    }

    /// Takes the file of an upload, or begins it; `None` if the journal cannot keep it, or another
    /// task uploads to the same place.
    pub(crate) fn claim(self: &Arc<Journal>, asked: &Asked) -> Option<Claim> {
        let name = file_name(asked);
        let path = {
            let mut state = self.state.lock();
            let folder = self.folder(&mut state)?.join("uploads");
            if !state.uploads.insert(name.clone()) {
                return None;
            }
            folder.join(&name)
        };
        let opened = upload_file::read(&path).and_then(|found| {
            let file = match &found {
                Some(found) => UploadFile::resume(&path, found)?,
                None => UploadFile::begin(&path, asked)?,
            };
            Ok((file, found))
        });
        match opened {
            Ok((file, found)) => Some(Claim {
                slot: UploadSlot {
                    journal: Arc::clone(self),
                    name,
                    path,
                    file: Mutex::new(file),
                },
                found,
            }),
            Err(error) => {
                let mut state = self.state.lock();
                state.uploads.remove(&name);
                state.complain("write an upload's file", &error);
                None
            }
        }
    }

    /// The job's folder, which is made if it is not there.
    fn folder(&self, state: &mut State) -> Option<PathBuf> {
        if matches!(state.place, Place::Nowhere) {
            state.place = match self.home.create(&self.record, &self.clock) {
                Ok(job) => Place::Open(job),
                Err(error) => {
                    state.complain("make its folder", &error);
                    Place::Lost
                }
            };
        }
        match &state.place {
            Place::Open(job) => Some(job.path.clone()),
            Place::Nowhere | Place::Lost => None,
        }
    }
}

impl State {
    fn complain(&mut self, action: &str, error: &io::Error) {
        let line = || format!("the job's journal is not whole: {action}: {error}");
        self.trouble.get_or_insert_with(line);
    }
}

impl UploadSlot {
    /// Forgets what the file held: the upload is begun anew, as `asked`.
    pub(crate) fn begin(&self, asked: &Asked) {
        match UploadFile::begin(&self.path, asked) {
            Ok(file) => *self.file.lock() = file,
            Err(error) => self.complain(&error),
        }
    }

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
        let kept = self.file.lock().part(index, part);
        if let Err(error) = kept {
            self.complain(&error);
        }
    }

    /// Whether some job of this user knows the upload.
    pub(crate) fn is_journalled(&self, upload_id: &UploadId) -> bool {
        let uploads = self.journal.home.all_uploads().unwrap_or_default();
        let mut known = uploads
            .iter()
            .filter_map(|upload| upload.upload_id.as_ref());
        known.any(|known| known == upload_id)
    }

    /// The upload is no more: completed, aborted, or never begun.
    pub(crate) fn remove(&self) {
        match std::fs::remove_file(&self.path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.complain(&error),
        }
    }

    fn complain(&self, error: &io::Error) {
        let mut state = self.journal.state.lock();
        state.complain("write an upload's file", error);
    }
}

impl Drop for UploadSlot {
    fn drop(&mut self) {
        self.journal.state.lock().uploads.remove(&self.name);
    }
}

/// The name of an upload's file: one for each place that something is uploaded to.
fn file_name(asked: &Asked) -> String {
    let mut hasher = XxHash3_64::default();
    (&asked.endpoint, asked.bucket.as_str(), asked.key.as_str()).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
