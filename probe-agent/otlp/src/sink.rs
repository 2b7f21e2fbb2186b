//! The sinks for batches: a collector over gRPC or HTTP, and a file.

mod answer;
pub(super) mod collector;
mod failure;
pub(super) mod file;
mod grpc;
mod http;
mod retry;
mod tls;
mod transport;

pub use tls::TlsError;

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
    /// The sink accepted nothing, as far as is known.
    Failed {
        /// The cause, with a remedy.
        why: String,
    },
    /// The run ended before there was an answer.
    Unanswered,
}

impl Answer {
    /// How many spans of a batch were not accepted.
    pub(super) fn rejected(&self, of: u64) -> u64 {
        match self {
            Self::Accepted { rejected, .. } => (*rejected).min(of),
            Self::Failed { .. } | Self::Unanswered => of,
        }
    }
}
