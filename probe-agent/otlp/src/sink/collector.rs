//! A collector, over either protocol.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use super::{Answer, TlsError, grpc::Grpc, http::Http, retry::deliver};
use crate::config::{Endpoint, Protocol};

/// A collector.
pub(crate) struct Collector {
    client: Client,
    timeout: Duration,
    name: String,
    advice: &'static str,
}

enum Client {
    Http(Box<Http>),
    Grpc(Box<Grpc>),
}

impl Collector {
    /// Does not connect yet. Must be used within one Tokio runtime.
    ///
    /// # Errors
    /// The TLS files of an `https` endpoint cannot be used.
    pub(crate) fn new(endpoint: Endpoint, timeout: Duration) -> Result<Self, TlsError> {
        let (name, advice) = (endpoint.to_string(), advice(&endpoint));
        let client = match endpoint.protocol {
            Protocol::HttpProtobuf => Client::Http(Box::new(Http::new(endpoint)?)),
            Protocol::Grpc => Client::Grpc(Box::new(Grpc::new(endpoint)?)),
        };
        Ok(Self { client, timeout, name, advice })
    }

    /// Its URL and protocol.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Sends a batch, with retries where they make sense, within the timeout.
    pub(crate) async fn deliver(&mut self, request: ExportTraceServiceRequest) -> Answer {
        let answer = match &mut self.client {
            Client::Http(http) => match http.body(&request) {
                Ok(body) => deliver(self.timeout, async || http.attempt(body.clone()).await).await,
                Err(error) => Answer::Failed { why: format!("cannot compress: {error}") },
            },
            Client::Grpc(grpc) => {
                let within = self.timeout;
                deliver(within, async || grpc.attempt(request.clone(), within).await).await
            }
        };
        match answer {
            Answer::Failed { why } => Answer::Failed { why: format!("{why}{}", self.advice) },
            taken @ Answer::Accepted { .. } => taken,
        }
    }
}

/// A hint for failures: the most common mistake is the port of the other protocol.
fn advice(endpoint: &Endpoint) -> &'static str {
    match (endpoint.protocol, endpoint.url.port_u16()) {
        (Protocol::HttpProtobuf, Some(4317)) => {
            " (port 4317 is usually for gRPC: try --otlp-protocol grpc)"
        }
        (Protocol::Grpc, Some(4318)) => {
            " (port 4318 is usually for HTTP: try --otlp-protocol http/protobuf)"
        }
        _ => "",
    }
}
