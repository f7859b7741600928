//! Servers written by others that must be compiled before our conformance suite can meet them.

use anyhow::Result;

pub(crate) fn run() -> Result<()> {
    anyhow::bail!("not yet")
}
