//! A side that is a folder of this machine.

use std::path::{Path, PathBuf};

use base::ByteCount;

use super::check::{Check, Standing};
use crate::job::copy::folds_case;
use crate::source::Side;

/// Whether a source can be read.
pub(super) async fn readable(path: PathBuf) -> Vec<Check> {
    base::tasks::blocking(move || {
        let read = match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => std::fs::read_dir(&path).map(drop),
            Ok(_) => std::fs::File::open(&path).map(drop),
            // A pattern is no name; its folder is.
            Err(_) if crate::url::has_wildcard(&path.to_string_lossy()) => {
                std::fs::read_dir(existing(&path)).map(drop)
            }
            Err(error) => Err(error),
        };
        let shown = path.display().to_string();
        vec![match read {
            Ok(()) => Check::ok(Side::Source, "read", shown),
            Err(error) => Check::new(
                Side::Source,
                "read",
                Standing::Missing,
                format!("{shown}: {error}"),
            ),
        }]
    })
    .await
}

/// Whether a destination takes files, how many, and of what names.
pub(super) async fn writable(path: PathBuf, random: u64) -> Vec<Check> {
    const SIDE: Side = Side::Destination;
    let folds = folds_case(path.clone(), random).await;
    base::tasks::blocking(move || {
        let folder = existing(&path);
        let shown = folder.display();
        let probe = tempfile::Builder::new()
            .prefix(&format!(".longhaul-{random:016x}-doctor-"))
            .suffix(".part")
            .tempfile_in(folder);
        let mut checks = vec![match probe {
            Ok(_) => Check::ok(SIDE, "write", format!("{shown} takes files")),
            Err(error) => Check::new(
                SIDE,
                "write",
                Standing::Missing,
                format!("{shown}: {error}"),
            )
            .with_mend("choose a folder that you may write to"),
        }];
        if let Ok(facts) = rustix::fs::statvfs(folder) {
            let free = facts.f_bavail.saturating_mul(facts.f_frsize);
            let detail = format!("{} free, {} files more", ByteCount(free), facts.f_favail);
            checks.push(Check::note(SIDE, "space", detail));
            let detail = format!("a part of a key may have {} bytes", facts.f_namemax);
            checks.push(Check::note(SIDE, "names", detail));
        }
        if folds {
            let detail = "takes A and a for one name: keys that differ by case alone will clash";
            checks.push(Check::note(SIDE, "case", detail));
        }
        checks
    })
    .await
}

/// The folder itself, or the nearest one above it that is there.
fn existing(path: &Path) -> &Path {
    path.ancestors()
        .find(|folder| folder.is_dir())
        .unwrap_or(Path::new("."))
}
