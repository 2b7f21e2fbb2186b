//! OTLP over HTTP (OTLP specification, "OTLP/HTTP").

use std::{io::Write, time::Duration};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER},
};
use http_body_util::{BodyExt, Full, Limited};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;

use super::{
    Answer, HEADER_HINT, printable,
    retry::Attempt,
    tls::{self, TlsError},
    transport::{Connections, add_headers, connections},
    with_causes,
};
use crate::config::Endpoint;

const PROTOBUF: &str = "application/x-protobuf";

/// The most bytes to read of a response. The specification requires a limit and suggests this one.
const ANSWER_LIMIT: usize = 4 * 1024 * 1024;

/// The most characters of an error's text to report.
const EXCERPT: usize = 200;

/// A collector over HTTP.
pub(super) struct Http {
    client: Connections<Full<Bytes>>,
    endpoint: Endpoint,
}

impl Http {
    pub(super) fn new(endpoint: Endpoint) -> Result<Self, TlsError> {
        Ok(Self { client: connections(&endpoint)?, endpoint })
    }

    /// The body of a request, compressed if configured.
    pub(super) fn body(&self, request: &ExportTraceServiceRequest) -> std::io::Result<Bytes> {
        let plain = request.encode_to_vec();
        if !self.endpoint.gzip {
            return Ok(plain.into());
        }
        let mut gzip = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
        gzip.write_all(&plain)?;
        Ok(gzip.finish()?.into())
    }

    /// Posts a body once.
    pub(super) async fn attempt(&self, body: Bytes) -> Attempt {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.url.clone();
        add_headers(&mut request, &self.endpoint);
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROTOBUF));
        if self.endpoint.gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let response = match self.client.request(request).await {
            Ok(response) => response,
            Err(error) if tls::refused(&error) => {
                return Attempt::Done(Answer::Failed { why: with_causes(&error) });
            }
            Err(error) => return Attempt::Retry { why: with_causes(&error), after: None },
        };
        let (head, body) = response.into_parts();
        match Limited::new(body, ANSWER_LIMIT).collect().await {
            Ok(body) => classify(head.status, &head.headers, &body.to_bytes()),
            Err(error) => Attempt::Retry {
                why: format!("{}, but its body broke off: {error}", head.status),
                after: None,
            },
        }
    }
}

/// Whether a response is a success, a failure, or a reason to retry.
fn classify(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Attempt {
    if status.is_success() {
        return Attempt::Done(success(headers, body));
    }
    let why = failure(status, headers, body);
    match status {
        // "OTLP/HTTP Response", "Retryable Response Codes".
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Attempt::Retry { why, after: retry_after(headers) },
        _ => Attempt::Done(Answer::Failed { why }),
    }
}

/// A success may be partial. A response that evidently does not come from an OTLP receiver (a web page, or
/// bytes that do not decode) is a failure: it does not show that the spans were accepted.
fn success(headers: &HeaderMap, body: &[u8]) -> Answer {
    let decoded = match content_type(headers) {
        Some("application/json") => from_json(body),
        Some("text/html") => None,
        Some(PROTOBUF) => ExportTraceServiceResponse::decode(body).ok(),
        _ => Some(ExportTraceServiceResponse::decode(body).unwrap_or_default()),
    };
    match decoded {
        Some(response) => response.into(),
        None => Answer::Failed {
            why: "it answers, but not like an OTLP receiver; is the URL correct?".to_owned(),
        },
    }
}

/// A response in JSON, which some receivers send even to protobuf requests. `opentelemetry-proto` does not
/// decode 64-bit numbers that are strings, as the JSON encoding specifies.
fn from_json(body: &[u8]) -> Option<ExportTraceServiceResponse> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    let partial = &answer["partialSuccess"];
    let rejected = &partial["rejectedSpans"];
    let rejected = rejected.as_i64().or_else(|| rejected.as_str()?.parse().ok());
    let message = partial["errorMessage"].as_str().unwrap_or_default();
    Some(ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: rejected.unwrap_or_default(),
            error_message: message.to_owned(),
        }),
    })
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}

/// The delay in seconds. A date is ignored; the usual backoff applies.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

fn failure(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> String {
    let text = match content_type(headers) {
        // A google.rpc.Status.
        Some(PROTOBUF) => tonic_types::Status::decode(body).map(|s| s.message).unwrap_or_default(),
        _ => String::from_utf8_lossy(body).into_owned(),
    };
    let text = printable(&text, EXCERPT);
    let advice = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => HEADER_HINT,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => "; is the URL correct?",
        _ => "",
    };
    if text.is_empty() { format!("{status}{advice}") } else { format!("{status}: {text}{advice}") }
}

#[cfg(test)]
mod tests;
