//! The client against servers written by others.
//!
//! A server is started from the executable that the environment names, on a free port, with a
//! folder of its own, and killed at the end. Without the variable the test says that it was
//! skipped: `cargo xtask test` installs the servers and sets it.

#[path = "peer/lacks.rs"]
mod lacks;
#[path = "peer/server.rs"]
mod server;
#[path = "peer/suite.rs"]
mod suite;

use std::process::Command;

use self::server::{Place, Program};

const ACCESS_KEY_ID: &str = "AKIDPEER";
const SECRET: &str = "a secret of the suite";

const MOTO: Program = Program {
    name: "moto",
    variable: "LONGHAUL_PEER_MOTO_SERVER",
    access_key_id: ACCESS_KEY_ID,
    secret: SECRET,
    configure: configure_moto,
    is_ready: |_, _| true,
};

const RCLONE: Program = Program {
    name: "rclone serve s3",
    variable: "LONGHAUL_PEER_RCLONE",
    access_key_id: ACCESS_KEY_ID,
    secret: SECRET,
    configure: configure_rclone,
    is_ready: |_, _| true,
};

fn configure_moto(place: &Place, command: &mut Command) {
    command.arg("-H").arg(place.address.ip().to_string());
    command.arg("-p").arg(place.address.port().to_string());
}

fn configure_rclone(place: &Place, command: &mut Command) {
    command.args(["serve", "s3", "--config", ""]);
    command.arg("--addr").arg(place.address.to_string());
    let account = format!("{ACCESS_KEY_ID},{SECRET}");
    command.arg("--auth-key").arg(account).arg(place.data());
}

#[tokio::test]
async fn moto_conforms_but_for_what_it_lacks() {
    Box::pin(suite::conforms(&MOTO)).await;
}

#[tokio::test]
async fn rclone_conforms_but_for_what_it_lacks() {
    Box::pin(suite::conforms(&RCLONE)).await;
}
