//! A PD that speaks TLS and asks who is calling, and certificates that one side or the other does not accept.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use operator_protocols::ComponentState::{Unknown, Up};
use operator_protocols::{GroupId, Locus, Value, Verdict};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::ring::default_provider};

use crate::http_server::{Reply, Request, serve};
use crate::player::{at, lines};
use crate::scene::{SUBJECT, Scene, Seen};

/// An authority, and what it signs.
struct Authority {
    name: &'static str,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &'static str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        Self { name, issuer: CertifiedIssuer::self_signed(params, key).expect("an authority") }
    }

    /// A certificate for `host` and its key.
    fn sign(&self, host: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![host.to_owned()]).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, format!("{host} by {}", self.name));
        (params.signed_by(&key, &self.issuer).expect("a certificate"), key)
    }
}

/// A PD whose certificate, for `host`, is signed by `own`, and that accepts callers whose certificate `callers` signed.
async fn pd(own: &Authority, host: &str, callers: &Authority) -> String {
    let (certificate, key) = own.sign(host);
    let mut roots = RootCertStore::empty();
    roots.add(callers.issuer.der().clone()).expect("an authority");
    let provider = Arc::new(default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.build().expect("a verifier"))
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .expect("a certificate and its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("https://localhost:{}", listener.local_addr().expect("bound").port());
    let (recorded, of_pd) = (lines("sim-healthy"), url.clone());
    let handler = Arc::new(move |request: &Request| {
        let Some(line) = recorded.iter().find(|line| line.path == request.path) else {
            return Reply::Text(404, "404 page not found\n".to_owned());
        };
        let text = line.body.to_string().replace("http://127.0.0.1:2379", &of_pd);
        Reply::Json(line.status, serde_json::from_str(&text).expect("JSON"))
    });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, handler) = (acceptor.clone(), handler.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, handler, Arc::new(Mutex::default())).await;
                }
            });
        }
    });
    url
}

/// Files with the certificates of a subject that trusts `trusted` and is itself signed by `own`, if by anybody.
struct Files {
    folder: TempDir,
    settings: Vec<(&'static str, Value)>,
}

impl Files {
    fn new(trusted: &Authority, own: Option<&Authority>) -> Self {
        let mut files = Self { folder: tempfile::tempdir().expect("a folder"), settings: Vec::new() };
        files.add("ca_file", &trusted.issuer.pem());
        if let Some(own) = own {
            let (certificate, key) = own.sign("operator");
            files.add("cert_file", &certificate.pem());
            files.add("key_file", &key.serialize_pem());
        }
        files
    }

    fn add(&mut self, setting: &'static str, content: &str) {
        let path: PathBuf = self.folder.path().join(setting);
        std::fs::write(&path, content).expect("written");
        self.settings.push((setting, Value::from(path.display().to_string())));
    }

    async fn look(&self, url: &str) -> Seen {
        let mut settings = self.settings.clone();
        settings.extend([("pd", Value::from(vec![url])), ("seed_only", Value::from(true))]);
        let instant = at(lines("sim-healthy").last().expect("lines").t);
        Scene::with(&settings).look(instant).await
    }
}

fn refused(seen: &Seen, why: &str) {
    assert!(seen.unavailable("PD's leader").contains("no TLS with"), "{}", seen.unavailable("PD's leader"));
    assert!(seen.unavailable("PD's leader").contains(why), "{}", seen.unavailable("PD's leader"));
    let [member] = &seen.observation.components[..] else { panic!("{:?}", seen.observation.components) };
    assert_eq!((member.state, member.raw_state.as_str()), (Unknown, "no TLS with it"));
    let all = Locus::Group(GroupId::new(SUBJECT, "pd"));
    assert!(matches!(seen.verdict("pd_no_leader", &all), Verdict::Unknown(_)), "that says nothing of PD");
}

#[tokio::test]
async fn with_the_right_certificates_on_both_sides_pd_is_seen() {
    let authority = Authority::new("ours");
    let url = pd(&authority, "localhost", &authority).await;
    let seen = Files::new(&authority, Some(&authority)).look(&url).await;
    assert_eq!(seen.detail("cluster.answers"), Value::from(true), "{:?}", seen.observation.unavailable);
    assert_eq!(seen.stores().len(), 5);
    assert_eq!(seen.state("pd1"), Up);
    assert_eq!(seen.detail("members.pd1.answers"), Value::from(true), "it was asked itself");
}

#[tokio::test]
async fn certificates_that_one_side_does_not_accept_are_told_as_that_and_not_as_a_pd_that_is_down() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let url = pd(&ours, "localhost", &ours).await;
    refused(&Files::new(&theirs, Some(&ours)).look(&url).await, "UnknownIssuer");
    refused(&Files::new(&ours, None).look(&url).await, "ertificate");
    refused(&Files::new(&ours, Some(&theirs)).look(&url).await, "alert");
    let other_name = pd(&ours, "pd-0.example", &ours).await;
    refused(&Files::new(&ours, Some(&ours)).look(&other_name).await, "not valid for name");
}
