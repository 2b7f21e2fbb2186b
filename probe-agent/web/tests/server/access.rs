//! Who may ask: the bearer token, and client certificates.

use std::{fs, io::Read as _, io::Write as _, path::Path, sync::Arc, time::Duration};

use probe_agent_web::{Access, Limits, Server, TlsFiles, Token};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::support::{ask, connect, read, start_with};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn token() -> Access {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    Access { token: Some(Token::from_file(file.path()).unwrap()), ..Access::default() }
}

#[test]
fn without_the_token_nothing_but_the_open_pages_is_answered() {
    let server = start_with(token(), Limits::default());
    let get = |path: &str, field: &str| {
        ask(&server, &format!("GET {path} HTTP/1.1\r\nHost: a\r\n{field}Connection: close\r\n\r\n"))
    };
    for wrong in [
        String::new(),
        "Authorization: Bearer\r\n".to_owned(),
        "Authorization: Bearer 0123456789abcdef0123456789abcdeF\r\n".to_owned(),
        format!("Authorization: Basic {TOKEN}\r\n"),
        format!("X-Token: {TOKEN}\r\n"),
    ] {
        // A path that is not there looks like one that is.
        for path in ["/hello", "/nothing", "/"] {
            let answer = get(path, &wrong);
            assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{wrong}: {answer}");
            assert!(answer.contains("\r\nwww-authenticate: Bearer\r\n"), "{answer}");
        }
        assert!(get("/open", &wrong).ends_with("unknown"));
    }
    let right = format!("Authorization: Bearer {TOKEN}\r\n");
    assert!(get("/hello", &right).ends_with("hello\n"));
    assert!(get("/open", &right).ends_with("\r\n\r\nknown"));
    assert!(get("/nothing", &right).starts_with("HTTP/1.1 404"));
}

#[test]
fn a_page_of_another_site_is_not_answered_and_a_link_on_it_is() {
    let server = start_with(Access::default(), Limits::default());
    for (site, dest, status) in [
        ("cross-site", "empty", "403"),
        ("cross-site", "iframe", "403"),
        ("same-site", "image", "403"),
        ("cross-site", "document", "200"),
        ("same-origin", "empty", "200"),
        ("none", "document", "200"),
    ] {
        let fields = format!("Sec-Fetch-Site: {site}\r\nSec-Fetch-Dest: {dest}\r\n");
        let head = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
        let answer = ask(&server, &format!("{head}{fields}\r\n"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{site}: {answer}");
    }
}

/// A certificate authority, and what it has signed, as PEM files in a directory.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self { issuer: CertifiedIssuer::self_signed(params, key).unwrap() }
    }

    /// Writes `name.pem` and `name.key`.
    fn sign(&self, directory: &Path, name: &str) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(directory.join(format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(directory.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

/// The answer over TLS; an error if the server or the client refuses the other.
fn ask_tls(server: &Server, directory: &Path, identity: Option<&str>) -> std::io::Result<String> {
    let file = |name: &str, end: &str| directory.join(format!("{name}.{end}"));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(file("ca", "pem")).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(name) => {
            let certificate = CertificateDer::from_pem_file(file(name, "pem")).unwrap();
            let key = PrivateKeyDer::from_pem_file(file(name, "key")).unwrap();
            builder.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    };
    let name = "localhost".try_into().unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, connect(server));
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn only_a_client_with_a_certificate_of_the_right_authority_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let (ours, theirs) = (Authority::new(), Authority::new());
    fs::write(directory.path().join("ca.pem"), ours.issuer.pem()).unwrap();
    ours.sign(directory.path(), "server");
    ours.sign(directory.path(), "client");
    theirs.sign(directory.path(), "stranger");
    let path = |name: &str| directory.path().join(name);
    let tls =
        |clients| TlsFiles { certificate: path("server.pem"), key: path("server.key"), clients };
    let access = Access { tls: Some(tls(Some(path("ca.pem")))), ..Access::default() };
    let server = start_with(access, Limits::default());
    let answer = ask_tls(&server, directory.path(), Some("client")).unwrap();
    assert!(answer.ends_with("hello\n"), "{answer}");
    assert!(ask_tls(&server, directory.path(), None).is_err());
    assert!(ask_tls(&server, directory.path(), Some("stranger")).is_err());
    // A client that begins no handshake is cut off as one that sends no head.
    let limits = Limits { head_time: Duration::from_millis(200), ..Limits::default() };
    let access = Access { tls: Some(tls(Some(path("ca.pem")))), ..Access::default() };
    assert_eq!(read(connect(&start_with(access, limits))), "");
    // Without TLS, nothing comes back that looks like an answer.
    let answer = ask(&server, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(!answer.contains("HTTP/1.1"), "{answer}");
    // With TLS alone, the token decides.
    let access = Access { tls: Some(tls(None)), ..token() };
    let server = start_with(access, Limits::default());
    let answer = ask_tls(&server, directory.path(), None).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}
