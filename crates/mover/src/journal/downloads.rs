//! The unfinished downloads of a user's jobs, as others see them.

use std::io;
use std::path::PathBuf;

use base::{BucketName, ByteCount, Key};

use super::download_file::DownloadFile;
use super::job::JobsHome;
use super::slot::SlotFile as _;
use super::uploads::files;

/// A download that a job has not finished.
#[derive(Debug, Clone)]
pub struct UnfinishedDownload {
    /// The job.
    pub job: String,
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// The file that it becomes.
    pub target: PathBuf,
    /// The file that it is meanwhile.
    pub temporary: PathBuf,
    /// Parts that landed.
    pub parts: u64,
    /// Their bytes.
    pub bytes: ByteCount,
    path: PathBuf,
}

impl UnfinishedDownload {
    /// Removes its temporary file and forgets it. The name was made for this download alone, and
    /// nothing but a regular file is removed.
    pub fn discard(&self) -> io::Result<()> {
        crate::landing::remove_temporary(&self.temporary)?;
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl JobsHome {
    /// The unfinished downloads of a job, by target.
    pub fn downloads(&self, id: &str) -> io::Result<Vec<UnfinishedDownload>> {
        let mut downloads = Vec::new();
        for path in files(&self.path().join(id).join(DownloadFile::FOLDER))? {
            let Some(state) = DownloadFile::read(&path)? else {
                continue;
            };
            downloads.push(UnfinishedDownload {
                job: id.to_owned(),
                temporary: state.begun.temporary_path(),
                target: PathBuf::from(state.begun.target),
                bucket: state.begun.bucket,
                key: state.begun.key,
                parts: state.parts.len() as u64,
                bytes: state.parts.values().map(|part| part.size).sum(),
                path,
            });
        }
        downloads.sort_by(|one, other| one.target.cmp(&other.target));
        Ok(downloads)
    }
}
