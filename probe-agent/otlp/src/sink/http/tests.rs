use std::time::{Duration, SystemTime};

use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER},
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;

use super::{Answer, Attempt, Secrets, Text, classify};

fn headers(pairs: &[(http::HeaderName, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(k, v)| (k.clone(), HeaderValue::from_static(v))).collect()
}

/// How a response with these headers is classified, in words. `whole`: its body did not break off.
fn described_with(status: u16, head: &HeaderMap, body: &[u8], whole: bool) -> String {
    let text = Text { bytes: body.to_vec(), whole, trailers: None };
    let secrets = Secrets::new(["secret".to_owned()]);
    match classify(StatusCode::from_u16(status).unwrap(), head, &text, &secrets) {
        Attempt::Done(Answer::Accepted { rejected, message }) => {
            format!("taken but {rejected} {message}")
        }
        Attempt::Done(Answer::Failed { why }) => format!("failed: {why}"),
        Attempt::Done(Answer::Unanswered) => "unanswered".to_owned(),
        Attempt::Retry { why, after } => format!("again after {after:?}: {why}"),
    }
}

/// How a response is classified, in words.
fn described(status: u16, content_type: &'static str, body: &[u8]) -> String {
    let head = headers(&[(CONTENT_TYPE, content_type), (RETRY_AFTER, "7")]);
    described_with(status, &head, body, true)
}

#[test]
fn a_body_that_breaks_off_changes_nothing() {
    let head = |content_type| headers(&[(CONTENT_TYPE, content_type), (RETRY_AFTER, "7")]);
    let broken =
        |status, kind, body: &str| described_with(status, &head(kind), body.as_bytes(), false);
    let unread = "taken but 0 its answer broke off or is too long, so it is not known whether it \
                  rejected some of them";
    assert_eq!(broken(200, "application/x-protobuf", "\u{1}"), unread);
    assert_eq!(broken(202, "application/json", "{"), unread);
    let not_otlp = "failed: it answers, but not like an OTLP receiver; is the URL correct?";
    assert_eq!(broken(200, "text/html", "<h1>"), not_otlp);
    assert_eq!(broken(400, "text/plain", "bad"), "failed: 400 Bad Request: bad");
    assert_eq!(broken(500, "text/plain", ""), "failed: 500 Internal Server Error");
    assert_eq!(broken(503, "text/plain", ""), "again after Some(7s): 503 Service Unavailable");
}

#[test]
fn no_secret_and_no_query_is_repeated() {
    let text = [b"a".repeat(198), b"secret".to_vec()].concat();
    let answer = described(500, "text/plain", &text);
    assert!(answer.ends_with("aa**") && !answer.contains("se"), "{answer}");
    for target in ["https://me:pw@other/v1/traces?token=secret", "/v1/traces?t=pw", "/a?secret"] {
        let head = headers(&[(LOCATION, target)]);
        let answer = described_with(307, &head, b"", true);
        assert!(answer.starts_with("failed: 307 Temporary Redirect to "), "{answer}");
        assert!(!answer.contains("pw") && !answer.contains("secret"), "{answer}");
    }
}

#[test]
fn responses_are_classified_as_specified() {
    let partial = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: 3,
            error_message: "too old".into(),
        }),
    }
    .encode_to_vec();
    let status = tonic_types::Status { code: 3, message: "bad span".into(), details: vec![] }
        .encode_to_vec();
    let json = br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}"#;
    let proto = "application/x-protobuf";
    let not_otlp = "failed: it answers, but not like an OTLP receiver; is the URL correct?";
    let table: &[(u16, &'static str, &[u8], &str)] = &[
        (200, proto, b"", "taken but 0 "),
        (202, "text/plain", b"OK", "taken but 0 "),
        (200, "application/json", b"{}", "taken but 0 "),
        (204, "application/json", b"", "taken but 0 "),
        (200, proto, &partial, "taken but 3 too old"),
        (200, "application/json; charset=utf-8", json, "taken but 3 too old"),
        (200, "text/html; charset=utf-8", b"<h1>Welcome</h1>", not_otlp),
        (200, proto, b"\xff\xff", not_otlp),
        (400, proto, &status, "failed: 400 Bad Request: bad span"),
        (500, "text/plain", b"\x1b[31mboom\n", "failed: 500 Internal Server Error: [31mboom"),
        (404, "text/plain", b"", "failed: 404 Not Found; is the URL correct?"),
        (
            401,
            "text/plain",
            b"who?",
            "failed: 401 Unauthorized: who?; does it need a header (OTEL_EXPORTER_OTLP_HEADERS)?",
        ),
        (429, "text/plain", b"slow", "again after Some(7s): 429 Too Many Requests: slow"),
        (502, "text/plain", b"", "again after Some(7s): 502 Bad Gateway"),
        (503, "text/plain", b"", "again after Some(7s): 503 Service Unavailable"),
        (504, "text/plain", b"", "again after Some(7s): 504 Gateway Timeout"),
    ];
    for (code, content_type, body, expected) in table {
        assert_eq!(described(*code, content_type, body), *expected, "{code} {content_type}");
    }
}

#[test]
fn a_delay_is_read_in_seconds_or_as_a_date() {
    // 2026-10-21 07:27:00 UTC.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_792_567_620);
    let seconds = |pairs: &[_]| super::retry_after(&headers(pairs), now).map(|d| d.as_secs());
    let after = |value| seconds(&[(RETRY_AFTER, value)]);
    assert_eq!(after("3"), Some(3));
    assert_eq!(after(" 120 "), Some(120));
    assert_eq!(after("99999999999999999999"), Some(u64::MAX));
    // All forms of a date (RFC 9110, section 5.6.7).
    for date in [
        "Wed, 21 Oct 2026 07:28:30 GMT",
        "Wednesday, 21-Oct-26 07:28:30 GMT",
        "Wed Oct 21 07:28:30 2026",
    ] {
        assert_eq!(after(date), Some(90), "{date}");
    }
    assert_eq!(after("Wed, 21 Oct 2026 07:26:00 GMT"), Some(0), "it is past");
    let by_its_own_clock =
        [(RETRY_AFTER, "Wed, 21 Oct 2026 09:00:05 GMT"), (DATE, "Wed, 21 Oct 2026 09:00:00 GMT")];
    assert_eq!(seconds(&by_its_own_clock), Some(5));
    for nonsense in ["", "soon", "-3", "+3", "1.5", "Wed, 32 Oct 2026 07:28:30 GMT"] {
        assert_eq!(after(nonsense), None, "{nonsense}");
    }
    assert_eq!(seconds(&[]), None);
}
