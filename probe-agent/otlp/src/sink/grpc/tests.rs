use std::time::Duration;

use base64::Engine;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::{
    Answer, Attempt, Secrets, Text, message,
    status::{classify, of_headers, of_http},
};

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(k, v): &(&'static str, &str)| {
        (HeaderName::from_static(k), HeaderValue::from_str(v).unwrap())
    };
    pairs.iter().map(pair).collect()
}

/// What a status means, in words.
fn described(pairs: &[(&'static str, &str)], message: Option<Vec<u8>>) -> String {
    let status = of_headers(&headers(pairs)).unwrap();
    match classify(&status, || message, &Secrets::new(["secret".to_owned()])) {
        Attempt::Done(Answer::Accepted { rejected, message }) => format!("{rejected} {message}"),
        Attempt::Done(Answer::Failed { why }) => format!("failed: {why}"),
        Attempt::Done(Answer::Unanswered) => "unanswered".to_owned(),
        Attempt::Retry { why, after } => format!("again after {after:?}: {why}"),
    }
}

#[test]
fn only_the_codes_of_the_specification_are_retried() {
    let again: Vec<i32> = (0..=17)
        .filter(|code| {
            described(&[("grpc-status", &code.to_string())], Some(Vec::new())).starts_with("again")
        })
        .collect();
    let codes = [
        Code::Cancelled,
        Code::DeadlineExceeded,
        Code::Aborted,
        Code::OutOfRange,
        Code::Unavailable,
        Code::DataLoss,
    ];
    assert_eq!(again, codes.map(|code| code as i32));
}

#[test]
fn an_exhausted_resource_is_retried_only_with_a_delay() {
    let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(3)));
    let status = Status::with_error_details(Code::ResourceExhausted, "full", details);
    for engine in [base64::prelude::BASE64_STANDARD, base64::prelude::BASE64_STANDARD_NO_PAD] {
        let encoded = engine.encode(status.details());
        let pairs = [("grpc-status", "8"), ("grpc-status-details-bin", &*encoded)];
        assert_eq!(described(&pairs, None), "again after Some(3s): ResourceExhausted: ");
    }
    assert_eq!(described(&[("grpc-status", "8")], None), "failed: ResourceExhausted: ");
}

#[test]
fn no_status_is_unreadable() {
    for (pairs, expected) in [
        (&[("grpc-status", "x")][..], "failed: Unknown: "),
        (&[("grpc-status", "-1")], "failed: Unknown: "),
        (&[("grpc-status", "13"), ("grpc-status-details-bin", "?!")], "failed: Internal: "),
        (
            &[("grpc-status", "3"), ("grpc-message", "a%20b%1b%ff secret")],
            "failed: InvalidArgument: a b\u{fffd} ***",
        ),
    ] {
        assert_eq!(described(pairs, None), expected);
    }
    assert!(of_headers(&HeaderMap::new()).is_none());
}

#[test]
fn an_accepted_batch_stays_accepted_whatever_its_message() {
    let ok = [("grpc-status", "0")];
    let partial = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: 3,
            error_message: "too old".into(),
        }),
    };
    assert_eq!(described(&ok, Some(partial.encode_to_vec())), "3 too old");
    assert_eq!(described(&ok, Some(Vec::new())), "0 ");
    for unreadable in [None, Some(vec![0xff, 0xff])] {
        assert!(described(&ok, unreadable).starts_with("0 its answer broke off"));
    }
}

#[test]
fn the_http_status_counts_where_there_is_no_other() {
    let code = |status| of_http(StatusCode::from_u16(status).unwrap()).code();
    assert_eq!(
        [400, 401, 403, 404, 429, 502, 503, 504, 200, 500].map(code),
        [
            Code::Internal,
            Code::Unauthenticated,
            Code::PermissionDenied,
            Code::Unimplemented,
            Code::Unavailable,
            Code::Unavailable,
            Code::Unavailable,
            Code::Unavailable,
            Code::Unknown,
            Code::Unknown,
        ]
    );
}

#[test]
fn a_message_is_complete_or_none() {
    let of = |bytes: &[u8]| message(&Text { bytes: bytes.to_vec(), whole: true, trailers: None });
    assert_eq!(of(&[0, 0, 0, 0, 2, 7, 8]), Some(vec![7, 8]));
    assert_eq!(of(&[0, 0, 0, 0, 2, 7]), None);
    assert_eq!(of(&[0, 0, 0]), None);
    assert_eq!(of(&[0, 255, 255, 255, 255, 7]), None);
    assert_eq!(of(&[1, 0, 0, 0, 1, 7]), None, "not gzip");
    assert_eq!(of(&[9, 0, 0, 0, 1, 7]), None);
}
