//! One probe that a scraper asks for, in the metrics of blackbox_exporter and some more.
//!
//! A phase that was never reached has no series: a zero would look like a very fast one.

use std::{net::IpAddr, time::Duration};

use model::{
    outcome::Outcome,
    verdict::{Judgement, Proof, Verdict},
};

use crate::{
    family::{Family, gauge},
    format::Format,
    page::{Page, Value},
};

/// What came of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether the target is as it should be.
    pub success: bool,
    /// From the question to this answer.
    pub duration: Duration,
    /// How long looking the name up took, also if it failed; `None` if the target is an address.
    pub lookup: Option<Duration>,
    /// Where the SYN went, or would have gone; `None` if the name has no address.
    pub address: Option<IpAddr>,
    /// Why there was no probe, as a value of `error.type`; `None` if there was one.
    pub not_started: Option<&'static str>,
    /// The probe, if there was one.
    pub probe: Option<Probe>,
}

/// A probe that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// How it ended.
    pub outcome: Outcome,
    /// Its `error.type`; `None` if it is alive.
    pub error_type: Option<&'static str>,
    /// From SYN to SYN-ACK; `None` without a SYN-ACK.
    pub handshake: Option<Duration>,
    /// How often the SYN was sent again; `None` if that is not known.
    pub syn_retransmits: Option<u64>,
    /// Whether no ACK can have completed the handshake.
    pub half_open: bool,
    /// What is known already about why it went that way. Some faults show only after the settle window.
    pub verdicts: Vec<Judgement>,
}

type Write = fn(&Answer, &mut Page);

/// The metrics of `/probe`, in the order in which they are written.
pub fn families() -> impl Iterator<Item = &'static Family> {
    FAMILIES.iter().map(|(family, _)| family)
}

/// The metrics of one probe.
#[must_use]
pub fn text(answer: &Answer, format: Format) -> String {
    let mut page = Page::new(format, 2048);
    for (family, write) in &FAMILIES {
        page.family(family, false);
        write(answer, &mut page);
    }
    page.end();
    page.into_text()
}

const FAMILIES: [(Family, Write); 10] = [
    (
        gauge("probe_success", &[], "1", "Whether the target is as it should be: 1 or 0."),
        |answer, page| one(page, Value::Count(u64::from(answer.success))),
    ),
    (
        gauge("probe_duration_seconds", &[], "1", "How long the probe took, with the lookup."),
        |answer, page| one(page, seconds(answer.duration)),
    ),
    (
        gauge(
            "probe_dns_lookup_time_seconds",
            &[],
            "1",
            "How long looking the name up took; absent if the target is an address.",
        ),
        |answer, page| optional(page, answer.lookup.map(seconds)),
    ),
    (
        gauge(
            "probe_ip_protocol",
            &[],
            "1",
            "The IP version of the probe, 4 or 6; absent if the name has no address.",
        ),
        |answer, page| {
            let version = |ip: IpAddr| if ip.to_canonical().is_ipv4() { 4 } else { 6 };
            optional(page, answer.address.map(version).map(Value::Count));
        },
    ),
    (
        gauge(
            "probe_ip_addr_hash",
            &[],
            "1",
            "A hash of the address (FNV-1a), to see that it changes; absent if the name has none.",
        ),
        |answer, page| optional(page, answer.address.map(|ip| Value::Count(hash(ip).into()))),
    ),
    (
        gauge(
            "probe_handshake_seconds",
            &[],
            "1",
            "The time from SYN to SYN-ACK; absent if there was no SYN-ACK.",
        ),
        |answer, page| optional(page, probe(answer).and_then(|p| p.handshake).map(seconds)),
    ),
    (
        gauge(
            "probe_syn_retransmits",
            &[],
            "1",
            "How often the SYN was sent again; absent if no SYN was sent, or if it is not known.",
        ),
        |answer, page| {
            optional(page, probe(answer).and_then(|p| p.syn_retransmits).map(Value::Count));
        },
    ),
    (
        gauge(
            "probe_half_open",
            &[],
            "1",
            "Whether the guard made sure that the handshake stayed half-open: 1 or 0; absent without a probe.",
        ),
        |answer, page| {
            optional(page, probe(answer).map(|p| Value::Count(u64::from(p.half_open))));
        },
    ),
    (
        gauge(
            "probe_failure_info",
            &["outcome", "error_type"],
            "1",
            "Always 1: why the probe was no success, by its outcome (not_started if there was no probe) and error.type; absent after a success.",
        ),
        failure,
    ),
    (
        gauge(
            "probe_finding_info",
            &["verdict", "proof"],
            "6",
            "Always 1: each verdict that is known when the answer is sent, with its proof.",
        ),
        |answer, page| {
            for Judgement { verdict, proof } in probe(answer).iter().flat_map(|p| &p.verdicts) {
                let more = [("verdict", Verdict::name(*verdict)), ("proof", Proof::name(*proof))];
                page.sample("", "", &more, Value::Count(1), None);
            }
        },
    ),
];

fn failure(answer: &Answer, page: &mut Page) {
    if answer.success {
        return;
    }
    let (outcome, error) = match (&answer.probe, answer.not_started) {
        // Alive is a failure where the target should be closed.
        (Some(probe), _) => (probe.outcome.name(), probe.error_type.unwrap_or("")),
        (None, error) => ("not_started", error.unwrap_or("_OTHER")),
    };
    let more = [("outcome", outcome), ("error_type", error)];
    page.sample("", "", &more, Value::Count(1), None);
}

const fn probe(answer: &Answer) -> Option<&Probe> {
    answer.probe.as_ref()
}

fn seconds(duration: Duration) -> Value {
    Value::Nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

fn optional(page: &mut Page, value: Option<Value>) {
    value.into_iter().for_each(|value| one(page, value));
}

fn one(page: &mut Page, value: Value) {
    page.sample("", "", &[], value, None);
}

/// The 32-bit FNV-1a hash of the bytes of an address, as blackbox_exporter has it.
fn hash(ip: IpAddr) -> u32 {
    let add = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619);
    const BASIS: u32 = 2_166_136_261;
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.octets().iter().fold(BASIS, add),
        IpAddr::V6(ip) => ip.octets().iter().fold(BASIS, add),
    }
}

#[cfg(test)]
mod tests;
