//! Settings as resolved: flags over environment over defaults.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use base::ByteCount;
use base::flow::RetryPolicy;
use mover::Side;
use remote::aws::{Addressing, AssumeRole, AwsOptions, CredentialsSource, RequestCounters};

use crate::args::{GlobalArgs, LogLevel, ProgressMode};
use crate::persona::Persona;

/// What holds for all commands of the process.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) persona: Persona,
    pub(crate) dry_run: bool,
    pub(crate) summary: bool,
    pub(crate) json: bool,
    pub(crate) level: LogLevel,
    pub(crate) stat: bool,
    pub(crate) strict: bool,
    /// Objects, and lines of a run file, under way at once.
    pub(crate) workers: NonZeroUsize,
    pub(crate) memory: ByteCount,
    pub(crate) list_v1: bool,
    pub(crate) manifest: Option<PathBuf>,
    pub(crate) events: Option<PathBuf>,
    pub(crate) progress: ProgressMode,
    /// How the source's clients are made, and those of commands that know one store alone.
    pub(crate) source: AwsOptions,
    /// How the destination's clients are made. Its counters are its own.
    pub(crate) destination: AwsOptions,
}

/// Why global flags cannot be what they are. The first four lines are s5cmd's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidSettings {
    #[error("retry count cannot be a negative value")]
    RetryCount,
    #[error("\"no-sign-request\" and \"{0}\" flags cannot be used together")]
    NotSigned(&'static str),
    #[error(
        "bad value for --endpoint-url {0}: scheme is missing. Must be of the form http://<hostname>/ or https://<hostname>/"
    )]
    Endpoint(String),
    #[error("bad value for --request-payer {0:?}: only \"requester\" can pay")]
    Payer(String),
    #[error("--path-style and --virtual-host contradict each other")]
    Addressing,
    #[error("--external-id needs --assume-role")]
    ExternalId,
    #[error("--summary needs --dry-run")]
    Summary,
    #[error("--memory must be at least 16MiB")]
    Memory,
}

/// Below this, parts of the default size would wait for each other.
const MEMORY_MIN: ByteCount = ByteCount(16 << 20);

impl Settings {
    /// Resolves flags; `store` brings what the environment says (proxies, CA bundle, checksums).
    pub(crate) fn resolve(
        args: &GlobalArgs,
        persona: Persona,
        store: AwsOptions,
    ) -> Result<Settings, InvalidSettings> {
        if args.summary && !args.dry_run {
            return Err(InvalidSettings::Summary);
        }
        if args.memory < MEMORY_MIN {
            return Err(InvalidSettings::Memory);
        }
        let source = store_options(args, store)?;
        Ok(Settings {
            persona,
            dry_run: args.dry_run,
            summary: args.summary,
            json: args.json,
            level: args.log_level(),
            stat: args.stat,
            strict: args.strict,
            workers: workers(args.numworkers.0),
            memory: args.memory,
            list_v1: args.use_list_objects_v1,
            manifest: args.manifest.clone(),
            events: args.events.clone(),
            progress: args.progress_mode(),
            destination: AwsOptions {
                counters: RequestCounters::default(),
                ..source.clone()
            },
            source,
        })
    }

    /// How a side's clients are made.
    pub(crate) fn side(&self, side: Side) -> &AwsOptions {
        match side {
            Side::Source => &self.source,
            Side::Destination => &self.destination,
        }
    }
}

/// `--numworkers`: a negative number counts in processors.
fn workers(asked: i64) -> NonZeroUsize {
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let magnitude = usize::try_from(asked.unsigned_abs()).unwrap_or(usize::MAX);
    let workers = if asked < 0 {
        magnitude.saturating_mul(processors)
    } else {
        magnitude
    };
    // The most permits that tokio's semaphore counts.
    let most = tokio::sync::Semaphore::MAX_PERMITS;
    NonZeroUsize::new(workers.min(most)).unwrap_or(NonZeroUsize::MIN)
}

fn store_options(args: &GlobalArgs, mut store: AwsOptions) -> Result<AwsOptions, InvalidSettings> {
    if args.retry_count.0 < 0 {
        return Err(InvalidSettings::RetryCount);
    }
    let retries = u32::try_from(args.retry_count.0).unwrap_or(u32::MAX);
    store.retry = RetryPolicy {
        tries_max: retries.saturating_add(1),
        ..RetryPolicy::default()
    };
    store.credentials = credentials(args)?;
    store.endpoint_url = endpoint(args.endpoint_url.as_deref())?;
    store.addressing = match (args.path_style, args.virtual_host) {
        (true, true) => return Err(InvalidSettings::Addressing),
        (true, false) => Addressing::Path,
        (false, true) => Addressing::VirtualHost,
        (false, false) => Addressing::Automatic,
    };
    store.request_payer = match args.request_payer.as_deref() {
        None | Some("") => false,
        Some("requester") => true,
        Some(other) => return Err(InvalidSettings::Payer(other.to_owned())),
    };
    store.assume_role = match (&args.assume_role, &args.external_id) {
        (None, Some(_)) => return Err(InvalidSettings::ExternalId),
        (None, None) => None,
        (Some(role_arn), external_id) => Some(AssumeRole {
            role_arn: role_arn.clone(),
            external_id: external_id.clone(),
            session_name: None,
        }),
    };
    store.region.clone_from(&args.region);
    store.accelerate = args.accelerate;
    store.unsigned_payload = args.unsigned_payload;
    store.tcp_congestion.clone_from(&args.tcp_congestion);
    store.tls.verify = !args.no_verify_ssl;
    if args.ca_bundle.is_some() {
        store.tls.ca_bundle.clone_from(&args.ca_bundle);
    }
    Ok(store)
}

fn credentials(args: &GlobalArgs) -> Result<CredentialsSource, InvalidSettings> {
    if args.no_sign_request {
        return if args.profile.is_some() {
            Err(InvalidSettings::NotSigned("profile"))
        } else if args.credentials_file.is_some() {
            Err(InvalidSettings::NotSigned("credentials-file"))
        } else {
            Ok(CredentialsSource::Anonymous)
        };
    }
    Ok(CredentialsSource::Chain {
        profile: args.profile.clone(),
        credentials_file: args.credentials_file.clone(),
    })
}

fn endpoint(asked: Option<&str>) -> Result<Option<String>, InvalidSettings> {
    match asked {
        None | Some("") => Ok(None),
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
            Ok(Some(url.to_owned()))
        }
        Some(url) => Err(InvalidSettings::Endpoint(url.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::grammar::{Request, read};

    fn resolve(line: &str) -> Result<Settings, InvalidSettings> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        match read(&words, Persona::Longhaul).unwrap() {
            Request::Run(invocation) => Settings::resolve(
                &invocation.cli.global,
                Persona::Longhaul,
                AwsOptions::default(),
            ),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn contradictions_are_refused_in_s5cmds_words() {
        for (line, message) in [
            (
                "--retry-count -1 ls",
                "retry count cannot be a negative value",
            ),
            (
                "--no-sign-request --profile x ls",
                "\"no-sign-request\" and \"profile\" flags cannot be used together",
            ),
            (
                "--endpoint-url foo ls",
                "bad value for --endpoint-url foo: scheme is missing. Must be of the form http://<hostname>/ or https://<hostname>/",
            ),
        ] {
            assert_eq!(resolve(line).unwrap_err().to_string(), message);
        }
        for line in [
            "--summary ls",
            "--external-id x ls",
            "--path-style --virtual-host ls",
            "--memory 1MiB ls",
            "--request-payer me ls",
        ] {
            assert!(resolve(line).is_err(), "{line}");
        }
    }

    #[test]
    fn workers_count_processors_when_negative_and_are_never_none() {
        let processors = std::thread::available_parallelism().unwrap().get();
        assert_eq!(workers(-2).get(), 2 * processors);
        assert_eq!(workers(0).get(), 1);
        assert_eq!(workers(7).get(), 7);
        assert!(workers(i64::MAX).get() <= tokio::sync::Semaphore::MAX_PERMITS);
    }

    #[test]
    fn retries_are_sends_after_the_first() {
        assert_eq!(resolve("-r 0 ls").unwrap().source.retry.tries_max, 1);
        assert_eq!(resolve("ls").unwrap().source.retry.tries_max, 11);
    }
}
