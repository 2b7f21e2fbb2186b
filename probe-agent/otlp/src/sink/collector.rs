//! A collector, over either protocol.

use std::{io, time::Duration};

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use super::{Answer, TlsError, grpc::Grpc, http::Http, retry::deliver};
use crate::{
    config::{Endpoint, Protocol},
    stop::Stop,
};

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
    pub(crate) fn new(endpoint: &Endpoint, timeout: Duration) -> Result<Self, TlsError> {
        let (name, advice) = (endpoint.to_string(), advice(endpoint));
        let client = match endpoint.protocol {
            Protocol::HttpProtobuf => Client::Http(Box::new(Http::new(endpoint)?)),
            Protocol::Grpc => Client::Grpc(Box::new(Grpc::new(endpoint)?)),
        };
        Ok(Self { client, timeout, name, advice })
    }

    /// Its URL and protocol, without secrets.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The body of a request.
    ///
    /// # Errors
    /// It cannot be compressed.
    pub(crate) fn body(&self, request: &ExportTraceServiceRequest) -> io::Result<Bytes> {
        match &self.client {
            Client::Http(http) => http.body(request),
            Client::Grpc(grpc) => grpc.body(request),
        }
    }

    /// Sends a batch, with retries where they make sense, within the timeout and until the end of the run.
    pub(crate) async fn deliver(&self, body: Bytes, mut stop: Stop) -> Answer {
        let mut reading = stop.clone();
        let (within, stop) = (self.timeout, &mut stop);
        let answer = match &self.client {
            Client::Http(http) => {
                let send = async |_| http.send(body.clone()).await;
                deliver(within, stop, send, async |r| http.judge(r, &mut reading).await).await
            }
            Client::Grpc(grpc) => {
                let send = async |left| grpc.send(body.clone(), left).await;
                deliver(within, stop, send, async |r| grpc.judge(r, &mut reading).await).await
            }
        };
        match answer {
            Answer::Failed { why } => Answer::Failed { why: format!("{why}{}", self.advice) },
            other @ (Answer::Accepted { .. } | Answer::Unanswered) => other,
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
