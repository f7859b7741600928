//! The client against servers written by others that must be compiled first.
//!
//! `cargo xtask peers` builds them and names them in the environment; `cargo xtask test` leaves
//! these tests out. Without the variables they say that they were skipped.

#[path = "peer/lacks.rs"]
mod lacks;
#[path = "peer/server.rs"]
mod server;
#[path = "peer/suite.rs"]
mod suite;

#[path = "compiled_peers/garage.rs"]
mod garage;
#[path = "compiled_peers/s3s_fs.rs"]
mod s3s_fs;

#[tokio::test]
async fn garage_conforms_but_for_what_it_lacks() {
    Box::pin(suite::conforms(&garage::GARAGE)).await;
}

#[tokio::test]
async fn s3s_fs_conforms_but_for_what_it_lacks() {
    Box::pin(suite::conforms(&s3s_fs::S3S_FS)).await;
}
