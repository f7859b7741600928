//! Where a walk begins, and what its names must match.

use super::glob::Component;
use crate::error::Result;
use crate::url::literal_prefix;

/// A folder or a pattern, ready to be walked.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The folder that the walk begins in, with the `/` at its end; empty for the working folder.
    pub(super) folder: String,
    /// What names must match, a component a level, beginning in that folder.
    pub(super) components: Vec<Component>,
    /// Where the relative part of paths begins.
    pub(super) relative_start: usize,
}

impl Plan {
    /// Walks all of the folder `path`. The relative part begins with the folder's own name, unless
    /// `path` ends in `/`.
    pub(crate) fn folder(path: &str) -> Plan {
        let mut folder = clean(path);
        let unnamed = |name: &str| name == "." || name == "..";
        let named = !folder.rsplit('/').next().is_some_and(unnamed);
        if folder == "." {
            folder.clear();
        }
        if !folder.is_empty() && !folder.ends_with('/') {
            folder.push('/');
        }
        let inner = folder.strip_suffix('/').unwrap_or_default();
        let relative_start = if path.ends_with('/') || !named {
            folder.len()
        } else {
            parent_length(inner)
        };
        Plan {
            folder,
            components: Vec::new(),
            relative_start,
        }
    }

    /// Walks what matches `pattern`: files, and folders with all in them.
    pub(crate) fn pattern(pattern: &str) -> Result<Plan> {
        let pattern = clean(pattern);
        let literal = parent_length(literal_prefix(&pattern));
        let (folder, rest) = pattern.split_at(literal);
        let components = rest
            .split('/')
            .filter(|component| !component.is_empty())
            .map(Component::parse)
            .collect::<Result<Vec<_>>>()?;
        Ok(Plan {
            folder: folder.to_owned(),
            components,
            relative_start: literal,
        })
    }

    /// Whether the walk yields files by their relative parts. A pattern above its last component
    /// lets folders of several parents match, whose relative parts mix.
    pub(crate) fn is_sorted_by_relative(&self) -> bool {
        let above_last = self
            .components
            .split_last()
            .map_or(&[][..], |(_, above)| above);
        above_last.iter().all(Component::is_literal)
    }
}

/// The path without `./` and doubled slashes; as s5cmd prints it. Links make `..` mean more than
/// its text, so it stays.
pub(crate) fn clean(path: &str) -> String {
    let mut clean = String::with_capacity(path.len());
    if path.starts_with('/') {
        clean.push('/');
    }
    let parts = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".");
    for (at, part) in parts.enumerate() {
        if at > 0 {
            clean.push('/');
        }
        clean.push_str(part);
    }
    if clean.is_empty() {
        clean.push('.');
    } else if path.ends_with('/') && clean != "/" {
        clean.push('/');
    }
    clean
}

/// Length of the text up to and with its last `/`.
pub(crate) fn parent_length(text: &str) -> usize {
    text.rfind('/').map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_keep_their_name_unless_a_slash_follows() {
        let relative = |path: &str| {
            let plan = Plan::folder(path);
            let file = format!("{}x", plan.folder);
            (file.clone(), file[plan.relative_start..].to_owned())
        };
        let pair = |path: &str, relative: &str| (path.to_owned(), relative.to_owned());
        assert_eq!(relative("dir"), pair("dir/x", "dir/x"));
        assert_eq!(relative("dir/"), pair("dir/x", "x"));
        assert_eq!(relative("a/dir"), pair("a/dir/x", "dir/x"));
        assert_eq!(relative("./a//dir"), pair("a/dir/x", "dir/x"));
        assert_eq!(relative("/"), pair("/x", "x"));
        assert_eq!(relative("."), pair("x", "x"));
        assert_eq!(relative("./"), pair("x", "x"));
        assert_eq!(relative(".."), pair("../x", "x"));
        assert_eq!(relative("../"), pair("../x", "x"));
        assert_eq!(relative("/dir"), pair("/dir/x", "dir/x"));
    }
}
