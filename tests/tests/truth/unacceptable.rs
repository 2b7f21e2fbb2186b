//! The peer answers the SYN with a segment that is no acceptable answer: it acknowledges something else.
//! That is no SYN-ACK for this probe, whatever its flags.

use std::net::SocketAddr;

use lab::{Family, Lab};
use probe_agent_tests::{peer::Peer, privileged, segment::Segment};

use crate::report::{arguments, check};

/// What the peer acknowledges: far from anything that a probe has sent.
fn other(segment: &Segment) -> u32 {
    segment.header.sequence_number.wrapping_add(1_000_000)
}

#[test]
fn a_synack_for_another_syn_is_not_alive() {
    privileged!();
    let lab = Lab::new().unwrap();
    let peers = Family::ALL.map(|family| {
        Peer::start(&lab, family, |segment| {
            let answer = segment.answer(1_000).syn().ack(other(segment));
            segment.is_syn().then(|| answer.packet()).into_iter().collect()
        })
    });
    let targets = peers.each_ref().map(|peer| SocketAddr::new(peer.address(), 80));
    let report = check(lab.client(), &format!("{} --timeout 500ms", arguments(&targets)));
    for (peer, target) in peers.iter().zip(targets) {
        // Our kernel reset it, with the number that it acknowledged.
        let received = peer.received();
        assert!(received.iter().any(|s| s.header.rst && !s.header.ack), "{received:?}");
        let probe = report.to(target);
        probe.is("timed_out", &["challenge_ack/inferred", "timed_out/confirmed"]);
        probe.says(&["SYN-ACK", "does not acknowledge our SYN"]);
        probe.never_says(&["SYN_RECV", "holds no half-open connection"]);
    }
    assert_eq!(report.code, Some(1));
}

#[test]
fn a_rst_for_another_syn_is_no_refusal() {
    privileged!();
    let lab = Lab::new().unwrap();
    let peers = Family::ALL.map(|family| {
        Peer::start(&lab, family, |segment| {
            let answer = segment.answer(0).rst().ack(other(segment));
            segment.is_syn().then(|| answer.packet()).into_iter().collect()
        })
    });
    let targets = peers.each_ref().map(|peer| SocketAddr::new(peer.address(), 80));
    let flags = format!("{} --timeout 500ms --expect closed", arguments(&targets));
    let report = check(lab.client(), &flags);
    for (peer, target) in peers.iter().zip(targets) {
        // The kernel does not answer a RST; that it sent its SYN again at once shows that it took notice.
        assert!(peer.received().iter().filter(|s| s.is_syn()).count() >= 2);
        let probe = report.to(target);
        probe.is("timed_out", &["timed_out/confirmed", "syn_retransmitted/confirmed"]);
        probe.says(&["an answer came that our kernel did not accept"]);
        probe.never_says(&["refused the connection", "Nothing listens"]);
    }
    assert_eq!(report.code, Some(1), "--expect closed: {report:?}");
}

/// apache/nuttx#17683: a RST that answers a SYN must acknowledge it.
#[test]
fn a_rst_that_acknowledges_nothing_is_named() {
    privileged!();
    let lab = Lab::new().unwrap();
    let peers = Family::ALL.map(|family| {
        Peer::start(&lab, family, |segment| {
            segment.is_syn().then(|| segment.answer(0).rst().packet()).into_iter().collect()
        })
    });
    let targets = peers.each_ref().map(|peer| SocketAddr::new(peer.address(), 80));
    let flags = format!("{} --timeout 1200ms --expect closed", arguments(&targets));
    let report = check(lab.client(), &flags);
    for (peer, target) in peers.iter().zip(targets) {
        // The kernel waited for its timer, because it ignored the RST.
        assert_eq!(peer.received().iter().filter(|s| s.is_syn()).count(), 2);
        let probe = report.to(target);
        probe.is("timed_out", &["timed_out/confirmed", "syn_retransmitted/confirmed"]);
        probe.says(&["dropped the target's RST", "it acknowledges nothing", "tcpdump"]);
        probe.never_says(&["refused the connection", "Packet loss", "lost, delayed or dropped"]);
    }
    assert_eq!(report.code, Some(1), "--expect closed: {report:?}");
}
