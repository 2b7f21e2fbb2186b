//! A small OTLP receiver, over gRPC and HTTP on one port. It answers as a test wants and records the
//! decoded requests.

mod grpc;
mod http;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    trace::v1::Span,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Notify,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// How a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// With success.
    Take,
    /// With success, as soon as this many requests have arrived.
    TakeTogether(usize),
    /// With a partial success.
    Partly {
        /// Spans that are refused.
        rejected: i64,
        /// Why.
        message: &'static str,
    },
    /// 503 or UNAVAILABLE: the client should retry.
    Busy,
    /// 400 or INVALID_ARGUMENT: the client should not retry.
    Refuse,
    /// Not at all.
    Silence,
    /// Not at all; the receiver closes its port and all its connections.
    Die,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its body.
    pub request: ExportTraceServiceRequest,
    /// Its headers.
    pub headers: ::http::HeaderMap,
    /// Its path.
    pub path: String,
    /// How it was answered.
    pub reply: Reply,
}

type Script = dyn Fn(usize) -> Reply + Send + Sync;

/// What the connections share.
struct Shared {
    script: Box<Script>,
    received: Mutex<Vec<Received>>,
    arrived: Notify,
    dead: Notify,
}

impl Shared {
    /// Records a request and returns the answer to it. Does not return where there is none.
    async fn take(
        &self,
        request: ExportTraceServiceRequest,
        headers: ::http::HeaderMap,
        path: &str,
    ) -> Reply {
        let reply = {
            let mut received = self.received.lock().expect("no test panics with this lock");
            let reply = (self.script)(received.len());
            let path = path.to_owned();
            received.push(Received { request, headers, path, reply: reply.clone() });
            reply
        };
        self.arrived.notify_waiters();
        if let Reply::TakeTogether(requests) = reply {
            loop {
                let next = self.arrived.notified();
                if self.received.lock().expect("no test panics with this lock").len() >= requests {
                    break;
                }
                next.await;
            }
        }
        if reply == Reply::Die {
            self.dead.notify_one();
        }
        if matches!(reply, Reply::Die | Reply::Silence) {
            std::future::pending::<()>().await;
        }
        reply
    }
}

/// The response of a success.
fn response(reply: &Reply) -> ExportTraceServiceResponse {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;
    let Reply::Partly { rejected, message } = reply else {
        return ExportTraceServiceResponse::default();
    };
    let partial = ExportTracePartialSuccess {
        rejected_spans: *rejected,
        error_message: (*message).to_owned(),
    };
    ExportTraceServiceResponse { partial_success: Some(partial) }
}

/// A running receiver; it ends when dropped.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Starts one on a free port of the loopback. `script` answers the nth request, from 0.
    ///
    /// # Panics
    /// No port or thread is available.
    pub fn start(script: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(None, script)
    }

    /// As [`start`](Self::start), behind TLS.
    ///
    /// # Panics
    /// No port or thread is available.
    pub fn start_tls(
        tls: ServerConfig,
        script: impl Fn(usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(Some(TlsAcceptor::from(Arc::new(tls))), script)
    }

    fn start_with(
        tls: Option<TlsAcceptor>,
        script: impl Fn(usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be started");
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .expect("the loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            script: Box::new(script),
            received: Mutex::default(),
            arrived: Notify::new(),
            dead: Notify::new(),
        });
        let serving = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, tls, Arc::clone(&serving)) => {}
                    () = serving.dead.notified() => {}
                }
            });
            // Dropping the runtime closes the connections.
        });
        Self { address, shared, thread: Some(thread) }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// All requests so far.
    ///
    /// # Panics
    /// A test panicked while it held the lock.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("no test panics with this lock").clone()
    }

    /// The spans of the requests that were taken.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        let taken = self
            .received()
            .into_iter()
            .filter(|r| matches!(r.reply, Reply::Take | Reply::TakeTogether(_)));
        taken.flat_map(|r| spans(r.request)).collect()
    }
}

/// The spans of a request.
#[must_use]
pub fn spans(request: ExportTraceServiceRequest) -> Vec<Span> {
    let scopes = request.resource_spans.into_iter().flat_map(|r| r.scope_spans);
    scopes.flat_map(|s| s.spans).collect()
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.dead.notify_one();
        if let Some(thread) = self.thread.take() {
            // Its panic has been printed; a second one here would abort the test.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let tls = tls.clone();
        tokio::spawn(async move {
            match tls {
                None => serve(stream, shared).await,
                // Some tests are about handshakes that fail.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, shared).await;
                    }
                }
            }
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, shared: Arc<Shared>) {
    let service = hyper::service::service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move {
            if grpc::is_grpc(&request) {
                grpc::answer(request, shared).await
            } else {
                http::answer(request, shared).await
            }
        }
    });
    let connection = auto::Builder::new(TokioExecutor::new());
    // A client that disconnects is no failure of the receiver.
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}
