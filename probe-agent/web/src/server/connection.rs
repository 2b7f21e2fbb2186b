//! One connection: its requests, one after the other.

use std::{convert::Infallible, io, pin::pin, sync::Arc, time::Duration};

use http_body::Body as _;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{connections::Place, stall::Stall};
use crate::{
    limits::{LEAST_HEAD, Limits},
    routes::Routes,
};

/// What all connections share.
pub(crate) struct Settings {
    pub(crate) routes: Routes,
    pub(crate) limits: Limits,
    pub(crate) tls: Option<TlsAcceptor>,
}

/// Serves a connection until it ends, has to give way, or the server stops.
pub(crate) async fn serve(
    stream: TcpStream,
    place: Arc<Place>,
    settings: Arc<Settings>,
    stop: watch::Receiver<Option<Duration>>,
) {
    let stream = Stall::new(stream, settings.limits.write_time);
    tokio::select! {
        // First: whoever gives way begins no answer.
        biased;
        () = place.left() => {}
        () = async {
            match &settings.tls {
                None => answer(stream, &place, &settings, stop).await,
                Some(tls) => {
                    let handshake = timeout(settings.limits.head_time, tls.accept(stream)).await;
                    if let Ok(Ok(stream)) = handshake {
                        answer(stream, &place, &settings, stop).await;
                    }
                }
            }
        } => {}
    }
}

/// Answers the requests of a connection. hyper reads the next one when the answer has been written.
async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    place: &Arc<Place>,
    settings: &Arc<Settings>,
    mut stop: watch::Receiver<Option<Duration>>,
) {
    let service = service_fn(|request: http::Request<Incoming>| {
        let (settings, busy) = (Arc::clone(settings), place.busy());
        async move {
            let (parts, body) = request.into_parts();
            let response = settings.routes.respond(parts, !body.is_end_stream()).await;
            Ok::<_, Infallible>(response.map(|body| body.holding(busy)))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.limits.head_time)
        .max_headers(settings.limits.headers)
        .max_buf_size(settings.limits.head.max(LEAST_HEAD))
        // A client may close its end once it has asked (`nc -N`).
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // What goes wrong on a connection is its client's affair: it broke off, or it was too slow.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stop.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Turns a connection away without reading anything.
pub(crate) fn refuse(stream: &TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";
    // A fresh connection has room for it; if not, closing it says enough.
    let _: io::Result<usize> = stream.try_write(ANSWER);
}
