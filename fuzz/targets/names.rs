//! URLs, wildcards, ignore lists, key lists, amounts and the like, as people write them.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| mover::fuzzing::names(text));
