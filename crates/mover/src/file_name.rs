//! Keys as names of files: which cannot be, and where the others land. Pure.
//!
//! Rule: below the folder that the user named, nothing is created outside of it. A key's relative
//! part with an empty, `.` or `..` part, a NUL, or a part longer than a file system takes is
//! refused by name, never mended, since two keys would then be one file.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Longest part of a path, in bytes: `NAME_MAX` of Linux and of its usual file systems.
/// Source: limits.h of Linux (read 2026-11).
const PART_BYTES_MAX: usize = 255;

/// Longest path, in bytes and with the NUL at its end: `PATH_MAX` of Linux.
/// Source: limits.h of Linux (read 2026-11).
const PATH_BYTES_MAX: usize = 4_096;

/// Longest name that we add to a folder: `.longhaul-`, 16 digits, `.part`, and a slash.
const TEMPORARY_BYTES_MAX: usize = 32;

/// Where a file lands: nothing is created outside of `root`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The folder that the user named, or that of the file that the user named.
    pub(crate) root: PathBuf,
    /// The file, below `root`.
    pub(crate) path: PathBuf,
}

/// The place of a key whose relative part is `relative` and that goes to `destination`: either
/// `root/relative`, or a path whose last part alone comes from the key or from the user.
pub(crate) fn place(relative: &str, destination: &Path) -> Result<Place> {
    let text = destination.to_string_lossy();
    let root = text
        .strip_suffix(relative)
        .filter(|root| root.is_empty() || root.ends_with('/'));
    let place = match root {
        Some(root) => {
            check(relative)?;
            Place {
                root: PathBuf::from(if root.is_empty() { "." } else { root }),
                path: destination.to_owned(),
            }
        }
        None => {
            let name = text.rsplit('/').next().unwrap_or_default();
            check(name)?;
            let root = destination
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            Place {
                root: root.unwrap_or(Path::new(".")).to_owned(),
                path: destination.to_owned(),
            }
        }
    };
    if text.len() + TEMPORARY_BYTES_MAX > PATH_BYTES_MAX {
        return Err(refuse(&text, "the path is too long"));
    }
    Ok(place)
}

/// Whether `relative` can be a path below a folder.
pub(crate) fn check(relative: &str) -> Result<()> {
    if relative.is_empty() {
        return Err(refuse(relative, "it is empty"));
    }
    if relative.starts_with('/') {
        return Err(refuse(relative, "it begins with \"/\""));
    }
    if relative.ends_with('/') {
        return Err(refuse(relative, "it ends with \"/\""));
    }
    if relative.contains('\0') {
        return Err(refuse(relative, "it holds a NUL character"));
    }
    for part in relative.split('/') {
        match part {
            "" => return Err(refuse(relative, "it holds \"//\"")),
            "." | ".." => {
                return Err(refuse(relative, &format!("it holds the part \"{part}\"")));
            }
            _ if part.len() > PART_BYTES_MAX => {
                let reason = format!("a part of it is longer than {PART_BYTES_MAX} bytes");
                return Err(refuse(relative, &reason));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The refusal of a name.
pub(crate) fn refuse(name: &str, why: &str) -> Error {
    Error::Name {
        name: name.to_owned(),
        reason: format!("cannot be a file name: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    #[test]
    fn keys_that_cannot_be_file_names_are_refused() {
        for key in [
            "../x",
            "a/../x",
            "a/..",
            "..",
            ".",
            "a/./b",
            "/etc/passwd",
            "a//b",
            "a/",
            "",
            "a\0b",
        ] {
            assert!(check(key).is_err(), "{key:?}");
        }
        assert!(check(&"k".repeat(256)).is_err());
        for key in [
            "a",
            "...",
            "..a",
            "a..",
            " ",
            "a b/\u{1}\u{1f600}",
            "-",
            "~",
            "a\\b",
        ] {
            assert!(check(key).is_ok(), "{key:?}");
        }
    }

    #[test]
    fn the_root_is_what_the_user_named() {
        let found = place("x/a", Path::new("out/dir/x/a")).unwrap();
        assert_eq!(found.root, Path::new("out/dir/"));
        let found = place("x/a", Path::new("x/a")).unwrap();
        assert_eq!(found.root, Path::new("."));
        let flat = place("x/a", Path::new("out/a")).unwrap();
        assert_eq!(flat.root, Path::new("out"));
        let renamed = place("a", Path::new("other")).unwrap();
        assert_eq!(renamed.root, Path::new("."));
        assert!(place("../a", Path::new("out/../a")).is_err());
        assert!(place("x/..", Path::new("out/..")).is_err());
    }

    proptest! {
        #[test]
        fn no_key_leaves_the_folder(key in "[a./\\x00]{1,12}") {
            let destination = Path::new("out").join(&key);
            if let Ok(place) = place(&key, &destination) {
                let mut depth = 0_i32;
                for part in place.path.components().skip(1) {
                    depth += if part.as_os_str() == ".." { -1 } else { 1 };
                    prop_assert!(depth > 0);
                }
                prop_assert!(place.path.starts_with("out"));
            }
        }
    }
}
