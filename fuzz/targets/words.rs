//! The lines of a run file.
#![no_main]

// The program is no library; this module of it needs nothing else.
#[path = "../../crates/cli/src/shell_words.rs"]
mod shell_words;

libfuzzer_sys::fuzz_target!(|line: &str| {
    let Ok(words) = shell_words::split(line) else {
        return;
    };
    let length: usize = words.iter().map(String::len).sum();
    assert!(length <= line.len(), "words are not longer than their line");
    // Quoted one by one, they are the same words again.
    let quoted: Vec<String> = words
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', "'\\''")))
        .collect();
    assert_eq!(shell_words::split(&quoted.join(" ")), Ok(words), "{line:?}");
});
