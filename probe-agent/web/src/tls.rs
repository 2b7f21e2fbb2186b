//! TLS, from PEM files.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{VerifierBuilderError, WebPkiClientVerifier},
};

/// The PEM files of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, with those that lead to its root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The roots of client certificates. If given, each client must have one.
    pub clients: Option<PathBuf>,
}

/// Why TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be read or contains nothing usable.
    #[error("cannot read {what} from {}: {source}; it must be a PEM file", .path.display())]
    Pem {
        /// What it should contain.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: rustls::pki_types::pem::Error,
    },
    /// rustls rejects the certificate or the key.
    #[error("the server's certificate and key cannot be used: {0}")]
    Refused(#[from] rustls::Error),
    /// rustls rejects the roots of the clients.
    #[error("the certificates in {} cannot be the roots of client certificates: {source}", .path.display())]
    Clients {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: VerifierBuilderError,
    },
}

/// The configuration of the server.
pub(crate) fn config(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let versions = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let verified = match &files.clients {
        None => versions.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates("the roots of client certificates", path)? {
                roots.add(certificate)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
                .build()
                .map_err(|source| TlsError::Clients { path: path.clone(), source })?;
            versions.with_client_cert_verifier(verifier)
        }
    };
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(pem("the server's private key", &files.key))?;
    let chain = certificates("the server's certificate", &files.certificate)?;
    let mut config = verified.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The certificates of a PEM file, at least one.
fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(pem(what, path))?.collect();
    match found {
        Ok(none) if none.is_empty() => {
            Err(pem(what, path)(rustls::pki_types::pem::Error::NoItemsFound))
        }
        other => other.map_err(pem(what, path)),
    }
}

fn pem(what: &'static str, path: &Path) -> impl FnOnce(rustls::pki_types::pem::Error) -> TlsError {
    let path = path.to_owned();
    move |source| TlsError::Pem { what, path, source }
}
