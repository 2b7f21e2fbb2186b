//! What becomes of a batch after each answer that a server can give over gRPC, frame by frame: how its spans are
//! counted, and how often it is sent.

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use bytes::Bytes;
use explain::ExplainedProbe;
use flate2::{Compression, write::GzEncoder};
use h2::{Reason, server::SendResponse};
use http::{HeaderMap, HeaderValue, Response};
use model::{record::ProbeId, spans::SpanCounts};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use probe_agent_tests::{
    otlp::{config, exporter},
    sample,
};
use prost::Message;
use tokio::net::{TcpListener, TcpStream};

/// Far more than anything here takes.
const ENOUGH: Duration = Duration::from_secs(60);

const LONG: usize = 10 * 1024 * 1024;

/// Answers one request; what it returns is kept, so that a stream can be left open.
type Answer = fn(&mut SendResponse<Bytes>) -> Option<h2::SendStream<Bytes>>;

/// Starts a server that gives this answer to the first request and takes everything after it. Returns the
/// number of requests so far.
fn start(first: Answer) -> (SocketAddr, Arc<AtomicUsize>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&requests);
    // Ends with the test.
    thread::spawn(move || {
        runtime.block_on(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&counted), first));
            }
        });
    });
    (address, requests)
}

async fn serve(stream: TcpStream, counted: Arc<AtomicUsize>, first: Answer) {
    // A client that goes away is no failure of the server.
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let counted = Arc::clone(&counted);
        tokio::spawn(async move {
            let mut body = request.into_body();
            while let Some(Ok(data)) = body.data().await {
                let _ = body.flow_control().release_capacity(data.len());
            }
            let answer = if counted.fetch_add(1, Ordering::Relaxed) == 0 { first } else { taken };
            let _open = answer(&mut respond);
            std::future::pending::<()>().await;
        });
    }
}

fn head(pairs: &[(&'static str, &str)]) -> Response<()> {
    let mut response = Response::new(());
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    for (name, value) in pairs {
        response.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
    }
    response
}

fn trailers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut trailers = head(pairs).headers().clone();
    trailers.remove("content-type");
    trailers
}

fn framed(flag: u8, message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[flag][..], &length, message].concat().into()
}

/// A head, and the stream for what follows.
fn begin(respond: &mut SendResponse<Bytes>) -> h2::SendStream<Bytes> {
    respond.send_response(head(&[]), false).unwrap()
}

/// A head, a message and a status.
fn complete(respond: &mut SendResponse<Bytes>, message: Bytes, status: &str) {
    let mut stream = begin(respond);
    stream.send_data(message, false).unwrap();
    stream.send_trailers(trailers(&[("grpc-status", status)])).unwrap();
}

/// Resets a stream after what was sent on it has left: the connection's task writes between two turns of this
/// one.
fn reset(mut stream: h2::SendStream<Bytes>, reason: Reason) {
    tokio::spawn(async move {
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        stream.send_reset(reason);
    });
}

/// A status in the head.
fn alone(respond: &mut SendResponse<Bytes>, pairs: &[(&'static str, &str)]) {
    respond.send_response(head(pairs), true).unwrap();
}

fn taken(respond: &mut SendResponse<Bytes>) -> Option<h2::SendStream<Bytes>> {
    complete(respond, framed(0, &[]), "0");
    None
}

fn partial() -> Vec<u8> {
    let partial = ExportTracePartialSuccess { rejected_spans: 3, error_message: "too old".into() };
    ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec()
}

/// Delivers 10 spans to a server that answers like this first. Returns accepted spans, requests and the lines
/// that were reported.
fn after(first: Answer) -> (u64, usize, Vec<String>) {
    let (address, requests) = start(first);
    let url = format!("http://{address}");
    let flags = ["--otlp-endpoint", &url, "--otlp-protocol", "grpc", "--otlp-timeout", "30s"];
    let (exporter, lines) = exporter(config(&flags, &[]).unwrap().unwrap());
    for generation in 1..=10 {
        let probe = sample::clean(ProbeId { slot: 0, generation });
        exporter.offer(ExplainedProbe { expected: true, ..probe });
    }
    let SpanCounts { accepted, rejected, dropped } = exporter.finish(ENOUGH);
    assert_eq!((accepted + rejected, dropped), (10, 0), "{lines:?}");
    (accepted, requests.load(Ordering::Relaxed), lines.get())
}

fn check(table: &[(&str, Answer, u64, usize, &str)]) {
    for (name, first, accepted, requests, line) in table {
        let (taken, sent, lines) = after(*first);
        assert_eq!((taken, sent), (*accepted, *requests), "{name}: {lines:?}");
        assert!(lines.is_empty() == line.is_empty(), "{name}: {lines:?}");
        assert!(lines.iter().all(|l| l.contains(line) && l.len() < 400), "{name}: {lines:?}");
    }
}

const UNREAD: &str = "accepted the spans and reports: its answer broke off or is too long";

#[test]
fn an_accepted_batch_is_delivered_whatever_surrounds_its_status() {
    check(&[
        (
            "a long message",
            |r| {
                complete(r, framed(0, &vec![b'x'; LONG]), "0");
                None
            },
            10,
            1,
            UNREAD,
        ),
        (
            "no message",
            |r| {
                complete(r, Bytes::new(), "0");
                None
            },
            10,
            1,
            UNREAD,
        ),
        (
            "half a message",
            |r| {
                complete(r, framed(0, &[0; 9]).slice(..8), "0");
                None
            },
            10,
            1,
            UNREAD,
        ),
        (
            "a status alone",
            |r| {
                alone(r, &[("grpc-status", "0")]);
                None
            },
            10,
            1,
            "",
        ),
        (
            "a message, then a reset",
            |r| {
                let mut stream = begin(r);
                stream.send_data(framed(0, &[]), false).unwrap();
                reset(stream, Reason::INTERNAL_ERROR);
                None
            },
            10,
            1,
            "",
        ),
        (
            "a partial success",
            |r| {
                complete(r, framed(0, &partial()), "0");
                None
            },
            7,
            1,
            ": too old",
        ),
        (
            "a compressed partial success",
            |r| {
                let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
                gzip.write_all(&partial()).unwrap();
                complete(r, framed(1, &gzip.finish().unwrap()), "0");
                None
            },
            7,
            1,
            ": too old",
        ),
    ]);
}

#[test]
fn a_final_failure_is_final_whatever_surrounds_its_status() {
    let broke = "its answer broke off before the status, so it may have accepted them";
    let unreadable = "its answer cannot be read, so it may have accepted them";
    check(&[
        (
            "a status alone",
            |r| {
                alone(r, &[("grpc-status", "3")]);
                None
            },
            0,
            1,
            "InvalidArgument",
        ),
        (
            "a long message",
            |r| {
                complete(r, framed(0, &vec![b'x'; LONG]), "13");
                None
            },
            0,
            1,
            "Internal",
        ),
        (
            "details that are not base64",
            |r| {
                alone(r, &[("grpc-status", "13"), ("grpc-status-details-bin", "?!")]);
                None
            },
            0,
            1,
            "Internal",
        ),
        (
            "a reset after the head",
            |r| {
                reset(begin(r), Reason::CANCEL);
                None
            },
            0,
            1,
            broke,
        ),
        (
            "the end after the head",
            |r| {
                begin(r).send_data(Bytes::new(), true).unwrap();
                None
            },
            0,
            1,
            broke,
        ),
        ("nothing after the head", |r| Some(begin(r)), 0, 1, broke),
        (
            "a reset in place of a head",
            |r| {
                r.send_reset(Reason::INTERNAL_ERROR);
                None
            },
            0,
            1,
            unreadable,
        ),
        (
            "a head that is too long",
            |r| {
                alone(r, &[("grpc-status", "0"), ("grpc-message", &"x".repeat(1_000_000))]);
                None
            },
            0,
            1,
            unreadable,
        ),
        (
            "a web server",
            |r| {
                let answer = Response::builder().status(404).body(()).unwrap();
                r.send_response(answer, true).unwrap();
                None
            },
            0,
            1,
            "it answers 404 Not Found, but not in gRPC",
        ),
    ]);
}

#[test]
fn a_retryable_failure_is_retried() {
    check(&[
        (
            "a status alone",
            |r| {
                alone(r, &[("grpc-status", "14")]);
                None
            },
            10,
            2,
            "",
        ),
        (
            "a long message",
            |r| {
                complete(r, framed(0, &vec![b'x'; LONG]), "14");
                None
            },
            10,
            2,
            "",
        ),
        (
            "a stream that was not begun",
            |r| {
                r.send_reset(Reason::REFUSED_STREAM);
                None
            },
            10,
            2,
            "",
        ),
        (
            "a gateway",
            |r| {
                let answer = Response::builder().status(503).body(()).unwrap();
                r.send_response(answer, true).unwrap();
                None
            },
            10,
            2,
            "",
        ),
    ]);
}
