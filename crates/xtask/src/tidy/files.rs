//! The tree's files, and what must not be in them.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::step;

/// Most lines a source file may have. Past it there is a second noun in the file.
const LINES_MAX: usize = 800;

/// One file that git tracks (or would track).
pub(crate) struct SourceFile {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// All text files of the checkout.
pub(crate) struct Tree {
    pub(crate) files: Vec<SourceFile>,
}

impl Tree {
    /// Reads what git knows, plus what it would add.
    pub(crate) fn read() -> Result<Tree> {
        let output = Command::new("git")
            .args([
                "ls-files",
                "--cached",
                "--others",
                "--exclude-standard",
                "-z",
            ])
            .current_dir(step::root())
            .output()
            .context("start git")?;
        ensure!(output.status.success(), "git ls-files: {}", output.status);
        let mut files = Vec::new();
        for path in String::from_utf8_lossy(&output.stdout).split_terminator('\0') {
            let full: PathBuf = step::root().join(path);
            // Not text, or deleted and not yet committed: nothing to read.
            if let Ok(text) = std::fs::read_to_string(&full) {
                files.push(SourceFile {
                    path: path.to_owned(),
                    text,
                });
            }
        }
        Ok(Tree { files })
    }

    /// Rust sources.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }
}

/// What is left over from working, and paths of one machine.
pub(crate) fn leftovers(tree: &Tree) -> Vec<String> {
    // Written in halves so that this file does not find itself.
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("dbg", "!("),
        concat!("#[ig", "nore"),
        concat!(" /ro", "ot/"),
        concat!(" /wo", "rk/"),
    ];
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.path != "Cargo.lock") {
        for (index, line) in file.text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(**word)) {
                findings.push(format!(
                    "{}:{}: \"{}\" is left over",
                    file.path,
                    index + 1,
                    word.trim()
                ));
            }
        }
        if file.path.ends_with("/mod.rs") {
            findings.push(format!(
                "{}: name the file after its module, beside its folder",
                file.path
            ));
        }
    }
    findings
}

/// Files that have grown a second noun.
pub(crate) fn sizes(tree: &Tree) -> Vec<String> {
    tree.rust()
        .filter_map(|file| {
            let lines = file.text.lines().count();
            (lines > LINES_MAX).then(|| {
                format!(
                    "{}: {lines} lines, at most {LINES_MAX}: split off the second noun",
                    file.path
                )
            })
        })
        .collect()
}
