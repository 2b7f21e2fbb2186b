//! TLS to a collector, from the PEM files of the configuration.

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
};

use hyper_rustls::ConfigBuilderExt;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::config::TlsFiles;

/// Why TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be read or contains nothing usable.
    #[error(
        "cannot read {what} from {}: {source}; it must be a PEM file (OTEL_EXPORTER_OTLP_CERTIFICATE, \
         OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE, OTEL_EXPORTER_OTLP_CLIENT_KEY)",
        .path.display()
    )]
    Pem {
        /// What it should contain.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: rustls::pki_types::pem::Error,
    },
    /// This system has no usable trusted certificates.
    #[error(
        "no trusted certificates on this system: {0}; name a PEM file in \
         OTEL_EXPORTER_OTLP_CERTIFICATE or SSL_CERT_FILE"
    )]
    NoRoots(io::Error),
    /// rustls rejects the certificates.
    #[error("the certificates for the OTLP receiver cannot be used: {0}")]
    Refused(#[from] rustls::Error),
}

/// Whether a request failed because of TLS, such as a certificate or the supported versions: a retry would
/// fail in the same way. A connection that broke off does not count.
pub(super) fn refused(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        // The error inside an io::Error is not its `source()`; that is the source of the inner error.
        let carried = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if cause.is::<rustls::Error>() || carried.is_some_and(|e| e.is::<rustls::Error>()) {
            return true;
        }
        next = match carried {
            Some(carried) => Some(carried),
            None => cause.source(),
        };
    }
    false
}

/// The TLS configuration, without an application protocol.
pub(super) fn config(files: &TlsFiles) -> Result<ClientConfig, TlsError> {
    let versions = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()?;
    let trusting = match &files.trusted {
        Some(path) => versions.with_root_certificates(trusted(path)?),
        None => versions.with_native_roots().map_err(TlsError::NoRoots)?,
    };
    let Some((chain, key)) = &files.identity else {
        return Ok(trusting.with_no_client_auth());
    };
    let key = PrivateKeyDer::from_pem_file(key).map_err(pem("the client's private key", key))?;
    let chain = certificates("the client's certificate", chain)?;
    Ok(trusting.with_client_auth_cert(chain, key)?)
}

/// A placeholder for connections without TLS.
pub(super) fn unused() -> Result<ClientConfig, TlsError> {
    Ok(ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}

fn trusted(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("the trusted certificates", path)? {
        roots.add(certificate)?;
    }
    Ok(roots)
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
