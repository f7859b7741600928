//! A door for fuzz targets: what people write and what a kill leaves behind, read and compared.

use std::path::Path;

use base::ByteCount;
use base::flow::Schedule;

use crate::filter::IgnoreList;
use crate::job::sync::MaxDelete;
use crate::permission::OnDenied;
use crate::shard::Shard;
use crate::url::{S3Url, Target};
use crate::wildcard::Wildcard;
use crate::{journal, key_list};

/// Reads `text` as everything that a person may name or say on one line.
///
/// # Panics
/// When a parser is wrong: a name that does not print as it was read, a number that is another.
pub fn names(text: &str) {
    if let Ok(url) = S3Url::parse(text) {
        let written = url.to_string();
        assert_eq!(
            S3Url::parse(&written),
            Ok(url),
            "{text:?} reads as {written:?}"
        );
    }
    if let Ok(target) = Target::parse(text) {
        assert_eq!(target.is_remote(), text.starts_with("s3://"), "{text:?}");
    }
    if let (Ok(count), Ok(plain)) = (text.parse::<ByteCount>(), text.parse::<u64>()) {
        assert_eq!(count.0, plain, "{text:?}");
    }
    drop(text.parse::<MaxDelete>());
    drop(text.parse::<OnDenied>());
    drop(text.parse::<Shard>());
    drop(text.parse::<Schedule>());
    let list = IgnoreList::parse(text);
    let says_nothing = |line: &str| line.trim_end().is_empty() || line.starts_with('#');
    assert_eq!(list.is_empty(), text.lines().all(says_nothing), "{text:?}");
    for (number, line) in (1..).zip(text.as_bytes().split(|byte| *byte == b'\n')) {
        if let Some(Ok(object)) = key_list::row(line, number) {
            assert!(line.starts_with(object.key.as_str().as_bytes()), "{text:?}");
        }
    }
    if let Some((pattern, name)) = text.split_once('\n') {
        wildcard(pattern, name);
    }
}

/// Compares a pattern's answer with that of its definition.
fn wildcard(pattern: &str, name: &str) {
    const SLOW_MAX: usize = 200;
    if pattern.len() * name.len() > SLOW_MAX * SLOW_MAX {
        return;
    }
    let pattern_chars: Vec<char> = pattern.chars().collect();
    let name_chars: Vec<char> = name.chars().collect();
    let said = Wildcard::new(pattern).matches(name);
    let defined = covers(&pattern_chars, &name_chars);
    assert_eq!(said, defined, "{pattern:?} and {name:?}");
}

/// s5cmd's rule, a row of the table for each character of the pattern.
fn covers(pattern: &[char], name: &[char]) -> bool {
    // Whether what was read of the pattern covers the first so many characters of the name.
    let mut row = vec![false; name.len() + 1];
    row[0] = true;
    for sign in pattern {
        let mut next = vec![false; name.len() + 1];
        next[0] = row[0] && *sign == '*';
        for end in 1..=name.len() {
            next[end] = match sign {
                '*' => row[end] || next[end - 1],
                '?' => row[end - 1],
                other => row[end - 1] && *other == name[end - 1],
            };
        }
        row = next;
    }
    row[name.len()]
}

/// Reads `bytes` as what a journal's files may hold after a kill. `folder` is for this alone.
///
/// # Panics
/// When a reader is wrong, or the folder cannot be written.
pub fn journal(bytes: &[u8], folder: &Path) {
    journal::fuzzing::read_any(bytes, folder).expect("the folder can be written");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    proptest! {
        #[test]
        fn doors_are_open(text in any::<String>(), pattern in "[ab*?/\u{e9}]{0,8}", name in "[ab/\u{e9}]{0,8}") {
            names(&text);
            wildcard(&pattern, &name);
        }
    }

    #[test]
    fn a_journal_of_anything_is_read() {
        let folder = tempfile::tempdir().unwrap();
        for bytes in [
            &b""[..],
            b"LHJOUR01",
            b"LHJOUR01\x04\0\0\0abcd",
            b"nonsense of a disk",
        ] {
            journal(bytes, folder.path());
        }
    }
}
