//! The HTTP connections to a collector, for both protocols.

use std::time::Duration;

use http::{HeaderValue, Request, header::USER_AGENT};
use http_body::Body;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

use super::tls::{self, TlsError};
use crate::config::{Endpoint, Protocol};

/// A pool of connections.
pub(super) type Connections<B> = Client<HttpsConnector<HttpConnector>, B>;

/// The agent's user agent string (OTLP exporter specification, "User Agent").
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("probe-agent/", env!("CARGO_PKG_VERSION")));

/// The interval of HTTP/2 keep-alive pings, and the timeout of their answers. Without them, a run would keep
/// sending into a dead connection.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Connections to an endpoint. Does not connect yet. Must be used within one Tokio runtime.
///
/// # Errors
/// The TLS files of an `https` endpoint cannot be used.
pub(super) fn connections<B>(endpoint: &Endpoint) -> Result<Connections<B>, TlsError>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
{
    let secure = endpoint.url.scheme_str() == Some("https");
    let tls = if secure { tls::config(&endpoint.tls)? } else { tls::unused()? };
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    // Otherwise the last segment of each batch waits for the ACK of the earlier ones (Nagle).
    tcp.set_nodelay(true);
    let schemes = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    let mut client = Client::builder(TokioExecutor::new());
    client.timer(TokioTimer::new()).pool_timer(TokioTimer::new());
    Ok(match endpoint.protocol {
        Protocol::Grpc => client
            .http2_only(true)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .http2_keep_alive_timeout(KEEP_ALIVE)
            .build(schemes.enable_http2().wrap_connector(tcp)),
        Protocol::HttpProtobuf => client.build(schemes.enable_http1().wrap_connector(tcp)),
    })
}

/// Adds the user agent and the configured headers.
pub(super) fn add_headers<B>(request: &mut Request<B>, endpoint: &Endpoint) {
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, AGENT);
    for (name, value) in &endpoint.headers {
        headers.insert(name, value.clone());
    }
}
