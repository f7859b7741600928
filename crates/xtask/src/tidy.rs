//! Structure that no compiler checks: walls, sizes, promises with their tests, leftovers.

mod files;
mod promises;
mod walls;

use anyhow::{Result, bail};

/// Runs every check and names every finding.
pub(crate) fn run() -> Result<()> {
    let tree = files::Tree::read()?;
    let mut findings = Vec::new();
    findings.extend(files::leftovers(&tree));
    findings.extend(files::sizes(&tree));
    findings.extend(walls::between_crates(&tree)?);
    findings.extend(walls::around_deciding_modules(&tree));
    findings.extend(promises::without_test(&tree));
    if findings.is_empty() {
        println!("structure ... ok");
        return Ok(());
    }
    println!("structure ... FAILED");
    for finding in &findings {
        println!("{finding}");
    }
    bail!("{} findings about structure", findings.len())
}
