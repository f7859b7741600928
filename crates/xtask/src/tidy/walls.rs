//! Who may know whom.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::files::Tree;
use crate::step;

/// Which of our crates each crate may depend on, tests aside.
const MAY_USE: [(&str, &[&str]); 9] = [
    ("base", &[]),
    ("remote", &["base"]),
    ("mover", &["base", "remote"]),
    ("store", &["base"]),
    ("front", &["base", "store"]),
    ("cli", &["base", "remote", "mover", "store", "front"]),
    ("sim", &["base", "remote", "mover", "store", "front"]),
    ("bench", &["base"]),
    ("xtask", &[]),
];

/// Dependencies that have one home each.
const ONE_HOME: [(&str, &[&str]); 5] = [
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
    ("anyhow", &["cli", "bench", "xtask"]),
    ("aws-config", &["remote"]),
    ("s3s", &["front"]),
];

/// Modules that decide and never do: they may name no runtime, clock, random source or file.
const DECIDING: [&str; 18] = [
    "crates/mover/src/assembly",
    "crates/mover/src/compare",
    "crates/mover/src/conditions",
    "crates/mover/src/destination",
    "crates/mover/src/doctor/check",
    "crates/mover/src/doctor/policy",
    "crates/mover/src/forecast",
    "crates/mover/src/list/half",
    "crates/mover/src/list/keyspace",
    "crates/mover/src/list/pairs",
    "crates/mover/src/list/ranges",
    "crates/mover/src/permission/lane",
    "crates/mover/src/plan",
    "crates/mover/src/route",
    "crates/mover/src/tune",
    "crates/mover/src/walk/plan",
    "crates/mover/src/wildcard",
    "crates/store/src/log/plan",
];

/// Compares every crate's dependencies with the walls.
pub(crate) fn between_crates(tree: &Tree) -> Result<Vec<String>> {
    let output = step::command("cargo")
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .output()
        .context("start cargo metadata")?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).context("read cargo metadata")?;
    let mut findings = Vec::new();
    for package in metadata["packages"]
        .as_array()
        .context("cargo metadata names no packages")?
    {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = MAY_USE.iter().find(|(known, _)| *known == name) else {
            findings.push(format!("crate {name} has no row in tidy's table of walls"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if dependency["kind"] == "dev" {
                continue;
            }
            let used = dependency["name"].as_str().unwrap_or_default();
            let ours = MAY_USE.iter().any(|(known, _)| *known == used);
            if ours && !allowed.contains(&used) {
                findings.push(format!("crate {name} must not use {used}"));
            }
            if let Some((_, homes)) = ONE_HOME.iter().find(|(known, _)| *known == used)
                && !homes.contains(&name)
            {
                findings.push(format!(
                    "crate {name} must not use {used}: its home is {homes:?}"
                ));
            }
        }
    }
    findings.extend(unused_dependencies(tree, &metadata));
    Ok(findings)
}

/// Dependencies that no source of their crate names.
fn unused_dependencies(tree: &Tree, metadata: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let folder = format!("crates/{name}/");
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            let word = used.replace('-', "_");
            // The crate md-5 calls its library md5.
            let word = if word == "md_5" {
                "md5".to_owned()
            } else {
                word
            };
            let named = tree
                .rust()
                .filter(|file| file.path.starts_with(&folder))
                .any(|file| file.text.contains(&word));
            if !named {
                findings.push(format!("crate {name} depends on {used} and never names it"));
            }
        }
    }
    findings
}

/// Finds doing in modules that only decide. Their tests may do what they like.
pub(crate) fn around_deciding_modules(tree: &Tree) -> Vec<String> {
    const DOING: [&str; 7] = [
        "tokio",
        "std::fs",
        "std::net",
        "base::clock",
        "rand::",
        ".await",
        "Instant::now",
    ];
    let mut findings = Vec::new();
    for file in tree
        .rust()
        .filter(|file| DECIDING.iter().any(|room| in_room(&file.path, room)))
    {
        let deciding = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        for (index, line) in deciding.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for word in DOING.iter().filter(|word| code.contains(**word)) {
                findings.push(format!(
                    "{}:{}: a deciding module names {word}",
                    file.path,
                    index + 1
                ));
            }
        }
    }
    findings
}

fn in_room(path: &str, room: &str) -> bool {
    let is_test = path.ends_with("/tests.rs");
    !is_test && (path == format!("{room}.rs") || path.starts_with(&format!("{room}/")))
}
