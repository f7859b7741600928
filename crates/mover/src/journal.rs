//! What a job has done so far, on disk, so that it can be gone on with after a kill.
//!
//! Overview: nothing is written before the first upload in parts or the first thousand objects;
//! from then on the job has a folder. Invariants: what is acted on is in the journal first: a part
//! is kept when its answer has arrived, or its bytes are the kernel's, an object before its place
//! among those under way is given on; an upload is in the journal before it is asked for, a
//! temporary file before it is made. One process works on a job, by a lock
//! that ends with it. Ordering: none between uploads. Retries: none; a journal that cannot be
//! written is given up with one line, and the job goes on without. Crash: a kill loses nothing that
//! was acted on, a power cut what was written in the last seconds, which is done again.
//! Cancellation: nothing here waits. Limits: memory holds the names of objects under way, and of
//! those that failed before the journal was opened.

mod before;
mod download_file;
mod downloads;
pub(crate) mod fuzzing;
mod job;
mod names;
mod pin_fields;
mod record;
mod slot;
mod upload_file;
mod uploads;
mod window;

pub(crate) use download_file::{BegunDownload, DownloadState, LandedPart};
pub use downloads::UnfinishedDownload;
pub use job::{Figures, Job, JobRecord, JobsHome, LockError, LockedJob};
pub(crate) use slot::{DownloadSlot, UploadSlot};
pub(crate) use upload_file::{Asked, UploadState};
pub use uploads::UnfinishedUpload;

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::hash::{Hash, Hasher as _};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base::Clock;
use parking_lot::Mutex;
use remote::ObjectClient;
use twox_hash::XxHash3_64;

use self::before::{Before, run_folder};
use self::download_file::DownloadFile;
use self::names::NamesLog;
use self::slot::Claim;
use self::upload_file::UploadFile;
use self::window::Window;
use crate::location::ObjectLocation;
use crate::transfer::abort_upload;

/// The journal of one job. Opens its folder when there is something worth keeping.
pub struct Journal {
    home: JobsHome,
    record: JobRecord,
    clock: Clock,
    state: Mutex<State>,
}

/// Objects that end before a journal is opened for them: small commands leave nothing.
const ENDED_BEFORE_MAX: u64 = 1_000;

/// What changes while the job runs.
struct State {
    place: Place,
    window: Window,
    /// What this run has done; none before the journal is opened, or once it is lost.
    names: Option<NamesLog>,
    /// What earlier runs had done.
    before: Option<Before>,
    /// Names to be done again, until there is a file for them.
    again: Vec<Arc<str>>,
    /// Files of uploads and downloads with parts that are not on the disk yet.
    unflushed: Vec<(File, Arc<AtomicBool>)>,
    /// The files of uploads and downloads in use.
    slots: HashSet<PathBuf>,
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

/// An object's place in the journal. Dropping it leaves the object as it was: not done.
#[derive(Debug)]
pub(crate) struct Slip {
    journal: Arc<Journal>,
    number: u64,
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

    /// Goes on with a job: what its runs have done so far is done.
    pub fn resume(home: JobsHome, job: LockedJob, clock: Clock) -> io::Result<Journal> {
        let record = job.record.clone();
        let before = Before::gather(&job.path)?;
        let folder = run_folder(&job.path, before.runs());
        let names = NamesLog::create(&folder, &Window::default())?;
        let journal = Journal::with(home, record, clock, Place::Open(job));
        let mut state = journal.state.lock();
        state.before = Some(before);
        state.names = Some(names);
        drop(state);
        Ok(journal)
    }

    fn with(home: JobsHome, record: JobRecord, clock: Clock, place: Place) -> Journal {
        Journal {
            home,
            record,
            clock,
            state: Mutex::new(State {
                place,
                window: Window::default(),
                names: None,
                before: None,
                again: Vec::new(),
                unflushed: Vec::new(),
                slots: HashSet::new(),
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

    /// What the job was asked to do.
    pub fn record(&self) -> &JobRecord {
        &self.record
    }

    /// Whether an earlier run has done an object. Names must be asked for in order.
    pub(crate) fn was_done(&self, name: &str) -> bool {
        let mut state = self.state.lock();
        let Some(before) = &mut state.before else {
            return false;
        };
        match before.is_done(name) {
            Ok(done) => done,
            Err(error) => {
                // What cannot be known to be done is done again.
                state.before = None;
                state.complain("read what was done before", &error);
                false
            }
        }
    }

    /// Goes past an object that needs nothing done.
    pub(crate) fn pass(&self, name: &str) {
        self.state.lock().window.pass(name);
    }

    /// Takes an object, in order of name.
    pub(crate) fn take(self: &Arc<Journal>, name: &str) -> Slip {
        Slip {
            journal: Arc::clone(self),
            number: self.state.lock().window.take(name),
        }
    }

    fn end(&self, number: u64, done: bool) {
        let mut state = self.state.lock();
        let name = state.window.name(number);
        if let Some(names) = &mut state.names {
            let written = if done {
                names.done(&name)
            } else {
                names.again(&name)
            };
            if let Err(error) = written {
                state.lose("write down an object", &error);
            }
        } else if !done && matches!(state.place, Place::Nowhere) {
            state.again.push(name);
        }
        state.window.end(number);
        if state.window.ended() == ENDED_BEFORE_MAX {
            self.folder(&mut state);
        }
    }

    /// Flushes what was written, and keeps reading it back cheap. To be called now and then, off
    /// the reactor: a power cut costs what was written since.
    pub fn flush(&self) {
        let (handles, unflushed, long) = {
            let mut state = self.state.lock();
            let names = state.names.as_ref();
            let long = names.is_some_and(NamesLog::is_long);
            let handles = names.map(NamesLog::handles);
            (handles, std::mem::take(&mut state.unflushed), long)
        };
        let mut result = Ok(());
        for (file, unflushed) in unflushed {
            unflushed.store(false, Ordering::Release);
            result = result.and(file.sync_data());
        }
        if let Some(handles) = handles {
            result = result.and(handles.and_then(|[redo, names]| {
                redo.sync_data()?;
                names.sync_data()
            }));
        }
        let mut state = self.state.lock();
        if let Err(error) = result {
            state.lose("flush it", &error);
        } else if long {
            state.turn();
        }
    }

    /// Writes how far the job is, once it has a folder.
    pub fn write_figures(&self, figures: &Figures) {
        let mut state = self.state.lock();
        let Place::Open(job) = &state.place else {
            return;
        };
        if let Err(error) = job.write_figures(figures) {
            state.complain("write its figures", &error);
        }
    }

    /// Of a job of which everything was done: ends the uploads and downloads that it turned out not
    /// to need, because what they were to make stands, or its source is gone. Returns a line for
    /// people for each that could not be ended, which keeps the job.
    pub async fn end_leftovers(&self, client: &dyn ObjectClient) -> Vec<String> {
        let Some(id) = self.id() else {
            return Vec::new();
        };
        let home = self.home.clone();
        let (uploads, mut lines) =
            base::tasks::blocking(move || (home.uploads(&id), discard_all(&home, &id))).await;
        for upload in uploads.unwrap_or_default() {
            let object = ObjectLocation {
                bucket: upload.bucket.clone(),
                key: upload.key.clone(),
                version_id: None,
            };
            let ended = match &upload.upload_id {
                Some(upload_id) => abort_upload(client, &object, upload_id).await,
                None => Ok(()),
            };
            let ended = match ended {
                Ok(()) => upload.forget().map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = ended {
                lines.push(format!(
                    "an upload of {object} that is not needed is left: {error}"
                ));
            }
        }
        lines
    }

    /// Ends the run: a job that is `whole` is forgotten; of any other the folder stays.
    pub fn finish(&self, whole: bool) {
        if !whole {
            self.flush();
        }
        let mut state = self.state.lock();
        state.names = None;
        state.before = None;
        if let Place::Open(job) = std::mem::replace(&mut state.place, Place::Lost)
            && whole
            && let Err(error) = job.remove()
        {
            state.complain("remove it", &error);
        }
    }

    /// Takes the file of an upload, or begins it; `None` if the journal cannot keep it, or another
    /// task uploads to the same place.
    pub(crate) fn claim_upload(
        self: &Arc<Journal>,
        asked: &Asked,
    ) -> Option<Claim<UploadFile, UploadState>> {
        let place = (&asked.endpoint, asked.bucket.as_str(), asked.key.as_str());
        UploadSlot::claim(self, &file_name(place), asked)
    }

    /// Takes the file of a download, or begins it; `None` if the journal cannot keep it, or another
    /// task downloads to the same file.
    pub(crate) fn claim_download(
        self: &Arc<Journal>,
        begun: &BegunDownload,
    ) -> Option<Claim<DownloadFile, DownloadState>> {
        DownloadSlot::claim(self, &file_name(&begun.target), begun)
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
            if let Err(error) = state.begin_names() {
                state.lose("begin it", &error);
            }
        }
        match &state.place {
            Place::Open(job) => Some(job.path.clone()),
            Place::Nowhere | Place::Lost => None,
        }
    }
}

impl State {
    /// Begins the files of the first run, with what it has done so far.
    fn begin_names(&mut self) -> io::Result<()> {
        let Place::Open(job) = &self.place else {
            return Ok(());
        };
        let mut names = NamesLog::create(&run_folder(&job.path, 0), &self.window)?;
        for name in std::mem::take(&mut self.again) {
            names.again(&name)?;
        }
        self.names = Some(names);
        Ok(())
    }

    /// Begins a new snapshot.
    fn turn(&mut self) {
        if let Some(names) = &mut self.names
            && let Err(error) = names.turn(&self.window)
        {
            self.lose("begin a snapshot", &error);
        }
    }

    /// Writes no more names: what is on the disk holds, what comes is done again.
    fn lose(&mut self, action: &str, error: &io::Error) {
        self.names = None;
        self.complain(action, error);
    }

    fn complain(&mut self, action: &str, error: &io::Error) {
        let line = || format!("the job's journal is not whole: {action}: {error}");
        self.trouble.get_or_insert_with(line);
    }
}

impl Slip {
    /// The object is done.
    pub(crate) fn done(self) {
        self.journal.end(self.number, true);
    }

    /// The object is to be done again.
    pub(crate) fn again(self) {
        self.journal.end(self.number, false);
    }
}

/// Discards a job's unfinished downloads; a line for each that stays.
fn discard_all(home: &JobsHome, id: &str) -> Vec<String> {
    let downloads = home.downloads(id).unwrap_or_default();
    let stays = |download: UnfinishedDownload| {
        let error = download.discard().err()?;
        let temporary = download.temporary.display();
        Some(format!("{temporary} is not needed and is left: {error}"))
    };
    downloads.into_iter().filter_map(stays).collect()
}

/// The name of a file for what goes to `place`.
fn file_name(place: impl Hash) -> String {
    let mut hasher = XxHash3_64::default();
    place.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests;
