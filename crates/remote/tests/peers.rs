//! The client against servers written by others.
//!
//! A peer is started from the executable that the environment names, on a free port, with a folder
//! of its own, and killed at the end. Without the variable the test says that it was skipped:
//! `cargo xtask test` installs the peers and sets it.

use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base::flow::RetryPolicy;
use remote::aws::{AwsClient, AwsOptions, CredentialsSource, StaticCredentials};
use remote::conformance::{self, Capabilities};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Longest that a peer may take to listen: Python on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);
/// How often it is asked meanwhile.
const START_POLL: Duration = Duration::from_millis(50);
/// Ports are chosen before the peer binds them, so somebody else may be faster.
const STARTS_MAX: usize = 3;

const ACCESS_KEY_ID: &str = "AKIDPEER";
const SECRET: &str = "a secret of the suite";

/// What moto 5 lacks.
const MOTO_LACKS: [(&str, &str); 14] = [
    ("key: line ends and tabs", "its router matches no line ends"),
    (
        "list v1 delimiter",
        "max-keys does not count common prefixes",
    ),
    ("versions", "a removed delete marker is not said"),
    ("list versions", "delete markers stand after all versions"),
    ("list versions in pages", "pages are not those of the whole"),
    (
        "suspended versioning",
        "a null version takes others with it",
    ),
    ("part after abort", "answers 500"),
    ("part order refused", "parts are sorted"),
    ("checksum of a multipart object", "none is kept"),
    ("wrong whole checksum refused", "none is compared"),
    ("whole size beside a part", "no Content-Range"),
    ("copy if match", "the condition is not known"),
    ("part copy if match", "the condition is not known"),
    (
        "presigned for one key and method",
        "signatures are not checked",
    ),
];

const A_FILE_TREE: &str = "keys are paths of files";
const NO_VERSIONS: &str = "there are no versions";
const NO_CONDITIONS: &str = "conditions are not known";

/// What `rclone serve s3` 1.7x over a local folder lacks.
const RCLONE_LACKS: [(&str, &str); 45] = [
    ("get if match", NO_CONDITIONS),
    ("put if absent", NO_CONDITIONS),
    ("put if match", NO_CONDITIONS),
    ("delete if match", NO_CONDITIONS),
    ("complete if absent", NO_CONDITIONS),
    ("copy if match", NO_CONDITIONS),
    ("content headers", "Expires is not kept"),
    ("storage class", "there is one"),
    ("tag count", "there are no tags"),
    ("key: double slash", A_FILE_TREE),
    ("key: leading slash", A_FILE_TREE),
    ("key: leading slashes", A_FILE_TREE),
    ("key: trailing slash", A_FILE_TREE),
    ("key: slash alone", A_FILE_TREE),
    ("key: dot segment", A_FILE_TREE),
    ("key: dots segment", A_FILE_TREE),
    ("key: dot alone", A_FILE_TREE),
    ("key: dots alone", A_FILE_TREE),
    ("key: dots outside", A_FILE_TREE),
    ("list order", A_FILE_TREE),
    (
        "list delimiter of two characters",
        "the delimiter is a slash",
    ),
    ("versioning state", NO_VERSIONS),
    ("versions", NO_VERSIONS),
    ("list versions", NO_VERSIONS),
    ("null version", NO_VERSIONS),
    ("suspended versioning", NO_VERSIONS),
    ("list versions in pages", NO_VERSIONS),
    ("list versions under a delimiter", NO_VERSIONS),
    ("missing version", NO_VERSIONS),
    ("copy of a version", NO_VERSIONS),
    ("delete many versions", NO_VERSIONS),
    ("presigned url of a version", NO_VERSIONS),
    (
        "etag of a multipart object",
        "HEAD says the MD5 of the whole",
    ),
    ("list parts goes on after a part", "the marker is not known"),
    ("list uploads", "aborted uploads leave their folder behind"),
    ("part replaced", "parts are written as they come"),
    ("parts left out", "parts are written as they come"),
    ("wrong part refused", "a refused Complete ends the upload"),
    ("small part refused", "parts have no smallest size"),
    (
        "checksum of a multipart object",
        "there are no checksums of uploads",
    ),
    (
        "wrong whole checksum refused",
        "there are no checksums of uploads",
    ),
    ("part count", "parts are forgotten"),
    ("copy onto itself", "a copy that changes nothing is made"),
    ("part copy", "UploadPartCopy is taken for UploadPart"),
    (
        "part copy if match",
        "UploadPartCopy is taken for UploadPart",
    ),
];

/// A server that is killed when dropped.
struct Peer {
    child: Child,
    address: SocketAddr,
    /// Its data and its log.
    folder: TempDir,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Peer {
    /// Starts `executable` with the arguments for a port and a data folder.
    async fn start(executable: OsString, arguments: fn(&SocketAddr, &str) -> Vec<String>) -> Peer {
        for _ in 0..STARTS_MAX {
            let folder = TempDir::new().expect("a temporary folder");
            let data = folder.path().join("data");
            std::fs::create_dir(&data).expect("a folder for the peer's data");
            let log = std::fs::File::create(folder.path().join("log")).expect("a log");
            let address = free_address();
            let child = Command::new(&executable)
                .args(arguments(&address, data.to_str().expect("a UTF-8 path")))
                .env_clear()
                .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
                .env("HOME", folder.path())
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .stdout(log.try_clone().expect("a second handle of the log"))
                .stderr(log)
                .spawn()
                .expect("the peer's executable");
            let mut peer = Peer {
                child,
                address,
                folder,
            };
            if peer.listens().await {
                return peer;
            }
        }
        panic!("{executable:?} does not start");
    }

    /// Waits until it takes connections; says no when it has ended or takes too long.
    async fn listens(&mut self) -> bool {
        let deadline = Instant::now() + START_MAX;
        while Instant::now() < deadline {
            if TcpStream::connect(self.address).await.is_ok() {
                return true;
            }
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                eprintln!("{}", self.log());
                return false;
            }
            tokio::time::sleep(START_POLL).await;
        }
        false
    }

    fn log(&self) -> String {
        let log = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    async fn client(&self) -> AwsClient {
        let credentials = StaticCredentials::new(ACCESS_KEY_ID, SECRET);
        let made = AwsClient::new(AwsOptions {
            endpoint_url: Some(format!("http://{}", self.address)),
            region: Some("us-east-1".to_owned()),
            credentials: CredentialsSource::Static(credentials),
            retry: RetryPolicy {
                tries_max: 2,
                delay_initial: Duration::from_millis(1),
                delay_max: Duration::from_millis(10),
            },
            ..AwsOptions::default()
        });
        Box::pin(made)
            .await
            .expect("static credentials need nobody")
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound socket")
}

/// Runs the suite against the peer, whose lacks are exactly `lacks`.
async fn conforms(
    variable: &str,
    arguments: fn(&SocketAddr, &str) -> Vec<String>,
    lacks: &[(&'static str, &'static str)],
) {
    let Some(executable) = std::env::var_os(variable).filter(|path| !path.is_empty()) else {
        eprintln!("skipped: {variable} names no executable");
        return;
    };
    let peer = Peer::start(executable, arguments).await;
    let client = peer.client().await;
    let capabilities = Capabilities::without(lacks.iter().copied());
    let report = conformance::run(&client, &capabilities).await;
    println!("{report}");
    assert!(report.is_passed(), "{report}");
}

#[tokio::test]
async fn moto_conforms_but_for_what_it_lacks() {
    let arguments = |address: &SocketAddr, _: &str| {
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        ["-H".into(), host, "-p".into(), port].into()
    };
    Box::pin(conforms(
        "LONGHAUL_PEER_MOTO_SERVER",
        arguments,
        &MOTO_LACKS,
    ))
    .await;
}

#[tokio::test]
async fn rclone_conforms_but_for_what_it_lacks() {
    let arguments = |address: &SocketAddr, data: &str| {
        vec![
            "serve".to_owned(),
            "s3".to_owned(),
            "--config".to_owned(),
            String::new(),
            "--addr".to_owned(),
            address.to_string(),
            "--auth-key".to_owned(),
            format!("{ACCESS_KEY_ID},{SECRET}"),
            data.to_owned(),
        ]
    };
    Box::pin(conforms("LONGHAUL_PEER_RCLONE", arguments, &RCLONE_LACKS)).await;
}
