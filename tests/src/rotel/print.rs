//! A span as Rotel prints it, for comparison.

use std::fmt::Write;

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::Span,
};

/// All lines of a span but the first, which numbers it.
#[must_use]
pub fn printed(span: &Span) -> String {
    let mut out = Text::default();
    let status = span.status.clone().unwrap_or_default();
    out.line(&format!("    Trace ID       : {}", hex(&span.trace_id)));
    out.line(&format!("    Parent ID      : {}", hex(&span.parent_span_id)));
    out.line(&format!("    ID             : {}", hex(&span.span_id)));
    out.line(&format!("    Name           : {}", span.name));
    out.line(&format!("    Kind           : {}", span.kind().as_str_name()));
    out.line(&format!("Start time: {}", span.start_time_unix_nano));
    out.line(&format!("End time: {}", span.end_time_unix_nano));
    out.line(&format!("    Status code    : {}", status.code().as_str_name()));
    out.line(&format!("    Status message : {}", status.message));
    out.line("Attributes:");
    out.attributes("     ", &span.attributes);
    out.line("Events:");
    for (n, event) in span.events.iter().enumerate() {
        out.line(&format!("SpanEvent #{n}"));
        out.line(&format!("     -> Name: {}", event.name));
        out.line(&format!("     -> Timestamp: {}", event.time_unix_nano));
        out.line("     -> DroppedAttributesCount: 0");
        out.line("     -> Attributes::");
        out.attributes("          ", &event.attributes);
    }
    if !span.links.is_empty() {
        out.line("Links:");
    }
    for (n, link) in span.links.iter().enumerate() {
        out.line(&format!("SpanLink #{n}"));
        out.line(&format!("     -> Trace ID: {}", hex(&link.trace_id)));
        out.line(&format!("     -> ID: {}", hex(&link.span_id)));
        out.line(&format!("     -> TraceState: {}", link.trace_state));
        out.line("     -> DroppedAttributesCount: 0");
        out.line("     -> Attributes::");
        out.attributes("          ", &link.attributes);
    }
    out.0
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn attributes(&mut self, indent: &str, pairs: &[KeyValue]) {
        for pair in pairs {
            let value = pair.value.as_ref().map(value).unwrap_or_default();
            self.line(&format!("{indent}-> {}: {value}", pair.key));
        }
    }
}

fn value(of: &AnyValue) -> String {
    match &of.value {
        Some(Value::StringValue(text)) => format!("Str({text})"),
        Some(Value::IntValue(n)) => format!("Int({n})"),
        Some(Value::BoolValue(b)) => format!("Bool({b})"),
        Some(Value::DoubleValue(d)) => format!("Double({d})"),
        Some(Value::ArrayValue(array)) => {
            let values: Vec<String> = array.values.iter().map(value).collect();
            format!("Slice({})", values.join(", "))
        }
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
