//! The XML answers of a store.
#![no_main]

libfuzzer_sys::fuzz_target!(|document: &[u8]| remote::aws::fuzzing::answers(document));
