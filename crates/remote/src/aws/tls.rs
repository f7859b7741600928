//! Trust in TLS servers.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::options::TlsOptions;

/// Why no TLS connection can be made at all.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsSetupError {
    /// The file cannot be read or holds something else than certificates.
    #[error("read certificates from {}", path.display())]
    Bundle {
        path: PathBuf,
        source: rustls::pki_types::pem::Error,
    },
    /// The file holds no certificate.
    #[error("{} holds no certificate", path.display())]
    EmptyBundle { path: PathBuf },
    /// A certificate of the file is none.
    #[error("a certificate in {} cannot be used", path.display())]
    BadCertificate {
        path: PathBuf,
        source: rustls::Error,
    },
    /// The crypto library knows no version of TLS that we speak.
    #[error("set up TLS")]
    Versions(#[source] rustls::Error),
}

/// Makes the configuration. Reads files: a few milliseconds, off the reactor.
pub(super) fn configure(options: &TlsOptions) -> Result<Arc<ClientConfig>, TlsSetupError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsSetupError::Versions)?;
    let mut config = if options.verify {
        builder
            .with_root_certificates(roots(options.ca_bundle.clone())?)
            .with_no_client_auth()
    } else {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth()
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The bundle's certificates alone if one is named, as AWS's tools do; else the machine's, else
/// Mozilla's.
fn roots(bundle: Option<PathBuf>) -> Result<RootCertStore, TlsSetupError> {
    let mut store = RootCertStore::empty();
    if let Some(path) = bundle {
        let read = |source| TlsSetupError::Bundle {
            path: path.clone(),
            source,
        };
        for certificate in CertificateDer::pem_file_iter(&path).map_err(read)? {
            store.add(certificate.map_err(read)?).map_err(|source| {
                TlsSetupError::BadCertificate {
                    path: path.clone(),
                    source,
                }
            })?;
        }
        if store.is_empty() {
            return Err(TlsSetupError::EmptyBundle { path });
        }
        return Ok(store);
    }
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::debug!(%error, "certificates of the machine left out");
    }
    store.add_parsable_certificates(native.certs);
    if store.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(store)
}

/// Believes every certificate, for `--no-verify-ssl`. The handshake's own signatures are checked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
