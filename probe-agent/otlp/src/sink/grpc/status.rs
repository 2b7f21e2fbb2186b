//! The status of a gRPC answer, and what it means for a batch.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use percent_encoding::percent_decode;
use prost::Message;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{Answer, Attempt, Secrets, accepted};
use crate::sink::failure::{HEADER_HINT, excerpt};

/// Binary metadata may come with or without padding (gRPC, "HTTP2 Transport Mapping").
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The status in headers or trailers. Details that do not decode are left out.
pub(super) fn of_headers(headers: &HeaderMap) -> Option<Status> {
    let number = headers.get("grpc-status")?.to_str().ok().and_then(|n| n.trim().parse().ok());
    let text = headers.get("grpc-message").map_or(&b""[..], |text| text.as_bytes());
    let details = headers.get("grpc-status-details-bin");
    let details = details.and_then(|d| BASE64.decode(d.as_bytes()).ok()).unwrap_or_default();
    Some(Status::with_details(
        number.map_or(Code::Unknown, Code::from_i32),
        percent_decode(text).decode_utf8_lossy(),
        details.into(),
    ))
}

/// The status of an answer that does not come from a gRPC receiver (gRPC, "HTTP to gRPC Status Code
/// Mapping").
pub(super) fn of_http(status: StatusCode) -> Status {
    let code = match status {
        StatusCode::BAD_REQUEST => Code::Internal,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::Unimplemented,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Code::Unavailable,
        _ => Code::Unknown,
    };
    Status::new(code, format!("it answers {status}, but not in gRPC; is the endpoint correct?"))
}

/// Whether to retry after a status ("OTLP/gRPC Response", "Failures").
pub(super) fn classify(
    status: &Status,
    message: impl FnOnce() -> Option<Vec<u8>>,
    secrets: &Secrets,
) -> Attempt {
    let after = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let again = match status.code() {
        Code::Ok => {
            let message = message();
            let response = message.and_then(|m| ExportTraceServiceResponse::decode(&*m).ok());
            return Attempt::Done(accepted(response, secrets));
        }
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => true,
        // Only if the receiver announces its recovery.
        Code::ResourceExhausted => after.is_some(),
        Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Unimplemented
        | Code::Internal
        | Code::Unauthenticated => false,
    };
    let why = why(status, secrets);
    if again { Attempt::Retry { why, after } } else { Attempt::Done(Answer::Failed { why }) }
}

fn why(status: &Status, secrets: &Secrets) -> String {
    let text = excerpt(status.message(), secrets);
    let advice = match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => HEADER_HINT,
        Code::Unimplemented => "; is it an OTLP receiver for traces?",
        _ => "",
    };
    format!("{:?}: {text}{advice}", status.code())
}
