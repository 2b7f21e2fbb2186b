//! A probe that has ended and is not settled, as a JSON object.

use engine::early::EarlyReport;
use kernel::clock::Clock;
use model::{
    outcome::{Outcome, error_type},
    target::Target,
};
use serde::Serialize;

use super::{
    probe::{errno_name, local, probe_id},
    text::Text,
};

/// The outcome of a probe. Its fields have the names and meanings of those of the probe's line, which follows
/// after the settle window and is recognised by the same `probe` and `start_unix_nano`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OutcomeObject<'a> {
    /// `outcome`: only these lines have a type.
    r#type: &'static str,
    target: &'a str,
    address: Text,
    local: Option<Text>,
    probe: Option<Text>,
    start_time: Text,
    start_unix_nano: Text,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno_name: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<&'static str>,
    handshake_seconds: Option<f64>,
}

impl<'a> OutcomeObject<'a> {
    /// The object for a probe of `target`.
    pub(crate) fn new(report: &EarlyReport, target: &'a Target, clock: Clock) -> Self {
        let record = &report.record;
        let syn_at = record.syn_at();
        Self {
            r#type: "outcome",
            target: &target.name,
            address: Text::socket(target.address),
            local: local(record),
            probe: probe_id(record.id),
            start_time: Text::time(clock, syn_at),
            start_unix_nano: Text::new(clock.unix_ns(syn_at)),
            outcome: report.outcome,
            errno_name: errno_name(record.errno),
            error_type: error_type(report.outcome, record.errno),
            handshake_seconds: record.handshake_ns().map(|ns| ns as f64 / 1e9),
        }
    }
}
