//! TCP connections to a collector: direct, or through an HTTP proxy.
//!
//! A proxy forwards plain requests of HTTP/1. For everything else (TLS, HTTP/2) it is asked for a tunnel.

use std::{
    error::Error,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use http::Uri;
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use tokio::net::TcpStream;
use tonic::codegen::Service;

use super::{resolver::Resolver, tunnel};
use crate::{config::Proxy, zone};

/// A connector, direct or through a proxy.
#[derive(Clone, Debug)]
pub(super) struct Route {
    tcp: HttpConnector<Resolver>,
    proxy: Option<Proxy>,
    /// Whether the proxy forwards requests.
    forwarding: bool,
    /// The zone of the collector's address.
    zone: Option<String>,
}

impl Route {
    pub(super) const fn new(
        tcp: HttpConnector<Resolver>,
        proxy: Option<Proxy>,
        forwarding: bool,
        zone: Option<String>,
    ) -> Self {
        Self { tcp, proxy, forwarding, zone }
    }
}

type Failed = Box<dyn Error + Send + Sync>;

impl Service<Uri> for Route {
    type Response = TokioIo<TcpStream>;
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failed>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let Some(proxy) = self.proxy.clone() else {
            let zone = self.zone.as_ref();
            let connecting = self.tcp.call(zone.map_or(url.clone(), |zone| zone::with(&url, zone)));
            return Box::pin(async { Ok(connecting.await?) });
        };
        let (connecting, forwarding) = (self.tcp.call(proxy.url), self.forwarding);
        Box::pin(async move {
            let of_proxy =
                |error| format!("cannot reach the proxy: {}", super::with_causes(&error));
            let stream = connecting.await.map_err(of_proxy)?;
            if forwarding {
                return Ok(stream);
            }
            let host = url.host().ok_or_else(|| io::Error::other("the endpoint has no host"))?;
            let default = if url.scheme_str() == Some("https") { 443 } else { 80 };
            let port = url.port_u16().unwrap_or(default);
            let authorization = proxy.authorization.as_ref();
            let stream = tunnel::open(stream.into_inner(), host, port, authorization).await?;
            Ok(TokioIo::new(stream))
        })
    }
}
