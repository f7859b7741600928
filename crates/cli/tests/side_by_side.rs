//! The real s5cmd and `longhaul`, side by side: same commands, same server, same lines and codes.
//!
//! Each line of `side_by_side/cases/*.cases` is run three times, each in a fresh world (a folder
//! and a store with the same content): by s5cmd v2.3.0, by `longhaul` called as `s5cmd`, and by
//! `longhaul`. As `s5cmd` everything must be the same; as `longhaul` causes and exit codes are our
//! own, the rest is the same. What differs on purpose is in `differences.rs`, and on the page
//! `docs/from-s5cmd.md` under the same names.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "processes are waited for on the machine's clock"
)]

#[path = "side_by_side/case.rs"]
mod case;
#[path = "side_by_side/compare.rs"]
mod compare;
#[path = "side_by_side/differences.rs"]
mod differences;
#[path = "side_by_side/normal.rs"]
mod normal;
#[path = "side_by_side/programs.rs"]
mod programs;
#[path = "side_by_side/world.rs"]
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use case::Case;
use programs::Programs;

/// Runs every case of a file, several at once, and tells all that differ.
fn side_by_side(text: &str) {
    let Some(programs) = Programs::find() else {
        println!(
            "skipped: LONGHAUL_PEER_S5CMD does not name s5cmd v2.3.0 (cargo xtask test sets it)"
        );
        return;
    };
    let filter = std::env::var("LONGHAUL_CASES").unwrap_or_default();
    let cases: Vec<Case> = case::read(text)
        .into_iter()
        .filter(|case| case.line.contains(&filter))
        .collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let next = AtomicUsize::new(0);
    let findings = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = compare::run(case, &programs, runtime.handle());
                    findings.lock().unwrap().extend(found);
                }
            });
        }
    });
    let findings = findings.into_inner().unwrap();
    println!("{} cases, {} differ", cases.len(), findings.len());
    assert!(findings.is_empty(), "\n{}", findings.join("\n\n"));
}

#[test]
fn usage() {
    side_by_side(include_str!("side_by_side/cases/usage.cases"));
}

#[test]
fn looking() {
    side_by_side(include_str!("side_by_side/cases/looking.cases"));
}

#[test]
fn copying() {
    side_by_side(include_str!("side_by_side/cases/copying.cases"));
}

#[test]
fn syncing() {
    side_by_side(include_str!("side_by_side/cases/syncing.cases"));
}

#[test]
fn removing() {
    side_by_side(include_str!("side_by_side/cases/removing.cases"));
}

#[test]
fn running() {
    side_by_side(include_str!("side_by_side/cases/running.cases"));
}

#[test]
fn every_difference_is_on_the_page_and_the_other_way_round() {
    let page = include_str!("../../../docs/from-s5cmd.md");
    for difference in differences::DIFFERENCES {
        let anchor = format!("`{}`", difference.name);
        assert!(page.contains(&anchor), "{anchor} is not on the page");
    }
    for row in page.lines().filter_map(|line| line.strip_prefix("| `")) {
        let name = row.split('`').next().unwrap();
        let known = differences::DIFFERENCES
            .iter()
            .any(|difference| difference.name == name);
        assert!(known, "{name} is on the page and no case shows it");
    }
}
