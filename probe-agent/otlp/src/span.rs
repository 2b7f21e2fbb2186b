//! One probe as one OTLP span.
//!
//! | field | value |
//! | --- | --- |
//! | name, kind | `tcp.probe`, CLIENT |
//! | start | the SYN left |
//! | end | the RST of the close left, or the probe ended without one |
//! | status | unset on success, ERROR with the verdict's sentence on failure |
//! | events | one for each step, at its kernel time |
//! | links | the other probes of this run involved in the verdicts |
//!
//! A late SYN-ACK in the settle window, and the RST that answers it, are events after the span's end. OTLP
//! does not limit event times, and a span up to the last late event would show a handshake of 70 us as one
//! second.
//!
//! Each span is the root of its own trace; links connect the probes of paths B and C.

mod attributes;
mod event;

use opentelemetry_proto::tonic::trace::v1::{
    Span, SpanFlags, Status,
    span::{Link, SpanKind},
    status::StatusCode,
};

use super::{ids::RunIds, value};
use explain::ExplainedProbe;
use kernel::clock::Clock;
use model::target::Target;

/// The name of every span.
const NAME: &str = "tcp.probe";

/// Flags of spans and links: sampled (W3C Trace Context, section 3.2.2.5.1), and known not to be remote,
/// because the context is of this run.
const FLAGS: u32 = 0x01 | SpanFlags::ContextHasIsRemoteMask as u32;

/// The span of a probe.
///
/// Its status depends on whether the outcome was the expected one (`--expect`): an expected refusal is not
/// an error, an unexpected answer is.
#[must_use]
pub fn span(probe: &ExplainedProbe, target: &Target, clock: &Clock, ids: &RunIds) -> Span {
    let record = &probe.timeline.probe;
    let start = record.syn_at();
    let end = record.rst_at().unwrap_or(record.ended_at).max(start);
    let context = ids.context(record.id);
    Span {
        trace_id: context.trace_id().to_bytes().to_vec(),
        span_id: context.span_id().to_bytes().to_vec(),
        flags: FLAGS,
        name: NAME.to_owned(),
        kind: SpanKind::Client.into(),
        start_time_unix_nano: clock.unix_ns(start),
        end_time_unix_nano: clock.unix_ns(end),
        attributes: attributes::attributes(probe, target),
        events: probe.steps.iter().map(|step| event::event(step, clock)).collect(),
        links: links(probe, ids),
        status: Some(status(probe)),
        ..Span::default()
    }
}

fn links(probe: &ExplainedProbe, ids: &RunIds) -> Vec<Link> {
    let linked = probe.findings.iter().filter_map(|f| Some((f, f.link?)));
    linked
        .map(|(finding, other)| {
            let context = ids.context(other);
            Link {
                trace_id: context.trace_id().to_bytes().to_vec(),
                span_id: context.span_id().to_bytes().to_vec(),
                flags: FLAGS,
                attributes: vec![
                    value::text("probe_agent.link.verdict", finding.verdict.name()),
                    value::text("probe_agent.link.probe", other.to_string()),
                ],
                ..Link::default()
            }
        })
        .collect()
}

fn status(probe: &ExplainedProbe) -> Status {
    if probe.expected {
        return Status::default();
    }
    let message = probe.findings.first().map_or_else(String::new, |f| f.sentence.clone());
    Status { message, code: StatusCode::Error.into() }
}
