//! Observes whether any part of an answer has arrived on a connection.
//!
//! Only while nothing has arrived may a request be sent again over another connection. The HTTP client does
//! not report that: it has one error for a connection that was closed before the answer and for one that was
//! closed in the middle of its head.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use http::{Extensions, Uri};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::codegen::Service;

/// What arrived on a connection without pipelined requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Traffic(Arc<Bytes>);

/// Counted after decryption, so TLS itself does not count.
#[derive(Debug, Default)]
struct Bytes {
    received: AtomicU64,
    /// The part of them that belongs to answers that were read to their end.
    of_answers: AtomicU64,
}

impl Traffic {
    /// The traffic of the connection that a request uses.
    pub(super) fn of(connection: &Connected) -> Option<Self> {
        let mut extras = Extensions::new();
        connection.get_extras(&mut extras);
        extras.remove::<Self>()
    }

    /// Whether a part of an answer has arrived that has not been read to its end.
    pub(super) fn answer_has_begun(&self) -> bool {
        self.0.received.load(Ordering::Relaxed) > self.0.of_answers.load(Ordering::Relaxed)
    }

    /// The answer has been read to its end.
    pub(super) fn answer_is_read(&self) {
        self.0.of_answers.store(self.0.received.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// A connector whose connections count what they receive.
#[derive(Clone, Debug)]
pub(super) struct Observed<C> {
    connector: C,
    /// Whether a proxy forwards the requests, which then need the whole URL.
    forwarding: bool,
}

impl<C> Observed<C> {
    pub(super) const fn new(connector: C, forwarding: bool) -> Self {
        Self { connector, forwarding }
    }
}

impl<C> Service<Uri> for Observed<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
{
    type Response = TokioIo<Counting<TokioIo<C::Response>>>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let (connecting, forwarding) = (self.connector.call(url), self.forwarding);
        Box::pin(async move {
            let io = TokioIo::new(connecting.await?);
            Ok(TokioIo::new(Counting { io, traffic: Traffic::default(), forwarding }))
        })
    }
}

/// A connection that counts what it receives.
#[derive(Debug)]
pub(super) struct Counting<S> {
    io: S,
    traffic: Traffic,
    forwarding: bool,
}

impl<S: Connection> Connection for Counting<TokioIo<S>> {
    fn connected(&self) -> Connected {
        let connected = self.io.inner().connected();
        connected.proxy(self.forwarding).extra(self.traffic.clone())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counting<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(context, buffer))?;
        let received = buffer.filled().len().saturating_sub(before) as u64;
        self.traffic.0.received.fetch_add(received, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counting<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
