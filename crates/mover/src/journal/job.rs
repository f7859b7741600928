//! A job's folder: what was asked for, who works on it, how far it is.
//!
//! ```text
//! ID/job        the command (records; one)
//! ID/lock       locked by the process that works on it, whose id it holds as text
//! ID/figures    progress as JSON, written anew every second
//! ID/run-N/     which objects the last run has done (see `names`)
//! ID/before     which objects the runs before had done (see `before`)
//! ID/uploads/   a file for each unfinished upload (see `upload_file`)
//! ID/downloads/ a file for each unfinished download in ranges (see `download_file`)
//! ```

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base::Clock;
use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::record::{Appender, FieldReader, FieldWriter, Records};

const JOB: u8 = 1;

/// How often a lock is tried that another process holds: one that only looks lets go at once.
const LOCK_TRIES_MAX: u32 = 100;

/// What a job was asked to do. Holds no secret: keys come from the environment or a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// The arguments behind the program's name, as typed.
    pub words: Vec<String>,
    /// The program's version.
    pub version: String,
    /// The working directory.
    pub folder: PathBuf,
    /// When it began.
    pub started_at: Timestamp,
    /// The store that is read, as its client says it.
    pub source_endpoint: String,
    /// The store that is written.
    pub destination_endpoint: String,
}

/// How far a job is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// How the last run ended; none while it runs, or if it was killed.
    pub ending: Option<String>,
    /// When this was written.
    pub at: Timestamp,
    /// Objects found.
    pub listed: u64,
    /// Objects copied, left alone or gone.
    pub settled: u64,
    /// Objects that failed.
    pub failed: u64,
    /// Bytes of the objects found.
    pub bytes_listed: u64,
    /// Bytes of the objects copied.
    pub bytes_copied: u64,
    /// Bytes sent or received, of unfinished objects too.
    pub bytes_moved: u64,
    /// Length of this run in seconds.
    pub elapsed_s: f64,
}

/// The folder of all jobs of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobsHome(PathBuf);

/// A job as another process sees it.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its name.
    pub id: String,
    /// Its folder.
    pub path: PathBuf,
    /// What it was asked to do.
    pub record: JobRecord,
    /// How far it is, where that was written already.
    pub figures: Option<Figures>,
    /// The process that works on it.
    pub running: Option<u32>,
}

/// A job that this process alone works on, for as long as the value lives.
#[derive(Debug)]
pub struct LockedJob {
    /// Its name.
    pub id: String,
    /// Its folder.
    pub path: PathBuf,
    /// What it was asked to do.
    pub record: JobRecord,
    _lock: File,
}

/// Why a job cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process does.
    #[error("job {id} is running already, as process {pid}")]
    Running {
        /// The job.
        id: String,
        /// The process.
        pid: u32,
    },
    /// There is no such job, or its record is not whole.
    #[error("there is no job {0:?}: `longhaul jobs` lists them")]
    NotFound(String),
    /// Its folder cannot be read or written.
    #[error("open job {id}")]
    Io {
        /// The job.
        id: String,
        /// What the system said.
        source: io::Error,
    },
}

impl JobsHome {
    /// The jobs below a folder, which need not be there.
    pub fn new(path: impl Into<PathBuf>) -> JobsHome {
        JobsHome(path.into())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Every job whose record is whole, oldest first.
    pub fn jobs(&self) -> io::Result<Vec<Job>> {
        let folder = match std::fs::read_dir(&self.0) {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut jobs = Vec::new();
        for entry in folder {
            let entry = entry?;
            let path = entry.path();
            let Ok(id) = entry.file_name().into_string() else {
                continue;
            };
            if let Some(record) = read_record(&path)? {
                jobs.push(Job {
                    figures: read_figures(&path),
                    running: running(&path)?,
                    id,
                    path,
                    record,
                });
            }
        }
        jobs.sort_by(|one, other| {
            let by = |job: &Job| (job.record.started_at, job.id.clone());
            by(one).cmp(&by(other))
        });
        Ok(jobs)
    }

    /// Takes a job for this process.
    pub fn lock(&self, id: &str) -> Result<LockedJob, LockError> {
        let failed = |source| LockError::Io {
            id: id.to_owned(),
            source,
        };
        let path = self.0.join(id);
        // A name from the command line must not lead out of the folder.
        if id.contains('/') || id.starts_with('.') || !path.is_dir() {
            return Err(LockError::NotFound(id.to_owned()));
        }
        let Some(lock) = take_lock(&path).map_err(failed)? else {
            let pid = read_pid(&path).unwrap_or(0);
            let id = id.to_owned();
            return Err(LockError::Running { id, pid });
        };
        let record = read_record(&path).map_err(failed)?;
        let record = record.ok_or_else(|| LockError::NotFound(id.to_owned()))?;
        Ok(LockedJob {
            id: id.to_owned(),
            path,
            record,
            _lock: lock,
        })
    }

    /// Makes a folder for a new job.
    pub(super) fn create(&self, record: &JobRecord, clock: &Clock) -> io::Result<LockedJob> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&self.0)?;
        // Names of objects are nobody else's business.
        builder.recursive(false);
        let started = record.started_at.strftime("%Y%m%d-%H%M%S");
        let (id, path) = loop {
            let id = format!("{started}-{:04x}", clock.random_u64() & 0xffff);
            let path = self.0.join(&id);
            match builder.create(&path) {
                Ok(()) => break (id, path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        };
        let lock = take_lock(&path)?.ok_or_else(|| io::Error::other("a new job is locked"))?;
        let new = path.join("job.new");
        let mut file = Appender::create(&new)?;
        file.append(&encode(record))?;
        file.handle()?.sync_data()?;
        std::fs::rename(new, path.join("job"))?;
        sync_folder(&path)?;
        sync_folder(&self.0)?;
        Ok(LockedJob {
            id,
            path,
            record: record.clone(),
            _lock: lock,
        })
    }
}

impl LockedJob {
    /// Writes how far it is.
    pub fn write_figures(&self, figures: &Figures) -> io::Result<()> {
        let new = self.path.join("figures.new");
        let text = serde_json::to_vec(figures)?;
        std::fs::write(&new, text)?;
        std::fs::rename(new, self.path.join("figures"))
    }

    /// Forgets the job.
    pub fn remove(self) -> io::Result<()> {
        // Without its record it is no job any more, whatever else is left of it.
        std::fs::remove_file(self.path.join("job"))?;
        std::fs::remove_dir_all(&self.path)
    }
}

/// Makes the names in a folder as durable as their files.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn read_figures(path: &Path) -> Option<Figures> {
    let text = std::fs::read(path.join("figures")).ok()?;
    serde_json::from_slice(&text).ok()
}

fn read_record(path: &Path) -> io::Result<Option<JobRecord>> {
    let mut records = match Records::open(&path.join("job")) {
        Ok(records) => records,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    Ok(records.next_payload()?.as_deref().and_then(decode))
}

fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path.join("lock"))
}

/// Takes a folder's lock and writes our process into it; `None` if another one has it.
fn take_lock(path: &Path) -> io::Result<Option<File>> {
    let mut file = lock_file(path)?;
    for _ in 0..LOCK_TRIES_MAX {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                file.set_len(0)?;
                write!(file, "{}", std::process::id())?;
                return Ok(Some(file));
            }
            Err(rustix::io::Errno::WOULDBLOCK) => std::thread::yield_now(),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// The process that holds a folder's lock.
fn running(path: &Path) -> io::Result<Option<u32>> {
    let file = match File::open(path.join("lock")) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(None),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(Some(read_pid(path).unwrap_or(0))),
        Err(error) => Err(error.into()),
    }
}

fn read_pid(path: &Path) -> Option<u32> {
    let mut text = String::new();
    let mut file = File::open(path.join("lock")).ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn encode(record: &JobRecord) -> Vec<u8> {
    let mut fields = FieldWriter::of_kind(JOB);
    fields.number(record.words.len() as u64);
    for word in &record.words {
        fields.text(word);
    }
    fields.text(&record.version);
    fields.text(&record.folder.to_string_lossy());
    fields.signed(record.started_at.as_microsecond());
    fields.text(&record.source_endpoint);
    fields.text(&record.destination_endpoint);
    fields.bytes().to_vec()
}

fn decode(payload: &[u8]) -> Option<JobRecord> {
    let mut fields = FieldReader::new(payload);
    if fields.byte()? != JOB {
        return None;
    }
    let words = (0..fields.number()?).map(|_| fields.text().map(str::to_owned));
    Some(JobRecord {
        words: words.collect::<Option<_>>()?,
        version: fields.text()?.to_owned(),
        folder: PathBuf::from(fields.text()?),
        started_at: Timestamp::from_microsecond(fields.signed()?).ok()?,
        source_endpoint: fields.text()?.to_owned(),
        destination_endpoint: fields.text()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> JobRecord {
        JobRecord {
            words: vec!["cp".to_owned(), "a b".to_owned(), "s3://b/".to_owned()],
            version: "0.1.0".to_owned(),
            folder: PathBuf::from("/srv/data"),
            started_at: Timestamp::from_second(1_790_000_000).unwrap(),
            source_endpoint: String::new(),
            destination_endpoint: "https://s3.example".to_owned(),
        }
    }

    #[test]
    fn a_job_is_one_process_s_and_is_found_by_others() {
        let folder = tempfile::tempdir().unwrap();
        let home = JobsHome::new(folder.path().join("longhaul/jobs"));
        assert!(home.jobs().unwrap().is_empty());
        let locked = home.create(&record(), &Clock::system()).unwrap();
        let jobs = home.jobs().unwrap();
        assert_eq!(jobs.len(), 1);
        assert_eq!(jobs[0].record, record());
        assert_eq!(jobs[0].running, Some(std::process::id()));
        let refused = home.lock(&locked.id).unwrap_err().to_string();
        assert!(
            refused.contains(&std::process::id().to_string()),
            "{refused}"
        );

        let figures = Figures {
            listed: 5,
            ..Figures::default()
        };
        locked.write_figures(&figures).unwrap();
        let id = locked.id.clone();
        drop(locked);
        let job = home.jobs().unwrap().remove(0);
        assert_eq!((job.running, job.figures), (None, Some(figures)));
        home.lock(&id).unwrap().remove().unwrap();
        assert!(home.jobs().unwrap().is_empty());
        assert!(matches!(home.lock(&id), Err(LockError::NotFound(_))));
        assert!(matches!(home.lock("../jobs"), Err(LockError::NotFound(_))));
    }
}
