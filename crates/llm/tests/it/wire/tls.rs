//! Whom a connection trusts.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use operator_llm::{ProviderError, ProviderSettings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::{self, ServerConfig};

use super::{FORMATS, Format, plain, send, whole_settings, words};

/// A server with a certificate for `localhost`, and its authority as a PEM file.
async fn secure(format: Format) -> (u16, tempfile::NamedTempFile) {
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let server = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let certificate = server.signed_by(&key, &authority).expect("a certificate");
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(authority.pem().as_bytes()).expect("it can be written");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .expect("a configuration");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let body = format.whole("over TLS");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut bytes = [0; 16 << 10];
            let _ = stream.read(&mut bytes).await;
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, file)
}

fn at(host: &str, port: u16, ca: Option<PathBuf>) -> ProviderSettings {
    ProviderSettings { ca, ..whole_settings(&format!("https://{host}:{port}")) }
}

#[tokio::test]
async fn only_a_certificate_of_a_trusted_authority_for_that_name_is_spoken_to() {
    for format in FORMATS {
        let (port, ca) = secure(format).await;
        let trusting = format.provider(&at("localhost", port, Some(ca.path().to_owned())));
        assert_eq!(words(&send(&*trusting, &plain()).await.expect("an answer")), "over TLS");
        let other_name = format.provider(&at("127.0.0.1", port, Some(ca.path().to_owned())));
        let (_, stranger) = secure(format).await;
        let other_authority = format.provider(&at("localhost", port, Some(stranger.path().to_owned())));
        for provider in [other_name, other_authority] {
            let failure = send(&*provider, &plain()).await.expect_err("not to be trusted");
            assert!(matches!(&failure.error, ProviderError::Lost { why } if why.contains("no TLS with")), "{failure}");
        }
    }
}

#[tokio::test]
async fn the_authorities_of_this_machine_do_not_vouch_for_a_stranger() {
    for format in FORMATS {
        let (port, _) = secure(format).await;
        let settings = at("localhost", port, None);
        // A machine without any authorities says so when the provider is made.
        let made = match format {
            Format::Messages => {
                operator_llm::Anthropic::new(&settings).map(|made| Box::new(made) as Box<dyn operator_llm::Provider>)
            }
            Format::Chat => operator_llm::OpenAiCompatible::new(&settings).map(|made| Box::new(made) as _),
        };
        match made {
            Ok(provider) => {
                let failure = send(&*provider, &plain()).await.expect_err("not to be trusted");
                assert!(matches!(failure.error, ProviderError::Lost { .. }), "{failure}");
            }
            Err(refused) => assert_eq!(refused.field, "ca"),
        }
    }
}

#[test]
fn a_file_without_certificates_is_refused_when_the_provider_is_made() {
    let empty = tempfile::NamedTempFile::new().expect("a file");
    for path in [empty.path().to_owned(), "/nowhere/at/all.pem".into()] {
        let refused = operator_llm::OpenAiCompatible::new(&at("localhost", 1, Some(path))).expect_err("no authority");
        assert_eq!(refused.field, "ca");
    }
}
