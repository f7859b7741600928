//! Keys, plain and awkward.

use rand::RngExt as _;
use rand::rngs::StdRng;

/// Keys that are all different objects to S3, and that tools confuse, skip or lose.
pub const AWKWARD_KEYS: [&str; 40] = [
    " leading space",
    "trailing space ",
    "two  spaces",
    "a//b",
    "a///b",
    "/leading slash",
    "//two leading slashes",
    "trailing slash/",
    "two trailing slashes//",
    "./dot",
    "dot/./inside",
    "../up",
    "up/../inside",
    "..",
    ".",
    "plus+sign",
    "percent%",
    "percent%20encoded",
    "percent%2Fslash",
    "question?mark=1&more",
    "hash#mark",
    "star*",
    "[brackets]{braces}",
    "quote\"apostrophe'",
    "less<more>&amp;",
    "back\\slash",
    "semi;colon:comma,",
    "equals=at@dollar$",
    "tilde~bar|caret^",
    "line\nfeed",
    "carriage\rreturn",
    "tab\tulator",
    "bell\u{7}",
    "delete\u{7f}",
    "umlaut \u{e4}\u{f6}\u{fc}",
    "combining a\u{308}",
    "\u{65e5}\u{672c}\u{8a9e}/\u{30ad}\u{30fc}",
    "emoji \u{1f600}",
    // Sorts behind the emoji in UTF-16, before it in UTF-8.
    "private \u{e000}",
    "CASE and case",
];

/// Paths that file systems take too.
pub const AWKWARD_PATHS: [&str; 18] = [
    " leading space",
    "trailing space ",
    "two  spaces",
    "plus+sign",
    "percent%",
    "percent%20encoded",
    "question?mark=1&more",
    "hash#mark",
    "star*",
    "[brackets]{braces}",
    "quote\"apostrophe'",
    "back\\slash",
    "line\nfeed",
    "umlaut \u{e4}\u{f6}\u{fc}",
    "\u{65e5}\u{672c}\u{8a9e}/\u{30ad}\u{30fc}",
    "emoji \u{1f600}",
    // A folder and a file that sort one way as names and the other as keys.
    "sort/file",
    "sort-file",
];

/// A plain key, up to three levels deep.
pub(super) fn plain(index: usize, random: &mut StdRng) -> String {
    const FOLDERS: [&str; 4] = ["2023", "audio", "logs", "x"];
    let depth = random.random_range(0..=2);
    let mut key = String::new();
    for _ in 0..depth {
        key.push_str(FOLDERS[random.random_range(0..FOLDERS.len())]);
        key.push('/');
    }
    key.push_str(&format!("object-{index:05}.bin"));
    key
}
