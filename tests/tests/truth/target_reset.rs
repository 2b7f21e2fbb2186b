//! A device accepts the SYN and resets the connection at once (envoyproxy/envoy#23075). Whether its RST comes
//! before or after ours, it is the target that reset, and no refusal.

use std::net::SocketAddr;

use lab::{Family, Lab};
use probe_agent_tests::{peer::Peer, privileged, segment::Segment};

use crate::report::{arguments, check};

/// A peer of each family, and the address that is probed there.
fn peers(
    lab: &Lab,
    react: impl Fn(&Segment) -> Vec<Vec<u8>> + Copy + Send + 'static,
) -> [(Peer, SocketAddr); 2] {
    Family::ALL.map(|family| {
        let peer = Peer::start(lab, family, react);
        let target = SocketAddr::new(peer.address(), 80);
        (peer, target)
    })
}

#[test]
fn a_reset_right_after_the_synack_is_the_targets() {
    privileged!();
    let lab = Lab::new().unwrap();
    let peers = peers(&lab, |segment| {
        if !segment.is_syn() {
            return Vec::new();
        }
        let synack = segment.synack(1_000);
        let ack = synack.header.acknowledgment_number;
        vec![synack.packet(), segment.answer(1_001).ack(ack).rst().packet()]
    });
    let targets = arguments(&peers.each_ref().map(|(_, target)| *target));
    let report = check(lab.client(), &format!("{targets} --count 20 --interval 20ms"));
    assert_eq!((report.outcomes("alive"), report.outcomes("refused")), (40, 0), "{report:#?}");
    for (peer, target) in &peers {
        let received = peer.received();
        for probe in report.of(*target) {
            // Whether ours left as well is a race, and does not matter.
            let from = probe.local();
            let ours = received.iter().filter(|s| s.from == from && s.header.rst).count();
            assert_eq!(probe.verdicts(), ["target_reset/confirmed"], "{ours} ours: {probe:#?}");
            probe.says(&["SYN-ACK", "the target reset it"]);
            probe.never_says(&["Nothing listens", "refused the connection"]);
        }
    }
}

#[test]
fn without_a_rst_of_the_target_the_probe_is_clean() {
    privileged!();
    let lab = Lab::new().unwrap();
    let peers = peers(&lab, |segment| {
        let answer = segment.is_syn().then(|| segment.synack(1_000).packet());
        answer.into_iter().collect()
    });
    let targets = arguments(&peers.each_ref().map(|(_, target)| *target));
    let report = check(lab.client(), &targets);
    for (peer, target) in &peers {
        report.to(*target).is("alive", &["clean/confirmed"]);
        let received = peer.received();
        assert_eq!(received.len(), 2, "{received:?}");
        assert!(received[0].is_syn() && received[1].header.rst, "{received:?}");
    }
}
