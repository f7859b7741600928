//! Object lock.

use super::InvalidXml;
use super::scanner::Scanner;
use super::writer::Writer;

/// Reads the answer of GetObjectLockConfiguration: whether objects can be locked.
pub(crate) fn parse_lock_configuration(document: &[u8]) -> Result<bool, InvalidXml> {
    let (mut scanner, root) = Scanner::root(document, &["ObjectLockConfiguration"])?;
    let mut enabled = false;
    while let Some(child) = scanner.child(&root)? {
        match child.local() {
            "ObjectLockEnabled" => enabled = scanner.text(&child)?.trim() == "Enabled",
            _ => scanner.skip(&child)?,
        }
    }
    scanner.finish()?;
    Ok(enabled)
}

/// Writes the body of PutObjectLockConfiguration, without a retention for what says none itself.
pub(crate) fn write_lock_configuration() -> String {
    let mut writer = Writer::new("ObjectLockConfiguration");
    writer.leaf("ObjectLockEnabled", "Enabled");
    writer.finish()
}

/// Writes the body of PutObjectLegalHold.
pub(crate) fn write_legal_hold(legal_hold: bool) -> String {
    let mut writer = Writer::new("LegalHold");
    writer.leaf("Status", if legal_hold { "ON" } else { "OFF" });
    writer.finish()
}
