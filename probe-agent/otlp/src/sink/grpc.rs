//! OTLP over gRPC (OTLP specification, "OTLP/gRPC"; gRPC, "HTTP2 Transport Mapping").
//!
//! tonic's client is not used: it discards a status that follows an answer which it cannot decode, it panics
//! when the details of a status are not base64, and it encodes a batch again for each attempt.

mod status;

use std::{
    io::{self, Write},
    time::Duration,
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
    header::{CONTENT_TYPE, TE},
};
use http_body_util::Full;
use hyper::body::Incoming;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;

use self::status::{classify, of_headers, of_http};
use super::{
    Answer,
    answer::{self, Text, accepted, unzip},
    retry::Attempt,
    tls::TlsError,
    transport::{NoAnswer, Transport},
};
use crate::{config::Endpoint, redact::Secrets, stop::Stop, zone};

/// The method, after the path of the endpoint.
const METHOD: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// The length of the prefix of a message: a flag for its compression, and its length in 4 bytes.
const PREFIX: usize = 5;

/// A collector over gRPC.
pub(super) struct Grpc {
    transport: Transport,
    url: Uri,
    gzip: bool,
    secrets: Secrets,
}

impl Grpc {
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, TlsError> {
        let path = format!("{}{METHOD}", endpoint.url.path().trim_end_matches('/'));
        let mut url = zone::without(&endpoint.url).into_parts();
        url.path_and_query = path.try_into().ok();
        // The parts are those of a valid URL.
        let url = Uri::from_parts(url).unwrap_or_default();
        let (gzip, secrets) = (endpoint.gzip, endpoint.secrets());
        Ok(Self { transport: Transport::new(endpoint)?, url, gzip, secrets })
    }

    /// The body of a request: one message with its prefix.
    pub(super) fn body(&self, request: &ExportTraceServiceRequest) -> io::Result<Bytes> {
        let mut framed = vec![u8::from(self.gzip), 0, 0, 0, 0];
        if self.gzip {
            let mut gzip = GzEncoder::new(framed, Compression::fast());
            gzip.write_all(&request.encode_to_vec())?;
            framed = gzip.finish()?;
        } else {
            framed.reserve(request.encoded_len());
            request.encode(&mut framed).map_err(io::Error::other)?;
        }
        let length = u32::try_from(framed.len() - PREFIX).map_err(io::Error::other)?;
        framed[1..PREFIX].copy_from_slice(&length.to_be_bytes());
        Ok(framed.into())
    }

    /// Sends a body once, with the time that is left as the receiver's deadline, and returns when the head of
    /// the answer has come.
    pub(super) async fn send(
        &self,
        body: Bytes,
        left: Duration,
    ) -> Result<Response<Incoming>, NoAnswer> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        *request.version_mut() = Version::HTTP_2;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, GRPC);
        headers.insert(TE, HeaderValue::from_static("trailers"));
        // At most 8 digits: a timeout is at most a day.
        if let Ok(timeout) = format!("{}m", left.as_millis().max(1)).try_into() {
            headers.insert("grpc-timeout", timeout);
        }
        if self.gzip {
            headers.insert("grpc-encoding", GZIP);
            headers.insert("grpc-accept-encoding", GZIP);
        }
        self.transport.send(request).await
    }

    /// Reads an answer and judges it.
    pub(super) async fn judge(&self, answer: Response<Incoming>, stop: &mut Stop) -> Attempt {
        let (head, body) = answer.into_parts();
        // An answer without a message has its status in the head, and nothing after that changes it.
        if let Some(status) = of_headers(&head.headers) {
            return classify(&status, || Some(Vec::new()), &self.secrets);
        }
        if head.status != StatusCode::OK || !is_grpc(&head.headers) {
            return classify(&of_http(head.status), || None, &self.secrets);
        }
        let text = answer::read(body, true, stop).await;
        match text.trailers.as_ref().and_then(of_headers) {
            Some(status) => classify(&status, || message(&text), &self.secrets),
            None => Attempt::Done(self.without_status(&text)),
        }
    }

    /// An answer that broke off after its head is final: the receiver may have accepted the batch, and has if
    /// its message came.
    fn without_status(&self, text: &Text) -> Answer {
        match message(text).map(|bytes| ExportTraceServiceResponse::decode(&*bytes)) {
            Some(Ok(response)) => accepted(Some(response), &self.secrets),
            Some(Err(_)) | None => Answer::Failed {
                why: "its answer broke off before the status, so it may have accepted them"
                    .to_owned(),
            },
        }
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(GRPC.as_bytes()))
}

/// The message in a body, decompressed; `None` if it is not complete or cannot be decompressed.
fn message(text: &Text) -> Option<Vec<u8>> {
    let (prefix, rest) = text.bytes.split_at_checked(PREFIX)?;
    let length = u32::from_be_bytes(prefix[1..].try_into().ok()?);
    let message = rest.get(..usize::try_from(length).ok()?)?;
    match prefix[0] {
        0 => Some(message.to_vec()),
        1 => unzip(message),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
