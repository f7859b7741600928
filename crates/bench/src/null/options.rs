//! How the endpoint behaves.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// The words the program takes.
pub const USAGE: &str = "\
null-endpoint [--listen ADDRESS:PORT]  an S3 endpoint that answers at once; port 0 takes a free one
  --with-stdin            ends when its standard input does, as with whoever started it
  --keys N --size BYTES   what buckets hold whose names do not say; the name keys-N-BYTES does
  --etag opaque|md5       what ETags are (md5 is computed over every upload)
  --no-checksums          knows no x-amz-checksum headers
  --tls FILE              speaks TLS; the certificate to trust is written to FILE
  --latency MS            waits so long before each answer
  --servers N --service MS  answers N requests at once, each taking so long: the knee
  --bandwidth BYTES       bytes a second, both ways and all connections together
  --cut-every N           ends the connection within every Nth object that it sends
  --corrupt-every N       sends a wrong byte in every Nth object
  --slow-down RATE        answers 503 SlowDown beyond RATE requests a second";

/// Everything that can be set. The default is the bare null endpoint on a free port.
#[derive(Debug, Clone)]
pub struct NullOptions {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Ends when its standard input does.
    pub with_stdin: bool,
    /// Keys of buckets whose names do not say how many they hold.
    pub keys: u64,
    /// Size in bytes of each of those objects.
    pub size: u64,
    /// What ETags are.
    pub etags: ETags,
    /// Whether checksums are computed, compared and sent.
    pub checksums: bool,
    /// Speaks TLS and writes the certificate to trust there.
    pub tls: Option<PathBuf>,
    /// Wait before each answer.
    pub latency: Duration,
    /// How many requests are served at once; none means any number.
    pub servers: Option<usize>,
    /// How long one of them is busy with a request.
    pub service: Duration,
    /// Bytes a second, both ways together.
    pub bandwidth: Option<u64>,
    /// Requests a second, beyond which it answers 503.
    pub slow_down: Option<u64>,
    /// Ends the connection within every so manieth object that it sends.
    pub cut_every: Option<u64>,
    /// Sends a wrong byte in every so manieth object.
    pub corrupt_every: Option<u64>,
}

/// What the endpoint makes of ETags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ETags {
    /// A text that nobody can take for an MD5.
    Opaque,
    /// The MD5 of the bytes.
    Md5,
}

impl Default for NullOptions {
    fn default() -> NullOptions {
        NullOptions {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            with_stdin: false,
            keys: 0,
            size: 16_384,
            etags: ETags::Opaque,
            checksums: true,
            tls: None,
            latency: Duration::ZERO,
            servers: None,
            service: Duration::ZERO,
            bandwidth: None,
            slow_down: None,
            cut_every: None,
            corrupt_every: None,
        }
    }
}

impl NullOptions {
    /// Reads the words of a command line, without the program's name.
    pub fn from_words(words: impl IntoIterator<Item = String>) -> Result<NullOptions> {
        let mut options = NullOptions::default();
        let mut words = words.into_iter();
        while let Some(flag) = words.next() {
            if flag == "--no-checksums" {
                options.checksums = false;
                continue;
            }
            if flag == "--with-stdin" {
                options.with_stdin = true;
                continue;
            }
            let value = words.next().with_context(|| format!("{flag}: no value"))?;
            options
                .set(&flag, &value)
                .with_context(|| format!("{flag} {value}"))?;
        }
        Ok(options)
    }

    fn set(&mut self, flag: &str, value: &str) -> Result<()> {
        match flag {
            "--listen" => self.listen = value.parse()?,
            "--keys" => self.keys = value.parse()?,
            "--size" => self.size = value.parse()?,
            "--etag" => {
                self.etags = match value {
                    "opaque" => ETags::Opaque,
                    "md5" => ETags::Md5,
                    _ => bail!("neither opaque nor md5"),
                }
            }
            "--tls" => self.tls = Some(PathBuf::from(value)),
            "--latency" => self.latency = milliseconds(value)?,
            "--servers" => self.servers = Some(value.parse()?).filter(|servers| *servers > 0),
            "--service" => self.service = milliseconds(value)?,
            "--bandwidth" => self.bandwidth = Some(value.parse()?).filter(|rate| *rate > 0),
            "--cut-every" => self.cut_every = Some(value.parse()?).filter(|every| *every > 0),
            "--corrupt-every" => {
                self.corrupt_every = Some(value.parse()?).filter(|every| *every > 0);
            }
            "--slow-down" => self.slow_down = Some(value.parse()?).filter(|rate| *rate > 0),
            _ => bail!("no such flag"),
        }
        Ok(())
    }
}

fn milliseconds(text: &str) -> Result<Duration> {
    Ok(Duration::try_from_secs_f64(text.parse::<f64>()? / 1e3)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<NullOptions> {
        NullOptions::from_words(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn words_are_read_and_others_refused() {
        let options = read("--keys 7 --latency 1.5 --etag md5 --no-checksums").unwrap();
        assert_eq!((options.keys, options.size), (7, 16_384));
        assert_eq!(options.latency, Duration::from_micros(1_500));
        assert_eq!(options.etags, ETags::Md5);
        assert!(!options.checksums);
        for wrong in [
            "--keys",
            "--keys x",
            "--etag sha",
            "--else 1",
            "--latency -1",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
