//! A probe that has ended and is not settled, as a JSON object.

use engine::early::EarlyReport;
use kernel::clock::Clock;
use model::target::Target;
use serde::Serialize;

use super::head::Head;

/// The outcome of a probe. Its fields have the names and meanings of those of the probe's line, which follows
/// after the settle window and is recognised by the same `probe` and `start_unix_nano`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OutcomeObject<'a> {
    /// `outcome`: only these lines have a type.
    r#type: &'static str,
    #[serde(flatten)]
    head: Head<'a>,
    handshake_seconds: Option<f64>,
}

impl<'a> OutcomeObject<'a> {
    /// The object for a probe of `target`.
    pub(crate) fn new(report: &EarlyReport, target: &'a Target, clock: Clock) -> Self {
        let record = &report.record;
        Self {
            r#type: "outcome",
            head: Head::new(record, report.outcome, target, clock),
            handshake_seconds: record.handshake_ns().map(|ns| ns as f64 / 1e9),
        }
    }
}
