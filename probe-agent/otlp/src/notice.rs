//! What the exporter reports about a sink while it works.

use std::fmt;

use model::human::counted;

/// Something about a sink that the user should know; displayed as one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice<'a> {
    /// Spans were not delivered.
    Failed {
        /// The collector's URL or the file.
        sink: &'a str,
        /// How many, since the last notice of this kind.
        spans: u64,
        /// Why the last of them were not.
        reason: &'a str,
    },
    /// Spans found the queue full.
    Overflowed {
        /// The collector's URL, or the file if there is none.
        sink: &'a str,
        /// How many, since the last notice of this kind.
        spans: u64,
    },
    /// The sink accepts spans again.
    Recovered {
        /// The collector's URL or the file.
        sink: &'a str,
    },
    /// The sink accepted the spans and sent a message.
    Remark {
        /// The collector's URL.
        sink: &'a str,
        /// The message.
        message: &'a str,
    },
}

impl fmt::Display for Notice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { sink, spans, reason } => {
                write!(f, "OTLP: {} not delivered to {sink}: {reason}", counted(*spans, "span"))
            }
            Self::Overflowed { sink, spans } => write!(
                f,
                "OTLP: {} dropped because the queue is full: {sink} takes fewer than are made",
                counted(*spans, "span")
            ),
            Self::Recovered { sink } => write!(f, "OTLP: {sink} accepts spans again"),
            Self::Remark { sink, message } => {
                write!(f, "OTLP: {sink} accepted the spans and reports: {message}")
            }
        }
    }
}
