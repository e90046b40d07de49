//! The certificates of a client: whom it trusts, and who it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// More than any bundle of certificates: a larger file is the wrong file.
const MAX_BYTES: u64 = 4 << 20;

/// PEM files for TLS. Without an authority of its own a client trusts nobody: there are no built-in ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificates of the authorities that sign servers' certificates.
    pub ca: PathBuf,
    /// The client's certificate chain and its private key, for servers that ask who is calling.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Which file is wrong, and why. The content of a key is never shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct TlsError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

impl TlsFiles {
    /// Reads the files into what connections are made with.
    pub(super) fn read(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let wrong = |path: &Path, why: String| TlsError { path: path.to_owned(), why };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&self.ca)? {
            roots.add(certificate).map_err(|error| wrong(&self.ca, error.to_string()))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(&self.ca, error.to_string()))?
            .with_root_certificates(roots);
        let mut config = match &self.identity {
            None => config.with_no_client_auth(),
            Some((chain, key)) => {
                let pem = content(key)?;
                // The cause is left out: it might show part of the key.
                let private = PrivateKeyDer::from_pem_slice(&pem)
                    .map_err(|_| wrong(key, "there is no private key in PEM form in it".to_owned()))?;
                config
                    .with_client_auth_cert(certificates(chain)?, private)
                    .map_err(|error| wrong(key, format!("it does not go with the certificate: {error}")))?
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn content(path: &Path) -> Result<Vec<u8>, TlsError> {
    let wrong = |why: String| TlsError { path: path.to_owned(), why };
    let length = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if length > MAX_BYTES {
        return Err(wrong(format!("certificates have at most {MAX_BYTES} bytes, this file has {length}")));
    }
    std::fs::read(path).map_err(|error| wrong(error.to_string()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = content(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(TlsError { path: path.to_owned(), why: "there is no certificate in PEM form in it".to_owned() }),
        Err(error) => Err(TlsError { path: path.to_owned(), why: error.to_string() }),
    }
}
