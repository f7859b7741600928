//! The unfinished uploads of a user's jobs, as others see them.

use std::io;
use std::path::{Path, PathBuf};

use base::{BucketName, ByteCount, Key, UploadId};
use jiff::Timestamp;

use super::job::JobsHome;
use super::slot::SlotFile as _;
use super::upload_file::UploadFile;

/// An upload that a job has not finished.
#[derive(Debug, Clone)]
pub struct UnfinishedUpload {
    /// The job.
    pub job: String,
    /// The store.
    pub endpoint: String,
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// Its id; none if the store's answer never came.
    pub upload_id: Option<UploadId>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Parts that the store acknowledged.
    pub parts: u64,
    /// Their bytes.
    pub bytes: ByteCount,
    path: PathBuf,
}

impl UnfinishedUpload {
    /// Forgets it, once it is gone at the store.
    pub fn forget(&self) -> io::Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl JobsHome {
    /// The unfinished uploads of a job, by bucket and key.
    pub fn uploads(&self, id: &str) -> io::Result<Vec<UnfinishedUpload>> {
        let mut uploads = Vec::new();
        for path in files(&self.path().join(id).join(UploadFile::FOLDER))? {
            let Some(state) = UploadFile::read(&path)? else {
                continue;
            };
            uploads.push(UnfinishedUpload {
                job: id.to_owned(),
                endpoint: state.asked.endpoint,
                bucket: state.asked.bucket,
                key: state.asked.key,
                upload_id: state.created.map(|created| created.upload_id),
                asked_at: state.asked.asked_at,
                parts: state.parts.len() as u64,
                bytes: state.parts.values().map(|part| part.size).sum(),
                path,
            });
        }
        uploads.sort_by(|one, other| (&one.bucket, &one.key).cmp(&(&other.bucket, &other.key)));
        Ok(uploads)
    }

    /// The unfinished uploads of all jobs.
    pub fn all_uploads(&self) -> io::Result<Vec<UnfinishedUpload>> {
        let mut uploads = Vec::new();
        for job in self.jobs()? {
            uploads.extend(self.uploads(&job.id)?);
        }
        Ok(uploads)
    }

    /// Whether some job knows an upload.
    pub fn knows(&self, upload_id: &UploadId) -> bool {
        let uploads = self.all_uploads().unwrap_or_default();
        let mut known = uploads
            .iter()
            .filter_map(|upload| upload.upload_id.as_ref());
        known.any(|known| known == upload_id)
    }
}

/// The files in a folder, which need not be there.
pub(super) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    entries.map(|entry| Ok(entry?.path())).collect()
}
