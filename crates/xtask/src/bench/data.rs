//! What is uploaded, in memory.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};

/// Files have this time, well before the endpoint's objects were made: a sync has nothing to do.
const FILES_MADE: Duration = Duration::from_secs(1_600_000_000);

/// How its name begins; the number of the process follows.
const FOLDER: &str = "longhaul-bench-";

/// A folder in memory, removed when dropped.
#[derive(Debug)]
pub(super) struct Room {
    folder: PathBuf,
}

/// Files alike: how many, and how large in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) count: u64,
    pub(super) size: u64,
}

impl Room {
    /// Makes it, in memory where the machine has such a place.
    pub(super) fn make() -> Result<Room> {
        let memory = Path::new("/dev/shm");
        let above = if memory.is_dir() {
            memory.to_path_buf()
        } else {
            std::env::temp_dir()
        };
        remove_left_over(above.as_path());
        let folder = above.join(format!("{FOLDER}{}", std::process::id()));
        fs::create_dir_all(folder.join("home")).context("make a folder for the data")?;
        Ok(Room { folder })
    }

    /// A home for programs, in which nobody has left settings.
    pub(super) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// A path inside.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder of these files, named as the endpoint's keys are, made at the first call.
    pub(super) fn files(&self, files: Files) -> Result<PathBuf> {
        let folder = self.path(&format!("files-{}-{}", files.count, files.size));
        if !folder.is_dir() {
            write_files(&folder, files)
                .with_context(|| format!("write {} files to {}", files.count, folder.display()))?;
        }
        Ok(folder)
    }

    /// Removes what a contestant left there.
    pub(super) fn clear(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        if path.is_dir() {
            fs::remove_dir_all(&path).with_context(|| format!("remove {}", path.display()))?;
        }
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // What cannot be removed is lost when the machine starts again.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes folders of runs that were interrupted.
fn remove_left_over(above: &Path) {
    for entry in fs::read_dir(above).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(FOLDER));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            // It is memory only, and another run may be removing it too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn write_files(folder: &Path, files: Files) -> Result<()> {
    let ramp: Vec<u8> = (0..251).cycle().take(1 << 20).collect();
    let made = SystemTime::UNIX_EPOCH + FILES_MADE;
    for index in 0..files.count {
        let inner = folder.join(format!("d{:06}", index / 1_000));
        if index % 1_000 == 0 {
            fs::create_dir_all(&inner)?;
        }
        let mut file = File::create(inner.join(format!("k{index:09}")))?;
        let mut left = files.size;
        while left > 0 {
            let length = usize::try_from(left).map_or(ramp.len(), |left| left.min(ramp.len()));
            file.write_all(&ramp[..length])?;
            left -= length as u64;
        }
        file.set_modified(made)?;
    }
    Ok(())
}
