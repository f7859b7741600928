//! Settings as resolved: flags over environment over defaults.

mod environment;
mod side;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use base::flow::{Bandwidth, RetryPolicy};
use base::{ByteCount, Clock};
use mover::Side;
use mover::context::REQUESTS_MAX;
use remote::aws::{Addressing, AssumeRole, AwsOptions, CredentialsSource};

use crate::args::values::{Bound, Integer};
use crate::args::{GlobalArgs, LogLevel, ProgressMode};
use crate::persona::Persona;
pub(crate) use environment::Environment;

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
    /// Requests that carry bytes, under way at one endpoint, at the most.
    pub(crate) requests_max: NonZeroUsize,
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
    #[error("\"{unsigned}\" and \"{signed}\" flags cannot be used together")]
    NotSigned { unsigned: String, signed: String },
    #[error(
        "bad value for {name} {value}: scheme is missing. Must be of the form http://<hostname>/ or https://<hostname>/"
    )]
    Endpoint { name: String, value: String },
    #[error("bad value for {name} {value:?}: only \"requester\" can pay")]
    Payer { name: String, value: String },
    #[error("--path-style and --virtual-host contradict each other")]
    Addressing,
    #[error("--{external_id} needs --{role}")]
    ExternalId { external_id: String, role: String },
    #[error("{missing} is not set, and others of {side}... are")]
    Piece { side: String, missing: String },
    #[error("--summary needs --dry-run")]
    Summary,
    #[error("--memory must be at least 16MiB")]
    Memory,
    #[error("--max-requests must be at least 1")]
    Requests,
}

/// Below this, parts of the default size would wait for each other.
const MEMORY_MIN: ByteCount = ByteCount(16 << 20);

impl Settings {
    /// Resolves flags; `store` brings what the environment says of every store (proxies, CA
    /// bundle, checksums), `environment` who asks which one.
    pub(crate) fn resolve(
        args: &GlobalArgs,
        persona: Persona,
        store: &AwsOptions,
        environment: &Environment,
    ) -> Result<Settings, InvalidSettings> {
        if args.summary && !args.dry_run {
            return Err(InvalidSettings::Summary);
        }
        if args.memory < MEMORY_MIN {
            return Err(InvalidSettings::Memory);
        }
        let both = store_options(args, store.clone())?;
        Ok(Settings {
            persona,
            dry_run: args.dry_run,
            summary: args.summary,
            json: args.json,
            level: args.log_level(),
            stat: args.stat,
            strict: args.strict,
            workers: workers(args.numworkers),
            requests_max: requests_max(args.max_requests)?,
            memory: args.memory,
            list_v1: args.use_list_objects_v1,
            manifest: args.manifest.clone(),
            events: args.events.clone(),
            progress: args.progress_mode(),
            source: side::options(Side::Source, args, &both, environment)?,
            destination: side::options(Side::Destination, args, &both, environment)?,
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

/// `--numworkers`: a negative number counts in processors. With `auto` objects are never what
/// limits: the requests found at two endpoints are.
fn workers(asked: Bound) -> NonZeroUsize {
    let asked = match asked {
        Bound::Auto => return REQUESTS_MAX.saturating_mul(NonZeroUsize::new(2).expect("2")),
        Bound::Number(Integer(asked)) => asked,
    };
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

/// `--max-requests`: a bound for the search, which goes on below it.
fn requests_max(asked: Bound) -> Result<NonZeroUsize, InvalidSettings> {
    match asked {
        Bound::Auto => Ok(REQUESTS_MAX),
        Bound::Number(Integer(asked)) => usize::try_from(asked)
            .ok()
            .and_then(NonZeroUsize::new)
            .ok_or(InvalidSettings::Requests),
    }
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
    // One bandwidth for both sides: what is relayed goes over the wire twice.
    if let Some(schedule) = &args.bandwidth {
        store.traffic.bandwidth = Bandwidth::new(schedule.clone(), Clock::system());
    }
    store.credentials = credentials(args)?;
    store.addressing = match (args.path_style, args.virtual_host) {
        (true, true) => return Err(InvalidSettings::Addressing),
        (true, false) => Addressing::Path,
        (false, true) => Addressing::VirtualHost,
        (false, false) => Addressing::Automatic,
    };
    store.request_payer = payer("--request-payer", args.request_payer.as_deref())?;
    store.assume_role = match (&args.assume_role, &args.external_id) {
        (None, Some(_)) => {
            return Err(InvalidSettings::ExternalId {
                external_id: "external-id".to_owned(),
                role: "assume-role".to_owned(),
            });
        }
        (None, None) => None,
        (Some(role_arn), external_id) => Some(AssumeRole {
            role_arn: role_arn.clone(),
            external_id: external_id.clone(),
            session_name: None,
        }),
    };
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
        let signed = [
            ("profile", args.profile.is_some()),
            ("credentials-file", args.credentials_file.is_some()),
            ("assume-role", args.assume_role.is_some()),
        ];
        return match signed.iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(InvalidSettings::NotSigned {
                unsigned: "no-sign-request".to_owned(),
                signed: (*name).to_owned(),
            }),
            None => Ok(CredentialsSource::Anonymous),
        };
    }
    Ok(CredentialsSource::Chain {
        profile: args.profile.clone(),
        credentials_file: args.credentials_file.clone(),
    })
}

/// Reads the URL of an endpoint that `name` brought; empty is none.
fn endpoint(name: &str, asked: Option<String>) -> Result<Option<String>, InvalidSettings> {
    match asked.filter(|url| !url.is_empty()) {
        None => Ok(None),
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => Ok(Some(url)),
        Some(url) => Err(InvalidSettings::Endpoint {
            name: name.to_owned(),
            value: url,
        }),
    }
}

/// Reads who pays; empty is nobody but the owner.
fn payer(name: &str, asked: Option<&str>) -> Result<bool, InvalidSettings> {
    match asked {
        None | Some("") => Ok(false),
        Some("requester") => Ok(true),
        Some(other) => Err(InvalidSettings::Payer {
            name: name.to_owned(),
            value: other.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests;
