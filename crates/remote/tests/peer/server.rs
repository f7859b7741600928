//! A server written by others, as a process of a test.

use std::ffi::{OsStr, OsString};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;

/// Longest that a server may take to be ready: Python on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);
/// How often it is asked meanwhile.
const START_POLL: Duration = Duration::from_millis(50);
/// Ports are chosen before the server binds them, so somebody else may be faster.
const STARTS_MAX: usize = 3;

/// How a server is started.
pub(crate) struct Program {
    /// Its name among those whose lacks are listed.
    pub(crate) name: &'static str,
    /// The environment variable that names its executable.
    pub(crate) variable: &'static str,
    /// The account that it is given.
    pub(crate) access_key_id: &'static str,
    /// The account's secret.
    pub(crate) secret: &'static str,
    /// Completes the command that starts it.
    pub(crate) configure: fn(&Place, &mut Command),
    /// Whether a server that takes connections can be used; it is asked until it says yes.
    pub(crate) is_ready: fn(&OsStr, &Place) -> bool,
}

/// Where a server lives; removed when dropped.
pub(crate) struct Place {
    /// Where it must listen.
    pub(crate) address: SocketAddr,
    folder: TempDir,
}

/// A server that runs; killed when dropped, before its place is removed.
pub(crate) struct Server {
    child: Child,
    place: Place,
}

impl Place {
    fn new() -> Place {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("data")).expect("a folder for the server's data");
        Place {
            address: free_address(),
            folder,
        }
    }

    /// The folder that holds all that the server writes.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder for its data, empty at first.
    pub(crate) fn data(&self) -> String {
        let data = self.folder().join("data");
        data.to_str().expect("a UTF-8 path").to_owned()
    }

    /// A command that sees nothing of the test's environment and writes into the place's log.
    pub(crate) fn command(&self, executable: &OsStr) -> Command {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder().join("log"))
            .expect("a log");
        let mut command = Command::new(executable);
        command
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.folder())
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle of the log"))
            .stderr(log);
        command
    }

    fn log(&self) -> String {
        let log = std::fs::read(self.folder().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Server {
    /// Starts the program and waits until it is ready.
    pub(crate) async fn start(program: &Program, executable: &OsString) -> Server {
        for _ in 0..STARTS_MAX {
            let place = Place::new();
            let mut command = place.command(executable);
            (program.configure)(&place, &mut command);
            let child = command.spawn().expect("the server's executable");
            let mut server = Server { child, place };
            if server.gets_ready(program, executable).await {
                return server;
            }
            eprintln!("{}", server.place.log());
        }
        panic!("{executable:?} does not start");
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.place.address
    }

    /// Says no when it has ended or takes too long.
    async fn gets_ready(&mut self, program: &Program, executable: &OsStr) -> bool {
        let deadline = Instant::now() + START_MAX;
        while Instant::now() < deadline {
            if listens(self.place.address) && (program.is_ready)(executable, &self.place) {
                return true;
            }
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return false;
            }
            tokio::time::sleep(START_POLL).await;
        }
        false
    }
}

/// An address of this machine that nobody listens at.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound socket")
}

fn listens(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}
