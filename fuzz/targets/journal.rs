//! What a kill leaves of a journal.
#![no_main]

use std::sync::OnceLock;

use tempfile::TempDir;

static FOLDER: OnceLock<TempDir> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("a folder is made"));
    mover::fuzzing::journal(bytes, folder.path());
});
