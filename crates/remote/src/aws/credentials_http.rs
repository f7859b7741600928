//! The HTTP client of those who hand out credentials (STS, SSO), where the machine's trust is not
//! enough or is not asked for.

mod careless;

use std::path::{Path, PathBuf};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::proxy::ProxySettings;

pub(super) use careless::believing;

/// A client that trusts the bundle alone. The bundle was read and checked before; see
/// [`tls`](super::tls).
pub(super) async fn trusting(
    bundle: &Path,
    proxies: &ProxySettings,
) -> std::io::Result<SharedHttpClient> {
    let path: PathBuf = bundle.to_owned();
    let pem = base::tasks::blocking(move || std::fs::read(path)).await?;
    let context = TlsContext::builder()
        .with_trust_store(TrustStore::empty().with_pem_certificate(pem))
        .build()
        .map_err(std::io::Error::other)?;
    let proxy = match proxies.https.as_ref().or(proxies.all.as_ref()) {
        Some(url) => ProxyConfig::https(url.as_str())
            .map_err(|_| std::io::Error::other("the proxy's address is none"))?
            .no_proxy(&proxies.none_for),
        None => ProxyConfig::disabled(),
    };
    Ok(
        Builder::new().build_with_connector_fn(move |settings, components| {
            let mut connector = ConnectorBuilder::default()
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .tls_context(context.clone())
                .proxy_config(proxy.clone());
            connector.set_connector_settings(settings.cloned());
            if let Some(components) = components {
                connector.set_sleep_impl(components.sleep_impl());
            }
            connector.build()
        }),
    )
}
