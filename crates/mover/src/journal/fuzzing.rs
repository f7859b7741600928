//! A door for fuzz targets: the readers of a journal's files.

use std::io;
use std::path::Path;

use super::record::{MAGIC, frame};
use super::{names, upload_file};

/// Reads `bytes` as a file of any kind, as they are and as payloads under right checksums, which
/// no mutation would find.
pub(crate) fn read_any(bytes: &[u8], folder: &Path) -> io::Result<()> {
    let mut framed = MAGIC.to_vec();
    for payload in bytes.split(|byte| *byte == 0xff) {
        frame(payload, &mut framed)?;
    }
    let path = folder.join("upload");
    for content in [bytes, &framed] {
        std::fs::write(&path, content)?;
        let read = upload_file::read(&path)?;
        if let Some(state) = read {
            // What was read is gone on with where it ends.
            drop(upload_file::UploadFile::resume(&path, &state)?);
        }
        for name in ["names-0", "redo"] {
            std::fs::write(folder.join(name), content)?;
        }
        drop(names::read(folder)?);
        names::read_again(folder, |_| Ok(()))?;
    }
    Ok(())
}
