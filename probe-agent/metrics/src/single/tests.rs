use std::time::Duration;

use model::{
    outcome::Outcome,
    verdict::{Judgement, Proof, Verdict},
};

use super::{Answer, Probe, hash, text};
use crate::Format;

fn alive() -> Answer {
    Answer {
        success: true,
        duration: Duration::from_micros(2_300),
        lookup: Some(Duration::from_millis(2)),
        address: Some([10, 0, 0, 1].into()),
        not_started: None,
        probe: Some(Probe {
            outcome: Outcome::Alive,
            error_type: None,
            handshake: Some(Duration::from_micros(300)),
            syn_retransmits: Some(0),
            half_open: true,
            verdicts: Vec::new(),
        }),
    }
}

/// The samples, without comments.
fn samples(answer: &Answer) -> Vec<String> {
    let text = text(answer, Format::Text);
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn a_success_has_the_metrics_of_blackbox_exporter() {
    assert_eq!(
        samples(&alive()),
        [
            "probe_success 1",
            "probe_duration_seconds 0.002300000",
            "probe_dns_lookup_time_seconds 0.002000000",
            "probe_ip_protocol 4",
            "probe_ip_addr_hash 1817209388",
            "probe_handshake_seconds 0.000300000",
            "probe_syn_retransmits 0",
            "probe_half_open 1",
        ]
    );
}

#[test]
fn a_phase_that_was_not_reached_has_no_series() {
    let not_started = Some("name_not_resolved");
    let unresolved = Answer { success: false, address: None, not_started, probe: None, ..alive() };
    assert_eq!(
        samples(&unresolved),
        [
            "probe_success 0",
            "probe_duration_seconds 0.002300000",
            "probe_dns_lookup_time_seconds 0.002000000",
            "probe_failure_info{outcome=\"not_started\",error_type=\"name_not_resolved\"} 1",
        ]
    );
    let timed_out = Probe {
        outcome: Outcome::TimedOut,
        error_type: Some("timed_out"),
        handshake: None,
        syn_retransmits: Some(2),
        half_open: false,
        verdicts: vec![
            Judgement { verdict: Verdict::LocalDrop, proof: Proof::Confirmed },
            Judgement { verdict: Verdict::TimedOut, proof: Proof::Confirmed },
        ],
    };
    let answer = Answer {
        success: false,
        lookup: None,
        address: Some("2001:db8::1".parse().unwrap()),
        probe: Some(timed_out),
        ..alive()
    };
    assert_eq!(
        samples(&answer),
        [
            "probe_success 0",
            "probe_duration_seconds 0.002300000",
            "probe_ip_protocol 6",
            "probe_ip_addr_hash 1851458804",
            "probe_syn_retransmits 2",
            "probe_half_open 0",
            "probe_failure_info{outcome=\"timed_out\",error_type=\"timed_out\"} 1",
            "probe_finding_info{verdict=\"local_drop\",proof=\"confirmed\"} 1",
            "probe_finding_info{verdict=\"timed_out\",proof=\"confirmed\"} 1",
        ]
    );
}

#[test]
fn an_open_port_that_should_be_closed_is_a_failure_with_a_reason() {
    let answer = Answer { success: false, ..alive() };
    let failure = "probe_failure_info{outcome=\"alive\",error_type=\"\"} 1";
    assert!(samples(&answer).iter().any(|line| line == failure));
}

#[test]
fn the_hash_of_an_address_is_fnv_1a() {
    // Computed apart from this program.
    assert_eq!(hash([0, 0, 0, 0].into()), 0x4b95_f515);
    assert_eq!(hash("::ffff:10.0.0.1".parse().unwrap()), hash([10, 0, 0, 1].into()));
}
