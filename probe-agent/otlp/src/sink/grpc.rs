//! OTLP over gRPC (OTLP specification, "OTLP/gRPC").

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, trace_service_client::TraceServiceClient,
};
use tonic::{
    Code, Status,
    body::Body,
    codegen::{CompressionEncoding, Service},
};
use tonic_types::StatusExt;

use super::{
    Answer, HEADER_HINT, printable,
    retry::Attempt,
    tls::{self, TlsError},
    transport::{Connections, add_headers, connections},
    with_causes,
};
use crate::config::Endpoint;

/// A collector over gRPC.
pub(super) struct Grpc {
    client: TraceServiceClient<Transport>,
}

impl Grpc {
    pub(super) fn new(endpoint: Endpoint) -> Result<Self, TlsError> {
        let gzip = endpoint.gzip;
        let origin = endpoint.url.clone();
        let transport = Transport { client: connections(&endpoint)?, endpoint };
        let client = TraceServiceClient::with_origin(transport, origin);
        Ok(Self {
            client: if gzip {
                client
                    .send_compressed(CompressionEncoding::Gzip)
                    .accept_compressed(CompressionEncoding::Gzip)
            } else {
                client
            },
        })
    }

    /// Sends a request once, with `within` as its deadline for the receiver.
    pub(super) async fn attempt(
        &mut self,
        request: ExportTraceServiceRequest,
        within: Duration,
    ) -> Attempt {
        let mut request = tonic::Request::new(request);
        request.set_timeout(within);
        match self.client.export(request).await {
            Ok(response) => Attempt::Done(Answer::from(response.into_inner())),
            Err(status) => classify(&status),
        }
    }
}

/// Whether to retry after a failure ("OTLP/gRPC Response", "Failures").
fn classify(status: &Status) -> Attempt {
    let after = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let again = match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => true,
        // Only if the receiver announces its recovery.
        Code::ResourceExhausted => after.is_some(),
        Code::Ok
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Unimplemented
        | Code::Internal
        | Code::Unauthenticated => false,
    };
    let why = why(status);
    if again { Attempt::Retry { why, after } } else { Attempt::Done(Answer::Failed { why }) }
}

fn why(status: &Status) -> String {
    let text = printable(status.message(), 300);
    let advice = match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => HEADER_HINT,
        Code::Unimplemented => "; is it an OTLP receiver for traces?",
        _ => "",
    };
    format!("{:?}: {text}{advice}", status.code())
}

/// The connections as tonic needs them.
#[derive(Clone)]
struct Transport {
    client: Connections<Body>,
    endpoint: Endpoint,
}

impl Service<Request<Body>> for Transport {
    type Response = Response<hyper::body::Incoming>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        add_headers(&mut request, &self.endpoint);
        let response = self.client.request(request);
        // tonic would map this client's errors to Unknown, which is not retried.
        Box::pin(async move {
            response.await.map_err(|error| {
                let why = with_causes(&error);
                if tls::refused(&error) { Status::unknown(why) } else { Status::unavailable(why) }
            })
        })
    }
}
