//! Whom a connection trusts: what this machine trusts, or one file.
//!
//! The machine's own store, and not a list built into the binary: whoever runs the machine decides whom it trusts (and may
//! have an authority of their own), and a withdrawn authority goes with the system's updates, not with ours.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use crate::SettingsError;

/// More than any bundle of certificates: a larger file is the wrong file.
const MAX_BYTES: u64 = 4 << 20;

/// What makes TLS connections, trusting the authorities in the PEM file `ca`, or this machine's.
///
/// # Errors
/// Why there is nobody to trust.
pub(super) fn connector(ca: Option<&Path>) -> Result<TlsConnector, SettingsError> {
    let wrong = |why: String| SettingsError { field: "ca", why };
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            for certificate in certificates(path).map_err(wrong)? {
                roots.add(certificate).map_err(|error| wrong(format!("{}: {error}", path.display())))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(wrong("this machine has no store of trusted authorities; name a PEM file".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |why: String| format!("{}: {why}", path.display());
    let length = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if length > MAX_BYTES {
        return Err(wrong(format!("certificates have at most {MAX_BYTES} bytes, this file has {length}")));
    }
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(wrong("there is no certificate in PEM form in it".to_owned())),
        Err(error) => Err(wrong(error.to_string())),
    }
}
