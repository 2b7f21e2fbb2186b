//! The sinks for batches: a collector over gRPC or HTTP, and a file.

pub(super) mod collector;
pub(super) mod file;
mod grpc;
mod http;
mod retry;
mod tls;
mod transport;

pub use tls::TlsError;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;

/// The result of handing a batch to a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The sink accepted the batch, perhaps without some spans (OTLP's partial success).
    Accepted {
        /// Spans that it rejected.
        rejected: u64,
        /// The reason, or a warning; may be empty.
        message: String,
    },
    /// The sink accepted nothing.
    Failed {
        /// The cause, with a remedy.
        why: String,
    },
}

impl Answer {
    /// How many spans of a batch were not accepted.
    pub(super) fn rejected(&self, of: u64) -> u64 {
        match self {
            Self::Accepted { rejected, .. } => (*rejected).min(of),
            Self::Failed { .. } => of,
        }
    }
}

/// A success may be a partial one.
impl From<ExportTraceServiceResponse> for Answer {
    fn from(response: ExportTraceServiceResponse) -> Self {
        let partial = response.partial_success.unwrap_or_default();
        Self::Accepted {
            rejected: u64::try_from(partial.rejected_spans).unwrap_or_default(),
            message: printable(&partial.error_message, usize::MAX),
        }
    }
}

/// A hint for a receiver that rejects the sender.
const HEADER_HINT: &str = "; does it need a header (OTEL_EXPORTER_OTLP_HEADERS)?";

/// At most `limit` characters of a text from another host. Its control characters must not reach the
/// terminal.
fn printable(text: &str, limit: usize) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(limit).collect()
}

/// An error with its causes, outermost first: in these libraries the last one is the most specific.
fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Wrappers often repeat what they wrap.
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}
