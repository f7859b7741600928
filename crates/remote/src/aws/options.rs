//! How a client reaches its store.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use base::Clock;
use base::flow::RetryPolicy;
use base::redact::{RedactedUrl, Secret};
use jiff::Timestamp;

use super::proxy::ProxySettings;
use super::traffic::Traffic;

/// Everything a client must know. The default reads nothing from the environment but what
/// [`CredentialsSource::Chain`] reads; [`from_environment`](AwsOptions::from_environment) does.
/// Prints without its secrets.
#[derive(Clone)]
pub struct AwsOptions {
    /// `https://host[:port]`; none means AWS's own, unless the profile or the environment names
    /// one.
    pub endpoint_url: Option<String>,
    /// Region to sign for; none means the profile's or the environment's, else `us-east-1`.
    pub region: Option<String>,
    /// Who asks.
    pub credentials: CredentialsSource,
    /// A role to take on with those credentials.
    pub assume_role: Option<AssumeRole>,
    /// How buckets are addressed.
    pub addressing: Addressing,
    /// Whether AWS's buckets are reached through their accelerated endpoints.
    pub accelerate: bool,
    /// Whether the requester agrees to pay (`x-amz-request-payer: requester`).
    pub request_payer: bool,
    /// Whether payloads go unsigned over plain HTTP too. Over TLS they always do.
    pub unsigned_payload: bool,
    /// Which uploads carry a checksum header.
    pub checksums: ChecksumPolicy,
    /// Trust in TLS servers.
    pub tls: TlsOptions,
    /// Proxies.
    pub proxies: ProxySettings,
    /// TCP congestion control, such as `bbr`, where the kernel has it.
    pub tcp_congestion: Option<String>,
    /// How long is waited for what.
    pub timeouts: Timeouts,
    /// How often a request is sent again.
    pub retry: RetryPolicy,
    /// Most idle connections kept for one address of a store; others close after use.
    pub idle_connections_max: usize,
    /// What the client's requests are counted by and held back by.
    pub traffic: Traffic,
    /// Time and randomness.
    pub clock: Clock,
}

impl Default for AwsOptions {
    fn default() -> AwsOptions {
        AwsOptions {
            endpoint_url: None,
            region: None,
            credentials: CredentialsSource::Chain {
                profile: None,
                credentials_file: None,
            },
            assume_role: None,
            addressing: Addressing::Automatic,
            accelerate: false,
            request_payer: false,
            unsigned_payload: false,
            checksums: ChecksumPolicy::WhenSupported,
            tls: TlsOptions::default(),
            proxies: ProxySettings::default(),
            tcp_congestion: None,
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            idle_connections_max: 1_024,
            traffic: Traffic::default(),
            clock: Clock::system(),
        }
    }
}

impl fmt::Debug for AwsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsOptions")
            .field(
                "endpoint_url",
                &self.endpoint_url.as_deref().map(RedactedUrl),
            )
            .field("region", &self.region)
            .field("credentials", &self.credentials)
            .field("assume_role", &self.assume_role)
            .field("addressing", &self.addressing)
            .field("accelerate", &self.accelerate)
            .field("request_payer", &self.request_payer)
            .field("unsigned_payload", &self.unsigned_payload)
            .field("checksums", &self.checksums)
            .field("tls", &self.tls)
            .field("proxies", &self.proxies)
            .field("tcp_congestion", &self.tcp_congestion)
            .field("timeouts", &self.timeouts)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

impl AwsOptions {
    /// Whether a client made of either asks the same store as the same one in the same way. Where
    /// it counts, what holds it back and what time it has are left out.
    pub fn same_client(&self, other: &AwsOptions) -> bool {
        let AwsOptions {
            endpoint_url,
            region,
            credentials,
            assume_role,
            addressing,
            accelerate,
            request_payer,
            unsigned_payload,
            checksums,
            tls,
            proxies,
            tcp_congestion,
            timeouts,
            retry,
            idle_connections_max,
            traffic: _,
            clock: _,
        } = self;
        *endpoint_url == other.endpoint_url
            && *region == other.region
            && *credentials == other.credentials
            && *assume_role == other.assume_role
            && *addressing == other.addressing
            && *accelerate == other.accelerate
            && *request_payer == other.request_payer
            && *unsigned_payload == other.unsigned_payload
            && *checksums == other.checksums
            && *tls == other.tls
            && *proxies == other.proxies
            && *tcp_congestion == other.tcp_congestion
            && *timeouts == other.timeouts
            && *retry == other.retry
            && *idle_connections_max == other.idle_connections_max
    }

    /// The defaults, with the proxies, `AWS_CA_BUNDLE` and `AWS_REQUEST_CHECKSUM_CALCULATION` of
    /// the environment.
    pub fn from_environment() -> AwsOptions {
        let mut options = AwsOptions {
            proxies: ProxySettings::from_environment(),
            ..AwsOptions::default()
        };
        options.tls.ca_bundle = std::env::var_os("AWS_CA_BUNDLE")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from);
        if std::env::var("AWS_REQUEST_CHECKSUM_CALCULATION")
            .is_ok_and(|value| value.eq_ignore_ascii_case("when_required"))
        {
            options.checksums = ChecksumPolicy::WhenRequired;
        }
        options
    }
}

/// Where credentials come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialsSource {
    /// The chain of AWS's SDKs: environment, profile, SSO, web identity, process, containers, the
    /// instance. Naming a profile or a file beats keys in the environment, as in s5cmd.
    Chain {
        /// A profile's name.
        profile: Option<String>,
        /// A credentials file instead of `~/.aws/credentials`.
        credentials_file: Option<PathBuf>,
    },
    /// One profile. No variable takes its place or adds to it, but for where its files are.
    Profile(NamedProfile),
    /// A role, for a token that is read from a file each time.
    WebIdentity {
        /// The role.
        role_arn: String,
        /// Where the token is.
        token_file: PathBuf,
        /// Name in the role's logs.
        session_name: Option<String>,
    },
    /// These. Neither the environment nor a profile is read, for the region and endpoint neither.
    Static(StaticCredentials),
    /// Nobody: requests are not signed.
    Anonymous,
}

/// A profile, and what holds where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedProfile {
    /// Its name.
    pub name: String,
    /// The file that holds its keys; none for the usual one.
    pub credentials_file: Option<PathBuf>,
    /// The file that holds the rest; none for the usual one.
    pub config_file: Option<PathBuf>,
    /// The region where neither the options nor the profile name one.
    pub region_otherwise: Option<String>,
    /// The endpoint where neither the options nor the profile name one.
    pub endpoint_url_otherwise: Option<String>,
}

/// A key pair, with what goes along. Prints without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticCredentials {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: Secret,
    /// Token of temporary credentials.
    pub session_token: Option<Secret>,
    /// When they end.
    pub expires_at: Option<Timestamp>,
}

impl StaticCredentials {
    /// A key pair without an end.
    pub fn new(access_key_id: impl Into<String>, secret: impl Into<String>) -> StaticCredentials {
        StaticCredentials {
            access_key_id: access_key_id.into(),
            secret_access_key: Secret::new(secret),
            session_token: None,
            expires_at: None,
        }
    }
}

/// A role that is taken on before the first request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumeRole {
    /// `arn:aws:iam::ACCOUNT:role/NAME`.
    pub role_arn: String,
    /// What the role's owner asked for.
    pub external_id: Option<String>,
    /// Name in the owner's logs.
    pub session_name: Option<String>,
}

/// Where a request names its bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Addressing {
    /// In the host for AWS, in the path for other endpoints and for dotted buckets over TLS;
    /// learnt otherwise where a store refuses.
    #[default]
    Automatic,
    /// In the path.
    Path,
    /// In the host.
    VirtualHost,
}

/// When uploads carry a checksum header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChecksumPolicy {
    /// To every store that takes it.
    #[default]
    WhenSupported,
    /// Only where S3 insists on one.
    WhenRequired,
}

/// Trust in TLS servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsOptions {
    /// PEM file whose certificates are trusted instead of the machine's.
    pub ca_bundle: Option<PathBuf>,
    /// Whether certificates are checked at all.
    pub verify: bool,
}

impl Default for TlsOptions {
    fn default() -> TlsOptions {
        TlsOptions {
            ca_bundle: None,
            verify: true,
        }
    }
}

/// How long is waited for what. There is none for a whole request: a large object may take as
/// long as it moves.
///
/// The values are guesses between those of AWS's SDKs and s5cmd's; not measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// For one address to take a connection. Twice this for all that comes before a request:
    /// resolving, every address, the proxy's answer, the TLS handshake.
    pub connect: Duration,
    /// From the last byte of the request to the head of the answer.
    pub first_byte: Duration,
    /// The same for CopyObject, UploadPartCopy and CompleteMultipartUpload, where many stores
    /// answer only after the bytes have moved.
    pub first_byte_after_copy: Duration,
    /// Without a byte of a body sent or received.
    pub stall: Duration,
    /// After which an idle connection is closed. Below the 20 s or so after which S3 closes its
    /// side, so that few requests meet a closed connection.
    pub idle: Duration,
    /// After which a host name is resolved again.
    pub resolve_again: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(60),
            first_byte_after_copy: Duration::from_secs(600),
            stall: Duration::from_secs(30),
            idle: Duration::from_secs(15),
            resolve_again: Duration::from_secs(30),
        }
    }
}
