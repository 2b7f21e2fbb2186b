//! An OTLP receiver over HTTP that takes everything and keeps nothing, so that it costs little.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// A running receiver; it ends with the process.
pub(crate) struct OtlpSink {
    address: SocketAddr,
    received: Arc<AtomicU64>,
}

impl OtlpSink {
    /// Starts it on a free port of the loopback interface.
    pub(crate) fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let received = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&received);
        thread::Builder::new().name("otlp-sink".to_owned()).spawn(move || {
            runtime.block_on(accept(listener, counter));
        })?;
        Ok(Self { address, received })
    }

    /// Its endpoint.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Bytes that it has received.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, received: Arc<AtomicU64>) {
    while let Ok((stream, _)) = listener.accept().await {
        let received = Arc::clone(&received);
        tokio::spawn(async move {
            let take = service_fn(move |request| take(request, Arc::clone(&received)));
            let server = hyper::server::conn::http1::Builder::new();
            // A connection that breaks is the exporter's affair: it counts what it loses.
            let _ = server.serve_connection(TokioIo::new(stream), take).await;
        });
    }
}

async fn take(
    request: Request<Incoming>,
    received: Arc<AtomicU64>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let mut body = request.into_body();
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        received.fetch_add(length as u64, Ordering::Relaxed);
    }
    Ok(Response::new(Empty::new()))
}
