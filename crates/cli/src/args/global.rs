//! Flags that stand before the command and hold for all of it.

use std::path::PathBuf;

use base::ByteCount;
use base::flow::Schedule;
use clap::{Args, ValueEnum};

use super::SidesArgs;
use super::values::{Bound, Integer, one_of, positive};

/// Flags before the command.
#[derive(Debug, Clone, Args)]
pub(crate) struct GlobalArgs {
    /// Read credentials from this file instead of ~/.aws/credentials
    #[arg(long, value_name = "FILE", help_heading = "Who asks")]
    pub(crate) credentials_file: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Talk to this S3-compatible service instead of AWS (default: $S3_ENDPOINT_URL)
    #[arg(long, value_name = "URL", help_heading = "Where")]
    pub(crate) endpoint_url: Option<String>,
    /// Explain how to switch on completion in your shell ($SHELL)
    #[arg(long)]
    pub(crate) install_completion: bool,
    /// Print JSON lines
    #[arg(long)]
    pub(crate) json: bool,
    /// How much to say: trace, debug, info or error
    #[arg(long, value_name = "LEVEL", default_value = "info",
          value_parser = one_of(&["trace", "debug", "info", "error"]))]
    pub(crate) log: String,
    /// Ask without signing, as anybody may for public buckets
    #[arg(long, help_heading = "Who asks")]
    pub(crate) no_sign_request: bool,
    /// Do not check TLS certificates
    #[arg(long, help_heading = "Where")]
    pub(crate) no_verify_ssl: bool,
    /// Objects (and lines of a run file) under way at once; negative: times the number of CPUs;
    /// auto: as many as the requests found can use
    #[arg(
        long,
        value_name = "N|auto",
        default_value = "256",
        help_heading = "How much"
    )]
    pub(crate) numworkers: Bound,
    /// Requests for bytes under way at one endpoint, at the most; how many it takes best is found
    #[arg(
        long,
        value_name = "N|auto",
        default_value = "auto",
        help_heading = "How much"
    )]
    pub(crate) max_requests: Bound,
    /// Begin at most this many requests a second at each side; every try counts
    #[arg(long, value_name = "N", help_heading = "How much", value_parser = positive)]
    pub(crate) requests_per_second: Option<f64>,
    /// Bytes over the wire, up and down together: 200MB/s, or by local time of day
    /// 08:00-19:00=200MB/s,19:00-08:00=off
    #[arg(long, value_name = "RATE", help_heading = "How much")]
    pub(crate) bandwidth: Option<Schedule>,
    /// Use this profile of the credentials file
    #[arg(long, value_name = "NAME", help_heading = "Who asks")]
    pub(crate) profile: Option<String>,
    /// Agree to pay for requests: "requester"
    #[arg(long, value_name = "WHO", help_heading = "Who asks")]
    pub(crate) request_payer: Option<String>,
    /// Send a failed request again up to this many times
    #[arg(
        long,
        short = 'r',
        value_name = "N",
        default_value = "10",
        help_heading = "How much"
    )]
    pub(crate) retry_count: Integer,
    /// Count commands and print a table at the end
    #[arg(long)]
    pub(crate) stat: bool,
    /// List with ListObjects (V1), for services that know no other
    #[arg(long, help_heading = "Where")]
    pub(crate) use_list_objects_v1: bool,

    /// Sign for this region (default: environment, profile, us-east-1)
    #[arg(long, value_name = "REGION", help_heading = "Where")]
    pub(crate) region: Option<String>,
    /// Name buckets in the path of URLs
    #[arg(long, help_heading = "Where")]
    pub(crate) path_style: bool,
    /// Name buckets in the host of URLs
    #[arg(long, help_heading = "Where")]
    pub(crate) virtual_host: bool,
    /// Reach AWS's buckets through transfer acceleration
    #[arg(long, help_heading = "Where")]
    pub(crate) accelerate: bool,
    /// Trust the certificates in this PEM file instead of the machine's
    #[arg(long, value_name = "FILE", help_heading = "Where")]
    pub(crate) ca_bundle: Option<PathBuf>,
    /// TCP congestion control, such as bbr, where the kernel has it
    #[arg(long, value_name = "NAME", help_heading = "How much")]
    pub(crate) tcp_congestion: Option<String>,
    /// Leave payloads unsigned over plain HTTP too
    #[arg(long, help_heading = "How much")]
    pub(crate) unsigned_payload: bool,
    /// Most bytes of objects held in memory, such as 256MiB
    #[arg(long, value_name = "BYTES", default_value = "256MiB", help_heading = "How much",
          value_parser = byte_count)]
    pub(crate) memory: ByteCount,
    /// Take on this role with the credentials found
    #[arg(long, value_name = "ARN", help_heading = "Who asks")]
    pub(crate) assume_role: Option<String>,
    /// The external id that the role's owner asks for
    #[arg(long, value_name = "ID", help_heading = "Who asks")]
    pub(crate) external_id: Option<String>,
    /// The same for one side alone.
    #[command(flatten)]
    pub(crate) sides: SidesArgs,

    /// With --dry-run: sums (objects, bytes, requests) instead of a line an object
    #[arg(long, help_heading = "What is told")]
    pub(crate) summary: bool,
    /// Write one row an object: FILE ends in .csv, .jsonl, .csv.zst or .jsonl.zst
    #[arg(long, value_name = "FILE", help_heading = "What is told")]
    pub(crate) manifest: Option<PathBuf>,
    /// Write versioned events as JSON lines to FILE, or to standard error with -
    #[arg(long, value_name = "FILE|-", help_heading = "What is told")]
    pub(crate) events: Option<PathBuf>,
    /// Progress on standard error: auto (only on a terminal), plain (a line now and then) or none
    #[arg(long, value_name = "HOW", default_value = "auto", help_heading = "What is told",
          value_parser = one_of(&["auto", "plain", "none"]))]
    pub(crate) progress: String,
    /// Exit with 1 also for objects that went away meanwhile or could be checked by size alone
    #[arg(long, help_heading = "What is told")]
    pub(crate) strict: bool,
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum LogLevel {
    Trace,
    Debug,
    Info,
    Error,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressMode {
    Auto,
    Plain,
    None,
}

impl GlobalArgs {
    /// `--log` as a level.
    pub(crate) fn log_level(&self) -> LogLevel {
        LogLevel::from_str(&self.log, true).expect("the grammar admits only levels")
    }

    /// `--progress` as a mode.
    pub(crate) fn progress_mode(&self) -> ProgressMode {
        ProgressMode::from_str(&self.progress, true).expect("the grammar admits only modes")
    }
}

/// Reads an amount of bytes.
pub(crate) fn byte_count(text: &str) -> Result<ByteCount, base::units::InvalidByteCount> {
    text.parse()
}
