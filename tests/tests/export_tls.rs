//! OTLP over TLS: which certificates the agent trusts, and which one it presents.

use explain::ExplainedProbe;
use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use model::record::ProbeId;
use model::spans::SpanCounts;
use otlp::Exporter;
use probe_agent_tests::{
    otlp::{Lines, config, exporter, resource},
    receiver::{Receiver, Reply},
    sample,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
};

const ENOUGH: Duration = Duration::from_secs(60);

/// A certificate authority with the PEM files of a client. Dropping it removes the files.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: PathBuf,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let directory =
            std::env::temp_dir().join(format!("probe-agent-{}-{name}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let authority = Self { issuer, directory };
        let (certificate, key) = authority.issue("client");
        fs::write(authority.path("ca.pem"), authority.issuer.pem()).unwrap();
        fs::write(authority.path("client.pem"), certificate.pem()).unwrap();
        fs::write(authority.path("client.key"), key.serialize_pem()).unwrap();
        authority
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn path(&self, file: &str) -> String {
        self.directory.join(file).to_str().unwrap().to_owned()
    }

    /// The configuration of a server named `localhost`, which may require clients of this authority.
    fn server(&self, asks_for_client: bool) -> ServerConfig {
        let (certificate, key) = self.issue("localhost");
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if asks_for_client {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from(self.issuer.der().to_vec())).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn send(receiver: &Receiver, protocol: &str, env: &[(&str, &str)]) -> (SpanCounts, Lines) {
    let url = format!("https://localhost:{}", receiver.address().port());
    let flags = ["--otlp-endpoint", &url, "--otlp-protocol", protocol, "--otlp-timeout", "1h"];
    let (exporter, lines) = exporter(config(&flags, env).unwrap().unwrap());
    exporter.offer(ExplainedProbe {
        expected: true,
        ..sample::clean(ProbeId { slot: 0, generation: 1 })
    });
    (exporter.finish(ENOUGH), lines)
}

#[test]
fn the_given_authority_is_trusted_and_the_client_presents_its_certificate() {
    let authority = Authority::new("mutual");
    let (ca, client, key) =
        (authority.path("ca.pem"), authority.path("client.pem"), authority.path("client.key"));
    let env = [
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", &*ca),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", &*client),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", &*key),
    ];
    for protocol in ["grpc", "http/protobuf"] {
        for asks in [false, true] {
            let receiver = Receiver::start_tls(authority.server(asks), |_| Reply::Take);
            let (counts, lines) = send(&receiver, protocol, &env);
            assert_eq!(counts.accepted, 1, "{protocol} {asks}: {lines:?}");
            assert_eq!(receiver.spans().len(), 1);
        }
    }
}

#[test]
fn a_receiver_of_another_authority_gets_nothing_and_the_message_gives_the_reason() {
    let (right, wrong) = (Authority::new("right"), Authority::new("wrong"));
    let ca = wrong.path("ca.pem");
    let env = [("OTEL_EXPORTER_OTLP_CERTIFICATE", &*ca)];
    for protocol in ["grpc", "http/protobuf"] {
        let receiver = Receiver::start_tls(right.server(false), |_| Reply::Take);
        let (counts, lines) = send(&receiver, protocol, &env);
        // Reported at once: the next attempt would meet the same receiver.
        assert_eq!((counts.accepted, counts.rejected), (0, 1));
        assert!(lines.get()[0].contains("invalid peer certificate"), "{lines:?}");
        assert!(receiver.received().is_empty());
    }
}

#[test]
fn a_certificate_that_cannot_be_read_is_an_error_at_the_start() {
    let env = [("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such/ca.pem")];
    let config = config(&["--otlp-endpoint", "https://localhost"], &env).unwrap().unwrap();
    let error = Exporter::start(
        config,
        resource(),
        sample::targets(),
        sample::CLOCK,
        |_: &otlp::Notice<'_>| {},
    )
    .unwrap_err()
    .to_string();
    let start = "cannot read the trusted certificates from /no/such/ca.pem: ";
    assert!(error.starts_with(start), "{error}");
    assert!(error.contains("OTEL_EXPORTER_OTLP_CERTIFICATE"), "{error}");
}
