//! The endpoint's certificate, made anew at each start.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;

/// How TLS is spoken for `localhost` and `127.0.0.1`; whom to trust is written to `trust` as PEM.
pub(super) fn config(trust: &Path) -> Result<Arc<ServerConfig>> {
    let key = rcgen::KeyPair::generate().context("make a key")?;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = rcgen::CertificateParams::new(names)
        .and_then(|params| params.self_signed(&key))
        .context("make a certificate")?;
    std::fs::write(trust, certificate.pem())
        .with_context(|| format!("write {}", trust.display()))?;
    let key = PrivateKeyDer::try_from(key.serialize_der())
        .map_err(|reason| anyhow::anyhow!("use the key: {reason}"))?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .context("choose protocol versions")?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .context("use the certificate")?;
    Ok(Arc::new(config))
}
