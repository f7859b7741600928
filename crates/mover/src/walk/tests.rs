use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::symlink;

use super::*;

/// What a walk of `name` inside `folder` yields: files' relative parts, problems, warnings.
fn walk(folder: &Path, name: &str, follow: bool) -> (Vec<String>, Vec<String>, Vec<String>) {
    let text = format!("{}/{name}", folder.display());
    let plan = if crate::url::has_wildcard(&text) {
        Plan::pattern(&text).unwrap()
    } else {
        Plan::folder(&text)
    };
    let (mut files, mut problems, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    for found in Walk::new(plan, follow) {
        match found {
            Found::File(entry) => files.push(entry.relative().to_owned()),
            Found::Problem { error, .. } => problems.push(error.to_string()),
            Found::Warning(message) => warnings.push(message),
        }
    }
    (files, problems, warnings)
}

fn tree(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    folder
}

#[test]
fn trees_are_walked_in_the_order_of_keys() {
    let all = ["a-b", "a/b/c", "a/b-", "a.txt", "a0", "b/z", "é", "a/b.c/d"];
    let folder = tree(&all);
    let (files, problems, _) = walk(folder.path(), "", true);
    let mut sorted = all.map(str::to_owned).to_vec();
    sorted.sort();
    assert_eq!(files, sorted);
    assert!(problems.is_empty());
}

#[test]
fn patterns_do_not_cross_slashes_and_take_folders_whole() {
    let folder = tree(&["g/a.txt", "g/sub/b.txt", "g/sub/deep/c.txt", "h/a.txt"]);
    let files = |pattern: &str| walk(folder.path(), pattern, true).0;
    assert_eq!(files("g/*"), ["a.txt", "sub/b.txt", "sub/deep/c.txt"]);
    assert_eq!(files("g/*.txt"), ["a.txt"]);
    assert_eq!(files("g/**"), files("g/*"));
    assert_eq!(files("*/a.txt"), ["g/a.txt", "h/a.txt"]);
    // Seen with s5cmd: a folder that matches is named from its own name on.
    assert_eq!(files("g/s*/*"), ["sub/b.txt", "deep/c.txt"]);
    assert!(files("g/x*").is_empty());
    assert!(files("nowhere/*").is_empty());
}

#[test]
fn links_are_followed_or_passed_over_and_circles_end() {
    let folder = tree(&["g/a.txt", "g/sub/b.txt"]);
    let root = folder.path();
    fs::create_dir(root.join("g/h")).unwrap();
    symlink("../a.txt", root.join("g/h/file")).unwrap();
    symlink("../sub", root.join("g/h/folder")).unwrap();
    symlink("..", root.join("g/h/loop")).unwrap();
    symlink("nowhere", root.join("g/h/broken")).unwrap();
    let (files, problems, warnings) = walk(root, "g/", true);
    assert_eq!(files, ["a.txt", "h/file", "h/folder/b.txt", "sub/b.txt"]);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("h/broken not found"), "{problems:?}");
    assert!(warnings[0].contains("leads back"), "{warnings:?}");
    let (files, problems, warnings) = walk(root, "g/", false);
    assert_eq!(files, ["a.txt", "sub/b.txt"]);
    assert!(problems.is_empty() && warnings.is_empty());
}

#[test]
fn names_that_are_not_text_and_things_that_are_no_files_are_told() {
    let folder = tree(&["ok", ".longhaul-77.part"]);
    let name = std::ffi::OsString::from_vec(b"bad\xff".to_vec());
    fs::write(folder.path().join(name), "x").unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.path().join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let (files, problems, warnings) = walk(folder.path(), "", true);
    assert_eq!(files, ["ok"]);
    assert!(problems[0].contains("not UTF-8"), "{problems:?}");
    assert!(
        warnings[0].contains("pipe is not a regular file"),
        "{warnings:?}"
    );
}

#[test]
fn a_folder_that_vanished_is_a_problem_by_name() {
    let folder = tree(&["a/x"]);
    let mut walk = Walk::new(Plan::folder(&format!("{}/", folder.path().display())), true);
    fs::remove_dir_all(folder.path().join("a")).unwrap();
    assert!(matches!(walk.next(), Some(Found::Problem { path, .. }) if path.ends_with("a")));
    assert!(walk.next().is_none());
}
