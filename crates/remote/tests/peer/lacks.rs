//! What each server is known to lack.
//!
//! `docs/peers.md` shows the same to people; a test keeps both equal.

#[path = "lacks/garage.rs"]
mod garage;
#[path = "lacks/moto.rs"]
mod moto;
#[path = "lacks/rclone.rs"]
mod rclone;
#[path = "lacks/s3s_fs.rs"]
mod s3s_fs;

/// Checks that a server does not pass, each with the reason.
pub(crate) type Lacks = &'static [(&'static str, &'static str)];

/// Every server with which the suite was tried, and what it lacks.
pub(crate) const SERVERS: [(&str, Lacks); 4] = [
    ("moto", &moto::LACKS),
    ("rclone serve s3", &rclone::LACKS),
    ("Garage", &garage::LACKS),
    ("s3s-fs", &s3s_fs::LACKS),
];
