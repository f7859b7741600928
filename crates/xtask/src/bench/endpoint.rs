//! An endpoint under our control, and what it counted.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// A null endpoint that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Endpoint {
    process: Child,
    pub(super) url: String,
    /// Whom to trust, if it speaks TLS.
    pub(super) trust: Option<PathBuf>,
    /// Where it is asked for its counters.
    address: SocketAddr,
}

/// Where the AWS CLI's C runtime finds an endpoint: the versions in Debian 12 take port 80 whatever
/// the URL says. An address of its own, so that it disturbs nobody.
const PORT_80: &str = "127.0.0.77:80";

impl Endpoint {
    /// Starts one at port 80 where that may be had, else on a free port.
    pub(super) fn start_at_80(program: &Path, words: &[&str]) -> Result<Endpoint> {
        let at_80 = [&["--listen", PORT_80], words].concat();
        Endpoint::start(program, &at_80, None).or_else(|_| Endpoint::start(program, words, None))
    }

    /// Its URL without its port, if that is 80.
    pub(super) fn url_at_80(&self) -> Option<&str> {
        self.url.strip_suffix(":80")
    }

    /// Starts one on a free port.
    pub(super) fn start(
        program: &Path,
        words: &[&str],
        trust: Option<PathBuf>,
    ) -> Result<Endpoint> {
        let mut command = Command::new(program);
        // Should we be interrupted, its input ends and it goes too.
        command.arg("--with-stdin").args(words);
        if let Some(trust) = &trust {
            command.arg("--tls").arg(trust);
        }
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("start the endpoint")?;
        let stdout = process.stdout.take().context("the endpoint's output")?;
        let mut lines = BufReader::new(stdout).lines();
        let mut line = || {
            lines
                .next()
                .context("the endpoint ended")?
                .context("read its address")
        };
        let url = line()?;
        // Under TLS the counters are at another address.
        let counters = if trust.is_some() {
            line()?
        } else {
            url.clone()
        };
        let address = counters.rsplit('/').next().unwrap_or_default().parse();
        Ok(Endpoint {
            process,
            address: address.with_context(|| format!("the endpoint said {url:?}"))?,
            url,
            trust,
        })
    }

    /// Sets its counters back.
    pub(super) fn reset(&self) -> Result<()> {
        self.ask("POST", "reset").map(|_| ())
    }

    /// What it has counted since.
    pub(super) fn counters(&self) -> Result<Value> {
        serde_json::from_str(&self.ask("GET", "counters")?).context("read counters")
    }

    fn ask(&self, method: &str, what: &str) -> Result<String> {
        let mut stream = TcpStream::connect(self.address).context("ask the endpoint")?;
        write!(
            stream,
            "{method} /-/{what} HTTP/1.1\r\nHost: endpoint\r\nConnection: close\r\n\r\n"
        )
        .context("ask the endpoint")?;
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .context("read the endpoint's answer")?;
        let body = answer
            .split_once("\r\n\r\n")
            .map(|(_, body)| body.to_owned());
        body.with_context(|| format!("the endpoint answered {answer:?}"))
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
