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
    /// A PEM file that cannot be read or holds nothing of use.
    #[error(
        "cannot read {what} from {}: {source}; it must be a PEM file (OTEL_EXPORTER_OTLP_CERTIFICATE, \
         OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE, OTEL_EXPORTER_OTLP_CLIENT_KEY)",
        .path.display()
    )]
    Pem {
        /// What was to be read.
        what: &'static str,
        /// From where.
        path: PathBuf,
        /// What went wrong.
        source: rustls::pki_types::pem::Error,
    },
    /// No certificate of this system can be used.
    #[error(
        "no trusted certificates on this system: {0}; name a PEM file in \
         OTEL_EXPORTER_OTLP_CERTIFICATE or SSL_CERT_FILE"
    )]
    NoRoots(io::Error),
    /// rustls refuses the certificates.
    #[error("the certificates for the OTLP receiver cannot be used: {0}")]
    Refused(#[from] rustls::Error),
}

/// Whether a request failed because of TLS: the certificates, or what the two ends can speak, are
/// the same at the next attempt. That a connection broke off in the middle is not among it.
pub(super) fn refused(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        // An io::Error is not the source of what it carries, it passes on that one's source.
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

/// What is needed to speak TLS, with no application protocol set yet.
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

/// What stands in where the receiver is spoken to in the clear.
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
