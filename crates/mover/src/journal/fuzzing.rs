//! A door for fuzz targets: the readers of a journal's files.

use std::io;
use std::path::Path;

use super::download_file::DownloadFile;
use super::names;
use super::record::{MAGIC, frame};
use super::slot::SlotFile;
use super::upload_file::UploadFile;

/// Reads `bytes` as a file of any kind, as they are and as payloads under right checksums, which
/// no mutation would find.
pub(crate) fn read_any(bytes: &[u8], folder: &Path) -> io::Result<()> {
    let mut framed = MAGIC.to_vec();
    for payload in bytes.split(|byte| *byte == 0xff) {
        frame(payload, &mut framed)?;
    }
    let path = folder.join("slot");
    for content in [bytes, &framed] {
        std::fs::write(&path, content)?;
        read_and_resume::<UploadFile>(&path)?;
        std::fs::write(&path, content)?;
        read_and_resume::<DownloadFile>(&path)?;
        for name in ["names-0", "redo"] {
            std::fs::write(folder.join(name), content)?;
        }
        drop(names::read(folder)?);
        names::read_again(folder, |_| Ok(()))?;
    }
    Ok(())
}

/// What was read is gone on with where it ends.
fn read_and_resume<F: SlotFile>(path: &Path) -> io::Result<()> {
    if let Some(state) = F::read(path)? {
        drop(F::resume(path, &state)?);
    }
    Ok(())
}
