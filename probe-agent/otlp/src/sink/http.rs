//! OTLP over HTTP (OTLP specification, "OTLP/HTTP").

use std::{
    io,
    io::Write,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{CONTENT_ENCODING, CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER},
};
use http_body_util::Full;
use hyper::body::Incoming;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;

use super::{
    Answer,
    answer::{self, Text, accepted},
    failure::{HEADER_HINT, excerpt},
    retry::Attempt,
    tls::TlsError,
    transport::{NoAnswer, Transport},
};
use crate::{
    config::Endpoint,
    redact::{self, Secrets},
    stop::Stop,
    zone,
};

const PROTOBUF: &str = "application/x-protobuf";

/// A collector over HTTP.
pub(super) struct Http {
    transport: Transport,
    url: Uri,
    gzip: bool,
    secrets: Secrets,
}

impl Http {
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, TlsError> {
        let (url, secrets) = (zone::without(&endpoint.url), endpoint.secrets());
        Ok(Self { transport: Transport::new(endpoint)?, url, gzip: endpoint.gzip, secrets })
    }

    /// The body of a request, compressed if configured.
    pub(super) fn body(&self, request: &ExportTraceServiceRequest) -> io::Result<Bytes> {
        let plain = request.encode_to_vec();
        if !self.gzip {
            return Ok(plain.into());
        }
        let mut gzip = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
        gzip.write_all(&plain)?;
        Ok(gzip.finish()?.into())
    }

    /// Posts a body once, and returns when the head of the answer has come.
    pub(super) async fn send(&self, body: Bytes) -> Result<Response<Incoming>, NoAnswer> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROTOBUF));
        if self.gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        self.transport.send(request).await
    }

    /// Reads an answer and judges it.
    pub(super) async fn judge(&self, answer: Response<Incoming>, stop: &mut Stop) -> Attempt {
        let (head, body) = answer.into_parts();
        let text = answer::read(body, false, stop).await;
        if text.whole {
            Transport::answered(&head.extensions);
        }
        classify(head.status, &head.headers, &text, &self.secrets)
    }
}

/// Whether a response is a success, a failure, or a reason to retry.
fn classify(status: StatusCode, headers: &HeaderMap, text: &Text, secrets: &Secrets) -> Attempt {
    if status.is_success() {
        return Attempt::Done(success(headers, text, secrets));
    }
    let why = failure(status, headers, text, secrets);
    match status {
        // "OTLP/HTTP Response", "Retryable Response Codes".
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            Attempt::Retry { why, after: retry_after(headers, SystemTime::now()) }
        }
        _ => Attempt::Done(Answer::Failed { why }),
    }
}

/// A success may be partial. If its text breaks off, the batch is delivered all the same. A response that
/// evidently does not come from an OTLP receiver (a web page, or bytes that do not decode) is a failure: it
/// does not show that the spans were accepted.
fn success(headers: &HeaderMap, text: &Text, secrets: &Secrets) -> Answer {
    let of_other = || Answer::Failed {
        why: "it answers, but not like an OTLP receiver; is the URL correct?".to_owned(),
    };
    let kind = content_type(headers);
    if kind == Some("text/html") {
        return of_other();
    }
    let Some(body) = text.decoded(headers) else { return accepted(None, secrets) };
    let decoded = match kind {
        _ if body.is_empty() => Some(ExportTraceServiceResponse::default()),
        Some("application/json") => from_json(&body),
        Some(PROTOBUF) => ExportTraceServiceResponse::decode(&*body).ok(),
        _ => Some(ExportTraceServiceResponse::decode(&*body).unwrap_or_default()),
    };
    decoded.map_or_else(of_other, |response| accepted(Some(response), secrets))
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

/// The delay that the receiver asks for, in seconds or as a date (RFC 9110, section 10.2.3). A date counts from
/// the answer's own date, so it does not matter whether both clocks agree.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let date = |name| httpdate::parse_http_date(text(name)?).ok();
    let value = text(RETRY_AFTER)?;
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than there are numbers for is long in any case.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = date(RETRY_AFTER)?;
    Some(until.duration_since(date(DATE).unwrap_or(now)).unwrap_or_default())
}

fn failure(status: StatusCode, headers: &HeaderMap, text: &Text, secrets: &Secrets) -> String {
    // What came of a body that broke off may still give the reason.
    let body = text.decoded(headers).unwrap_or_else(|| text.bytes.clone());
    let text = match content_type(headers) {
        // A google.rpc.Status.
        Some(PROTOBUF) => {
            tonic_types::Status::decode(&*body).map(|s| s.message).unwrap_or_default()
        }
        _ => String::from_utf8_lossy(&body).into_owned(),
    };
    let text = excerpt(&text, secrets);
    let advice = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => HEADER_HINT,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => "; is the URL correct?",
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => "; does the proxy variable have a password?",
        _ => "",
    };
    if status.is_redirection() {
        return format!("{status}{}", redirected(headers, secrets));
    }
    if text.is_empty() { format!("{status}{advice}") } else { format!("{status}: {text}{advice}") }
}

/// A redirect is not followed: headers with credentials would go to another host.
fn redirected(headers: &HeaderMap, secrets: &Secrets) -> String {
    let target = headers.get(LOCATION).map(|url| String::from_utf8_lossy(url.as_bytes()));
    let to = target.map_or_else(String::new, |url| {
        format!(" to {}", excerpt(&redact::url(&secrets.hide(&url)), secrets))
    });
    format!("{to}; redirects are not followed: set the endpoint to the URL that answers")
}

#[cfg(test)]
mod tests;
