//! The gRPC half: the service that `opentelemetry-proto` generates.

use std::{convert::Infallible, sync::Arc};

use http::{Request, Response};
use hyper::body::Incoming;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use tonic::{
    Status,
    body::Body,
    codegen::{CompressionEncoding, Service},
};

use super::{Reply, Shared, response};

pub(super) fn is_grpc(request: &Request<Incoming>) -> bool {
    request
        .headers()
        .get("content-type")
        .is_some_and(|t| t.as_bytes().starts_with(b"application/grpc"))
}

pub(super) async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    TraceServiceServer::new(Traces { shared, path })
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip)
        .call(request.map(Body::new))
        .await
}

struct Traces {
    shared: Arc<Shared>,
    path: String,
}

#[tonic::async_trait]
impl TraceService for Traces {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let reply = self.shared.take(request, metadata.into_headers(), &self.path).await;
        match reply {
            Reply::Busy => Err(Status::unavailable("busy")),
            Reply::Refuse => Err(Status::invalid_argument("no thanks")),
            reply => Ok(tonic::Response::new(response(&reply))),
        }
    }
}
