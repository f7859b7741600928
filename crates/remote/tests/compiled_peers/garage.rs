//! Garage: one node with one replica, its metadata in SQLite.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use crate::server::{Place, Program, free_address};

/// How it is started.
pub(crate) const GARAGE: Program = Program {
    name: "Garage",
    variable: "LONGHAUL_PEER_GARAGE",
    // Garage takes only ids and secrets of the form that it makes itself.
    access_key_id: "GK0123456789abcdef01234567",
    secret: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    configure,
    is_ready: may_create_buckets,
};

/// By which nodes of one cluster know each other.
const RPC_SECRET: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

fn configure(place: &Place, command: &mut Command) {
    let metadata = place.folder().join("metadata");
    let config = format!(
        r#"metadata_dir = "{}"
data_dir = "{}"
db_engine = "sqlite"
replication_factor = 1
rpc_bind_addr = "{}"
rpc_secret = "{RPC_SECRET}"

[s3_api]
s3_region = "us-east-1"
api_bind_addr = "{}"
"#,
        metadata.display(),
        place.data(),
        free_address(),
        place.address,
    );
    std::fs::write(config_file(place), config).expect("write the configuration");
    command.arg("-c").arg(config_file(place));
    // These assign and apply the layout and import the account when the node starts.
    command.args(["server", "--single-node", "--default-access-key"]);
    command.env("GARAGE_DEFAULT_ACCESS_KEY", GARAGE.access_key_id);
    command.env("GARAGE_DEFAULT_SECRET_KEY", GARAGE.secret);
}

/// Lets the account make buckets, which fails until the node takes orders.
fn may_create_buckets(executable: &OsStr, place: &Place) -> bool {
    let mut allow = place.command(executable);
    allow.arg("-c").arg(config_file(place));
    allow.args(["key", "allow", "--create-bucket", GARAGE.access_key_id]);
    allow.status().is_ok_and(|status| status.success())
}

fn config_file(place: &Place) -> PathBuf {
    place.folder().join("garage.toml")
}
