//! The HTTP connections to a collector, for both protocols.

mod resolver;
mod route;
mod traffic;
mod tunnel;

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response,
    header::{PROXY_AUTHORIZATION, USER_AGENT},
};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{HttpConnector, capture_connection},
    },
    rt::{TokioExecutor, TokioTimer},
};

use self::{
    resolver::Resolver,
    route::Route,
    traffic::{Observed, Traffic},
};
use super::{
    failure::with_causes,
    tls::{self, TlsError},
};
use crate::{
    config::{Endpoint, Protocol},
    zone,
};

/// A pool of connections.
type Connections = Client<Observed<HttpsConnector<Route>>, Full<Bytes>>;

/// The agent's user agent string (OTLP exporter specification, "User Agent").
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("probe-agent/", env!("CARGO_PKG_VERSION")));

/// The interval of HTTP/2 keep-alive pings, and the timeout of their answers. Without them, a run would keep
/// sending into a dead connection.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// The most headers of an answer over HTTP/1, and their most bytes over HTTP/2. An answer with more cannot be
/// read, and then does not count as a success even if it is one. The client's own limits are 100 and 16 KiB.
const MAX_HEADERS: usize = 1000;
const MAX_HEADER_BYTES: u32 = 256 * 1024;

/// Connections to one endpoint.
pub(super) struct Transport {
    client: Connections,
    protocol: Protocol,
    headers: http::HeaderMap,
    /// For requests that go to a proxy, which passes them on.
    proxy_authorization: Option<HeaderValue>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// No part of an answer came, so the request may be sent again.
    Nothing(String),
    /// The beginning of an answer came, so the receiver may have accepted the request; or the next attempt
    /// would fail in the same way.
    Final(String),
}

impl Transport {
    /// Does not connect yet. Must be used within one Tokio runtime.
    ///
    /// # Errors
    /// The TLS files of an `https` endpoint cannot be used.
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, TlsError> {
        let secure = endpoint.url.scheme_str() == Some("https");
        let tls = if secure { tls::config(&endpoint.tls)? } else { tls::unused()? };
        let mut tcp = HttpConnector::new_with_resolver(Resolver::default());
        tcp.enforce_http(false);
        // Otherwise the last segment of each batch waits for the ACK of the earlier ones (Nagle).
        tcp.set_nodelay(true);
        // A proxy can read a request that is neither encrypted nor HTTP/2.
        let forwarded = !secure && endpoint.protocol == Protocol::HttpProtobuf;
        let proxy = endpoint.proxy.clone();
        let forwarding = proxy.as_ref().filter(|_| forwarded);
        let proxy_authorization = forwarding.and_then(|proxy| proxy.authorization.clone());
        let forwarding = forwarding.is_some();
        let zone = zone::of(&endpoint.url).map(str::to_owned);
        let route = Route::new(tcp, proxy, forwarding, zone);
        let schemes = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        let mut client = Client::builder(TokioExecutor::new());
        client.timer(TokioTimer::new()).pool_timer(TokioTimer::new());
        client.http1_max_headers(MAX_HEADERS).http2_max_header_list_size(MAX_HEADER_BYTES);
        let client = match endpoint.protocol {
            Protocol::Grpc => client
                .http2_only(true)
                .http2_keep_alive_interval(KEEP_ALIVE)
                .http2_keep_alive_timeout(KEEP_ALIVE)
                .build(Observed::new(schemes.enable_http2().wrap_connector(route), false)),
            Protocol::HttpProtobuf => client
                .build(Observed::new(schemes.enable_http1().wrap_connector(route), forwarding)),
        };
        let (protocol, headers) = (endpoint.protocol, endpoint.headers.clone());
        Ok(Self { client, protocol, headers, proxy_authorization })
    }

    /// Sends a request, with the user agent and the configured headers, and waits for the head of its
    /// answer. A request that found its connection closed before it was written is written to another one.
    pub(super) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, NoAnswer> {
        let headers = request.headers_mut();
        if !self.headers.contains_key(USER_AGENT) {
            headers.insert(USER_AGENT, AGENT);
        }
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        if let Some(value) = &self.proxy_authorization {
            headers.insert(PROXY_AUTHORIZATION, value.clone());
        }
        let connection = capture_connection(&mut request);
        self.client.request(request).await.map_err(|error| {
            let why = with_causes(&error);
            let begun = match self.protocol {
                Protocol::HttpProtobuf => {
                    let connected = connection.connection_metadata();
                    connected.as_ref().and_then(Traffic::of).is_some_and(|t| t.answer_has_begun())
                }
                // Other frames than those of the answer come at any time. What this end itself resets is an
                // answer that it cannot read.
                Protocol::Grpc => unreadable(&error),
            };
            match (tls::refused(&error), begun) {
                (true, _) => NoAnswer::Final(why),
                (false, true) => NoAnswer::Final(format!(
                    "its answer cannot be read, so it may have accepted them: {why}"
                )),
                (false, false) => NoAnswer::Nothing(why),
            }
        })
    }

    /// The answer has been read to its end.
    pub(super) fn answered(response: &http::Extensions) {
        if let Some(traffic) = response.get::<Traffic>() {
            traffic.answer_is_read();
        }
    }
}

/// Whether an HTTP/2 request failed for a reason that a further attempt would meet again: this end cannot read
/// what arrived, or the receiver had begun to work on it and reset it (gRPC, "Errors" in "HTTP2 Transport
/// Mapping").
fn unreadable(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(cause) = cause.downcast_ref::<h2::Error>() {
            let open = [Some(h2::Reason::REFUSED_STREAM), Some(h2::Reason::CANCEL)];
            return cause.is_library() || cause.is_reset() && !open.contains(&cause.reason());
        }
        next = cause.source();
    }
    false
}
