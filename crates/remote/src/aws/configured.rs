//! What the environment and profiles say, read by AWS's own configuration crate.

mod apart;

use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::sdk_config::RequestChecksumCalculation;
use aws_types::service_config::ServiceConfigKey;

use super::credentials_http;
use super::options::{AssumeRole, AwsOptions, CredentialsSource, StaticCredentials};

/// The region when nobody names one.
const REGION_DEFAULT: &str = "us-east-1";

/// What the options leave open, filled in.
#[derive(Debug)]
pub(super) struct Configured {
    pub(super) endpoint_url: Option<String>,
    pub(super) region: String,
    /// Whether the profile or the environment wants checksums only where S3 insists on one.
    pub(super) checksums_when_required: bool,
    /// None for nobody.
    pub(super) provider: Option<SharedCredentialsProvider>,
}

/// Reads the environment and profiles where the options ask for it. Opens no connection:
/// credentials are asked for when they are first needed. Fails where the certificates for asking
/// cannot be read.
pub(super) async fn read(options: &AwsOptions) -> std::io::Result<Configured> {
    let (profile, files) = match &options.credentials {
        CredentialsSource::Static(credentials) => {
            return read_static(options, credentials).await;
        }
        CredentialsSource::Profile(profile) => return apart::read_profile(options, profile).await,
        CredentialsSource::WebIdentity {
            role_arn,
            token_file,
            session_name,
        } => {
            let session_name = session_name.as_deref();
            return apart::read_web_identity(options, role_arn, token_file, session_name).await;
        }
        CredentialsSource::Anonymous => (None, None),
        CredentialsSource::Chain {
            profile,
            credentials_file,
        } => (profile.clone(), credentials_file.as_ref()),
    };
    let files = files.map(|path| {
        EnvConfigFiles::builder()
            .with_file(EnvConfigFileKind::Credentials, path)
            .include_default_config_file(true)
            .build()
    });
    let profile_name = profile.clone().or_else(unnamed_profile);
    let region = region_chain(options, profile_name.as_deref(), files.clone()).await;
    let mut loader = loader(options, region).await?;
    if let Some(profile) = profile_name {
        loader = loader.profile_name(profile);
    }
    if let Some(files) = &files {
        loader = loader.profile_files(files.clone());
    }
    let config = loader.load().await;
    let provider = match &options.credentials {
        CredentialsSource::Anonymous
        | CredentialsSource::Static(_)
        | CredentialsSource::Profile(_)
        | CredentialsSource::WebIdentity { .. } => None,
        CredentialsSource::Chain { .. } if profile.is_some() || files.is_some() => {
            Some(named_profile(&config, profile, files))
        }
        CredentialsSource::Chain { .. } => config.credentials_provider(),
    };
    Ok(Configured {
        endpoint_url: options
            .endpoint_url
            .clone()
            .or_else(|| endpoint_url(&config)),
        region: region_of(&config),
        checksums_when_required: config.request_checksum_calculation()
            == Some(RequestChecksumCalculation::WhenRequired),
        provider: with_role(provider, options.assume_role.as_ref(), &config).await,
    })
}

/// Begins to read, with the HTTP client for whoever hands out credentials.
async fn loader(options: &AwsOptions, region: String) -> std::io::Result<ConfigLoader> {
    let loader = aws_config::defaults(BehaviorVersion::latest()).region(Region::new(region));
    if !options.tls.verify {
        return Ok(loader.http_client(credentials_http::believing(options)));
    }
    match &options.tls.ca_bundle {
        None => Ok(loader),
        Some(bundle) => {
            let client = credentials_http::trusting(bundle, &options.proxies).await?;
            Ok(loader.http_client(client))
        }
    }
}

async fn read_static(
    options: &AwsOptions,
    credentials: &StaticCredentials,
) -> std::io::Result<Configured> {
    let region = options
        .region
        .clone()
        .unwrap_or_else(|| REGION_DEFAULT.to_owned());
    let provider = SharedCredentialsProvider::new(sdk_credentials(credentials));
    let provider = match &options.assume_role {
        None => Some(provider),
        // The role's own service is found as AWS's tools find it, by the environment.
        Some(_) => {
            let config = loader(options, region.clone()).await?.load().await;
            with_role(Some(provider), options.assume_role.as_ref(), &config).await
        }
    };
    Ok(Configured {
        endpoint_url: options.endpoint_url.clone(),
        region,
        checksums_when_required: false,
        provider,
    })
}

fn sdk_credentials(credentials: &StaticCredentials) -> Credentials {
    let token = credentials
        .session_token
        .as_ref()
        .map(|token| token.expose().to_owned());
    Credentials::new(
        credentials.access_key_id.clone(),
        credentials.secret_access_key.expose(),
        token,
        credentials.expires_at.map(Into::into),
        "static",
    )
}

/// The default profile where the environment's is empty, which the SDK would take for a name.
fn unnamed_profile() -> Option<String> {
    let named = std::env::var_os("AWS_PROFILE")?;
    named.is_empty().then(|| "default".to_owned())
}

/// Without the instance's own region, for which every machine that is no instance would wait.
async fn region_chain(
    options: &AwsOptions,
    profile: Option<&str>,
    files: Option<EnvConfigFiles>,
) -> String {
    if let Some(region) = &options.region {
        return region.clone();
    }
    let mut from_profile = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        from_profile = from_profile.profile_name(profile);
    }
    if let Some(files) = files {
        from_profile = from_profile.profile_files(files);
    }
    // An empty variable names no region, as for other tools; the SDK takes it for a name.
    let from_environment = ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|region| !region.is_empty());
    if let Some(region) = from_environment {
        return region;
    }
    let region = from_profile.build().region().await;
    region.map_or_else(
        || REGION_DEFAULT.to_owned(),
        |region| region.as_ref().to_owned(),
    )
}

fn region_of(config: &SdkConfig) -> String {
    config.region().map_or_else(
        || REGION_DEFAULT.to_owned(),
        |region| region.as_ref().to_owned(),
    )
}

/// Only the named profile: not keys in the environment, which the chain would try first.
fn named_profile(
    config: &SdkConfig,
    profile: Option<String>,
    files: Option<EnvConfigFiles>,
) -> SharedCredentialsProvider {
    let mut builder = ProfileFileCredentialsProvider::builder().configure(&provider_config(config));
    if let Some(profile) = profile {
        builder = builder.profile_name(profile);
    }
    if let Some(files) = files {
        builder = builder.profile_files(files);
    }
    SharedCredentialsProvider::new(builder.build())
}

fn provider_config(config: &SdkConfig) -> ProviderConfig {
    let provider_config = ProviderConfig::without_region().with_region(config.region().cloned());
    match config.http_client() {
        Some(client) => provider_config.with_http_client(client),
        None => provider_config,
    }
}

/// `AWS_ENDPOINT_URL_S3` or the profile's `services` section, else `AWS_ENDPOINT_URL` or the
/// profile's `endpoint_url`.
fn endpoint_url(config: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id("S3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    config
        .service_config()
        .and_then(|services| services.load_config(key))
        .or_else(|| config.endpoint_url().map(str::to_owned))
        .filter(|url| !url.is_empty())
}

async fn with_role(
    provider: Option<SharedCredentialsProvider>,
    role: Option<&AssumeRole>,
    config: &SdkConfig,
) -> Option<SharedCredentialsProvider> {
    let (Some(base), Some(role)) = (provider.clone(), role) else {
        return provider;
    };
    let mut builder = AssumeRoleProvider::builder(&role.role_arn).configure(config);
    if let Some(external_id) = &role.external_id {
        builder = builder.external_id(external_id);
    }
    if let Some(name) = &role.session_name {
        builder = builder.session_name(name);
    }
    if let Some(region) = config.region() {
        builder = builder.region(region.clone());
    }
    let taken_on = builder.build_from_provider(base).await;
    Some(SharedCredentialsProvider::new(taken_on))
}

#[cfg(test)]
mod tests;
