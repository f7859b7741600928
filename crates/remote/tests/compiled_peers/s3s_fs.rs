//! s3s-fs: the sample server of the library s3s, a file for each object.

use std::process::Command;

use crate::server::{Place, Program};

/// How it is started.
pub(crate) const S3S_FS: Program = Program {
    name: "s3s-fs",
    variable: "LONGHAUL_PEER_S3S_FS",
    access_key_id: "AKIDPEER",
    secret: "a secret of the suite",
    configure,
    is_ready: |_, _| true,
};

fn configure(place: &Place, command: &mut Command) {
    command.args(["--access-key", S3S_FS.access_key_id]);
    command.args(["--secret-key", S3S_FS.secret]);
    command.arg("--host").arg(place.address.ip().to_string());
    command.arg("--port").arg(place.address.port().to_string());
    command.arg(place.data());
}
