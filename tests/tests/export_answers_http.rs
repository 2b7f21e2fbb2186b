//! What becomes of a batch after each answer that a server can give over HTTP, down to the byte: how its spans
//! are counted, and how often it is sent.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use explain::ExplainedProbe;
use flate2::{Compression, write::GzEncoder};
use model::{record::ProbeId, spans::SpanCounts};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use otlp::Exporter;
use probe_agent_tests::{
    otlp::{Lines, config, exporter},
    sample,
};
use prost::Message;

/// Far more than anything here takes.
const ENOUGH: Duration = Duration::from_secs(60);

/// A server that reads whole requests and answers with bytes.
struct Server {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

/// What the server does after it has written an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    KeepOpen,
    Close,
}

impl Server {
    /// `answer` answers the nth request, from 0.
    fn start(answer: impl Fn(usize) -> (Vec<u8>, Then) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<AtomicUsize>::default();
        let (counted, answer) = (Arc::clone(&requests), Arc::new(answer));
        // Ends with the test.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (counted, answer) = (Arc::clone(&counted), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &counted, &*answer));
            }
        });
        Self { address, requests }
    }

    fn exporter(&self, timeout: &str) -> (Exporter, Lines) {
        let url = format!("http://{}", self.address);
        let flags = ["--otlp-endpoint", &url, "--otlp-timeout", timeout];
        exporter(config(&flags, &[]).unwrap().unwrap())
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

/// Serves the requests of a connection until either side closes it.
fn serve(stream: TcpStream, counted: &AtomicUsize, answer: &dyn Fn(usize) -> (Vec<u8>, Then)) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(length) = read_head(&mut reader) {
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let (bytes, then) = answer(counted.fetch_add(1, Ordering::Relaxed));
        // The client may have read enough.
        let _ = (&stream).write_all(&bytes);
        if then == Then::Close {
            return;
        }
    }
}

/// Reads the head of a request, and returns the length of its body; `None` at the end.
fn read_head(reader: &mut impl BufRead) -> Option<usize> {
    let mut length = None;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok();
        }
        if line == "\r\n" {
            return length;
        }
    }
}

fn offer(exporter: &Exporter, spans: u32) {
    for generation in 1..=spans {
        let probe = sample::clean(ProbeId { slot: 0, generation });
        exporter.offer(ExplainedProbe { expected: true, ..probe });
    }
}

const fn counts(accepted: u64, rejected: u64) -> SpanCounts {
    SpanCounts { accepted, rejected, dropped: 0 }
}

/// An answer with a text body, of which `sent` bytes are sent.
fn text(status: &str, length: usize, sent: usize) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.into_bytes(), vec![b'x'; sent]].concat()
}

const TAKEN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const LONG: usize = 10 * 1024 * 1024;

/// Delivers 10 spans to a server that gives this answer first and takes everything after it. Returns the
/// counts, the number of requests, and the lines that were reported.
fn after(first: Vec<u8>, then: Then) -> (SpanCounts, usize, Vec<String>) {
    let server = Server::start(move |n| match n {
        0 => (first.clone(), then),
        _ => (TAKEN.to_vec(), Then::KeepOpen),
    });
    let (exporter, lines) = server.exporter("30s");
    offer(&exporter, 10);
    (exporter.finish(ENOUGH), server.requests(), lines.get())
}

#[test]
fn a_failure_is_final_whatever_its_body_does() {
    for status in
        ["400 Bad Request", "404 Not Found", "500 Internal Server Error", "501 Not Implemented"]
    {
        for (body, then) in [
            (text(status, LONG, LONG), Then::KeepOpen),
            (text(status, LONG, 100), Then::Close),
            (text(status, LONG, 0), Then::Close),
            (text(status, 100, 50), Then::KeepOpen),
            (text(status, 0, 0), Then::Close),
        ] {
            let (counted, requests, lines) = after(body, then);
            assert_eq!((counted, requests), (counts(0, 10), 1), "{status} {then:?}: {lines:?}");
            let start = format!("): {status}");
            assert!(lines.len() == 1 && lines[0].contains(&start), "{lines:?}");
            assert!(lines[0].len() < 400, "a long body is not repeated: {}", lines[0].len());
        }
    }
}

#[test]
fn a_success_counts_as_delivered_whatever_its_body_does() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\nabc";
    for (body, then) in [
        (text("200 OK", 100, 50), Then::Close),
        (text("202 Accepted", 100, 50), Then::KeepOpen),
        (text("200 OK", LONG, LONG), Then::KeepOpen),
        (chunked.into(), Then::Close),
    ] {
        let (counted, requests, lines) = after(body, then);
        assert_eq!((counted, requests), (counts(10, 0), 1), "{then:?}: {lines:?}");
        let remark = "accepted the spans and reports: its answer broke off or is too long";
        assert!(lines.len() == 1 && lines[0].contains(remark), "{lines:?}");
    }
}

#[test]
fn a_retryable_failure_is_retried_whatever_its_body_does() {
    for status in [
        "429 Too Many Requests",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
    ] {
        for (body, then) in
            [(text(status, LONG, LONG), Then::KeepOpen), (text(status, 100, 50), Then::Close)]
        {
            let (counted, requests, lines) = after(body, then);
            assert_eq!((counted, requests), (counts(10, 0), 2), "{status}: {lines:?}");
        }
    }
}

#[test]
fn a_request_is_sent_again_only_if_no_byte_of_an_answer_came() {
    let mut many = "HTTP/1.1 200 OK\r\n".to_owned();
    for n in 0..500 {
        write!(many, "x-header-{n}: {}\r\n", "x".repeat(1000)).unwrap();
    }
    for (answer, requests) in [
        (String::new(), 2),
        ("H".to_owned(), 1),
        ("HTTP/1.1 200 OK\r\nconte".to_owned(), 1),
        ("SSH-2.0-OpenSSH_9.6\r\n".to_owned(), 1),
        (many + "\r\n", 1),
    ] {
        let begin = answer.chars().take(20).collect::<String>();
        let (counted, sent, lines) = after(answer.into_bytes(), Then::Close);
        let expected = if requests == 2 { counts(10, 0) } else { counts(0, 10) };
        assert_eq!((counted, sent), (expected, requests), "{begin:?}: {lines:?}");
        if requests == 1 {
            assert!(lines[0].contains("it may have accepted them"), "{lines:?}");
        }
    }
}

#[test]
fn an_answer_may_have_hundreds_of_headers() {
    let mut answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n".to_owned();
    for n in 0..500 {
        write!(answer, "x-header-{n}: x\r\n").unwrap();
    }
    let (counted, requests, lines) = after((answer + "\r\n").into_bytes(), Then::KeepOpen);
    assert_eq!((counted, requests, lines.len()), (counts(10, 0), 1, 0), "{lines:?}");
}

#[test]
fn a_connection_that_is_closed_between_requests_costs_nothing() {
    // The server closes each connection after its answer, without announcing that.
    let server = Server::start(|_| (TAKEN.to_vec(), Then::Close));
    let (exporter, lines) = server.exporter("30s");
    offer(&exporter, 5 * 512);
    assert_eq!(exporter.finish(ENOUGH), counts(5 * 512, 0), "{lines:?}");
    assert_eq!((server.requests(), lines.get().len()), (5, 0), "{lines:?}");
}

#[test]
fn an_answer_of_http_1_0_ends_with_its_connection() {
    for answer in
        ["HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\nOK"]
    {
        let (counted, requests, lines) = after(answer.into(), Then::Close);
        assert_eq!((counted, requests, lines.len()), (counts(10, 0), 1, 0), "{lines:?}");
    }
}

#[test]
fn a_redirect_is_final_and_reported_without_its_query() {
    for status in ["301 Moved Permanently", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = "https://me:secret@other.example/v1/traces?token=secret";
        let answer =
            format!("HTTP/1.1 {status}\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let (counted, requests, lines) = after(answer.into(), Then::KeepOpen);
        assert_eq!((counted, requests), (counts(0, 10), 1));
        assert!(
            lines[0].contains(status) && lines[0].contains("redirects are not followed"),
            "{lines:?}"
        );
        assert!(!lines[0].contains("secret"), "{lines:?}");
    }
}

#[test]
fn a_compressed_partial_success_is_read() {
    let partial = ExportTracePartialSuccess { rejected_spans: 3, error_message: "too old".into() };
    let message = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&message).unwrap();
    let body = gzip.finish().unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-encoding: gzip\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let (counted, requests, lines) = after([head.into_bytes(), body].concat(), Then::KeepOpen);
    assert_eq!((counted, requests), (counts(7, 3), 1), "{lines:?}");
    assert!(lines[0].ends_with("): too old"), "{lines:?}");
}

#[test]
fn a_collector_that_repeats_a_secret_does_not_get_it_printed() {
    let server = Server::start(|_| {
        let body = "no such page: /v1/traces?token=se%20cret, se cret, Bearer sesame, sesame";
        let answer =
            format!("HTTP/1.1 404 Not Found\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        (answer.into_bytes(), Then::KeepOpen)
    });
    let url = format!("http://{}/?token=se%20cret", server.address);
    let flags = ["--otlp-endpoint", &url];
    let env = [("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20sesame")];
    let (exporter, lines) = exporter(config(&flags, &env).unwrap().unwrap());
    offer(&exporter, 1);
    assert_eq!(exporter.finish(ENOUGH), counts(0, 1));
    let [line] = &lines.get()[..] else { panic!("one line: {lines:?}") };
    assert!(line.contains("no such page: /v1/traces?***, ***, ***, ***"), "{line}");
}

#[test]
fn a_slow_collector_gets_every_span_once() {
    let server = Server::start(|_| {
        // The slowness is what is tested.
        thread::sleep(Duration::from_millis(20));
        (TAKEN.to_vec(), Then::KeepOpen)
    });
    let (exporter, lines) = server.exporter("30s");
    offer(&exporter, 20 * 512);
    assert_eq!(exporter.finish(ENOUGH), counts(20 * 512, 0), "{lines:?}");
    assert_eq!(server.requests(), 20, "{lines:?}");
}
