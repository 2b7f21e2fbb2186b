//! The way to a collector through an HTTP proxy.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use explain::ExplainedProbe;
use model::{record::ProbeId, spans::SpanCounts};
use probe_agent_tests::{
    otlp::{config, exporter},
    receiver::{Receiver, Reply},
    sample,
};

/// Far more than anything here takes.
const ENOUGH: Duration = Duration::from_secs(60);

/// A name that no server resolves: only the proxy knows it.
const COLLECTOR: &str = "collector.invalid";

/// A proxy that connects every tunnel to one server, and answers forwarded requests itself.
struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(server: SocketAddr, answer: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&heads);
        // Ends with the test.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                thread::spawn(move || serve(&stream, server, answer, &kept));
            }
        });
        Self { address, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn serve(client: &TcpStream, server: SocketAddr, answer: &str, heads: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap() == 0 {
            return;
        }
    }
    let tunnel = head.starts_with("CONNECT ");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    heads.lock().unwrap().push(head);
    let mut body = vec![0; length.unwrap_or_default()];
    reader.read_exact(&mut body).unwrap();
    (&*client).write_all(answer.as_bytes()).unwrap();
    if tunnel && answer.contains(" 200 ") {
        let server = TcpStream::connect(server).unwrap();
        let (mut from_server, mut to_server) = (server.try_clone().unwrap(), server);
        let mut to_client = client.try_clone().unwrap();
        thread::spawn(move || std::io::copy(&mut from_server, &mut to_client));
        let _ = std::io::copy(&mut reader, &mut to_server);
    }
}

/// Sends one span through a proxy with credentials. Returns the counts and the lines that were reported.
fn send(url: &str, protocol: &str, variable: &str, proxy: &Proxy) -> (SpanCounts, Vec<String>) {
    let flags = ["--otlp-endpoint", url, "--otlp-protocol", protocol, "--otlp-timeout", "1s"];
    let address = format!("http://me:secret@{}", proxy.address);
    let config = config(&flags, &[(variable, &address)]).unwrap().unwrap();
    let (exporter, lines) = exporter(config);
    let probe = sample::clean(ProbeId { slot: 0, generation: 1 });
    exporter.offer(ExplainedProbe { expected: true, ..probe });
    (exporter.finish(ENOUGH), lines.get())
}

const TAKEN: SpanCounts = SpanCounts { accepted: 1, rejected: 0, dropped: 0 };
const LOST: SpanCounts = SpanCounts { accepted: 0, rejected: 1, dropped: 0 };

/// `me:secret`
const CREDENTIALS: &str = "proxy-authorization: basic bwu6c2vjcmv0";

#[test]
fn a_plain_request_is_forwarded() {
    let receiver = Receiver::start(|_| Reply::Take);
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let proxy = Proxy::start(receiver.address(), answer);
    let url = format!("http://{COLLECTOR}:4318/?k=v");
    let (counted, lines) = send(&url, "http/protobuf", "HTTP_PROXY", &proxy);
    assert_eq!(counted, TAKEN, "{lines:?}");
    let [head] = &proxy.heads()[..] else { panic!("one request") };
    let first = format!("POST http://{COLLECTOR}:4318/v1/traces?k=v HTTP/1.1\r\n");
    assert!(head.starts_with(&first), "{head}");
    assert!(head.to_lowercase().contains(CREDENTIALS), "{head}");
}

#[test]
fn everything_else_goes_through_a_tunnel() {
    let receiver = Receiver::start(|_| Reply::Take);
    let proxy = Proxy::start(receiver.address(), "HTTP/1.1 200 Connection established\r\n\r\n");
    for (url, port) in
        [(format!("http://{COLLECTOR}:4317"), 4317), (format!("http://{COLLECTOR}"), 80)]
    {
        let (counted, lines) = send(&url, "grpc", "http_proxy", &proxy);
        assert_eq!(counted, TAKEN, "{lines:?}");
        let head = proxy.heads().pop().unwrap();
        assert!(head.starts_with(&format!("CONNECT {COLLECTOR}:{port} HTTP/1.1\r\n")), "{head}");
        assert!(head.to_lowercase().contains(CREDENTIALS), "{head}");
    }
    assert_eq!(receiver.spans().len(), 2);
    let received = receiver.received();
    assert!(!received[0].headers.contains_key("proxy-authorization"), "it is for the proxy alone");
}

#[test]
fn a_proxy_that_refuses_is_named_without_its_credentials() {
    let receiver = Receiver::start(|_| Reply::Take);
    let refused = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
    let proxy = Proxy::start(receiver.address(), refused);
    for (url, protocol, variable) in [
        (format!("https://{COLLECTOR}"), "http/protobuf", "HTTPS_PROXY"),
        (format!("http://{COLLECTOR}"), "grpc", "ALL_PROXY"),
        (format!("http://{COLLECTOR}"), "http/protobuf", "HTTP_PROXY"),
    ] {
        let (counted, lines) = send(&url, protocol, variable, &proxy);
        assert_eq!(counted, LOST);
        let named = format!("through the proxy http://{}/", proxy.address);
        assert!(lines[0].contains(&named), "{lines:?}");
        assert!(lines[0].contains("407 Proxy Authentication Required"), "{lines:?}");
        assert!(!lines[0].contains("secret"), "{lines:?}");
    }
    assert!(receiver.received().is_empty());
}
